"""Which voxels carry information: neither those without a measurement nor those stuck on the floor or the ceiling.

Dead lines, salt and pepper and saturation put voxels exactly on one value. Such a value shows by its frequency: a
continuous quantity does not meet the same number again and again.
"""

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.scaling import peak, sample

#: A value is the floor or the ceiling when at least this share of the sampled voxels lies exactly on it.
STUCK_SHARE = 2e-4
#: Values hardly ever repeat when there are this many different ones, as a share of the voxels.
DISTINCT_SHARE = 0.25
#: Among grey levels, voxels are stuck on one that holds so many times as many as those beside it.
PILED_UP = 2.0
#: The ceiling is the end of the scene's own values where most voxels beside one on it lie above this share of it.
BRIGHT = 0.6


def stuck_values(cube: Cube) -> tuple[float, ...]:
    """Physical values that voxels are stuck on.

    In whole counts many voxels share a value by chance: looked at are 0, the peak, the least and the largest value.
    In a cube whose values hardly ever repeat, any value that does is one. What is bright all around and was cut off at
    the ceiling is not: such a voxel says that it is bright, one that is filled says nothing.
    """
    sampled = sample(cube)
    values = sampled[np.isfinite(sampled)]
    if values.size == 0:
        return ()
    candidates = {0.0, peak(cube), float(values.min()), float(values.max())}
    distinct, repeats = np.unique(values, return_counts=True)
    if distinct.size > DISTINCT_SHARE * values.size:
        candidates.update(distinct[repeats >= max(10, STUCK_SHARE * values.size)].tolist())
        neighbours = np.zeros_like(repeats)
    else:
        neighbours = _beside(repeats)
    least = np.maximum(max(2, STUCK_SHARE * values.size), PILED_UP * neighbours)
    piled = distinct[repeats >= least]
    stuck = tuple(value for value in sorted(candidates) if np.float32(value) in piled)
    return tuple(value for value in stuck if not _is_cut_off(sampled, value))


def _is_cut_off(values: NDArray[np.float32], ceiling: float) -> bool:
    """Whether larger values (band, row, col) were cut off there: those beside them are nearly as large."""
    on = values == np.float32(ceiling)
    if ceiling <= 0 or np.count_nonzero(values > np.float32(ceiling)) > np.count_nonzero(on):
        return False
    beside = np.zeros_like(on)
    for axis in range(3):
        there, here = (np.moveaxis(each, axis, 0) for each in (on, beside))
        here[1:] |= there[:-1]
        here[:-1] |= there[1:]
    around = values[beside & ~on & np.isfinite(values)]
    return bool(around.size and np.median(around) > BRIGHT * ceiling)


def _beside(repeats: NDArray[np.int64]) -> NDArray[np.int64]:
    """The larger number of voxels on the two grey levels beside each."""
    padded = np.pad(repeats, 1)
    return np.maximum(padded[:-2], padded[2:])


def usable(physical: NDArray[np.float32], stuck: tuple[float, ...]) -> NDArray[np.bool_]:
    """False where a voxel (band, row, col) is not finite or exactly on one of the stuck values."""
    mask = np.asarray(np.isfinite(physical))
    for value in stuck:
        mask[physical == np.float32(value)] = False
    return mask


def blank_bands(cube: Cube, stuck: tuple[float, ...]) -> tuple[int, ...]:
    """Bands in which no sampled voxel is usable: dead, saturated or constant. Nothing can be said of them either."""
    mask = usable(sample(cube), stuck)
    return tuple(np.flatnonzero(~mask.any(axis=(1, 2))).tolist())


def blank_pixels(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels (row, col) of which no band is usable: outside the scene, or truly black. Nothing can be said of them."""
    return np.asarray(~mask.any(axis=0))
