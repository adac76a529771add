"""What is removed where no subspace can be told from the noise: rounding to grey levels, or white noise of known level.

A rounded value lies within half a step of what was measured. So does the result: rounded again, it is what it was.
Source: Widrow, Kollar, *Quantization Noise*, Cambridge 2008: the error is uniform, and independent of a scene that
varies by more than a step.

Shapes: one cube (band, row, col).
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from napari_decsc.deq.estimation.voxels import grey_step
from napari_decsc.filters.local import local_wiener
from napari_decsc.filters.spectra import mean_products

#: Bands without grey levels count as rounded to this share of the usual step.
FINEST = 1e-3
#: No value leaves its grey level: it moves by less than half a step.
WITHIN = 0.499


@dataclass(frozen=True, eq=False)
class Rounding:
    """White noise of a cube whose scene varies in any direction, and these directions.

    Parameters
    ----------
    step : tensor of shape (band,)
        Distance of grey levels; 0 where there are none.
    basis : tensor of shape (band, band)
        Principal directions of bands divided by the level of their noise.
    noise : tensor of shape (band,), optional
        Level of white noise; None where there is none beside that of rounding, which moves no value by more than half a
        step.
    """

    step: Tensor
    basis: Tensor
    noise: Tensor | None = None

    def level(self) -> Tensor:
        """Standard deviation of the noise.

        Returns
        -------
        tensor of shape (band,)
            In the units of the steps; small where there are none.
        """
        if self.noise is not None:
            return self.noise
        usual = self.step[self.step > 0].median()
        return torch.where(self.step > 0, self.step, FINEST * usual) / 12**0.5

    def without(self, cube: Tensor) -> Tensor:
        """A cube less what of its noise can be told: of rounding never more than half a step of any voxel.

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            In the units of the steps.

        Returns
        -------
        tensor of shape (band, row, col)
            In the same units.
        """
        level = self.level()[:, None, None]
        values = cube / level
        mean = values.mean((1, 2), keepdim=True)
        images = (self.basis.T @ (values - mean).flatten(1)).view(1, -1, *cube.shape[1:])
        smooth = local_wiener(images)[0][0].flatten(1)
        change = level * ((self.basis @ smooth).view_as(cube) + mean - values)
        if self.noise is not None:
            return cube + change
        most = WITHIN * self.step[:, None, None]
        return cube + change.clamp(-most, most)


@torch.no_grad()
def measured(cube: Tensor, mask: Tensor) -> Rounding | None:
    """The rounding of a cube, or of a sample of it; None where most bands have no grey levels.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Gaps filled.
    mask : bool tensor, shape (band, row, col)
        True where a voxel was measured.

    Returns
    -------
    Rounding or None
        In the units of the cube.
    """
    step = grey_step(cube, mask)
    if float((step > 0).float().mean()) <= 0.5 or cube.shape[1] * cube.shape[2] < 4 * len(cube):
        return None
    return _turned(cube, Rounding(step, cube.new_zeros(0, 0)))


@torch.no_grad()
def of_white_noise(cube: Tensor, level: Tensor) -> Rounding:
    """White noise of a cube whose scene has more directions than a subspace holds.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Gaps filled.
    level : tensor of shape (band,)
        In the units of the cube.

    Returns
    -------
    Rounding
        Without steps.
    """
    return _turned(cube, Rounding(torch.zeros_like(level), cube.new_zeros(0, 0), level))


def _turned(cube: Tensor, found: Rounding) -> Rounding:
    """With the principal directions of a cube."""
    values = cube / found.level()[:, None, None]
    flat = (values - values.mean((1, 2), keepdim=True)).flatten(1)
    return replace(found, basis=torch.linalg.eigh(mean_products(flat, flat))[1].float())
