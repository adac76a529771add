"""A build against an older one, pair by pair: CPU seconds, largest memory and PSNR of the command `denoise`.

    python benchmarks/pairs.py [--scenes CAVE.tif AIRBORNE.npz] [--rows 256 512 205 200 window] [--pairs 5]
        [--against 1a17ebb] [--out pairs.json]

The older commit is written into a temporary folder (git archive). Both builds read the same noisy ENVI files and take
turns; every run is a fresh process that is watched from outside. CPU seconds are those of all threads of the process,
less those of a process that imports the denoiser alone; memory is the largest resident memory, that of the import shown
beside it. Medians of the pairs; ratios are medians of the ratios of pairs. The row `window` solves in Python as the
window does, and takes the CPU seconds to the first picture, to the result, and to the result after a change of
strength. Scenes are continued by reflection where they are too small; without any the built-in sample stands in.
Linux, in a checkout.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
#: name of a row: shape, noise, further words for the command
ROWS = {
    "256": ((31, 256, 256), ("gaussian", "mixture"), ()),
    "512": ((31, 512, 512), ("gaussian", "mixture"), ()),
    "205": ((205, 96, 96), ("mixture",), ()),
    "200": ((200, 512, 512), ("gaussian",), ("--memory", "1GB")),
}
IMPORT = "import napari_decsc.deq.denoiser"
COMMAND = "import sys; from napari_decsc.cli import main; sys.exit(main(sys.argv[1:]))"
#: A process that runs another and tells of it alone: the memory of the process that forks counts for its child.
WATCH = """
import json, os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, used = os.wait4(child.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""
WINDOW = """
import json, sys, time
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.settings import DecscSettings
try:
    from napari_decsc.hsi.io.files import open_cube
except ImportError:
    from napari_decsc.hsi.files import open_cube
cube, denoiser, times = open_cube(sys.argv[1]), DecscDenoiser(), []
for strength in (1.0, 0.7):
    denoiser = denoiser.resume(DecscSettings(strength=strength))
    began, first = time.process_time(), None
    for event in denoiser.denoise(cube):
        if first is None and event.preview is not None:
            first = time.process_time() - began
    times += [first, time.process_time() - began]
print(json.dumps(times))
"""
STEPS = ("first picture", "result", "first picture after a change of strength", "result after it")


@dataclass(frozen=True)
class Run:
    """One process: CPU seconds, largest memory in bytes, PSNR in dB (NaN where it is not asked for)."""

    cpu: float
    memory: int
    psnr: float = float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", nargs=2, type=Path, metavar=("CAVE", "AIRBORNE"))
    parser.add_argument("--rows", nargs="+", choices=[*ROWS, "window"], default=[*ROWS, "window"])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--against", default="1a17ebb")
    parser.add_argument("--out", type=Path, default=Path("pairs.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old, work = Path(folder) / "old", Path(folder)
        checkout(options.against, old)
        found = []
        print(f"old: {options.against}, new: {commit()}; {options.pairs} pairs\n")
        print("| cube | noise | CPU s old | new | ratio | MB old | new | ratio | dB old | new |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for row in [row for row in options.rows if row != "window"]:
            found += denoised(row, options, old, work)
        if "window" in options.rows:
            found.append(window(options, old, work))
        options.out.write_text(json.dumps(found, indent=1))


def denoised(row: str, options: argparse.Namespace, old: Path, work: Path) -> list[dict]:
    """Pairs of the command on one shape; prints a line for each kind of noise."""
    shape, kinds, words = ROWS[row]
    # the first run compiles what it imports
    idle = [[launched(build, IMPORT, []) for _ in range(2)][1] for build in (old, ROOT)]
    found = []
    for kind in kinds:
        clean = make(shape, kind, options.scenes, work)
        pairs = []
        for _ in range(options.pairs):
            pair = []
            for build, rest in zip((old, ROOT), idle, strict=True):
                run = launched(build, COMMAND, ["denoise", "noisy.hdr", "clean.hdr", "--overwrite", *words], work)
                pair.append(Run(run.cpu - rest.cpu, run.memory, psnr(clean, work / "clean.hdr")))
            pairs.append(pair)
        table_row(shape, kind, words, pairs)
        found.append({"row": row, "noise": kind, "idle_bytes": [run.memory for run in idle],
                      "pairs": [[asdict(run) for run in pair] for pair in pairs]})  # fmt: skip
    return found


def table_row(shape: tuple[int, int, int], kind: str, words: tuple[str, ...], pairs: list[list[Run]]) -> None:
    """Print medians of the pairs."""
    olds, news = zip(*pairs, strict=True)

    def both(values: list[tuple[float, float]], digits: int) -> str:
        old, new = (statistics.median(side) for side in zip(*values, strict=True))
        ratio = statistics.median(after / before for before, after in values)
        return f"{old:.{digits}f} | {new:.{digits}f} | {ratio:.2f}"

    cpu = both([(a.cpu, b.cpu) for a, b in zip(olds, news, strict=True)], 1)
    memory = both([(a.memory / 1e6, b.memory / 1e6) for a, b in zip(olds, news, strict=True)], 0)
    quality = " | ".join(f"{statistics.median(run.psnr for run in runs):.2f}" for runs in (olds, news))
    name = " ".join(["x".join(map(str, shape)), *words])
    print(f"| {name} | {kind} | {cpu} | {memory} | {quality} |", flush=True)


def window(options: argparse.Namespace, old: Path, work: Path) -> dict:
    """CPU seconds to what a person sees, of 31 x 256 x 256 under white noise."""
    make(ROWS["256"][0], "gaussian", options.scenes, work)
    pairs = [[seen(build, work) for build in (old, ROOT)] for _ in range(options.pairs)]
    print("\n| in the window, 31x256x256 | CPU s old | new | ratio |\n|---|---|---|---|")
    for number, step in enumerate(STEPS):
        olds, news = ([pair[side][number] for pair in pairs] for side in (0, 1))
        ratio = statistics.median(b / a for a, b in zip(olds, news, strict=True))
        print(f"| {step} | {statistics.median(olds):.2f} | {statistics.median(news):.2f} | {ratio:.2f} |", flush=True)
    return {"row": "window", "pairs": pairs}


def seen(build: Path, work: Path) -> list[float]:
    """CPU seconds to each of `STEPS`."""
    done = subprocess.run(
        [sys.executable, "-c", WINDOW, "noisy.hdr"], cwd=work, env=environment(build), capture_output=True, check=True
    )
    return list(json.loads(done.stdout))


def launched(build: Path, code: str, words: list[str], folder: Path | None = None) -> Run:
    """Run a program of a build to its end."""
    command = [sys.executable, "-c", WATCH, sys.executable, "-c", code, *words]
    done = subprocess.run(command, cwd=folder or build, env=environment(build), capture_output=True, text=True)
    ended, cpu, memory = json.loads(done.stdout)
    if ended:
        raise SystemExit(f"{build.name}: {' '.join(words) or code} ended with {ended}: {done.stderr[-500:]}")
    return Run(cpu, memory)


def environment(build: Path) -> dict[str, str]:
    """That of this process, with another build first on the path; what was compiled is kept, as it usually is."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(build)}


def checkout(commit: str, folder: Path) -> None:
    """Write the package of a commit into a folder."""
    folder.mkdir()
    archive = subprocess.Popen(["git", "archive", commit, "napari_decsc"], cwd=ROOT, stdout=subprocess.PIPE)
    with tarfile.open(fileobj=archive.stdout, mode="r|") as files:
        files.extractall(folder, filter="data")
    if archive.wait():
        raise SystemExit(f"there is no commit {commit} in this checkout")


def commit() -> str:
    """The commit of the checkout, with a + where files have changed since."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def make(shape: tuple[int, int, int], kind: str, scenes: list[Path] | None, folder: Path) -> np.ndarray:
    """Write noisy.hdr; the clean cube, peak 1."""
    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.io.files import save_cube
    from napari_decsc.hsi.noise.models import add_noise, make_noise

    clean = scene(shape, scenes)
    model = make_noise(kind, sigma=50.0) if kind == "gaussian" else make_noise(kind)
    save_cube(add_noise(Cube(clean), model, seed=0), folder / "noisy.hdr", overwrite=True)
    return clean


def scene(shape: tuple[int, int, int], scenes: list[Path] | None) -> np.ndarray:
    """A clean cube of a shape, continued by reflection where the scene is smaller."""
    bands, rows, cols = shape
    if scenes is None:
        from napari_decsc.hsi.sample import sample_cube

        data = sample_cube(min(rows, 512), min(cols, 512), bands).data
    else:
        from napari_decsc.deq.training.data import read_scene

        data = read_scene(scenes[bands > 31]).data.numpy()[:bands]
    top, left = (max(0, (have - want) // 2) for have, want in zip(data.shape[1:], (rows, cols), strict=True))
    data = data[:, top : top + rows, left : left + cols]
    more = [(0, want - have) for have, want in zip(data.shape, shape, strict=True)]
    if more[0][1]:
        raise SystemExit(f"{scenes} has no {bands} bands")
    return np.ascontiguousarray(np.pad(data, more, mode="symmetric"), np.float32)


def psnr(clean: np.ndarray, path: Path) -> float:
    """Mean PSNR of the bands of a file."""
    from napari_decsc.hsi.io.files import open_cube
    from napari_decsc.hsi.metrics import psnr_per_band

    values = psnr_per_band(clean, np.asarray(open_cube(path).data))
    return float(np.mean(values[np.isfinite(values)]))


if __name__ == "__main__":
    main()
