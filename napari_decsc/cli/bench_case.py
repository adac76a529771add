"""One cell of a benchmark: one method on one cube with one noise, in a process of its own."""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import DecscError, SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.models import NOISE_MODELS, NoiseModel, make_noise
from napari_decsc.hsi.noise.reality import REALITY

#: The noise cases of the field's protocol that a benchmark runs unless told otherwise.
NOISE_CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "gaussian-50": ("gaussian", {"sigma": 50.0}),
    "non-iid-95": ("non-iid", {"maximum": 95.0}),
    "non-iid-15": ("non-iid", {"maximum": 15.0}),
    "corr": ("corr", {}),
    "mixture": ("mixture", {}),
}

#: Names that stand for many cases.
GROUPS: dict[str, tuple[str, ...]] = {"protocol": tuple(NOISE_CASES), "reality": tuple(REALITY)}


@dataclass(frozen=True)
class Case:
    """What to run. ``cube`` None: the built-in sample; ``crop`` 0: the whole cube, else the side of its centre."""

    cube: Path | None
    noise: str
    method: str
    settings: Any
    seed: int = 0
    crop: int = 0


def noise_of(name: str) -> NoiseModel:
    """The model of a case of `NOISE_CASES` or `REALITY`, or a model of that name with its default settings."""
    if name in NOISE_CASES:
        model, values = NOISE_CASES[name]
        return make_noise(model, **values)
    if name in REALITY:
        return REALITY[name][1]
    if name in NOISE_MODELS:
        return make_noise(name)
    known = ", ".join({**GROUPS, **NOISE_CASES, **REALITY, **NOISE_MODELS})
    raise SettingsError(f"there is no noise case {name!r}; choose among {known}")


def cases_of(names: Sequence[str]) -> list[str]:
    """The cases that the names stand for, each once."""
    return list(dict.fromkeys(case for name in names for case in GROUPS.get(name, (name,))))


def clean_cube(path: Path | None, crop: int) -> Cube:
    """The cube of a case before the noise."""
    if path is None:
        from napari_decsc.hsi.sample import sample_cube

        cube = sample_cube()
    else:
        from napari_decsc.hsi.io.files import open_cube

        cube = open_cube(path)
    return central(cube, crop) if crop else cube


def central(cube: Cube, side: int) -> Cube:
    """The central ``side`` x ``side`` pixels, or fewer where the cube is smaller."""
    _, rows, cols = cube.shape
    top, left = max(0, (rows - side) // 2), max(0, (cols - side) // 2)
    return cube.replace(data=cube.data[:, top : top + side, left : left + side])


def run_case(case: Case) -> dict[str, Any]:
    """Denoise and score, ready for JSON; memory and CPU time are this process's.

    CPU seconds are those of all threads between the first step of the method and its last, without imports and
    without reading weights. The peak of memory includes everything that the process loaded.
    """
    from napari_decsc.cli.peers import make_benchmarked
    from napari_decsc.denoising.protocol import run
    from napari_decsc.denoising.report import Recorder
    from napari_decsc.hsi.noise.models import add_noise

    clean, noise = clean_cube(case.cube, case.crop), noise_of(case.noise)
    noisy = add_noise(clean, noise, case.seed)
    denoiser = make_benchmarked(case.method, case.settings)
    recorder = Recorder(denoiser)
    begin = time.process_time()
    denoised = run(denoiser.denoise(noisy), recorder)
    cpu_seconds = time.process_time() - begin
    report = recorder.report()
    ends = [tile["relative_residual"] for tile in report["tiles"] if tile["relative_residual"]]
    return {
        **name_of(case),
        "shape": list(clean.shape),
        **_scores(clean, noisy, denoised, noise.lost(clean.bands)),
        "cpu_seconds": round(cpu_seconds, 3),
        "seconds": report["seconds"],
        "peak_memory_bytes": report["peak_memory_bytes"],
        "evaluations": max((len(history) for history in ends), default=None),
        "relative_residual": max((history[-1] for history in ends), default=None),
        "settings": report["settings"],
        "weights": report["weights"],
        "device": report["device"],
    }


def _scores(clean: Cube, noisy: Cube, denoised: Cube, lost: NDArray[np.bool_]) -> dict[str, Any]:
    """Scores before and after, over the bands that hold something of the scene; which do not, from 0, if any."""
    from napari_decsc.hsi.metrics import score
    from napari_decsc.hsi.scaling import peak

    kept = ~lost
    reference, high = clean.physical()[kept], peak(clean)
    found = {
        name: score(reference, cube.physical()[kept], high).summary()
        for name, cube in (("noisy", noisy), ("denoised", denoised))
    }
    return {**found, "lost_bands": np.flatnonzero(lost).tolist()} if lost.any() else found


def name_of(case: Case) -> dict[str, str]:
    """The row's name in tables: cube, noise, method."""
    return {
        "cube": "sample" if case.cube is None else case.cube.stem,
        "noise": case.noise,
        "method": case.method,
    }


def run_case_apart(case: Case) -> dict[str, Any]:
    """`run_case` in a fresh process, so that its peak of memory is its own.

    A case that fails gives a row with its name and "error": the other cases of a benchmark are still worth having.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, case))
    child.start()
    there.close()  # so that the end of the child is the end of the pipe
    try:
        row: dict[str, Any] = here.recv()
    except EOFError:
        child.join()
        row = {"error": f"the process ended with code {child.exitcode}, perhaps for want of memory"}
    finally:
        child.kill()  # has ended by now, unless we were interrupted
        child.join()
        here.close()
    return {**name_of(case), **row}


def _child(pipe: Connection, case: Case) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle: it ends this process
    with contextlib.redirect_stdout(sys.stderr), pipe:
        try:
            pipe.send(run_case(case))
        except (DecscError, MemoryError) as error:
            pipe.send({"error": str(error) or "the memory is not enough"})
    sys.stderr.flush()
    os._exit(0)  # no exit handlers of libraries: all that was wanted has been sent
