"""The noise of each band, and the few spectra that rise above it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.filters.arrays import Floats
from napari_decsc.filters.differences import NORMAL_MAD, second_differences

#: Least noise level of a band, of its peak of 1: a band without noise must not rule the others without bound.
LEAST_SIGMA = 1e-4
#: Share of a band's noise that must be outside the basis for the noise level to be measured there.
LEAST_SHARE = 0.2
#: How far above the noise's largest expected eigenvalue a component must rise: room for the error of sigma.
MARGIN = 1.03


@dataclass(frozen=True, eq=False)
class Subspace:
    """cube = mean + sigma (basis @ eigen-images): noise has variance 1 in the eigen-images.

    Parameters
    ----------
    mean, sigma : arrays of shape (band, 1)
        Mean and noise level of each band.
    basis : array of shape (band, rank)
        Orthonormal, strongest component first.
    variances : array of shape (rank,)
        Variance of each eigen-image, noise (1) included.
    """

    mean: Floats
    sigma: Floats
    basis: Floats
    variances: Floats

    def images(self, data: Floats) -> Floats:
        """Eigen-images of a cube, shape (rank, row, col).

        Parameters
        ----------
        data : float array, shape (band, row, col)
            In the unit of the cube that was analysed.

        Returns
        -------
        float array, shape (rank, row, col)
            Unit noise.
        """
        whitened = (data.reshape(len(data), -1) - self.mean) / self.sigma
        return (self.basis.T @ whitened).reshape(-1, *data.shape[1:])

    def cube(self, images: Floats) -> Floats:
        """The cube of some eigen-images, shape (band, row, col).

        Parameters
        ----------
        images : float array, shape (rank, row, col)
            As `images` gives them.

        Returns
        -------
        float array, shape (band, row, col)
            In the unit of the cube.
        """
        whitened = self.basis @ images.reshape(len(images), -1)
        return (whitened * self.sigma + self.mean).reshape(-1, *images.shape[1:])


def analyse(data: Floats, measured: NDArray[np.bool_], rank: int = 0) -> Subspace:
    """The subspace of a cube (band, row, col), peak 1; ``rank`` 0: as many components as rise above the noise.

    The noise level is taken from differences first, which texture makes too large, then from what the first basis
    leaves unexplained, where no texture is left.

    Parameters
    ----------
    data : float array, shape (band, row, col)
        Peak 1, finite.
    measured : bool array, shape (band, row, col)
        False where a voxel was filled in.
    rank : int
        Components; 0: as many as rise above the noise.

    Returns
    -------
    Subspace
        See there.
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
    """Noise level of each band from second differences; the median is blind to most edges.

    Parameters
    ----------
    data : float array, shape (band, row, col)
        Of any unit.
    measured : bool array, shape (band, row, col)
        False for what does not count.

    Returns
    -------
    float array, shape (band,)
        In that unit; 0 where no voxel has a neighbour.
    """
    differences = second_differences(np.where(measured, data, np.float32(np.nan)))
    return np.array([_spread(band[np.isfinite(band)]) for band in differences], np.float32)


def _spread(differences: Floats) -> float:
    """Robust standard deviation of values around 0; exact zeros, of clipped areas, are left out if others abound."""
    moving = differences[differences != 0]
    values = moving if 10 * moving.size > differences.size else differences
    return float(np.median(np.abs(values))) / NORMAL_MAD if values.size else 0.0


def _components(whitened: Floats, rank: int) -> tuple[Floats, Floats]:
    """Strongest eigenvectors (band, rank) and eigenvalues (rank,) of the covariance of whitened spectra (band, pixel).

    Kept are those beyond the largest eigenvalue that noise of variance 1 is expected to have: (1 + sqrt(bands /
    pixels))^2, the edge of the law of Marchenko and Pastur (Mathematics of the USSR-Sbornik 1, 1967); at least one.
    """
    bands, pixels = whitened.shape
    values, vectors = np.linalg.eigh((whitened @ whitened.T).astype(np.float64) / pixels)
    values, vectors = values[::-1], vectors[:, ::-1]
    edge = MARGIN * (1 + np.sqrt(bands / pixels)) ** 2
    kept = min(rank, bands) if rank else max(1, int(np.count_nonzero(values > edge)))
    return vectors[:, :kept].astype(np.float32), values[:kept].astype(np.float32)


def _unexplained_noise(whitened: Floats, basis: Floats) -> Floats:
    """Noise level (band, 1) of whitened spectra in what a basis leaves over; 1 where it leaves a band too little."""
    share_left = 1 - np.sum(np.square(basis), axis=1, keepdims=True)
    left = whitened - basis @ (basis.T @ whitened)
    level = np.median(np.abs(left), axis=1, keepdims=True) / NORMAL_MAD
    return np.where(share_left > LEAST_SHARE, level / np.sqrt(np.maximum(share_left, LEAST_SHARE)), 1)
