"""How near a cube is to its reference: MPSNR, MSSIM, SAM and ERGAS, as the field's papers define them.

Arrays have the axes (band, row, col) and any real type; sums are taken in float64, one band at a time. A voxel that is
not finite in either array was not measured: it is left out of every score. A band without any measured voxel scores
NaN, and means over bands leave it out. So does MPSNR with a band that is identical to its reference.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError
from napari_decsc.hsi import scaling
from napari_decsc.hsi.cube import Cube, size_in_words

Floats = NDArray[np.float64]

#: Half width of the 11 x 11 window of SSIM, pixels.
SSIM_RADIUS = 5
#: Standard deviation of its Gaussian weights, pixels.
SSIM_SIGMA = 1.5


@dataclass(frozen=True, eq=False)
class Scores:
    """The four figures of the field, and two of them band by band.

    Parameters
    ----------
    mpsnr : float
        Mean PSNR, dB, over the bands that differ from their reference: an identical band's is infinite, and so would
        the mean be. Infinite where all bands are identical.
    mssim : float
        Mean SSIM over bands, at most 1.
    sam : float
        Mean spectral angle, radians.
    ergas : float
        Relative global error, 0 for identical cubes.
    band_psnr, band_ssim : array of shape (band,)
        PSNR in dB and SSIM of every band.
    """

    mpsnr: float
    mssim: float
    sam: float
    ergas: float
    band_psnr: Floats
    band_ssim: Floats

    @property
    def identical_bands(self) -> int:
        """How many bands are identical to their reference, voxel by voxel; `mpsnr` leaves them out unless all are."""
        return int(np.count_nonzero(np.isposinf(self.band_psnr)))

    @property
    def sam_degrees(self) -> float:
        """Mean spectral angle in degrees, as people read it."""
        return float(np.degrees(self.sam))

    def summary(self) -> dict[str, float]:
        """The four figures by name: mpsnr (dB), mssim, sam (radians), ergas.

        Returns
        -------
        dict of str to float
            In this order.
        """
        return {"mpsnr": self.mpsnr, "mssim": self.mssim, "sam": self.sam, "ergas": self.ergas}


def score_cubes(reference: Cube, test: Cube) -> Scores:
    """Scores of a cube on physical values; the peak is that of the reference (`napari_decsc.hsi.scaling.peak`).

    Parameters
    ----------
    reference, test : Cube
        Of one shape.

    Returns
    -------
    Scores
        See there.

    Raises
    ------
    CubeError
        If the shapes differ.
    """
    _check_shapes(reference.data, test.data, reference.name, test.name)
    return score(reference.physical(), test.physical(), scaling.peak(reference))


def score(reference: NDArray[Any], test: NDArray[Any], peak: float = 1.0) -> Scores:
    """All scores of an array against its reference.

    Parameters
    ----------
    reference, test : array of shape (band, row, col)
        In one unit; NaN for what was not measured.
    peak : float
        The value that counts as 1, in that unit.

    Returns
    -------
    Scores
        See there.

    Raises
    ------
    CubeError
        If the shapes differ or have other than three axes, or the peak is not a positive number.
    """
    band_psnr = psnr_per_band(reference, test, peak)
    band_ssim = ssim_per_band(reference, test, peak)
    return Scores(
        mpsnr=_mean_of_finite(band_psnr),
        mssim=_mean(band_ssim),
        sam=_mean(spectral_angle(reference, test)),
        ergas=ergas(reference, test),
        band_psnr=band_psnr,
        band_ssim=band_ssim,
    )


def psnr_per_band(reference: NDArray[Any], test: NDArray[Any], peak: float = 1.0) -> Floats:
    """Peak signal-to-noise ratio of every band: 10 log10(peak^2 / MSE_b).

    Parameters
    ----------
    reference, test : array of shape (band, row, col)
        In one unit.
    peak : float
        The value that counts as 1, in that unit.

    Returns
    -------
    float array, shape (band,)
        dB; infinite where MSE_b = 0.

    Raises
    ------
    CubeError
        As `score`.
    """
    _check_peak(peak)
    errors = np.array([_mean((a - b) ** 2) for a, b in _bands(reference, test)])
    with np.errstate(divide="ignore"):
        return 10 * np.log10(peak**2 / errors)


def ssim_per_band(reference: NDArray[Any], test: NDArray[Any], peak: float = 1.0) -> Floats:
    """Structural similarity of every band, with an 11 x 11 Gaussian window of standard deviation 1.5.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity", IEEE
    Trans. Image Processing 13(4), 2004, eq. 13, K1 = 0.01, K2 = 0.03. The mean is over the pixels whose window lies
    inside the image; along an axis of fewer than 11 pixels there is none, so all of them count, with the image
    mirrored at its border. Around voxels that were not measured, the window's other weights are scaled up to a sum of
    1.

    Parameters
    ----------
    reference, test : array of shape (band, row, col)
        In one unit.
    peak : float
        The value that counts as 1, in that unit.

    Returns
    -------
    float array, shape (band,)
        At most 1.

    Raises
    ------
    CubeError
        As `score`.
    """
    _check_peak(peak)
    return np.array([_ssim(a, b, peak) for a, b in _bands(reference, test)])


def spectral_angle(reference: NDArray[Any], test: NDArray[Any]) -> Floats:
    """Angle between the two spectra of every pixel.

    Yuhas, Goetz, Boardman, JPL Airborne Geoscience Workshop, 1992: arccos(<a, b> / (|a| |b|)), computed by the formula
    2 atan2(|u - v|, |u + v|) for unit vectors u, v, which keeps its digits at small angles (Kahan, 2006). Two spectra
    that are zero agree: 0. One zero spectrum has nothing in common with the other: pi / 2.

    Parameters
    ----------
    reference, test : array of shape (band, row, col)
        In one unit.

    Returns
    -------
    float array, shape (row, col)
        Radians, 0 to pi; NaN for a pixel without any measured band.

    Raises
    ------
    CubeError
        If the shapes differ.
    """
    _check_shapes(reference, test)
    rows_cols = reference.shape[1:]
    square_a, square_b, measured = np.zeros(rows_cols), np.zeros(rows_cols), np.zeros(rows_cols, bool)
    for a, b in _bands(reference, test):
        square_a += np.nan_to_num(a) ** 2
        square_b += np.nan_to_num(b) ** 2
        measured |= ~np.isnan(a)
    length_a, length_b = _divisor(np.sqrt(square_a)), _divisor(np.sqrt(square_b))
    difference, total = np.zeros(rows_cols), np.zeros(rows_cols)
    for a, b in _bands(reference, test):
        u, v = np.nan_to_num(a) / length_a, np.nan_to_num(b) / length_b
        difference += (u - v) ** 2
        total += (u + v) ** 2
    return np.where(measured, 2 * np.arctan2(np.sqrt(difference), np.sqrt(total)), np.nan)


def ergas(reference: NDArray[Any], test: NDArray[Any]) -> float:
    """Relative dimensionless global error: 100 sqrt(mean_b(MSE_b / mu_b^2)), mu_b the mean of the reference's band b.

    Wald, "Data Fusion: Definitions and Architectures", 2002, with a resolution ratio of 1, as the denoising papers use
    it. A band whose mean is exactly 0 has no relative error and is left out.

    Parameters
    ----------
    reference, test : array of shape (band, row, col)
        In one unit.

    Returns
    -------
    float
        0 for identical cubes.

    Raises
    ------
    CubeError
        If the shapes differ.
    """
    relative = []
    for a, b in _bands(reference, test):
        mean = _mean(a)
        relative.append(_mean((a - b) ** 2) / mean**2 if mean else np.nan)
    return float(100 * np.sqrt(_mean(np.array(relative))))


def _ssim(a: Floats, b: Floats, peak: float) -> float:
    measured = ~np.isnan(a)
    blur = _window(measured)
    mean_a, mean_b = blur(a), blur(b)
    variances = blur(a * a + b * b) - mean_a**2 - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity /= (mean_a**2 + mean_b**2 + c1) * (variances + c2)
    return _mean(np.where(measured, similarity, np.nan)[tuple(map(_inside, a.shape))])


def _window(measured: NDArray[np.bool_]) -> Any:
    """The function that takes the weighted mean over the window around each pixel, among the measured ones."""
    from scipy.ndimage import gaussian_filter

    def blur(values: Floats) -> Floats:
        smooth: Floats = gaussian_filter(values, SSIM_SIGMA, mode="reflect", radius=SSIM_RADIUS)
        return smooth

    if measured.all():
        return blur
    weight = _divisor(blur(measured.astype(float)))
    return lambda values: blur(np.where(measured, values, 0)) / weight


def _inside(size: int) -> slice:
    """The pixels along an axis whose window lies inside the image; all of them where none does."""
    return slice(SSIM_RADIUS, size - SSIM_RADIUS) if size > 2 * SSIM_RADIUS else slice(None)


def _bands(reference: NDArray[Any], test: NDArray[Any]) -> Iterator[tuple[Floats, Floats]]:
    """The two cubes band by band in float64, NaN in both where either was not measured."""
    _check_shapes(reference, test)
    for a, b in zip(reference, test, strict=True):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        missing = ~(np.isfinite(a) & np.isfinite(b))
        yield (np.where(missing, np.nan, a), np.where(missing, np.nan, b)) if missing.any() else (a, b)


def _mean(values: Floats) -> float:
    """Mean of the values that are numbers; NaN if there are none."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def _mean_of_finite(values: Floats) -> float:
    """Mean of the finite values; where there are none, what the others are: infinite, or NaN."""
    finite = values[np.isfinite(values)]
    return _mean(finite if finite.size else values)


def _divisor(values: Floats) -> Floats:
    return np.where(values > 0, values, 1)


def _check_shapes(a: NDArray[Any], b: NDArray[Any], name_a: str = "the reference", name_b: str = "the cube") -> None:
    if a.shape != b.shape:
        raise CubeError(
            f"{name_a} has {size_in_words(a.shape)}, {name_b} has {size_in_words(b.shape)}; "
            f"only cubes of one size compare"
        )
    if a.ndim != 3:
        raise CubeError(f"{name_a} has {a.ndim} axes; a cube has the axes (band, row, col)")


def _check_peak(peak: float) -> None:
    if not (np.isfinite(peak) and peak > 0):
        raise CubeError(f"peak is {peak}; it must be a positive number")
