"""Random fields: normal noise of variance 1 that is correlated between neighbouring pixels and bands."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.noise.base import Floats, Pixels, Shape

#: Bands of white noise that are kept while neighbouring bands are mixed of them.
KEPT_BANDS = 16


def normal_field(shape: Shape, pixels: Pixels, across: float = 0.0, along: float = 0.0) -> Callable[[int], Floats]:
    """White noise smoothed by Gaussians, and scaled back to a variance of 1; the cube's ends meet.

    Parameters
    ----------
    shape : tuple of int
        (bands, rows, cols) of the cube.
    pixels : Pixels
        Random numbers of the white noise.
    across : float
        Standard deviation of the Gaussian in space, pixels; 0: white in space.
    along : float
        The same along the bands, bands; 0: independent bands.

    Returns
    -------
    callable
        Number of a band -> its noise (row, col), float32.
    """
    bands, *image = shape
    mix = _mixing(bands, along)
    scale = 1.0 if not across else float(np.prod([1 / _norm(extent, across) for extent in image]))

    @lru_cache(KEPT_BANDS)
    def white(band: int) -> Floats:
        return pixels(band).standard_normal(image, np.float32)

    def of_band(band: int) -> Floats:
        near = np.flatnonzero(mix[band])
        noise = np.zeros(image, np.float32)
        for other in near:
            noise += np.float32(mix[band, other]) * white(int(other))
        if not across:
            return noise
        from scipy.ndimage import gaussian_filter

        return np.asarray(gaussian_filter(noise, across, mode="wrap") * scale, np.float32)

    return of_band


def _mixing(bands: int, along: float) -> NDArray[np.float64]:
    """Weights (band, band) by which white noise is mixed; every row has the length 1."""
    if not along:
        return np.eye(bands)
    from scipy.ndimage import gaussian_filter1d

    mix: NDArray[np.float64] = gaussian_filter1d(np.eye(bands), along, axis=0, mode="wrap")
    mix /= np.linalg.norm(mix, axis=1, keepdims=True)
    return mix


def _norm(extent: int, across: float) -> float:
    """Length of the Gaussian's weights on a closed line of ``extent`` pixels."""
    from scipy.ndimage import gaussian_filter1d

    point = np.zeros(extent)
    point[0] = 1
    return float(np.linalg.norm(gaussian_filter1d(point, across, mode="wrap")))
