"""Before, after, and what was removed: one row for each cube, drawn into one picture.

    python benchmarks/pictures.py OUT.png CUBE:NOISE:BAND ...

CUBE is a file or ``sample``; NOISE a noise case or model of `napari-decsc benchmark`, or ``none`` for a cube that is
noisy already; BAND counts from 1. Before and after have the same grey scale. What was removed is drawn around 0, from
minus to plus three of its standard deviations: it should look like noise alone, without the scene's outlines.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.cli.bench_case import clean_cube, noise_of
from napari_decsc.denoising.protocol import run
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.models import add_noise
from napari_decsc.registry import make_denoiser


def main() -> None:
    """Denoise every cube and draw its row."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("rows", nargs="+", metavar="CUBE:NOISE:BAND")
    args = parser.parse_args()
    figure = Figure(figsize=(7.5, 2.6 * len(args.rows)), layout="constrained")
    for axes, row in zip(figure.subplots(len(args.rows), 3, squeeze=False), args.rows, strict=True):
        name, noise, band = row.rsplit(":", 2)
        cube = clean_cube(None if name == "sample" else Path(name), 0)
        noisy = cube if noise == "none" else add_noise(cube, noise_of(noise), seed=0)
        denoised = run(make_denoiser("decsc").denoise(noisy))
        title = f"{cube.name}, band {band}, {'as measured' if noise == 'none' else noise}"
        draw(axes, noisy, denoised, int(band) - 1, title)
    figure.savefig(args.out, dpi=110)


def draw(axes: Any, noisy: Cube, denoised: Cube, band: int, title: str) -> None:
    """Three pictures of a band."""
    before, after = (np.asarray(cube.data[band], np.float32) for cube in (noisy, denoised))
    low, high = np.nanpercentile(after, (1, 99))
    removed = before - after
    reach = 3 * float(np.nanstd(removed)) or 1.0
    for ax, picture, what, limits in zip(
        axes,
        (before, after, removed),
        (title, "denoised", "removed"),
        ((low, high), (low, high), (-reach, reach)),
        strict=True,
    ):
        ax.imshow(picture, cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="nearest")
        ax.set_title(what, fontsize=8)
        ax.set_axis_off()


if __name__ == "__main__":
    main()
