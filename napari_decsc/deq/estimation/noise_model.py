"""What is known of the noise of a cube, and its whitening.

Shapes: one cube (band, row, col).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_decsc.deq.estimation import shot
from napari_decsc.deq.estimation.fringes import Wave
from napari_decsc.deq.estimation.rounding import Rounding
from napari_decsc.deq.estimation.shot import ShotNoise

#: Noise levels below this share of the peak are measured here alone.
QUIET = 3e-4


@dataclass(frozen=True, eq=False)
class LineNoise:
    """Lines of pixels whose offsets are random.

    Parameters
    ----------
    angle : float
        Degrees off the columns; 90: rows.
    variance : tensor of shape (band,)
        Of the offsets, in stabilised bands; 0 where a band has none.
    """

    angle: float
    variance: Tensor


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """What is known of the noise of a cube of peak 1.

    Parameters
    ----------
    level : tensor of shape (band,)
        Noise level of stabilised or scaled bands.
    whitening : tensor of shape (band, band), optional
        C^(-1/2) of bands divided by their level; None where they are independent.
    shot : ShotNoise, optional
        Growth with the signal.
    lines : tuple of LineNoise
        Columns, rows, oblique lines.
    fringes : tuple of Wave
        Plane waves of single bands.
    spectrum : tensor of shape (64,), optional
        Variance of the cosine coefficients of a patch, mean 1; None where the noise is white in space.
    basis : tensor of shape (band, component), optional
        The signal's subspace, whitened.
    negligible : bool
        Whether most bands' noise is that of rounding to grey levels, or hardly there: then nothing is removed.
    measured : bool
        Whether levels were measured beside the subspace.
    rounding : Rounding, optional
        What alone is removed of a cube whose noise is negligible.
    """

    level: Tensor
    whitening: Tensor | None = None
    shot: ShotNoise | None = None
    lines: tuple[LineNoise, ...] = ()
    fringes: tuple[Wave, ...] = ()
    spectrum: Tensor | None = None
    basis: Tensor | None = None
    negligible: bool = False
    measured: bool = False
    rounding: Rounding | None = None

    @property
    def plain(self) -> bool:
        """Whether it is white noise of one level per band that is not very low: then nothing is done about it here."""
        if self.negligible or (self.basis is not None and self.measured and float(self.level.min()) < QUIET):
            return False
        return self.whitening is None and self.shot is None and not self.structured and self.spectrum is None

    @property
    def structured(self) -> bool:
        """Whether there are lines or fringes."""
        return bool(self.lines or self.fringes)

    def whitener(self, cube: Tensor) -> "Whitener":
        """The whitening of a cube or a part of it (band, row, col).

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            Peak 1, noisy.

        Returns
        -------
        Whitener
            For this part alone.
        """
        scale = self.shot.scale(cube) if self.shot is not None and self.shot.by_pixel else None
        return Whitener(self, scale)


@dataclass(frozen=True, eq=False)
class Whitener:
    """A noise model at a place.

    Parameters
    ----------
    model : NoiseModel
        Of the whole cube.
    scale : tensor of shape (1, row, col), optional
        Divides pixels; None for 1.
    """

    model: NoiseModel
    scale: Tensor | None

    def whitened(self, cube: Tensor) -> Tensor:
        """A cube whose noise is white over the bands and of variance 1.

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            Peak 1.

        Returns
        -------
        tensor of shape (band, row, col)
            Unit noise, uncorrelated between bands.
        """
        model = self.model
        if model.shot is not None and not model.shot.by_pixel:
            cube = model.shot.stabilised(cube)
        elif self.scale is not None:
            cube = cube / self.scale
        cube = cube / model.level[:, None, None]
        return cube if model.whitening is None else _mixed(model.whitening, cube)

    def restored(self, cube: Tensor) -> Tensor:
        """The cube of a whitened one.

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            Whitened.

        Returns
        -------
        tensor of shape (band, row, col)
            Peak 1.
        """
        model = self.model
        cube = self.unmixed(cube) * model.level[:, None, None]
        if model.shot is not None and not model.shot.by_pixel:
            return model.shot.restored(cube)
        return cube if self.scale is None else cube * self.scale

    def slope(self, cube: Tensor) -> Tensor | None:
        """By how much a small offset of the bands of a cube shows once whitened, about 1 in the mean.

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            Peak 1.

        Returns
        -------
        tensor of shape (1 or band, row, col), or None
            None for 1.
        """
        model = self.model
        if model.shot is None:
            return None
        if self.scale is not None:
            return 1 / self.scale
        level = model.shot.variance(shot.smooth(cube)).sqrt()
        return level.mean((1, 2), keepdim=True) / level

    def unmixed(self, cube: Tensor) -> Tensor:
        """A whitened cube as bands divided by their levels.

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            Whitened.

        Returns
        -------
        tensor of shape (band, row, col)
            Unit noise, correlated between bands.
        """
        return cube if self.model.whitening is None else _mixed(torch.linalg.inv(self.model.whitening), cube)

    def mixed(self, cube: Tensor) -> Tensor:
        """Bands divided by their levels, whitened.

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            Bands divided by their levels.

        Returns
        -------
        tensor of shape (band, row, col)
            Whitened.
        """
        return cube if self.model.whitening is None else _mixed(self.model.whitening, cube)


def _mixed(matrix: Tensor, cube: Tensor) -> Tensor:
    mixed: Tensor = (matrix @ cube.flatten(1)).view_as(cube)
    return mixed
