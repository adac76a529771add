"""A scene of the size of an imaging spectrometer's from file to file, the same on a cluster, and growth with the bands.

    python benchmarks/large.py scene FOLDER --spectra EMIT.hdr --texture SCENE.tif [--rows 1280 --cols 1242]
        [--memory 1.5GB]
    python benchmarks/large.py cluster FOLDER --spectra EMIT.hdr --texture SCENE.tif --rows 512 --cols 640 [--tile 96]
        [--runs process one two killed]
    python benchmarks/large.py bands [--side 128] [--counts 64 128 256 512]

The scene is made, not measured: every pixel mixes five real spectra (those of the spectra file that are furthest from
each other) by weights that come from the bands of a real scene, continued by reflection; white noise of 2 % of each
band's mean is added. Its files are deleted at the end. `cluster` solves it in one process of one thread, with one and
two workers of one thread, and with two of which the first is killed once a third of the tiles is done, and prints the
log; of these, `--runs` says which, and the first is what the others are compared with. Scheduler and workers have
started before; the client has one thread, too. A solve is the time that the report tells, without imports and the
verdict. `bands` solves the built-in sample, sigma 50. Times are seconds of the clock, and CPU seconds of the process
with all its threads; memory is the largest resident memory. Linux.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = "import sys; from napari_decsc.cli import main; sys.exit(main(sys.argv[1:]))"
COMMAND = [sys.executable, "-c", PROGRAM, "denoise"]
MATERIALS, NOISE, BLOCK = 5, 0.02, 64
#: Runs on a cluster: workers, and whether one is killed.
ON_CLUSTER = {"one": (1, False), "two": (2, False), "killed": (2, True)}
#: A process that runs another and tells seconds, CPU seconds and largest memory of it alone: its own is small.
WATCH = """
import json, os, subprocess, sys, time
began = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, used = os.wait4(child.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.monotonic() - began, used.ru_utime + used.ru_stime,
                  used.ru_maxrss * 1024]))
"""
WORKER = """
import asyncio, sys
from distributed import Worker
import napari_decsc.deq.execution.cluster
async def main():
    async with Worker(sys.argv[1], nthreads=1, dashboard=False, local_directory=sys.argv[2]) as worker:
        print(worker.address, flush=True)
        await worker.finished()
asyncio.run(main())
"""
SCHEDULER = """
import asyncio
from distributed import Scheduler
import napari_decsc.deq.execution.cluster
async def main():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(main())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["scene", "cluster", "bands"])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/large"))
    parser.add_argument("--spectra", type=Path)
    parser.add_argument("--texture", type=Path)
    parser.add_argument("--rows", type=int, default=1280)
    parser.add_argument("--cols", type=int, default=1242)
    parser.add_argument("--memory", default="1.5GB")
    parser.add_argument("--tile", type=int, default=96)
    parser.add_argument("--runs", nargs="+", choices=["process", *ON_CLUSTER], default=["process", *ON_CLUSTER])
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--counts", type=int, nargs="+", default=[64, 128, 256, 512])
    options = parser.parse_args()
    {"scene": scene, "cluster": cluster, "bands": bands}[options.what](options)


def scene(options: argparse.Namespace) -> None:
    """From file to file within a budget."""
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        shape = make(options)
        seconds, cpu, memory = denoised(options.folder, "denoised.hdr", "--memory", options.memory)
        before, after = errors(options)
        name = " x ".join(map(str, shape))
        print(f"{name}, --memory {options.memory}: {seconds:.0f} s, {cpu:.0f} CPU s, {memory / 1e6:.0f} MB")
        print(f"error {before:.4f} of the mean before, {after:.4f} after; load {os.getloadavg()[1]:.1f}")
    finally:
        delete(options.folder)


def cluster(options: argparse.Namespace) -> None:
    """One process, one worker, two, two of which one is lost."""
    options.folder.mkdir(parents=True, exist_ok=True)
    words, first = ("--tile", str(options.tile), "--report", "report.json"), None
    try:
        make(options)
        for name in options.runs:
            if name == "process":
                took, result = denoised(options.folder, "denoised.hdr", *words, threads=1)[0], "denoised.hdr"
            else:
                workers, killed = ON_CLUSTER[name]
                took, result = on_cluster(options.folder, words, workers, killed=killed), "clustered.hdr"
            solve, cube = solved(options.folder), pixels(options.folder / result)
            if first is None:
                first, told = (solve, took, np.array(cube)), ""
            else:
                apart = max(float(np.abs(one - other).max()) for one, other in zip(cube, first[2], strict=True))
                told = (f" ({first[0] / solve:.2f} and {first[1] / took:.2f} times as fast); "
                        f"largest difference {apart / first[2].max():.1e} of the peak")  # fmt: skip
            load = os.getloadavg()[0]
            print(f"{name}: solve {solve:.1f} s, command {took:.1f} s{told}; load {load:.1f}", flush=True)
        print(f"of the solve, the client's in any case: {noise_measured(options.folder):.1f} s", flush=True)
    finally:
        delete(options.folder)


def solved(folder: Path) -> float:
    """Seconds of the last run between its imports and its verdict."""
    seconds: float = json.loads((folder / "report.json").read_text(encoding="utf-8"))["seconds"]
    return seconds


def noise_measured(folder: Path) -> float:
    """Seconds that noise and subspace take on one thread, once for all tiles."""
    import torch

    from napari_decsc.deq.denoiser import measure_noise
    from napari_decsc.hsi.io.files import open_cube

    torch.set_num_threads(1)
    noisy, began = open_cube(folder / "noisy.hdr"), time.monotonic()
    measure_noise(noisy)
    return time.monotonic() - began


def on_cluster(folder: Path, words: tuple[str, ...], workers: int, *, killed: bool) -> float:
    """Seconds of a run on workers; the first is killed once a third of the tiles is done."""
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True, "env": environment(None)}
    running = [subprocess.Popen([sys.executable, "-c", SCHEDULER], **quiet)]
    try:
        address = running[0].stdout.readline().strip()
        for _ in range(workers):
            running.append(subprocess.Popen([sys.executable, "-c", WORKER, address, str(folder)], **quiet))
        for worker in running[1:]:
            worker.stdout.readline()
        began, said = time.monotonic(), []
        command = [*COMMAND, "noisy.hdr", "clustered.hdr", "--overwrite", "--scheduler", address, *words]
        run = subprocess.Popen(
            command, cwd=folder, env=environment(1), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
        for line in run.stderr:
            said.append(line.strip())
            tiles = re.search(r"tile (\d+) of (\d+)", line)
            if killed and tiles and 3 * int(tiles[1]) > int(tiles[2]):
                running[1].kill()
                killed = False
        if run.wait():
            raise SystemExit("\n".join(said))
        took = time.monotonic() - began
        print("".join(f"{line}\n" for line in said if "worker" in line), end="")
        return took
    finally:
        for process in running:
            process.kill()
            process.wait()


def bands(options: argparse.Namespace) -> None:
    """Growth with the number of bands."""
    from napari_decsc.hsi.io.files import save_cube
    from napari_decsc.hsi.noise.models import add_noise, make_noise
    from napari_decsc.hsi.sample import sample_cube

    options.folder.mkdir(parents=True, exist_ok=True)
    print("| bands | CPU s | ms a band | MB |\n|---|---|---|---|")
    try:
        for count in options.counts:
            clean = sample_cube(options.side, options.side, count)
            save_cube(add_noise(clean, make_noise("gaussian", sigma=50.0), seed=0), options.folder / "noisy.hdr",
                      overwrite=True)  # fmt: skip
            _, cpu, memory = denoised(options.folder, "denoised.hdr")
            print(f"| {count} | {cpu:.1f} | {1e3 * cpu / count:.0f} | {memory / 1e6:.0f} |", flush=True)
    finally:
        delete(options.folder)


def denoised(folder: Path, result: str, *words: str, threads: int | None = None) -> tuple[float, float, int]:
    """Seconds, CPU seconds and largest memory of the command, on so many threads or all."""
    command = [sys.executable, "-c", WATCH, *COMMAND, "noisy.hdr", result, "--overwrite", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(threads))
    code, seconds, cpu, memory = json.loads(done.stdout)
    if code:
        raise SystemExit(done.stderr[-2000:])
    return seconds, cpu, memory


def environment(threads: int | None) -> dict[str, str]:
    """That of a program of this checkout on so many threads, or on as many as it takes."""
    told = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    return {**os.environ, "PYTHONPATH": str(ROOT), **told}


def make(options: argparse.Namespace) -> tuple[int, int, int]:
    """Write noisy.hdr in FOLDER, block by block; its shape."""
    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.io.envi.streaming import envi_sink

    spectra, weights = materials(options.spectra), textures(options)
    shape = (spectra.shape[1], options.rows, options.cols)
    with envi_sink(Cube(np.broadcast_to(np.float32(0), shape)), options.folder / "noisy.hdr", overwrite=True) as sink:
        for top in range(0, options.rows, BLOCK):
            rows = slice(top, min(top + BLOCK, options.rows))
            clean = np.tensordot(spectra, weights[:, rows], (0, 0))
            sink.write(clean + noise(spectra, clean.shape, top), rows, slice(0, options.cols))
    return shape


def errors(options: argparse.Namespace) -> tuple[float, float]:
    """Root mean square error of input and result, in units of the mean."""
    spectra, weights = materials(options.spectra), textures(options)
    noisy, result = pixels(options.folder / "noisy.hdr"), pixels(options.folder / "denoised.hdr")
    total = np.zeros(2)
    for top in range(0, options.rows, BLOCK):
        clean = np.tensordot(spectra, weights[:, top : top + BLOCK], (0, 0))
        total += [np.square(cube[:, top : top + BLOCK] - clean).mean() * clean.shape[1] for cube in (noisy, result)]
    before, after = np.sqrt(total / options.rows) / spectra.mean()
    return before, after


def noise(spectra: np.ndarray, shape: tuple[int, ...], top: int) -> np.ndarray:
    """White noise of one level per band."""
    drawn = np.random.default_rng(top).standard_normal(shape, np.float32)
    return (NOISE * spectra.mean(0))[:, None, None] * drawn


def materials(path: Path) -> np.ndarray:
    """Real spectra (material, band), each the furthest from those before it."""
    values = pixels(path).reshape(-1, np.prod(pixels(path).shape[1:])).T
    values = np.maximum(np.nan_to_num(values), 0).astype(np.float32)
    chosen = [int(values.sum(1).argmax())]
    while len(chosen) < MATERIALS:
        away = np.min([np.linalg.norm(values - values[one], axis=1) for one in chosen], axis=0)
        chosen.append(int(away.argmax()))
    return values[chosen]


def textures(options: argparse.Namespace) -> np.ndarray:
    """Weights (material, row, col) that sum to 1, from bands of a real scene spread over its spectrum."""
    from napari_decsc.deq.training.data import read_scene

    cube = read_scene(options.texture).data.numpy()
    some = cube[np.linspace(0, len(cube) - 1, MATERIALS).astype(int)]
    more = [(0, max(0, want - have)) for want, have in zip((options.rows, options.cols), some.shape[1:], strict=True)]
    some = np.pad(some, [(0, 0), *more], mode="symmetric")[:, : options.rows, : options.cols]
    some = np.exp(4 * (some - some.mean((1, 2), keepdims=True)))
    weights: np.ndarray = (some / some.sum(0)).astype(np.float32)
    return weights


def pixels(path: Path) -> np.ndarray:
    """A cube's values, mapped."""
    from napari_decsc.hsi.io.files import open_cube

    return np.asarray(open_cube(path).data)


def delete(folder: Path) -> None:
    for name in ("noisy", "denoised", "clustered", "report"):
        for file in folder.glob(f"{name}.*"):
            file.unlink()


if __name__ == "__main__":
    main()
