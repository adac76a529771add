"""What of a cube no Gaussian noise explains, counted for people: outliers, dead and offset columns.

The solver hides such voxels and takes such offsets out; this only says how many there are.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.estimation.basic_estimate import without_outliers
from napari_decsc.deq.estimation.outliers import impulses, weights
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.estimation.subspace import FEW_COLUMNS
from napari_decsc.deq.estimation.voxels import filled_gaps

#: So many noise levels from the estimate lie outliers that are counted: of a cube of 10 million voxels chance puts six.
FAR = 5.0
#: ... but the estimate itself may be that far off beside stripes: of fewer than this share nothing is said.
FEWEST = 1e-4
#: Voxels on the floor or the ceiling are impulses where those around them are hidden hardly more often (by this factor)
#: than any voxel of the band is; else the scene is too dark or too bright there.
SCATTERED = 1.2
#: Columns of a band that are hidden are dead if they are no more than this share of them; else the band is.
DEAD_SHARE = 0.25


def counted(found: SignalSubspace, cube: Tensor, mask: Tensor, usable: Tensor) -> tuple[int, Tensor | None]:
    """Outliers among the measured voxels, and the offsets of columns that the solver takes out for them.

    Parameters
    ----------
    found : SignalSubspace
        Of this cube.
    cube : tensor of shape (band, row, col)
        Peak 1.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.
    usable : bool tensor, shape (band, row, col)
        What is left of it without dead columns and wild voxels (:func:`.voxels.alive`).

    Returns
    -------
    outliers : int
        How many voxels.
    offsets : tensor of shape (band, col), or None
        In noise levels; None where chance explains them, or where a noise model has them.
    """
    wild = mask & ~usable & usable.any(1, keepdim=True)
    at_ends = impulses_at_the_ends(mask) + int(wild.sum())
    mask = usable
    if not found.outliers:
        return at_ends + int((mask & impulses(_left_over(found, cube, mask))[0]).sum()), None
    known, target, filled, _ = without_outliers(cube[None], mask[None], found)
    residual = target - known.cube(known.smooth(known.images(filled)))
    residual = torch.where(mask, known.without_column_offsets(residual, mask[None]), 0)
    far = (weights(residual, mask[None]) == 0) & (residual.abs() > FAR)
    offsets = known.column_offsets_of(residual, mask[None])[0, :, 0]
    many = float((offsets != 0).float().mean()) > FEW_COLUMNS
    beyond = int(far.sum()) if float(far.float().mean()) > FEWEST else 0
    return at_ends + beyond, offsets if many else None


def _left_over(found: SignalSubspace, cube: Tensor, mask: Tensor) -> Tensor:
    """A whitened cube without its smoothed components, shape (1, band, row, col)."""
    whole = filled_gaps(cube, mask)
    if found.noise is not None and not found.noise.plain:
        values = found.noise.whitener(whole).whitened(whole)[None]
    else:
        values = found.whitened(whole[None], torch.ones_like(mask)[None])
    return values - found.cube(found.smooth(found.images(values)))


def dead_columns(mask: Tensor) -> Tensor:
    """Columns of a band that are hidden though other bands have them.

    Parameters
    ----------
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.

    Returns
    -------
    bool tensor of shape (band, col)
    """
    hidden = ~mask.any(1) & mask.any(0).any(0)
    return hidden & (hidden.float().mean(1, keepdim=True) <= DEAD_SHARE)


def impulses_at_the_ends(mask: Tensor) -> int:
    """How many voxels lie on the floor or the ceiling by chance: hidden, scattered, in pixels that other bands have.

    Parameters
    ----------
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.

    Returns
    -------
    int
    """
    hidden = (~mask & mask.any(0) & ~dead_columns(mask)[:, None]).float()
    around = (9 * F.avg_pool2d(hidden[None], 3, 1, 1, count_include_pad=False)[0] - hidden) / 8
    many = hidden.sum((1, 2))
    nearby, anywhere = (around * hidden).sum((1, 2)) / many.clamp(min=1), hidden.mean((1, 2))
    return int(many[nearby <= SCATTERED * anywhere + 1 / hidden[0].numel()].sum())
