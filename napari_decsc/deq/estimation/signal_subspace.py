"""What is known of a cube before it is solved: noise levels, spectral basis, energies; and what follows from it."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.outliers import weights
from napari_decsc.deq.estimation.robust_pca import RobustPca
from napari_decsc.filters.local import LEAK, column_offsets, local_wiener, without_leak
from napari_decsc.filters.spectra import mix_bands

#: No value is larger than so many noise levels: squares must stay finite.
LARGEST = 1e6


@dataclass(frozen=True, eq=False)
class Repaired:
    """What was found of whole cubes on the way to their noise, and need not be found again.

    Parameters
    ----------
    usable : bool tensor, shape (N, B, rows, cols)
        True where a voxel tells of signal and noise.
    target, filled : tensor of shape (N, B, rows, cols), optional
        Whitened: as it came; gaps and outliers filled. None where there are no outliers, or a noise model that knows
        more than levels.
    """

    usable: Tensor
    target: Tensor | None = None
    filled: Tensor | None = None


@dataclass(frozen=True, eq=False)
class SignalSubspace(RobustPca):
    """What is found on a whole cube (or a sample of it) before parts of it are denoised.

    Parameters
    ----------
    mean : tensor of shape (N, B, 1, 1)
        The whitened mean spectrum, which the eigen-images go without.
    energy : tensor of shape (N, r)
        Mean square of each eigen-image, noise (1) included.
    counts : tensor of shape (N, r)
        From 0 to 1: whether a component rises above the noise.
    outliers : bool tensor of one value
        Whether there are voxels that no Gaussian noise explains.
    column_offsets : tensor of shape (N, B, 1, cols), optional
        By how much whole columns are offset, whitened, where that was found on more rows than those of the tile at
        hand.
    noise : NoiseModel, optional
        None where none was measured.
    repaired : Repaired, optional
        For a solve of the whole cube in one piece.
    """

    mean: Tensor
    energy: Tensor
    counts: Tensor
    outliers: Tensor
    column_offsets: Tensor | None = None
    noise: NoiseModel | None = None
    repaired: Repaired | None = None

    def images(self, cube: Tensor) -> Tensor:
        """Eigen-images of a whitened cube.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Whitened.

        Returns
        -------
        tensor of shape (N, r, rows, cols)
            Noise 1.
        """
        return mix_bands(self.basis.mT, cube - self.mean)

    def cube(self, images: Tensor) -> Tensor:
        """The whitened cube of eigen-images.

        Parameters
        ----------
        images : tensor of shape (N, r, rows, cols)
            Noise 1.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            Whitened.
        """
        return mix_bands(self.basis, images) + self.mean

    def smooth(self, images: Tensor) -> Tensor:
        """A first estimate of eigen-images by local Wiener filtering.

        Parameters
        ----------
        images : tensor of shape (N, r, rows, cols)
            Noise 1.

        Returns
        -------
        tensor of shape (N, r, rows, cols)
            0 where a component does not count.
        """
        return self._counted(local_wiener(images)[0])

    def whitened(self, cube: Tensor, mask: Tensor) -> Tensor:
        """A cube divided by its noise levels.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            0 where a voxel carries no information.
        """
        return (torch.where(mask, cube, 0) / self.sigma[:, :, None, None]).clamp(-LARGEST, LARGEST)

    def filled(self, target: Tensor, mask: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
        """A whitened cube with outliers and gaps replaced by an estimate, and weights of voxels.

        Parameters
        ----------
        target : tensor of shape (N, B, rows, cols)
            Whitened.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.
        estimate : tensor of shape (N, r, rows, cols)
            Of the eigen-images.

        Returns
        -------
        two tensors of shape (N, B, rows, cols)
            The cube; weights, 0 for what was replaced.
        """
        fit = self.cube(estimate)
        residual = self.without_column_offsets(target - fit, mask)
        weight = weights(residual, mask)
        return fit + weight * residual, weight

    def without_column_offsets(self, residual: Tensor, mask: Tensor) -> Tensor:
        """What an estimate leaves over, offset columns put right where there are outliers.

        Parameters
        ----------
        residual : tensor of shape (N, B, rows, cols)
            What an estimate leaves over, whitened.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            As it came where there are no outliers.
        """
        return residual - self.column_offsets_of(residual, mask) if self.outliers else residual

    def column_offsets_of(self, residual: Tensor, mask: Tensor) -> Tensor:
        """By how much columns are offset: what is known, or else what the residual of an estimate says.

        Parameters
        ----------
        residual : tensor of shape (N, B, rows, cols)
            What an estimate leaves over, whitened.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        tensor of shape (N, B, 1, cols)
            Whitened.
        """
        return column_offsets(residual, mask) if self.column_offsets is None else self.column_offsets

    def within(self, bands: slice) -> "SignalSubspace":
        """The noise levels of some of the bands. Noise model, energies and counts remain those of all.

        Parameters
        ----------
        bands : slice
            Of those of the cube.

        Returns
        -------
        SignalSubspace
        """
        per_band = ("sigma", "basis", "limit", "mean", "column_offsets")
        known = {name: getattr(self, name) for name in per_band if getattr(self, name) is not None}
        return dataclasses.replace(self, repaired=None, **{name: value[:, bands] for name, value in known.items()})

    def to(self, device: torch.device) -> "SignalSubspace":
        """The same on a device.

        Parameters
        ----------
        device : torch device
            Where to.

        Returns
        -------
        SignalSubspace
            Of the same values.
        """
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return SignalSubspace(**{name: moved(value, device) for name, value in values.items()})

    def _counted(self, estimate: Tensor) -> Tensor:
        return without_leak(estimate, LEAK) * self.counts[:, :, None, None]


def moved(value: Any, device: torch.device) -> Any:
    """Tensors, alone or in the fields of a frozen type or a tuple, on a device.

    Parameters
    ----------
    value : object
        A tensor; a frozen type or a tuple that may hold some, at any depth; anything else stays as it is.
    device : torch device
        Where to.

    Returns
    -------
    object
        Of the same type.
    """
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(moved(part, device) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: moved(getattr(value, each.name), device) for each in dataclasses.fields(value)}
        return type(value)(**parts)
    return value
