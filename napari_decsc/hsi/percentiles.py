"""Percentiles of many bands at once."""

import numpy as np
from numpy.typing import NDArray


def percentiles(bands: NDArray[np.float32], percent: tuple[float, ...]) -> NDArray[np.float64]:
    """Percentiles of what is not NaN of every band.

    As ``numpy.nanpercentile``, which goes through the bands one by one: one sort, which puts NaN last.

    Parameters
    ----------
    bands : float32 array, shape (band, ...)
        Finite, or NaN; some pixels.
    percent : tuple of float
        From 0 to 100.

    Returns
    -------
    float64 array, shape (percentile, band)
        NaN where all of a band is.
    """
    ordered = np.sort(bands.reshape(len(bands), -1), axis=1)
    last = np.maximum((~np.isnan(ordered)).sum(axis=1) - 1, 0)
    place = np.outer(np.asarray(percent) / 100, last)
    below, each = place.astype(np.intp), np.arange(len(bands))
    low, high = ordered[each, below].astype(np.float64), ordered[each, np.minimum(below + 1, last)]
    found: NDArray[np.float64] = low + (place - below) * (high - low)
    return found
