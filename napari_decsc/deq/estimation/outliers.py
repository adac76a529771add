"""Which voxels are outliers: what an estimate leaves over there is large, and no band beside it shows the like."""

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.local import in_adjacent_band

#: A voxel further from the estimate than so many noise levels is an outlier, if no adjacent band shows the like.
OUTLIER = 3.0
#: The same for an estimate by f, which is closer to the scene than the first fit ...
OUTLIER_OF_STAGE = 3.5
#: ... and in a band with no more than this share so far out, what is left over is scene: outliers are single there.
FEW_OUTLIERS = 0.005
#: Where outliers are few, a voxel is one if it is so many noise levels beyond the robust fit's limit ...
IMPULSE = 6.0
#: ... and beyond this many times the deviation of any neighbour.
ALONE = 3.0


def weights(residual: Tensor, mask: Tensor) -> Tensor:
    """0 for a voxel without information and for an outlier, 1 for any other.

    What an estimate leaves over is an outlier if it is large and no band beside it shows the like: impulses and dead
    pixels strike single bands, while structure that the estimate misses goes through several.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What an estimate leaves over, whitened.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        0 or 1.
    """
    residual = torch.where(mask, residual, 0)
    return (mask & ((residual.abs() < OUTLIER) | in_adjacent_band(residual))).to(residual.dtype)


def weights_of_stage(residual: Tensor, mask: Tensor) -> Tensor:
    """The same weights from the residual of a stage's estimate.

    Where hardly any voxel of a band is that far out, most of those that are belong to structure that a noisier band
    beside does not show: an outlier stands alone there.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What the estimate leaves over, whitened.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        0 or 1.
    """
    residual = torch.where(mask, residual, 0)
    out = (residual.abs() >= OUTLIER_OF_STAGE) & ~in_adjacent_band(residual)
    are_few = out.sum((2, 3), keepdim=True) <= FEW_OUTLIERS * mask.sum((2, 3), keepdim=True)
    return (mask & ~torch.where(are_few, impulses(residual), out)).to(residual.dtype)


def without_impulses(target: Tensor, mask: Tensor, filled: Tensor) -> Tensor:
    """The cube as it was measured, but for gaps, and for voxels that stand out of their spectrum alone.

    What the robust fit misses is structure, not an outlier, where a neighbour in the band, or the band beside, deviates
    the same way.

    Parameters
    ----------
    target : tensor of shape (N, B, rows, cols)
        Whitened.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    filled : tensor of shape (N, B, rows, cols)
        Whitened, gaps and outliers pulled to the robust fit.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        Whitened.
    """
    residual = torch.where(mask, target - filled, 0)
    return torch.where(mask & ~impulses(residual), target, filled)


def impulses(residual: Tensor) -> Tensor:
    """Single voxels far from all around them and from the bands beside.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What an estimate leaves over, whitened.

    Returns
    -------
    bool tensor of shape (N, B, rows, cols)
    """
    found = torch.zeros_like(residual, dtype=torch.bool)
    largest = torch.maximum(residual.amax((0, 2, 3)), -residual.amin((0, 2, 3)))
    for band in (largest > IMPULSE).nonzero().flatten().tolist():
        first = max(0, band - 1)
        size, adjacent = residual[:, band : band + 1].abs(), in_adjacent_band(residual[:, first : band + 2])
        alone = (size > IMPULSE) & (_largest_neighbour(size) < size / ALONE)
        found[:, band] = alone[:, 0] & ~adjacent[:, band - first]
    return found


def impulse_weights(residual: Tensor, mask: Tensor) -> Tensor:
    """Weights: 0 for voxels without information and for those that stand out alone of what an estimate leaves over.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What an estimate leaves over, noise 1.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        0 or 1.
    """
    return (mask & ~impulses(torch.where(mask, residual, 0))).to(residual.dtype)


def _largest_neighbour(values: Tensor) -> Tensor:
    """The largest of the eight values around each, which are not negative."""
    rows, cols = values.shape[2:]
    around = F.pad(values, (1, 1, 1, 1))
    largest = torch.zeros_like(values)
    for row, col in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        torch.maximum(largest, around[:, :, row : row + rows, col : col + cols], out=largest)
    return largest
