"""The basic estimate, found once per image: outliers, and a first non-local estimate of the eigen-images.

The projection of a whitened cube on its spectral basis gives a few *eigen-images* whose noise is white, of
variance 1. They are denoised by collaborative filtering (:mod:`napari_decsc.filters.collaborative`), and the estimate
tells which voxels of the cube no Gaussian noise explains: those are filled by the estimate, and the eigen-images are
taken anew. Columns whose residual is offset as a whole (stripes) are put right.

Shapes: N cubes, B bands, r spectral components. ``mask`` is False where a voxel carries no information.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from napari_decsc.deq.estimation import robust_pca
from napari_decsc.deq.estimation.outliers import without_impulses
from napari_decsc.deq.estimation.signal_subspace import Repaired, SignalSubspace
from napari_decsc.filters.local import column_offsets
from napari_decsc.filters.multiscale import first_pass, second_pass

#: Rounds of smoothing and filling, where there are outliers.
ROUNDS = 2
#: Steps of the robust fit where there are few: it soon stands still but in bands hundreds of noise levels deep.
LONG = 400


@dataclass(frozen=True, eq=False)
class BasicEstimate:
    """First estimates of whitened cubes.

    Parameters
    ----------
    target : tensor of shape (N, B, rows, cols)
        The cube, offset columns put right.
    weight : tensor of shape (N, B, rows, cols)
        0 for a voxel without information and for an outlier.
    images : tensor of shape (N, r, rows, cols)
        Noisy eigen-images.
    pilot : tensor of shape (N, r, rows, cols)
        Their first estimate.
    subspace : SignalSubspace
        Of the whole cube.
    """

    target: Tensor
    weight: Tensor
    images: Tensor
    pilot: Tensor
    subspace: SignalSubspace

    def continued(self, rows: Tensor, cols: Tensor) -> "BasicEstimate":
        """The same of the cube continued: its rows and cols, by their indices.

        Parameters
        ----------
        rows, cols : int tensors, shape (row,) and (col,)
            Indices into the cube.

        Returns
        -------
        BasicEstimate
            Of the cube continued.
        """
        target, weight, images, pilot = (
            part[:, :, rows[:, None], cols] for part in (self.target, self.weight, self.images, self.pilot)
        )
        return BasicEstimate(target, weight, images, pilot, self.subspace)


@torch.no_grad()
def find(cube: Tensor, mask: Tensor, found: SignalSubspace) -> BasicEstimate:
    """Outliers and first estimates of cubes, or of tiles of them.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        Peak 1, finite.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    found : SignalSubspace
        Of the whole cube.

    Returns
    -------
    BasicEstimate
        Whitened.
    """
    target = found.whitened(cube, mask)
    images = found.images(_without_outliers(cube, target, mask, found))
    signal = (1 - 1 / found.energy.clamp(min=1)).sqrt() * found.counts
    # the images that count, cube by cube: each stack is filtered as a whole
    counted = list(enumerate(found.counts > 0))
    pilot, coarse = torch.zeros_like(images), []
    for part in counted:
        pilot[part], half = first_pass(images[part], signal[part])
        coarse.append(half)
    pilot *= found.counts[:, :, None, None]
    filled, weight = found.filled(target, mask, pilot)
    images = found.images(filled)
    for part, half in zip(counted, coarse, strict=True):
        pilot[part] = second_pass(images[part], pilot[part], half)
    fit = found.cube(pilot)
    if found.outliers:
        target = target - found.column_offsets_of(target - fit, mask)
    return BasicEstimate(target, weight, images, pilot, found)


@torch.no_grad()
def repaired(cube: Tensor, mask: Tensor, found: SignalSubspace) -> SignalSubspace:
    """The subspace with what is known of its cube: repaired, and the offsets of columns, where it has outliers.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        Peak 1, finite; all of it.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    found : SignalSubspace
        Of this cube.

    Returns
    -------
    SignalSubspace
        Not repaired where there are no outliers, or a noise model that knows more than levels.
    """
    if not found.outliers or (found.noise is not None and not found.noise.plain):
        return replace(found, repaired=Repaired(mask))
    found, target, filled, _ = without_outliers(cube, mask, found)
    return replace(found, repaired=Repaired(mask, target, filled))


@torch.no_grad()
def without_outliers(
    cube: Tensor, mask: Tensor, found: SignalSubspace
) -> tuple[SignalSubspace, Tensor, Tensor, Tensor]:
    """A whitened cube, gaps and outliers filled from what lies around them.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        Peak 1, finite.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    found : SignalSubspace
        Of the whole cube.

    Returns
    -------
    found : SignalSubspace
        With the offsets of columns, without what is known of the cube.
    three tensors of shape (N, B, rows, cols)
        The whitened cube as it came; filled; weights, 0 for what was filled.
    """
    known, found = found.repaired, replace(found, repaired=None)
    if known is not None and known.target is not None and known.filled is not None:
        return found, known.target, known.filled, known.usable.to(known.target.dtype)
    target = found.whitened(cube, mask)
    if not found.outliers:
        filled = _without_outliers(cube, target, mask, found)
        return found, target, filled, (mask & (filled == target)).to(target.dtype)
    mended = robust_pca.repair(cube, mask, found)
    filled = _filled(mended, target, mask, found)
    if found.column_offsets is None:
        found = _with_column_offsets(found, target, mask, found.smooth(found.images(filled)))
        filled = _filled(mended, target, mask, found)
    return found, target, filled, mask.to(target.dtype)


@torch.no_grad()
def with_column_offsets(cube: Tensor, mask: Tensor, found: SignalSubspace) -> SignalSubspace:
    """A subspace with the offsets of columns as their whole height tells them.

    For tiles: on the rows of a tile alone, every tile would find a column offset by a little more or less.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        These columns, rows from their whole height; peak 1.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    found : SignalSubspace
        Of the whole cube.

    Returns
    -------
    SignalSubspace
        As it came where the cube has no outliers.
    """
    if not found.outliers:
        return found
    target = found.whitened(cube, mask)
    estimate = found.smooth(found.images(_without_outliers(cube, target, mask, found)))
    return _with_column_offsets(found, target, mask, estimate)


def _with_column_offsets(found: SignalSubspace, target: Tensor, mask: Tensor, estimate: Tensor) -> SignalSubspace:
    return replace(found, column_offsets=column_offsets(target - found.cube(estimate), mask))


def _without_outliers(cube: Tensor, target: Tensor, mask: Tensor, found: SignalSubspace) -> Tensor:
    """The whitened cube, gaps and outliers filled from what lies around them."""
    if not found.outliers:
        return without_impulses(target, mask, robust_pca.repair(cube, mask, found, LONG))
    return _filled(robust_pca.repair(cube, mask, found), target, mask, found)


def _filled(repaired: Tensor, target: Tensor, mask: Tensor, found: SignalSubspace) -> Tensor:
    """Gaps and outliers of a repaired cube filled again from smoother estimates."""
    for _ in range(ROUNDS):
        repaired, _ = found.filled(target, mask, found.smooth(found.images(repaired)))
    return repaired
