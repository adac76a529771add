"""Which voxels carry information: neither those without a measurement nor those stuck on the floor or the ceiling.

Dead lines, salt and pepper and saturation put voxels exactly on one value. Such a value shows by its frequency: a
continuous quantity does not meet the same number again and again.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.scaling import peak, sample

#: A value is the floor or the ceiling when at least this share of the sampled voxels lies exactly on it.
STUCK_SHARE = 2e-4
#: Values hardly ever repeat when there are this many different ones, as a share of the voxels.
DISTINCT_SHARE = 0.25
#: Among grey levels, voxels are stuck on one that holds so many times as many as those beside it.
PILED_UP = 2.0
#: Where values hardly ever repeat, voxels are stuck on one that holds so many times as many as those about it ...
MORE = 4.0
#: ... this many on either side.
REACH = 8
#: ... and by so many deviations of chance more often.
CHANCE = 8.0
#: Values are cut off at the floor or the ceiling where voxels beside those on it lie within this share of the range ...
CLOSE = 0.4
#: ... and where the half of the voxels that is further away lies on it by no more than this share as often as all do.
SELDOM = 0.25
#: ... or where of two bands side by side both are on it in this share of the pixels where one is ...
TOGETHER = 0.4
#: ... and so many times as often as chance has it.
TIMES = 4.0
#: Lines of which this share is on it are dead, and do not count.
WHOLE = 0.9


def stuck_values(cube: Cube) -> tuple[float, ...]:
    """Physical values that voxels are stuck on, :func:`cut_off` among them.

    In whole counts many voxels share a value by chance: looked at are 0, the peak, the least and the largest value.
    In a cube whose values hardly ever repeat, any value that does is one.

    Parameters
    ----------
    cube : Cube
        A sample of it is looked at.

    Returns
    -------
    tuple of float
        Physical units; none where nothing is stuck.
    """
    values = sample(cube)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return ()
    candidates = {0.0, peak(cube), float(values.min()), float(values.max())}
    distinct, repeats = np.unique(values, return_counts=True)
    if distinct.size > DISTINCT_SHARE * values.size:
        often = np.flatnonzero(repeats >= max(10, STUCK_SHARE * values.size))
        usual = _around_each(repeats, often)
        chance = usual + CHANCE * np.sqrt(usual)
        candidates.update(distinct[often[repeats[often] >= np.maximum(MORE * usual, chance)]].tolist())
        neighbours = np.zeros_like(repeats)
    else:
        neighbours = _beside(repeats)
    least = np.maximum(max(2, STUCK_SHARE * values.size), PILED_UP * neighbours)
    piled = distinct[repeats >= least]
    return tuple(value for value in sorted(candidates) if np.float32(value) in piled)


def cut_off(cube: Cube, stuck: tuple[float, ...]) -> tuple[float, ...]:
    """Those of the stuck values at which the scene, or its noise, was cut off at the floor or the ceiling.

    Such a voxel says that it is dark, or bright, as those beside it are; one that is filled says nothing. Impulses and
    dead lines strike bright and dark places alike.

    Parameters
    ----------
    cube : Cube
        A sample of it is looked at.
    stuck : tuple of float
        Of :func:`stuck_values`, physical units.

    Returns
    -------
    tuple of float
        Some of them.
    """
    values = sample(cube)
    ends = (value for value in stuck if _is_end(values, value))
    return tuple(value for value in ends if _is_cut_off(values, value) or _is_along_bands(values, value))


def _is_end(values: NDArray[np.float32], value: float) -> bool:
    """Whether fewer values lie beyond one than on it, on the one side or the other."""
    at = np.float32(value)
    on, above, below = (int(part.sum()) for part in (values == at, values > at, values < at))
    return min(above, below) < on


def _is_cut_off(values: NDArray[np.float32], end: float) -> bool:
    """Whether voxels (band, row, col) on an end of the range lie where those beside them are close to it."""
    on = values == np.float32(end)
    on &= ~on.all(axis=0) & ~on.all(axis=(1, 2), keepdims=True)
    away = np.abs(_around(np.where(values == np.float32(end), np.float32(np.nan), values)) - np.float32(end))
    known = np.isfinite(away)
    if not (on & known).any():
        return False
    reach = np.nanpercentile(np.abs(values - np.float32(end)), 99.5)
    far = known & (away > np.median(away[known]))
    seldom = float(on[far].mean()) < SELDOM * float(on.mean()) if far.any() else False
    return bool(seldom and np.median(away[on & known]) < CLOSE * reach)


def _is_along_bands(values: NDArray[np.float32], end: float) -> bool:
    """Whether neighbouring bands are on an end of the range together, as where something small is too bright.

    Impulses strike every band by itself. A value far from all others is no end of the scene.
    """
    on = values == np.float32(end)
    away = np.abs(values - np.float32(end))[~on & np.isfinite(values)]
    if away.size == 0 or away.min() > CLOSE * np.percentile(away, 99.5):
        return False
    on &= ~on.all(axis=0)
    for axis in (1, 2):
        on &= on.mean(axis=axis, keepdims=True) < WHOLE
    pairs = int(on[1:].sum()) + int(on[:-1].sum())
    together = 2 * int((on[1:] & on[:-1]).sum()) / max(pairs, 1)
    return together > max(TOGETHER, TIMES * float(on.mean()))


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the up to six values beside each voxel (band, row, col) in its band and its spectrum."""
    known = np.isfinite(values).astype(np.float32)
    there = np.nan_to_num(values, posinf=0, neginf=0)
    total, count = np.zeros_like(values), np.zeros_like(known)
    for axis in range(3):
        for sums, each in ((total, there), (count, known)):
            sums, each = np.moveaxis(sums, axis, 0), np.moveaxis(each, axis, 0)
            sums[1:] += each[:-1]
            sums[:-1] += each[1:]
    total /= np.maximum(count, 1)
    total[count == 0] = np.nan
    return total


def _around_each(repeats: NDArray[np.int64], which: NDArray[np.intp]) -> NDArray[np.float64]:
    """The mean of the numbers of voxels on the few levels about some: fine grey levels repeat by chance."""
    windows = sliding_window_view(np.pad(repeats, REACH), 2 * REACH + 1)
    usual: NDArray[np.float64] = (windows[which].sum(axis=1) - repeats[which]) / 2 / REACH
    return usual


def _beside(repeats: NDArray[np.int64]) -> NDArray[np.int64]:
    """The larger number of voxels on the two grey levels beside each."""
    padded = np.pad(repeats, 1)
    return np.maximum(padded[:-2], padded[2:])


def usable(physical: NDArray[np.float32], stuck: tuple[float, ...], cut: tuple[float, ...] = ()) -> NDArray[np.bool_]:
    """Which voxels carry information.

    Parameters
    ----------
    physical : float32 array, shape (band, row, col)
        Physical units; NaN for what was not measured.
    stuck : tuple of float
        Values that tell nothing.
    cut : tuple of float
        Those of them that tell nothing only where all bands of the pixel are on them.

    Returns
    -------
    bool array, shape (band, row, col)
        False where a voxel is not finite or on a stuck value.
    """
    mask = np.asarray(np.isfinite(physical))
    for value in stuck:
        on = physical == np.float32(value)
        mask &= ~(on.all(axis=0) if value in cut else on)
    return mask


def blank_bands(cube: Cube, stuck: tuple[float, ...]) -> tuple[int, ...]:
    """Bands in which no sampled voxel is usable: dead, saturated or constant. Nothing can be said of them either.

    Parameters
    ----------
    cube : Cube
        A sample of it is looked at.
    stuck : tuple of float
        Of :func:`stuck_values`, physical units.

    Returns
    -------
    tuple of int
        From 0.
    """
    mask = usable(sample(cube), stuck)
    return tuple(np.flatnonzero(~mask.any(axis=(1, 2))).tolist())


def blank_pixels(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels (row, col) of which no band is usable: outside the scene, or truly black. Nothing can be said of them.

    Parameters
    ----------
    mask : bool array, shape (band, row, col)
        Of :func:`usable`.

    Returns
    -------
    bool array, shape (row, col)
        True where no band is usable.
    """
    return np.asarray(~mask.any(axis=0))
