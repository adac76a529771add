"""The noise level of every band, from differences of neighbours, before the signal is known.

Shapes: N cubes, B bands. ``mask`` is False where a voxel carries no information.
"""

from math import gcd

import torch
from torch import Tensor

from napari_decsc.filters.differences import first_differences, second_differences
from napari_decsc.filters.order import robust_deviation

#: What the noise level of a band without any usable voxel is taken to be: its data are not believed.
SIGMA_UNKNOWN = 0.5
#: Values of a band that its level is taken of, at most.
SAMPLE = 65_536


def band_sigmas(cube: Tensor, mask: Tensor) -> Tensor:
    """Noise level of every band from second diagonal differences: blind to smooth signal and column offsets.

    Bands with more than a quarter of their voxels hidden have too few whole quads: first differences along the columns.
    Cubes of a single row or column: second differences along the line.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        In any unit.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.

    Returns
    -------
    tensor of shape (N, B)
        In the unit of the cube; 0.5 for a band without any usable voxel.
    """
    hidden = torch.where(mask, cube, torch.nan)
    sigma = deviations(second_differences(hidden))
    few = mask.float().mean((2, 3)) <= 0.75
    if min(cube.shape[2:]) > 1 and few.any():
        sigma = torch.where(few, deviations(first_differences(hidden)), sigma)
    return torch.nan_to_num(sigma, nan=SIGMA_UNKNOWN)


def deviations(x: Tensor, sample: int = SAMPLE) -> Tensor:
    """Standard deviation of every band, from the median absolute value of what is not NaN.

    Of larger bands every n-th value counts; n shares no divisor with the row length, so that no column is favoured.

    Parameters
    ----------
    x : tensor of shape (N, B, ..., col)
        Mean 0 but for outliers.
    sample : int
        Values of a band that are looked at, at most.

    Returns
    -------
    tensor of shape (N, B)
        NaN for a band without any value.
    """
    flat = x.flatten(2)
    if flat.shape[2] == 0:
        return flat.new_full(flat.shape[:2], torch.nan)
    step = -(-flat.shape[2] // sample)
    while gcd(step, x.shape[-1]) > 1:
        step += 1
    return robust_deviation(flat[:, :, ::step])
