"""The noise of each band, and the few spectra that rise above it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.classical.baseline import Floats

#: Standard deviation of a Gaussian over its median absolute value.
GAUSSIAN_MAD = 1.4826
#: Least noise level of a band, of its peak of 1: a band without noise must not rule the others without bound.
LEAST_SIGMA = 1e-4
#: How far above the noise's largest expected eigenvalue a component must rise: room for the error of sigma.
MARGIN = 1.03


@dataclass(frozen=True, eq=False)
class Subspace:
    """cube = mean + sigma (basis @ eigen-images): noise has variance 1 in the eigen-images.

    Parameters
    ----------
    mean, sigma : arrays, shape (band, 1)
        Mean and noise level of each band.
    basis : array, shape (band, rank)
        Orthonormal, strongest component first.
    variances : array, shape (rank,)
        Variance of each eigen-image, noise (1) included.
    """

    mean: Floats
    sigma: Floats
    basis: Floats
    variances: Floats

    def images(self, data: Floats) -> Floats:
        """Eigen-images of a cube, shape (rank, row, col)."""
        whitened = (data.reshape(len(data), -1) - self.mean) / self.sigma
        return (self.basis.T @ whitened).reshape(-1, *data.shape[1:])

    def cube(self, images: Floats) -> Floats:
        """The cube of some eigen-images, shape (band, row, col)."""
        whitened = self.basis @ images.reshape(len(images), -1)
        return (whitened * self.sigma + self.mean).reshape(-1, *images.shape[1:])


def analyse(data: Floats, measured: NDArray[np.bool_], rank: int = 0) -> Subspace:
    """The subspace of a cube (band, row, col), peak 1; ``rank`` 0: as many components as rise above the noise.

    The noise level is taken from differences first, which texture makes too large, then from what the first basis
    leaves unexplained, where no texture is left.
    """
    pixels = measured.all(axis=0).ravel()
    spectra = data.reshape(len(data), -1)[:, pixels if pixels.any() else slice(None)]
    mean = spectra.mean(axis=1, keepdims=True)
    sigma = np.maximum(difference_noise(data, measured)[:, None], np.float32(LEAST_SIGMA))
    whitened = (spectra - mean) / sigma
    correction = _unexplained_noise(whitened, _components(whitened, rank)[0])
    sigma = np.maximum(sigma * correction, np.float32(LEAST_SIGMA))
    basis, variances = _components((spectra - mean) / sigma, rank)
    return Subspace(mean, sigma, basis, variances)


def difference_noise(data: Floats, measured: NDArray[np.bool_]) -> Floats:
    """Noise level of each band (band,), from second differences along the diagonals of 2x2 pixels.

    These are blind to planes and to straight edges along rows or cols; the median is blind to the other edges.
    Differences of exactly zero come from clipped or constant areas and are left out while a tenth is left without them.
    """
    data, measured = np.atleast_3d(data), measured
    for axis in (1, 2):
        if data.shape[axis] > 1:
            one, other = _neighbours(data, axis)
            data = (one - other) / np.float32(np.sqrt(2))
            measured = np.logical_and(*_neighbours(measured, axis))
    if data.shape[1:] == (1, 1) and measured.shape == data.shape:
        pass
    return np.array([_robust_spread(band[here]) for band, here in zip(data, measured, strict=True)], np.float32)
