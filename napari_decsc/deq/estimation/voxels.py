"""Which voxels the noise can be measured on: dead columns, gaps, and values that were rounded to grey levels.

Shapes: one cube (band, row, col). ``mask`` is False where a voxel carries no information.
"""

import numpy as np
import torch
from torch import Tensor

from napari_decsc.deq.estimation.noise_level import band_sigmas
from napari_decsc.filters.median import median_3x3
from napari_decsc.filters.order import ascending, medians
from napari_decsc.hsi.percentiles import percentiles

#: Noise is that of rounding where its level is below so many times what rounding makes.
ROUNDED = 1.4
#: Levels are fine that are closer than this share of the largest value: a hundred and more.
FINE = 0.01
#: With fine levels below so many times: what is as small can hardly be told from texture.
ROUNDED_FINELY = 6.0
#: ... and where it was measured beside the subspace, below so many times in the mean ...
ROUNDED_IN_MEAN = 3.2
#: ... and in the dark: the noise of a camera grows with the light.
ROUNDED_IN_DARK = 2.1
#: Noise is hardly there where its level is below this share of the range of the band's values, in most bands.
HARDLY = 3e-4
#: The range lies between these percentiles.
RANGE = (0.5, 99.5)
#: Pixels that are looked at, about.
SAMPLE = 8192
#: A column is dead where its values differ by less than this share of the band's noise level.
DEAD = 0.1
#: ... which so many pairs of voxels tell.
STEPS = 3
#: A voxel is wild so many median deviations out of its band ...
FAR = 40.0
#: ... and so many times as far as any beside it ...
ALONE = 3.0
#: ... if no more than this share of the voxels is.
MANY = 1e-3


def alive(cube: Tensor, mask: Tensor) -> Tensor:
    """The mask without wild voxels and dead columns: those that hardly vary in a noisy band.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Noisy, in any unit.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.

    Returns
    -------
    bool tensor of shape (band, row, col)
        True where the noise can be measured.
    """
    mask = mask & ~wild(cube, mask)
    if cube.shape[1] < 16 or cube.shape[2] < 16:
        return mask
    sigma = band_sigmas(cube[None], mask[None])[0]
    steps = torch.where(mask, cube, torch.nan).diff(dim=1).abs()
    spread = steps.nanmean(1, keepdim=True)
    noisy = sigma > 3 * grey_step(cube, mask)
    dead = (spread < DEAD * sigma[:, None, None]) & noisy[:, None, None]
    dead &= steps.isfinite().sum(1, keepdim=True) >= STEPS
    # a band in which many columns do not vary has no noise to tell them by
    dead &= dead.float().mean(2, keepdim=True) < 0.25
    return mask & ~dead


def wild(cube: Tensor, mask: Tensor) -> Tensor:
    """Voxels far out of all others of their band, of those around them, and of the bands beside.

    One of them is enough to turn a basis and to spoil every band that is mixed with its own.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Noisy, in any unit.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.

    Returns
    -------
    bool tensor of shape (band, row, col)
        True where a voxel is wild.
    """
    found = torch.zeros_like(mask)
    if min(cube.shape[1:]) < 3 or len(cube) < 3:
        return found
    deviation = _deviation(cube, mask)
    largest = deviation.flatten(1).max(1).values
    for band in (largest > FAR).nonzero()[:, 0].tolist():
        out = (deviation[band] > FAR).nonzero()
        if len(out) > MANY * cube[0].numel():
            continue
        for row, col in out.tolist():
            around = deviation[band, max(0, row - 1) : row + 2, max(0, col - 1) : col + 2].flatten().sort().values
            beside = torch.stack([deviation[b, row, col] for b in (band - 1, band + 1) if 0 <= b < len(cube)])
            near = max(float(around[-2]), float(beside.max()))
            found[band, row, col] = near < float(deviation[band, row, col]) / ALONE
    return found


def _deviation(cube: Tensor, mask: Tensor) -> Tensor:
    """Distance from the median of the band, in units of what most voxels keep to."""
    values = torch.where(mask, cube, torch.nan).flatten(1)
    middle = medians(values)[:, None]
    size = (values - middle).abs().nan_to_num(0)
    usual = medians(torch.where(mask.flatten(1), size, torch.nan))[:, None]
    return (size / usual.clamp(min=1e-9).nan_to_num(1)).view_as(cube)


def is_rounding(cube: Tensor, mask: Tensor, level: Tensor, dark: Tensor | None = None) -> bool:
    """Whether the noise of most bands is hardly above that of rounding to grey levels.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        In any unit.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.
    level : tensor of shape (band,)
        Noise levels, in the same unit.
    dark : tensor of shape (band,), optional
        Noise levels where the scene is dark, if they were measured beside its subspace.

    Returns
    -------
    bool
    """
    floor = grey_step(cube, mask) / 12**0.5
    fine = floor * 12**0.5 < FINE * float(cube.max())
    rounded = level < ROUNDED * floor
    if dark is None:
        rounded |= fine & (level < ROUNDED_FINELY * floor)
    else:
        rounded |= fine & (level < ROUNDED_IN_MEAN * floor) & (dark < ROUNDED_IN_DARK * floor)
    return bool(rounded.float().mean() > 0.5)


def is_hardly_there(cube: Tensor, level: Tensor, mask: Tensor | None = None) -> bool:
    """Whether the noise of most bands is far below what anyone can see beside the band's values.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        In any unit.
    level : tensor of shape (band,)
        Noise levels, in the same unit.
    mask : bool tensor, shape (band, row, col), optional
        True where a voxel was measured; everywhere if not given.

    Returns
    -------
    bool
    """
    step = max(1, cube[0].numel() // SAMPLE)
    values = cube.flatten(1)[:, ::step]
    if mask is not None:
        values = torch.where(mask.flatten(1)[:, ::step], values, torch.nan)
    low, high = percentiles(values.cpu().numpy(), RANGE)
    return bool(np.mean(level.cpu().numpy() < HARDLY * (high - low)) > 0.5)


def grey_step(cube: Tensor, mask: Tensor, sample: int = SAMPLE) -> Tensor:
    """Distance of the grey levels of every band.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        In any unit.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.
    sample : int
        Pixels that are looked at, about.

    Returns
    -------
    tensor of shape (band,)
        In the same unit; 0 where values repeat too seldom to have levels.
    """
    step = max(1, cube[0].numel() // sample)
    values = torch.where(mask, cube, torch.nan).flatten(1)[:, ::step]
    if values.shape[1] < 2:
        return cube.new_zeros(len(cube))
    gaps = ascending(values).diff(dim=1)  # NaN from the first hidden value on
    largest = values.abs().nan_to_num(0).amax(1, keepdim=True)
    levels = 1 + (gaps > 0).sum(1)
    repeated = levels < 0.5 * (~values.isnan()).sum(1)
    smallest = torch.where(gaps > 1e-6 * largest, gaps, torch.inf).amin(1)
    return torch.where(repeated & smallest.isfinite(), smallest, 0)


def filled_gaps(cube: Tensor, mask: Tensor) -> Tensor:
    """Hidden voxels become the median of those of their neighbours in the band that are not.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        In any unit.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.

    Returns
    -------
    tensor of shape (band, row, col)
        The cube itself where nothing is hidden.
    """
    if bool(mask.all()):
        return cube
    return torch.where(mask, cube, median_3x3(cube[None], mask[None])[0])
