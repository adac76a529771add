"""Where the time goes: one evaluation, one solve, growth with the size, preview, threads, and the parts of a solve.

    python benchmarks/speed.py [--only evaluations solves growth latency threads parts] [--threads 2] [--largest 2048]

Prints Markdown tables (docs/speed.md). Every row is a fresh process and all rows of a table are of one run, so that
ratios within a table mean something even on a busy machine. The cube is the built-in sample, repeated, with Gaussian
noise of sigma 50. CPU seconds are those of all threads; peak memory is that of the process with all that it loaded.
Linux.
"""

import argparse
import importlib
import inspect
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from napari_decsc.denoising.protocol import Iteration, run
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.hsi.cube import Cube
from napari_decsc.registry import METHODS, make_denoiser

Found = dict[str, Any]
#: Bands and side of the cubes.
SHAPES = ((31, 128), (31, 256), (31, 512), (200, 100))
#: Side of the product of matrices that stands for what the processor can do, and how often things are repeated.
PRODUCT, REPEATS = 2048, 5
#: Functions whose time is told apart in a solve: (module, name, words).
PARTS = (
    ("deq.execution.source", "Source.of", "scale, stuck values"),
    ("deq.estimation.noise_search", "measure", "noise model"),
    ("deq.model.subspace", "SubspaceModel.identify", "noise levels, basis, outliers"),
    ("deq.model.subspace", "SubspaceModel.usable", "dead columns, wild voxels"),
    ("deq.estimation.described", "describe", "noise told, outliers repaired"),
    ("deq.model.subspace", "SubspaceModel.preview", "preview"),
    ("deq.model.subspace", "SubspaceModel.begin", "whitening, gaps, local estimate"),
    ("filters.matching", "similar_patches", "search for similar patches"),
    ("filters.multiscale", "halved", "estimate at half the size"),
    ("deq.model.subspace", "SubspaceModel.renewed", "stages renewed: weights, rare signal"),
    ("deq.model.subspace", "SubspaceModel.f", "evaluations of f"),
    ("deq.solvers.fixed_point", "_mix", "Anderson: mixing"),
    ("deq.solvers.fixed_point", "_grow", "Anderson: inner products"),
    ("deq.model.subspace", "SubspaceModel._refined", "conditioning network"),
    ("deq.model.subspace", "SubspaceModel.output", "estimates for preview and result"),
)


def noisy(bands: int, side: int, kind: str = "gaussian") -> Cube:
    """The sample, repeated, with noise."""
    from napari_decsc.hsi.noise.models import add_noise, make_noise
    from napari_decsc.hsi.sample import sample_cube

    scene = sample_cube(min(side, 512), min(side, 512), bands)
    times = -(-side // 512)
    data = np.tile(scene.data, (1, times, times))[:, :side, :side]
    return add_noise(
        scene.replace(data=data), make_noise("gaussian", sigma=50.0) if kind == "gaussian" else make_noise(kind), seed=0
    )


def evaluations(bands: int, side: int) -> Found:
    """Evaluations of f per second under mixture, their GFLOP, and a product of matrices on the same threads.

    Memory is handled as in a solve.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from napari_decsc.deq.execution import memory
    from napari_decsc.deq.weights import files as weights

    model = weights.load("subspace").model
    cube = torch.from_numpy(noisy(bands, side, "mixture").data)[None]
    with model.computing(), memory.handled(False):
        c = model.begin(cube, torch.ones_like(cube, dtype=torch.bool))
        c = model.renewed(c, model.start(c))
        z = model.f(model.start(c), c)
        with FlopCounterMode(display=False) as counter:
            model.f(z, c)
        seconds = _best(lambda: model.f(z, c))
        a = torch.randn(PRODUCT, PRODUCT)
        product = _best(lambda: a @ a)
    work = counter.get_total_flops() / 1e9
    return {"seconds": seconds, "gflop": work, "peak": 2 * PRODUCT**3 / 1e9 / product}


def solve(method: str, bands: int, side: int) -> Found:
    """One whole solve with default settings."""
    cube = noisy(bands, side)
    denoiser = make_denoiser(method)
    run(make_denoiser(method).denoise(noisy(bands, 32)))  # libraries and weights are loaded by then
    events: list[Iteration] = []
    began, cpu = time.perf_counter(), time.process_time()
    run(denoiser.denoise(cube), lambda event: events.append(_light(event)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak": peak,
        "tiles": events[-1].tiles, "evaluations": sum(event.number > 0 for event in events),
    }  # fmt: skip


def latency(bands: int, side: int) -> Found:
    """Seconds (processor seconds as "CPU") to the first estimate and the end; the same after a change of strength."""
    from napari_decsc.deq.denoiser import DecscDenoiser

    cube, first = noisy(bands, side), DecscDenoiser()
    run(DecscDenoiser().denoise(noisy(bands, 32)))
    names = ("first", "end", "first again", "end again")
    times = [*_times(first, cube), *_times(first.resume(DecscSettings(strength=0.7)), cube)]
    wall, cpu = zip(*times, strict=True)
    return {**dict(zip(names, wall, strict=True)), "CPU": dict(zip(names, cpu, strict=True))}


def _times(denoiser: Any, cube: Cube) -> tuple[tuple[float, float], tuple[float, float]]:
    """Seconds and processor seconds to the first estimate, and to the end."""
    began, shown = np.array(_clocks()), []

    def listen(event: Iteration) -> None:
        if event.preview is not None:
            shown.append(_clocks() - began)

    run(denoiser.denoise(cube), listen)
    first, end = shown[0], _clocks() - began
    return (first[0], first[1]), (end[0], end[1])


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def threads(bands: int, side: int) -> Found:
    """Seconds on 1, 2 and 4 threads, and the largest difference from 1 thread as a share of the result's range."""
    import torch

    cube, results, seconds = noisy(bands, side), [], []
    run(make_denoiser("decsc").denoise(noisy(bands, 32)))
    for count in (1, 2, 4):
        torch.set_num_threads(count)
        began = time.perf_counter()
        results.append(run(make_denoiser("decsc").denoise(cube)).data)
        seconds.append(time.perf_counter() - began)
    apart = [float(np.abs(result - results[0]).max() / np.ptp(results[0])) for result in results]
    return {"seconds": seconds, "apart": apart}


def parts(bands: int, side: int, kind: str = "gaussian") -> Found:
    """Seconds of each of `PARTS` in one solve, without those of the parts that it calls; and the rest."""
    importlib.import_module("napari_decsc.deq.denoiser")  # so that all modules have taken what they use
    clock = _Clock()
    for module, name, _ in PARTS:
        clock.watch(module, name)
    cube = noisy(bands, side, kind)
    run(make_denoiser("decsc").denoise(noisy(bands, 32, kind)))
    clock.seconds.clear()
    began = time.perf_counter()
    run(make_denoiser("decsc").denoise(cube))
    return {"all": time.perf_counter() - began, **clock.seconds}


class _Clock:
    """Times functions, each without the watched ones that it calls."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.inside: list[float] = []

    def watch(self, module: str, name: str) -> None:
        """Time a function or a method from now on, wherever it has been imported to."""
        owner: Any = importlib.import_module(f"napari_decsc.{module}")
        *path, last = name.split(".")
        for step in path:
            owner = getattr(owner, step)
        real = getattr(owner, last)
        timed = self._timed(real, f"{module}.{name}")
        if path:
            setattr(owner, last, timed if inspect.isfunction(real) else staticmethod(timed))
            return
        for loaded in [m for key, m in sys.modules.items() if key.startswith("napari_decsc")]:
            if getattr(loaded, last, None) is real:
                setattr(loaded, last, timed)

    def _timed(self, real: Callable[..., Any], key: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            self.inside.append(0.0)
            try:
                return real(*args, **kwargs)
            finally:
                took = time.perf_counter() - began
                self.seconds[key] = self.seconds.get(key, 0) + took - self.inside.pop()
                if self.inside:
                    self.inside[-1] += took

        return timed


def _light(event: Iteration) -> Iteration:
    return Iteration(event.number, event.residual, event.relative_residual, event.elapsed, event.tile, event.tiles)


def _best(step: Callable[[], object]) -> float:
    """Seconds of the quickest of some repeats."""
    marks = [time.perf_counter()]
    for _ in range(REPEATS):
        step()
        marks.append(time.perf_counter())
    return min(after - before for before, after in itertools.pairwise(marks))


def print_evaluations(ask: Callable[..., Found], largest: int) -> None:
    """Table of single evaluations."""
    _head("bands x side", "ms for one evaluation of f", "evaluations a second", "GFLOP", "GFLOP/s", "share of the peak")
    for shape in SHAPES:
        found = ask("evaluations", *shape)
        rate = found["gflop"] / found["seconds"]
        share = f"{100 * rate / found['peak']:.0f} % of {found['peak']:.0f}"
        _row(_name(*shape), f"{1e3 * found['seconds']:.0f}", f"{1 / found['seconds']:.1f}", f"{found['gflop']:.1f}",
             f"{rate:.0f}", share)  # fmt: skip


def print_solves(ask: Callable[..., Found], largest: int) -> None:
    """Table of whole solves by method."""
    _head("bands x side", "method", "seconds", "CPU seconds", "peak MB", "seconds / those of decsc")
    for shape in SHAPES:
        found = {method: ask("solve", method, *shape) for method in METHODS}
        for method, one in found.items():
            ratio = one["seconds"] / found["decsc"]["seconds"]
            _row(_name(*shape), method, f"{one['seconds']:.1f}", f"{one['cpu']:.1f}", f"{one['peak'] / 1e6:.0f}",
                 f"{ratio:.2f}")  # fmt: skip


def print_growth(ask: Callable[..., Found], largest: int) -> None:
    """Table of solves of growing images."""
    _head("side", "tiles", "evaluations", "seconds", "microseconds per pixel", "CPU seconds", "peak MB")
    side = 128
    while side <= largest:
        one = ask("solve", "decsc", 31, side)
        _row(side, one["tiles"], one["evaluations"], f"{one['seconds']:.1f}", f"{1e6 * one['seconds'] / side**2:.0f}",
             f"{one['cpu']:.1f}", f"{one['peak'] / 1e6:.0f}")  # fmt: skip
        side *= 2


def print_latency(ask: Callable[..., Found], largest: int) -> None:
    """Table of what a person waits for."""
    names = ("first", "end", "first again", "end again")
    words = ("first estimate", "result", "strength changed: first estimate", "strength changed: result")
    _head("bands x side", *[f"s (CPU s) to {word}" if "," not in word else word for word in words])
    for shape in SHAPES:
        found = ask("latency", *shape)
        _row(_name(*shape), *[f"{found[name]:.2f} ({found['CPU'][name]:.2f})" for name in names])


def print_threads(ask: Callable[..., Found], largest: int) -> None:
    """Table of numbers of threads."""
    _head("bands x side", "s on 1 thread", "2", "4", "largest difference, 2 threads / range", "4 threads")
    for shape in ((31, 64), (31, 128), (31, 256)):
        found = ask("threads", *shape)
        _row(_name(*shape), *[f"{value:.1f}" for value in found["seconds"]],
             *[f"{value:.1e}" for value in found["apart"][1:]])  # fmt: skip


def print_parts(ask: Callable[..., Found], largest: int) -> None:
    """Table of the parts of solves under white noise and under mixture."""
    found = [ask("parts", 31, 256, kind) for kind in ("gaussian", "mixture")]
    _head("seconds of a solve of 31 x 256 x 256", "sigma 50", "mixture")
    told = [(words, [each.get(f"{module}.{name}", 0.0) for each in found]) for module, name, words in PARTS]
    whole = [each["all"] for each in found]
    told.append(("everything else", [all_of - sum(part[k] for _, part in told) for k, all_of in enumerate(whole)]))
    for words, seconds in [*told, ("together", whole)]:
        _row(words, *[f"{each:.2f}" for each in seconds])


def _head(*cells: str) -> None:
    print()
    _row(*cells)
    print("|---" * len(cells) + "|")


def _row(*cells: object) -> None:
    print("|", *[f"{cell} |" for cell in cells], flush=True)


def _name(bands: int, side: int) -> str:
    return f"{bands} x {side} x {side}"


TABLES = {
    "evaluations": print_evaluations, "solves": print_solves, "growth": print_growth, "latency": print_latency,
    "threads": print_threads, "parts": print_parts,
}  # fmt: skip
MEASUREMENTS: dict[str, Callable[..., Found]] = {
    "evaluations": evaluations, "solve": solve, "latency": latency, "threads": threads, "parts": parts,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--largest", type=int, default=2048, help="side of the largest image of the table of growth")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        import torch

        torch.set_num_threads(args.threads)
        name, *values = args.one
        print(json.dumps(MEASUREMENTS[name](*[int(value) if value.isdigit() else value for value in values])))
        return

    def ask(*words: object) -> Found:
        command = [sys.executable, __file__, "--threads", str(args.threads), "--one", *map(str, words)]
        answer: Found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        return answer

    for name in args.only:
        TABLES[name](ask, args.largest)


if __name__ == "__main__":
    main()
