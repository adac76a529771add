"""What was kept although it is like nothing else in the cube: single-pixel targets, small patches, thin lines.

A denoiser that keeps such signal says where it did and how far it stands above the noise, so that a person can see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import counted

Floats = NDArray[np.float32]

#: Places that are listed at most, of a part and of a whole cube.
MOST_PLACES = 20
#: Bands of a place are those that hold at least this share of what its strongest band holds.
STRONG = 0.5


@dataclass(frozen=True)
class RarePlace:
    """Pixels that touch each other and hold rare signal.

    Parameters
    ----------
    row, col : int
        The strongest pixel, from 0 in the whole cube.
    pixels : int
        How many there are.
    noise_levels : float
        What was kept in the strongest band of that pixel, in standard deviations of this band's noise.
    bands : tuple of int
        Bands of that pixel, from 0, that hold at least half as much.
    """

    row: int
    col: int
    pixels: int
    noise_levels: float
    bands: tuple[int, ...]

    def describe(self) -> dict[str, Any]:
        """The place, ready for JSON.

        Returns
        -------
        dict of str to object
            Its fields.
        """
        return {**vars(self), "noise_levels": float(f"{self.noise_levels:.3g}"), "bands": list(self.bands)}


@dataclass(frozen=True, eq=False)
class RareSignal:
    """The rare signal of a part of a cube.

    Parameters
    ----------
    noise_levels : float32 array, shape (row, col)
        What was kept of a pixel in its strongest band, in standard deviations of the noise; 0 where nothing is rare.
    rows, cols : slice
        Where it lies in the cube.
    places : tuple of RarePlace
        The strongest first, `MOST_PLACES` at most.
    count : int
        How many there are.
    """

    noise_levels: Floats
    rows: slice
    cols: slice
    places: tuple[RarePlace, ...]
    count: int


def rare_signal(where: NDArray[np.bool_], spectra: Floats, rows: slice, cols: slice) -> RareSignal | None:
    """The rare signal of a part, from the spectra of the pixels that hold some.

    Parameters
    ----------
    where : bool array, shape (row, col)
        These pixels.
    spectra : float32 array, shape (band, pixel)
        What was kept of each, in their order, in noise levels.
    rows, cols : slice
        Where the part lies in the cube.

    Returns
    -------
    RareSignal or None
        None where there is none.
    """
    if not where.any():
        return None
    size = np.zeros(where.shape, np.float32)
    size[where] = np.abs(spectra).max(0)
    number = np.zeros(where.shape, int)
    number[where] = np.arange(spectra.shape[1])
    places = []
    for pixels in _touching(where):
        row, col = max(pixels, key=lambda pixel: size[pixel])
        spectrum = np.abs(spectra[:, number[row, col]])
        bands = tuple(int(band) for band in np.flatnonzero(spectrum >= STRONG * spectrum.max()))
        at = rows.start + row, cols.start + col
        places.append(RarePlace(*at, len(pixels), float(size[row, col]), bands))
    return RareSignal(size, rows, cols, _strongest(places), len(places))


def _touching(where: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """The pixels (row, col) of every place: they touch each other by a side or a corner.

    SciPy's ``label`` would do, but to import it takes longer than all of this for a few pixels.
    """
    left = {(int(row), int(col)): None for row, col in np.argwhere(where)}
    found = []
    while left:
        place = [left.popitem()[0]]
        for row, col in place:  # it grows meanwhile
            around = [(row + down, col + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
            near = [pixel for pixel in around if pixel in left]
            for pixel in near:
                del left[pixel]
            place += near
        found.append(sorted(place))
    return found[::-1]


def all_places(parts: Sequence[RareSignal]) -> tuple[RarePlace, ...]:
    """The places of all parts, the strongest first, `MOST_PLACES` at most.

    Parameters
    ----------
    parts : sequence of RareSignal
        Of one cube.

    Returns
    -------
    tuple of RarePlace
        Those that stand highest above the noise.
    """
    return _strongest([place for part in parts for place in part.places])


def described(parts: Sequence[RareSignal]) -> dict[str, Any]:
    """The rare signal of a cube, ready for JSON; bands, rows and cols count from 0.

    Parameters
    ----------
    parts : sequence of RareSignal
        Of one cube.

    Returns
    -------
    dict of str to object
        "sentence", "pixels" (how many hold some), "place_count", and "places", 20 at most.
    """
    pixels = sum(int(np.count_nonzero(part.noise_levels)) for part in parts)
    count = sum(part.count for part in parts)
    places = all_places(parts)
    return {
        "sentence": _sentence(places, count, pixels),
        "pixels": pixels,
        "place_count": count,
        "places": [place.describe() for place in places],
    }


def _sentence(places: Sequence[RarePlace], count: int, pixels: int) -> str:
    if not places:
        return "No signal was rare."
    best = places[0]
    where = f"row {best.row}, col {best.col}: {best.noise_levels:.2g} noise levels in its strongest band"
    many = f"{counted(count, 'place')} ({counted(pixels, 'pixel')}), the strongest at " if count > 1 else ""
    return f"Rare signal was kept at {many}{where}."


def _strongest(places: Sequence[RarePlace]) -> tuple[RarePlace, ...]:
    return tuple(sorted(places, key=lambda place: -place.noise_levels)[:MOST_PLACES])
