"""Which voxels the noise can be measured on: dead columns, gaps, and values that were rounded to grey levels.

Shapes: one cube (band, row, col). ``mask`` is False where a voxel carries no information.
"""

import torch
from torch import Tensor

from napari_decsc.deq.estimation.robust_pca import band_sigmas, median_3x3
from napari_decsc.filters.order import unique

#: Noise is that of rounding where its level is below so many times what rounding makes.
ROUNDED = 1.4
#: With a hundred grey levels and more, below so many times: what is as small can hardly be told from texture.
ROUNDED_FINELY, FINE = 6.0, 0.01
#: A column is dead where its values differ by less than this share of the band's noise level.
DEAD = 0.1


def alive(cube: Tensor, mask: Tensor) -> Tensor:
    """``mask`` (band, row, col) without dead columns: those that hardly vary although the band is noisy."""
    if cube.shape[1] < 16 or cube.shape[2] < 16:
        return mask
    sigma = band_sigmas(cube[None], mask[None])[0]
    spread = torch.where(mask, cube, torch.nan).diff(dim=1).abs().nanmean(1, keepdim=True)
    noisy = sigma > 3 * grey_step(cube, mask)
    dead = (spread < DEAD * sigma[:, None, None]) & noisy[:, None, None]
    # a band in which many columns do not vary has no noise to tell them by
    dead &= dead.float().mean(2, keepdim=True) < 0.25
    return mask & ~dead


def is_rounding(cube: Tensor, mask: Tensor, level: Tensor) -> bool:
    """Whether noise levels (band,) of most bands are hardly above those of rounding to grey levels."""
    floor = grey_step(cube, mask) / 12**0.5
    fine = floor * 12**0.5 < FINE * float(cube.max())
    limit = torch.where(fine, ROUNDED_FINELY, ROUNDED) * floor
    return bool((level < limit).float().mean() > 0.5)


def grey_step(cube: Tensor, mask: Tensor, sample: int = 8192) -> Tensor:
    """Distance of the grey levels of every band (band,); 0 where values repeat too seldom to have any."""
    step = max(1, cube[0].numel() // sample)
    steps = []
    for band, here in zip(cube.flatten(1)[:, ::step], mask.flatten(1)[:, ::step], strict=True):
        levels, counts = unique(band[here])
        gaps = levels.diff()
        gaps = gaps[gaps > 1e-6 * band.abs().max()]
        repeated = len(gaps) > 0 and len(levels) < 0.5 * int(counts.sum())
        steps.append(gaps.min() if repeated else cube.new_zeros(()))
    return torch.stack(steps)


def filled_gaps(cube: Tensor, mask: Tensor) -> Tensor:
    """Hidden voxels become the median of those of their neighbours in the band that are not."""
    if bool(mask.all()):
        return cube
    return torch.where(mask, cube, median_3x3(cube[None], mask[None])[0])
