"""Principal components of a cube, or minimum noise fractions, as a stack; and how much signal each holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise

#: Pixels that the covariance is taken from, about, at most.
PIXELS = 200_000
#: Components in a stack at most.
MOST = 12
#: A little of the mean variance keeps a covariance of few pixels, or of bands that are alike, invertible.
RIDGE = 1e-9
NEEDED = "components need at least two good bands and four pixels that were measured"


@dataclass(frozen=True, eq=False)
class Components:
    """A stack (component, row, col) and the SNR of each in dB: variance over the noise's, less 1; NaN below 0 dB."""

    stack: NDArray[np.float32]
    snr: NDArray[np.float64]


def components(cube: Cube, *, by_noise: bool, noise: MeasuredNoise | None = None) -> Components:
    """The first components of a cube's good bands; voxels that were not measured become the band's mean.

    Parameters
    ----------
    cube : Cube
        Read band by band; may be a memory map.
    by_noise : bool
        Minimum noise fractions (Green, Berman, Switzer, Craig, IEEE TGRS 26, 1988), ordered by SNR; else principal
        components, ordered by variance.
    noise : MeasuredNoise, optional
        Its covariance; without it, noise is half the covariance of differences of neighbouring pixels along a row.

    Raises
    ------
    CubeError
        If fewer than two bands or four measured pixels can be used, or all of them are alike.
    """
    bands = np.flatnonzero(np.ones(cube.bands, bool) if cube.good_bands is None else cube.good_bands)
    _, rows, cols = cube.shape
    if len(bands) < 2 or rows * cols < 4 or cols < 2:
        raise CubeError(f"{cube.name}: {NEEDED}")
    step = max(1, int(np.sqrt(rows * cols / PIXELS)))
    sample = np.stack([_band(cube, int(band))[::step, :] for band in bands])
    if np.isfinite(sample).any(0).sum() < 4:
        raise CubeError(f"{cube.name}: {NEEDED}")
    mean = np.array([np.nanmean(one) if np.isfinite(one).any() else 0.0 for one in sample])
    sample = np.nan_to_num(sample - mean[:, None, None])
    signal, still = np.cov(sample.reshape(len(bands), -1)), _noise(sample, bands, noise)
    if not np.trace(signal) > 0:
        raise CubeError(f"{cube.name}: all pixels are alike, and have no components")
    ridge = RIDGE * np.trace(signal) / len(bands) * np.eye(len(bands))
    _, axes = eigh(signal, still + ridge) if by_noise else eigh(signal)
    axes = axes[:, ::-1][:, :MOST]
    stack = np.zeros((axes.shape[1], rows, cols), np.float32)
    for number, band in enumerate(bands):
        values = np.nan_to_num(_band(cube, int(band)) - mean[number])
        stack += (axes[number, :, None, None] * values).astype(np.float32)
    powers = np.einsum("bk,bc,ck->k", axes, signal, axes), np.einsum("bk,bc,ck->k", axes, still + ridge, axes)
    excess = powers[0] / powers[1] - 1
    return Components(stack, 10 * np.log10(np.where(excess > 0, excess, np.nan)))


def _noise(sample: NDArray[np.float64], bands: NDArray[np.int64], noise: MeasuredNoise | None) -> NDArray[np.float64]:
    """Covariance of the noise between bands, shape (band, band)."""
    if noise is not None and np.isfinite(noise.level[bands]).all():
        level = noise.level[bands].astype(float)
        correlation = noise.correlation[np.ix_(bands, bands)].astype(np.float64)
        known: NDArray[np.float64] = correlation * np.outer(level, level)
        return known
    steps = np.diff(sample, axis=2).reshape(len(bands), -1)
    half: NDArray[np.float64] = np.asarray(np.cov(steps), np.float64) / 2
    return half


def _band(cube: Cube, band: int) -> NDArray[np.float64]:
    one = Cube(np.asarray(cube.data[band : band + 1]), cube.name, no_data=cube.no_data, scale=cube.scale)
    values: NDArray[np.float64] = one.physical()[0].astype(np.float64)
    return values


def pair(cube: Cube, one: int, other: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two bands in physical units, (row, col) each; NaN where nothing was measured."""
    return _band(cube, one).astype(np.float32), _band(cube, other).astype(np.float32)


def ratio(cube: Cube, one: int, other: int, *, normalised: bool) -> NDArray[np.float32]:
    """One band over another, or their difference over their sum; NaN where the denominator is 0, shape (row, col)."""
    a, b = _band(cube, one), _band(cube, other)
    above, below = (a - b, a + b) if normalised else (a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(below != 0, above / below, np.nan)
    return found.astype(np.float32)
