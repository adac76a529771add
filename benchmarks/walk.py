"""One cube followed through the code: the files of the denoiser that a run enters, in their order, and from where.

    python benchmarks/walk.py                # white noise
    python benchmarks/walk.py --mixture      # stripes and impulses too

A run is traced, call by call, in all of its threads. A call from one file into another is a step; the same step counts
once. A step into a file that was entered before is a return: there a reader goes back to a page.
"""

import argparse
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import napari_decsc
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.hsi.cube import Cube

ROOT = f"{Path(napari_decsc.__file__).parent}/"
#: Rows and cols of the cube.
SIDE = 64
#: Bands of the cube.
BANDS = 20


def noisy(mixture: bool) -> Cube:
    """Four smooth spectra over four patterns, and noise of 5 % of the peak."""
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:SIDE, :SIDE]
    patterns = np.stack(
        [np.sin(row / 9) + 2, np.cos(col / 7) + 2, (row // 16 + col // 16) % 2, np.sin((row + col) / 20) + 1]
    )
    spectra = np.abs(rng.normal(size=(BANDS, 4))).cumsum(0)
    clean = np.einsum("bk,krc->brc", spectra, patterns)
    cube = clean / clean.max() + rng.normal(size=clean.shape) * 0.05
    if mixture:
        cube[rng.random(cube.shape) < 0.05] = 1.0
        cube[:, :, ::7] += rng.normal(size=(BANDS, 1, len(range(0, SIDE, 7)))) * 0.1
    return Cube(cube.astype(np.float32))


class Walk:
    """Notes which file calls into which: names below the package."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.steps: dict[tuple[str, str], None] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Take a call in: a profile function."""
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(ROOT):
            return
        if file not in self.files:
            self.files.append(file)
        caller = frame.f_back
        while caller is not None and not caller.f_code.co_filename.startswith(ROOT):
            caller = caller.f_back
        if caller is not None and caller.f_code.co_filename != file:
            self.steps.setdefault((caller.f_code.co_filename, file))

    def within(self, room: str) -> tuple[list[str], list[tuple[str, str]]]:
        """Files and steps below a folder of the package."""
        inside = f"{ROOT}{room}"
        files = [file for file in self.files if file.startswith(inside)]
        return files, [step for step in self.steps if all(file.startswith(inside) for file in step)]


def main() -> None:
    """Trace, and print."""
    parser = argparse.ArgumentParser(description="files that a run enters")
    parser.add_argument("--mixture", action="store_true", help="stripes and impulses too")
    walk, run = Walk(), DecscDenoiser().denoise(noisy(parser.parse_args().mixture))
    threading.setprofile(walk)
    sys.setprofile(walk)
    for _ in run:
        pass
    sys.setprofile(None)
    for room, name in (("", "the package"), ("deq/", "the denoiser")):
        files, steps = walk.within(room)
        print(f"{name}: {len(files)} files, {len(steps)} steps, {len(steps) - len(files) + 1} returns")
    files, steps = walk.within("deq/")
    for file in files:
        callers = sorted(one.removeprefix(ROOT) for one, other in steps if other == file)
        print(f"  {file.removeprefix(ROOT)}  <- {', '.join(callers) or '-'}")


if __name__ == "__main__":
    main()
