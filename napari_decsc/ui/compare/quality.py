"""How good cubes are, band by band, as numbers: against a clean cube where one is known, and without one. No window.

Without a reference two things can be measured: the noise that is left in a band, and whether what a method took away
looks like noise or like an image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.filters.differences import NORMAL_MAD
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import Scores, score_cubes
from napari_decsc.ui.cubes.difference import physical_bands

Floats = NDArray[np.float64]

#: Removed values are cut off at so many standard deviations: a few dead pixels must not hide the rest.
CUT = 3.0


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is known of one cube.

    ``noise`` is its noise level in each band, shape (band,), in physical values. ``scores`` is None where no clean
    cube is known. ``structure`` (see `structure`) is of what was removed from the noisiest of the cubes judged
    together, None for that cube itself.
    """

    noise: Floats
    scores: Scores | None = None
    structure: Floats | None = None


def judge(cubes: Sequence[Cube], cleans: Sequence[Cube | None]) -> list[Judgement]:
    """Judge cubes of one shape, each against its clean cube where that is known."""
    noise = [_noise_levels(cube) for cube in cubes]
    noisiest = int(np.argmax([np.nanmedian(levels) if np.isfinite(levels).any() else 0 for levels in noise]))
    return [
        Judgement(
            levels,
            None if clean is None else score_cubes(clean, cube),
            None if place == noisiest else structure(cubes[noisiest], cube),
        )
        for place, (cube, clean, levels) in enumerate(zip(cubes, cleans, noise, strict=True))
    ]


def _noise_levels(cube: Cube) -> Floats:
    """Standard deviation of the noise in each band, shape (band,), in physical values.

    From second differences, to which smooth areas and straight edges are no noise; what was not measured is left out,
    and a band without any measurement is NaN.
    """
    from napari_decsc.filters.spectral import difference_noise

    levels = []
    for band in physical_bands(cube):
        measured = np.isfinite(band)
        level = difference_noise(np.where(measured, band, 0)[None], measured[None])[0]
        levels.append(float(level) if measured.any() else np.nan)
    return np.array(levels)


def structure(before: Cube, after: Cube) -> Floats:
    """How alike diagonal neighbours are in what was removed, shape (band,): 0 for independent noise, 1 for an image.

    The correlation coefficient of before - after with itself, one pixel further along both diagonals. Stripes and dead
    lines along rows or columns count as noise. NaN where nothing was removed.
    """
    return np.array([_structure(a - b) for a, b in zip(physical_bands(before), physical_bands(after), strict=True)])


def _structure(removed: NDArray[np.float32]) -> float:
    values = removed - np.nanmean(removed) if np.isfinite(removed).any() else removed
    spread = np.nanmedian(np.abs(values)) / NORMAL_MAD if np.isfinite(values).any() else 0.0
    if spread > 0:
        values = np.clip(values, -CUT * spread, CUT * spread)
    pairs = [(values[:-1, :-1], values[1:, 1:]), (values[:-1, 1:], values[1:, :-1])]
    found = [_correlation(a.ravel(), b.ravel()) for a, b in pairs]
    return float(np.mean(found))


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both].astype(np.float64), b[both].astype(np.float64)
    if a.size < 2:
        return np.nan
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / power if power > 0 else np.nan
