"""The scale of a cube: which physical value is its peak (1 in the field's formulas), seen on a sample of its voxels."""

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import memory_map as mapped

#: Voxels looked at, at most: enough for percentiles, little enough for a memory map of any size.
SAMPLE_VOXELS = 2_000_000


def sample(cube: Cube, voxels: int = SAMPLE_VOXELS) -> NDArray[np.float32]:
    """About ``voxels`` physical values on an even grid of rows and cols, all bands, float32; not-measured ones NaN.

    Parameters
    ----------
    cube : Cube
        May be a memory map: only the grid is read.
    voxels : int
        About how many.

    Returns
    -------
    float32 array, shape (band, row, col)
        Not-measured voxels are NaN.
    """
    bands, rows, cols = cube.shape
    step = max(1, int(np.ceil(np.sqrt(bands * rows * cols / voxels))))
    return cube.replace(data=mapped.read(cube.data[:, ::step, ::step])).physical()


def peak(cube: Cube) -> float:
    """The physical value that counts as 1: noise strengths and PSNR refer to it.

    1 for data that are already reflectance-like (99.5th percentile between 0.2 and 2), else that percentile.

    Parameters
    ----------
    cube : Cube
        A sample of it is looked at.

    Returns
    -------
    float
        Physical units; positive.
    """
    values = sample(cube)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 1.0
    high = float(np.percentile(values, 99.5))
    return 1.0 if 0.2 <= high <= 2 or high <= 0 else high
