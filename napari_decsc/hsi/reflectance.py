"""Reflectance from a raw cube and its references: a dark one (shutter closed) and a white one (a panel of known grey).

For the pixel (band, col) of a line scanner, whose references are averaged over their lines:

    reflectance = panel * (raw - dark) / (white - dark of white) * (exposure of white / exposure of raw)

A detector answers in its own way in every column, so that nothing is averaged over columns. Source: flat-field
correction as in EMVA Standard 1288, section on nonuniformities, with the panel's reflectance as the flat field.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import FIELDS

#: Fields of headers, in the makers' words, that tell the exposure; the same word has the same unit.
_EXPOSURES = ("tint", "integration time", "exposure", "exposure time", "shutter")
#: Numbers at which detectors of 8, 10, 12, 14 and 16 bits end.
_FULL_SCALES = (255, 1023, 4095, 16383, 65535)
#: What stands for "not measured" in the result.
NO_DATA = -9999.0
#: Numbers of a raw cube in memory at a time, about.
_SLAB = 8 << 20


@dataclass(frozen=True, eq=False)
class Reference:
    """The mean of a reference over its lines.

    Parameters
    ----------
    mean : float array, shape (band, col)
        Raw.
    saturated : bool array, shape (band, col)
        Where more than half of the lines were.
    """

    mean: NDArray[np.float64]
    saturated: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Reflectance:
    """The reflectance of a scene, and what was found on the way.

    Parameters
    ----------
    cube : Cube
        Lazy, float32; `NO_DATA` where a pixel is dead or a number saturated.
    saturation : float, optional
        The number from which on the detector is full; None where nothing reached it.
    dead : bool array, shape (band, col)
        Pixels of the detector that tell nothing.
    exposure_ratio : float
        Exposure of the white reference over that of the scene; 1 where headers do not tell.
    """

    cube: Cube
    saturation: float | None
    dead: NDArray[np.bool_]
    exposure_ratio: float


def reflectance(
    raw: Cube,
    dark: Cube,
    white: Cube,
    *,
    white_dark: Cube | None = None,
    panel: float | NDArray[np.float64] = 1.0,
    saturation: float | None = None,
    weakest: float = 0.02,
) -> Reflectance:
    """The reflectance of a raw cube, computed where it is looked at.

    Parameters
    ----------
    raw, dark, white : Cube
        Of the same bands and cols, with any number of rows. Numbers are taken as the files have them.
    white_dark : Cube, optional
        The dark reference of the white one, where its exposure was another; else ``dark`` serves both.
    panel : float or array, shape (band,)
        Reflectance of the white panel.
    saturation : float, optional
        Number from which on the detector is full. Without it: the largest number of ``raw`` and ``white``, if it is
        one at which detectors end (255, 1023, 4095, 16383, 65535).
    weakest : float
        A pixel is dead if white - dark is below this part of its band's median.

    Returns
    -------
    Reflectance

    Raises
    ------
    CubeError
        If bands or cols differ, or no pixel of the detector is alive.
    """
    # the numbers that the detector gave: gains of a header are of radiances
    stored = [cube.as_stored() for cube in (raw, dark, white, white_dark or dark)]
    for cube in stored[1:]:
        _check(cube, stored[0])
    level = _full_scale(stored[0], stored[2]) if saturation is None else saturation
    black, bright, black_of_white = (_reference(cube, level) for cube in stored[1:])
    span = bright.mean - black_of_white.mean
    dead = _dead(span, weakest) | black.saturated | black_of_white.saturated | bright.saturated
    if dead.all():
        raise CubeError(
            f"{white.name}: is nowhere brighter than {dark.name}; check which is the dark and which the white reference"
        )
    ratio = _exposure_ratio(white, raw)
    gain = np.where(dead, np.nan, np.reshape(panel, (-1, 1)) * ratio / np.where(dead, 1.0, span))
    data = _lazy(_Corrected(stored[0].data, black.mean, gain, level, stored[0].no_data))
    header = {key: value for key, value in raw.header.items() if key not in FIELDS}
    notes = raw.notes
    if ratio != 1 and white_dark is None:
        notes = (
            *notes,
            f"{white.name}: its exposure is {ratio:g} times that of the scene, and no dark reference is its own",
        )
    cube = raw.replace(data=data, no_data=NO_DATA, scale=1.0, calibration=None, header=header, notes=notes)
    return Reflectance(cube, level, dead, ratio)


class _Corrected:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(
        self, raw: Any, dark: NDArray[Any], gain: NDArray[Any], level: float | None, no_data: float | None
    ) -> None:
        self.raw, self.level, self.no_data, self.shape = raw, level, no_data, raw.shape
        self.dark = np.broadcast_to(dark[:, None, :], self.shape)
        self.gain = np.broadcast_to(gain[:, None, :], self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        raw = np.asarray(self.raw[key])
        values: NDArray[Any] = ((raw - self.dark[key]) * self.gain[key]).astype(np.float32)
        gone = ~np.isfinite(values)
        if self.level is not None:
            gone |= raw >= self.level
        if self.no_data is not None:
            gone |= raw == self.no_data
        values[gone] = NO_DATA
        return values


def _lazy(array: _Corrected) -> Any:
    from dask.array import from_array

    return from_array(  # type: ignore[no-untyped-call]
        array, chunks="auto", name=False, asarray=False, meta=np.empty((0, 0, 0), array.dtype)
    )


def _check(reference: Cube, raw: Cube) -> None:
    for what, axis in (("bands", 0), ("cols", 2)):
        if reference.shape[axis] != raw.shape[axis]:
            raise CubeError(
                f"{reference.name}: has {reference.shape[axis]} {what}, the raw cube {raw.name} {raw.shape[axis]}; "
                f"give references of the same detector and binning"
            )


def _slabs(cube: Cube) -> Iterator[NDArray[Any]]:
    bands, rows, cols = cube.shape
    step = max(1, _SLAB // (bands * cols))
    for start in range(0, rows, step):
        yield np.asarray(cube.data[:, start : start + step])


def _largest(cube: Cube) -> float:
    return max(float(np.nanmax(slab)) if not np.all(np.isnan(slab)) else -np.inf for slab in _slabs(cube))


def _full_scale(*cubes: Cube) -> float | None:
    largest = max(map(_largest, cubes))
    return largest if largest in _FULL_SCALES else None


def _reference(cube: Cube, level: float | None) -> Reference:
    """The mean over lines, of the numbers below the level where more than half of them are."""
    bands, rows, cols = cube.shape
    total, count = np.zeros((bands, cols)), np.zeros((bands, cols))
    for slab in _slabs(cube):
        good = np.isfinite(slab)
        if level is not None:
            good &= slab < level
        total += np.where(good, slab, 0).sum(axis=1, dtype=np.float64)
        count += good.sum(axis=1)
    return Reference(total / np.maximum(count, 1), 2 * count <= rows)


def _dead(span: NDArray[np.float64], weakest: float) -> NDArray[np.bool_]:
    """Pixels that light moves by nothing, or by much less than their neighbours in the band."""
    usual = np.median(span, axis=1, keepdims=True)
    return np.asarray((span <= 0) | (span < weakest * usual))


def _exposure_ratio(white: Cube, raw: Cube) -> float:
    for key in _EXPOSURES:
        ours, theirs = _number(raw.header.get(key)), _number(white.header.get(key))
        if ours is not None and theirs is not None:
            return theirs / ours
    return 1.0


def _number(value: Any) -> float | None:
    """A number above 0 at the beginning of a text, such as `12.5 ms`."""
    try:
        number = float(str(value).split()[0])
    except (ValueError, IndexError):
        return None
    return number if 0 < number < np.inf else None
