"""Noise as sensors make it, and rare things in it: PSNR of the methods on 17 cases, what is kept of what was planted.

    python benchmarks/reality.py feathers.tif glass_tiles.tif airborne.npz --crop 128 --minutes 30

Writes reality.md and reality.json to --out. Every cell (cube, case, method) is kept in a file of its own under
--out/cells, by the code that made it: a run that is stopped, or has no more --minutes, goes on where it was, and after
a change only those methods run anew whose code has changed. --table makes the tables of what there is.

Cubes: .tif (uint8, square-root companded), .npz with an array "cube", .npy, .hdr. The noise is drawn by seed --seed;
that of the planted scenes is white with the level 0.02 of the peak.
"""

import argparse
import hashlib
import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from napari_decsc.denoising.protocol import run
from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import psnr_per_band
from napari_decsc.hsi.noise.planted import KINDS, Kind, Planted, plant
from napari_decsc.hsi.noise.reality import REALITY
from napari_decsc.registry import make_denoiser

ROOT = Path(__file__).resolve().parents[1]
INPUT, OURS, CLASSICAL = "input", "decsc", ("fasthyde", "e3dtv")
METHODS = (INPUT, OURS, *CLASSICAL)
#: Parts of the package that decide what the noise is, and what a method makes of it. Others may change.
NOISE = ("hsi/noise", "hsi/metrics.py")
COMMON = (*NOISE, "hsi/cube.py", "hsi/no_data.py", "hsi/scaling.py", "filters")
ROOMS = ("estimation", "execution", "model", "solvers", "weights", "denoiser.py", "settings.py")
SOURCES = {INPUT: NOISE, OURS: (*COMMON, *(f"deq/{room}" for room in ROOMS))} | dict.fromkeys(
    CLASSICAL, (*COMMON, "classical")
)
#: Noise level of the scenes with something planted, as a share of the peak.
SIGMA = 0.02


@dataclass(frozen=True)
class Cell:
    """One number of the table: a cube (cropped, every n-th band), a case and a method."""

    cube: Path
    case: str
    method: str
    crop: int
    every: int
    seed: int

    def file(self, folder: Path) -> Path:
        """Where its answer is kept: the name holds all that it depends on."""
        view = f"{self.crop}px-every{self.every}-seed{self.seed}"
        return folder / f"{self.cube.stem}-{view}-{self.case}-{self.method}-{code_of(self.method)}.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cubes", nargs="+", type=Path)
    parser.add_argument("--cases", nargs="+", default=[*REALITY, *KINDS], choices=[*REALITY, *KINDS], metavar="CASE")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--crop", type=int, default=128, help="central pixels, 0: all")
    parser.add_argument("--every", type=int, default=1, help="every n-th band of cubes with more than 100 bands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no cell after this time")
    parser.add_argument("--out", type=Path, default=Path("runs/reality"))
    parser.add_argument("--table", action="store_true", help="only make the tables of the cells that are there")
    options = parser.parse_args()
    (options.out / "cells").mkdir(parents=True, exist_ok=True)
    cells = [
        Cell(cube, case, method, options.crop, options.every, options.seed)
        for cube, case, method in itertools.product(options.cubes, options.cases, options.methods)
    ]
    if not options.table:
        work(cells, options.out / "cells", options.minutes)
    rows = list(known(cells, options.out / "cells"))
    (options.out / "reality.json").write_text(json.dumps(rows, indent=1))
    (options.out / "reality.md").write_text(tables(rows))
    print(tables(rows))


def work(cells: list[Cell], folder: Path, minutes: float) -> None:
    """Measure the cells that are not there, one after the other."""
    began = time.monotonic()
    for number, cell in enumerate(cells, start=1):
        file = cell.file(folder)
        if file.exists():
            continue
        if time.monotonic() - began > 60 * minutes:
            print(f"stopped before cell {number} of {len(cells)}; the same words go on", flush=True)
            return
        row = measure(cell)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(row))
        partial.replace(file)
        print(f"{number} of {len(cells)}: {cell.cube.stem}, {cell.case}, {cell.method}: {said(row)}", flush=True)


def known(cells: list[Cell], folder: Path) -> Iterator[dict[str, Any]]:
    """The answers that are there."""
    for cell in cells:
        file = cell.file(folder)
        if file.exists():
            yield json.loads(file.read_text())


def measure(cell: Cell) -> dict[str, Any]:
    """The answer of one cell, ready for JSON; an error of the method is an answer too."""
    scene = clean_scene(cell.cube, cell.crop, cell.every)
    name = {"cube": cell.cube.stem, "case": cell.case, "method": cell.method, "commit": commit()}
    begin = time.monotonic()
    try:
        found = planted_cell(scene, cell) if cell.case in KINDS else noise_cell(scene, cell)
    except (DecscError, RuntimeError, np.linalg.LinAlgError) as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    return {**name, **found, "seconds": round(time.monotonic() - begin, 1)}


def noise_cell(scene: np.ndarray, cell: Cell) -> dict[str, float]:
    """Mean PSNR in dB, over the bands that hold something."""
    _, model = REALITY[cell.case]
    noisy = model(scene, rng_of(cell))
    good = ~model.lost(scene.shape[0])
    psnr = psnr_per_band(scene[good], denoised(noisy, cell.method)[good])
    return {"psnr": float(np.mean(psnr[np.isfinite(psnr)]))}


def planted_cell(scene: np.ndarray, cell: Cell) -> dict[str, float]:
    """Share that is kept of what was planted, and the error there as a share of the noise's."""
    kind: Kind = next(one for one in get_args(Kind) if one == cell.case)
    rng = rng_of(cell)
    planted: Planted = plant(scene, kind, rng, SIGMA)
    noisy = planted.clean + np.float32(SIGMA) * rng.standard_normal(scene.shape, np.float32)
    result = denoised(noisy, cell.method)
    return {"kept": planted.kept(result), "error_of_noise": planted.error(result) / planted.error(noisy)}


def rng_of(cell: Cell) -> np.random.Generator:
    """Random numbers that every method meets alike, and every case anew."""
    return np.random.default_rng([cell.seed, [*REALITY, *KINDS].index(cell.case)])


def denoised(noisy: np.ndarray, method: str) -> np.ndarray:
    """The result of a method, or the input."""
    return noisy if method == INPUT else run(make_denoiser(method).denoise(Cube(noisy, "noisy"))).data


def clean_scene(path: Path, crop: int, every: int) -> np.ndarray:
    """A clean scene (band, row, col), peak 1."""
    from napari_decsc.cli.bench_case import central
    from napari_decsc.deq.training.data import read_scene

    cube = Cube(read_scene(path).data.numpy(), path.stem)
    cube = central(cube, crop) if crop else cube
    return np.ascontiguousarray(cube.data[:: every if cube.bands > 100 else 1])


def code_of(method: str, known: dict[str, str] = {}) -> str:  # noqa: B006
    """A short name of the code that decides what a method does: the same files, the same name."""
    if method not in known:
        package, digest = ROOT / "napari_decsc", hashlib.sha256()
        for part in (package / source for source in SOURCES[method]):
            for file in [part] if part.is_file() else sorted(path for path in part.rglob("*") if path.is_file()):
                if file.suffix in (".py", ".safetensors"):
                    digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
        known[method] = digest.hexdigest()[:10]
    return known[method]


def commit() -> str:
    """The commit of the checkout, with a + where files have changed since."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def said(row: dict[str, Any]) -> str:
    """A cell's answer in a few words."""
    if "error" in row:
        return str(row["error"])
    return f"{row['psnr']:.2f} dB" if "psnr" in row else f"{row['kept']:.2f} kept, error {row['error_of_noise']:.2f}"


def tables(rows: list[dict[str, Any]]) -> str:
    """Both tables and the sums, as Markdown."""
    by = {(row["cube"], row["case"], row["method"]): row for row in rows}
    cubes = list(dict.fromkeys(row["cube"] for row in rows))
    cases = list(dict.fromkeys(row["case"] for row in rows))
    noise, kinds = [case for case in cases if case in REALITY], [case for case in cases if case in KINDS]
    parts = [f"Commit {', '.join(dict.fromkeys(row['commit'] for row in rows))}.\n"]
    if noise:
        head = "| case | " + " | ".join(f"{cube}: noisy / decsc / best classical" for cube in cubes) + " |"
        lines = [f"| {case} | " + " | ".join(_psnr(by, cube, case) for cube in cubes) + " |" for case in noise]
        parts.append("\n".join([head, "|---" * (len(cubes) + 1) + "|", *lines]) + f"\n\n{_sums(by, cubes, noise)}\n")
    if kinds:
        head = "| planted | " + " | ".join(f"{cube}: {method}" for cube in cubes for method in METHODS) + " |"
        lines = [
            f"| {kind} | "
            + " | ".join(_kept(by.get((cube, kind, method))) for cube in cubes for method in METHODS)
            + " |"
            for kind in kinds
        ]
        parts.append("\n".join([head, "|---" * (len(cubes) * len(METHODS) + 1) + "|", *lines]))
        parts.append("\nShare that is kept / error there, in errors of the noisy cube.\n")
    return "\n".join(parts)


def _best(by: dict[tuple[str, str, str], dict[str, Any]], cube: str, case: str) -> float | None:
    """PSNR of the best classical method, which doing nothing is too."""
    found = [by.get((cube, case, method), {}).get("psnr") for method in (INPUT, *CLASSICAL)]
    return max((psnr for psnr in found if psnr is not None), default=None)


def _psnr(by: dict[tuple[str, str, str], dict[str, Any]], cube: str, case: str) -> str:
    noisy, ours = (by.get((cube, case, method), {}).get("psnr") for method in (INPUT, OURS))
    best = _best(by, cube, case)
    shown = ["–" if psnr is None else f"{psnr:.1f}" for psnr in (noisy, ours, best)]
    if ours is not None and best is not None:
        place = 1 if ours >= best else 2
        shown[place] = f"**{shown[place]}**"
    return " / ".join(shown)


def _kept(row: dict[str, Any] | None) -> str:
    if row is None or "error" in row:
        return "–"
    return f"{row['kept']:.2f} / {row['error_of_noise']:.2f}"


def _sums(by: dict[tuple[str, str, str], dict[str, Any]], cubes: list[str], cases: list[str]) -> str:
    margins = []
    for cube, case in itertools.product(cubes, cases):
        ours, best = by.get((cube, case, OURS), {}).get("psnr"), _best(by, cube, case)
        if ours is not None and best is not None:
            margins.append(ours - best)
    if not margins:
        return "No cell has both decsc and another method yet."
    behind = sum(margin < -0.2 for margin in margins)
    return (
        f"decsc is {np.mean(margins):+.2f} dB from the best classical method on the mean of {len(margins)} cells, "
        f"{min(margins):+.2f} at the least; in {behind} it is more than 0.2 dB behind."
    )


if __name__ == "__main__":
    main()
