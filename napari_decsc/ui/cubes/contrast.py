"""Contrast limits of a cube of any size, from a sample of measured voxels."""

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube

#: Bands that the contrast limits are taken from, at most.
CONTRAST_BANDS = 8
#: Voxels that are sorted for the percentiles, about, at most: a tenth of a percent of them is still a hundred.
SORTED = 100_000
#: Of an image with more pixels only patches are looked at. A file of any size opens at once, since a patch touches few
#: pages of it, whatever its interleave.
CONTRAST_PIXELS = 100_000
#: Patches along each axis.
PATCHES = 5
#: Rows of one.
PATCH_ROWS = 20
#: Cols of one.
PATCH_COLS = 40


def contrast(cube: Cube) -> tuple[float, float]:
    """Contrast limits in raw units: the 0.5th and 99.5th percentile of a sample of measured voxels of good bands."""
    values = _some_voxels(cube)
    values = values[np.isfinite(values)]
    values = values[:: values.size // SORTED | 1]  # an odd step: every second col may come from another detector
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) * cube.scale for value in np.percentile(values, (0.5, 99.5)))
    return (low, high) if high > low else (low, low + 1.0)


def _some_voxels(cube: Cube) -> NDArray[np.float32]:
    """Physical values of a few good bands, evenly over the image; one-dimensional."""
    good = np.arange(cube.bands)
    if cube.good_bands is not None and cube.good_bands.any():
        good = good[cube.good_bands]
    few = good[np.unique(np.linspace(0, len(good) - 1, CONTRAST_BANDS).round().astype(int))]
    _, rows, cols = cube.shape
    row_runs, col_runs = _runs(rows, PATCH_ROWS), _runs(cols, PATCH_COLS)
    if rows * cols <= CONTRAST_PIXELS:
        row_runs, col_runs = [slice(None)], [slice(None)]
    patches = [np.asarray(cube.data[band, row, col]).ravel() for band in few for row in row_runs for col in col_runs]
    raw = np.concatenate(patches)[None, None]
    return Cube(raw, cube.name, no_data=cube.no_data, scale=cube.scale).physical().ravel()


def _runs(size: int, length: int) -> list[slice]:
    """Runs of indices, evenly from the first to the last."""
    starts = np.unique(np.linspace(0, max(0, size - length), PATCHES).astype(int))
    return [slice(int(start), int(start) + length) for start in starts]
