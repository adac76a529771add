"""What guides the equilibrium, found once per image: outliers, and a first non-local estimate of the eigen-images.

In noise units the projection of a cube on its spectral basis gives a few *eigen-images* whose noise is white, of
variance 1. They are denoised by collaborative filtering (:mod:`napari_decsc.filters.collaborative`), and the estimate
tells which voxels of the cube no Gaussian noise explains: those are filled by the estimate, and the eigen-images are
taken anew. Columns whose rest is shifted as a whole (stripes) are shifted back.

Shapes: N cubes, B bands, r spectral components. ``keep`` is False where a voxel carries no information.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from napari_decsc.deq.estimation import whitening as noise_units
from napari_decsc.deq.estimation.subspace import ALONE, SPIKE, Survey, largest_neighbour, without_spikes
from napari_decsc.filters.local import column_shifts, has_company
from napari_decsc.filters.multiscale import first_pass, second_pass

#: Rounds of smoothing and filling, where there are outliers.
ROUNDS = 2
#: Steps of the robust fit where there are few: it soon stands still but in bands hundreds of noise levels deep.
LONG = 400


@dataclass(frozen=True, eq=False)
class Guide:
    """First estimates of cubes in noise units.

    ``target`` (N, B, rows, cols): the cube, shifted columns put right; ``weight``, the same shape: 0 for a voxel
    without information and for an outlier; ``images`` (N, r, rows, cols): noisy eigen-images, ``pilot``: their first
    estimate; ``units``: those of the whole cube.
    """

    target: Tensor
    weight: Tensor
    images: Tensor
    pilot: Tensor
    units: Survey

    def continued(self, rows: Tensor, cols: Tensor) -> "Guide":
        """The same of the cube continued: its rows and cols, by their indices."""
        target, weight, images, pilot = (
            part[:, :, rows[:, None], cols] for part in (self.target, self.weight, self.images, self.pilot)
        )
        return Guide(target, weight, images, pilot, self.units)


@torch.no_grad()
def find(cube: Tensor, keep: Tensor, found: Survey) -> Guide:
    """Outliers and first estimates of cubes, or of tiles of them, (N, B, rows, cols), peak 1."""
    target = found.in_units(cube, keep)
    images = found.images(_without_outliers(cube, target, keep, found))
    signal = (1 - 1 / found.energy.clamp(min=1)).sqrt() * found.counts
    # the images that count, cube by cube: each stack is filtered as a whole
    counted = list(enumerate(found.counts > 0))
    pilot, coarse = torch.zeros_like(images), []
    for part in counted:
        pilot[part], half = first_pass(images[part], signal[part])
        coarse.append(half)
    pilot *= found.counts[:, :, None, None]
    filled, weight = found.filled(target, keep, pilot)
    images = found.images(filled)
    for part, half in zip(counted, coarse, strict=True):
        pilot[part] = second_pass(images[part], pilot[part], half)
    fit = found.cube(pilot)
    if found.outliers:
        target = target - found.shifts_of(target - fit, keep)
    return Guide(target, weight, images, pilot, found)


@torch.no_grad()
def without_outliers(cube: Tensor, keep: Tensor, found: Survey) -> tuple[Tensor, Tensor, Tensor]:
    """The cube in noise units as it came; with gaps and outliers filled; and weights, 0 for what was filled."""
    target = found.in_units(cube, keep)
    filled = _without_outliers(cube, target, keep, found)
    if found.outliers:
        return target, filled, keep.to(target.dtype)
    return target, filled, (keep & (filled == target)).to(target.dtype)


def without_spikes_weight(filled: Tensor, found: Survey, keep: Tensor) -> Tensor:
    """Weights of a cube in noise units: 0 for what was not measured, and for single voxels far from all around them."""
    return spikes(filled - found.cube(found.smooth(found.images(filled))), keep)


def spikes(rest: Tensor, keep: Tensor) -> Tensor:
    """Weights: 0 for voxels without information and for those that stand out alone of what an estimate leaves over."""
    size = torch.where(keep, rest, 0).abs()
    alone = (size > SPIKE) & (largest_neighbour(size) < size / ALONE) & ~has_company(rest)
    return (keep & ~alone).to(rest.dtype)


@torch.no_grad()
def on_columns(cube: Tensor, keep: Tensor, found: Survey) -> Survey:
    """What was found, with the shifts of columns as rows (N, B, rows, cols) from their whole height tell them.

    For tiles: on the rows of a tile alone, every tile would find a column shifted by a little more or less.
    """
    if not found.outliers:
        return found
    target = found.in_units(cube, keep)
    estimate = found.smooth(found.images(_without_outliers(cube, target, keep, found)))
    return replace(found, shifts=column_shifts(target - found.cube(estimate), keep))


def _without_outliers(cube: Tensor, target: Tensor, keep: Tensor, found: Survey) -> Tensor:
    """The cube in noise units, gaps and outliers filled from what lies around them."""
    if not found.outliers:
        return without_spikes(target, keep, noise_units.repair(cube, keep, found, LONG))
    filled = noise_units.repair(cube, keep, found)
    for _ in range(ROUNDS):
        filled, _ = found.filled(target, keep, found.smooth(found.images(filled)))
    return filled
