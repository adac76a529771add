"""Real cubes before and after, and what was removed: their median, a noisy and the noisiest band, and the verdict.

    python benchmarks/real_cubes.py OUT CUBE...

Writes OUT/real-NAME.png for every cube (.hdr, or .npz with an array "cube"), and prints the verdicts as Markdown. Noisy
is the band of which more is removed, beside what it varies, than of nine in ten.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from pictures import draw

from napari_decsc.denoising.protocol import Iteration, run
from napari_decsc.denoising.verdict import judge
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.registry import make_denoiser

#: Rows and columns of the middle that are looked at, at most.
CROP = 256


def main() -> None:
    """Denoise every cube, draw its bands, say its verdict."""
    import matplotlib

    matplotlib.use("Agg")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("cubes", nargs="+", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.cubes:
        cube = opened(path)
        noise: list[MeasuredNoise] = []
        denoised = run(make_denoiser("decsc").denoise(cube), lambda event, found=noise: keep(event, found))
        picture(cube, denoised).savefig(options.out / f"real-{path.stem}.png", dpi=100)
        verdict = judge(cube, denoised, noise[-1] if noise else None)
        print(f"![{path.stem}](images/real-{path.stem}.png)\n\n*{path.stem}*: {verdict.sentence}\n", flush=True)


def keep(event: Iteration, found: list[MeasuredNoise]) -> None:
    """Remember the noise that was measured."""
    if event.noise is not None:
        found.append(event.noise)


def opened(path: Path) -> Cube:
    """The middle of a cube."""
    cube = Cube(np.load(path)["cube"], path.stem) if path.suffix == ".npz" else open_cube(path)
    rows, cols = (
        slice((extent - min(extent, CROP)) // 2, (extent + min(extent, CROP)) // 2) for extent in cube.shape[1:]
    )
    return cube.replace(data=np.array(cube.data[:, rows, cols]))


def picture(cube: Cube, denoised: Cube) -> Any:
    """Three bands."""
    from matplotlib.figure import Figure

    before, after = (np.asarray(each.physical(), np.float64) for each in (cube, denoised))
    removed, spread = np.nanstd(before - after, (1, 2)), np.nanstd(after, (1, 2))
    told = np.flatnonzero((removed > 0) & (spread > 0))
    order = told[np.argsort((removed / np.where(spread > 0, spread, 1))[told])]
    chosen = {"median": order[len(order) // 2], "noisy": order[len(order) * 9 // 10], "noisiest": order[-1]}
    figure = Figure(figsize=(7.5, 2.7 * len(chosen)), layout="constrained")
    for axes, (name, band) in zip(figure.subplots(len(chosen), 3, squeeze=False), chosen.items(), strict=True):
        draw(axes, cube, denoised, int(band), f"{name}: band {band + 1}")
    return figure


if __name__ == "__main__":
    main()
