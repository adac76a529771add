"""Bands as people write them: "1-4, 17, 900-930 nm". Counted from 1 in text, from 0 in arrays."""

import re

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube

_NUMBER = r"(\d+(?:\.\d+)?)"
_PART = re.compile(rf"{_NUMBER}(?:\s*[-–:]\s*{_NUMBER})?\s*([^\d\s,]+)?")
#: Spellings of units in such a list, and nanometres in one of each.
_UNITS = {"nm": 1.0, "um": 1e3, "µm": 1e3, "μm": 1e3}


def parse_bands(text: str, cube: Cube) -> NDArray[np.bool_]:
    """The bands that a text names; an empty text names none, "all" every band.

    A number with a unit of length is a wavelength: one wavelength names the nearest band, a range all bands within.

    Parameters
    ----------
    text : str
        Such as "1-4, 17, 900-930 nm"; bands count from 1.
    cube : Cube
        Whose bands are meant.

    Returns
    -------
    bool array, shape (band,)
        True for a band that is named.

    Raises
    ------
    SettingsError
        If a part is no band, band range, wavelength or wavelength range of this cube.
    """
    chosen = np.zeros(cube.bands, bool)
    if text.strip().lower() == "all":
        return ~chosen
    for part in re.split(r"[,;]", text):
        if part.strip():
            chosen |= _part(part.strip(), cube)
    return chosen


def format_bands(chosen: NDArray[np.bool_]) -> str:
    """Bands as a person writes them; runs of three and more are joined.

    Parameters
    ----------
    chosen : bool array, shape (band,)
        True for a band that is named.

    Returns
    -------
    str
        Such as "1-4, 17".
    """
    numbers = [int(band) + 1 for band in np.flatnonzero(chosen)]
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(parts)


def nearest_band(cube: Cube, wavelength: float) -> int:
    """The band nearest to a wavelength; wavelengths may come in any order.

    Parameters
    ----------
    cube : Cube
        With wavelengths.
    wavelength : float
        In the cube's unit.

    Returns
    -------
    int
        From 0.

    Raises
    ------
    SettingsError
        If the cube has no wavelengths.
    """
    if cube.wavelengths is None or not np.isfinite(cube.wavelengths).any():
        raise SettingsError(f"{cube.name}: its wavelengths are unknown; choose by band number")
    return int(np.nanargmin(np.abs(cube.wavelengths - wavelength)))


def _part(part: str, cube: Cube) -> NDArray[np.bool_]:
    match = _PART.fullmatch(part)
    if match is None:
        raise SettingsError(f"{part!r} names no bands; write them as 1-4, 17 or 900-930 nm")
    first, last, unit = match.groups()
    low, high = sorted((float(first), float(last or first)))
    return _numbers(part, low, high, cube) if unit is None else _wavelengths(part, low, high, unit, cube)


def _numbers(part: str, low: float, high: float, cube: Cube) -> NDArray[np.bool_]:
    if not (low.is_integer() and high.is_integer() and low >= 1 and high <= cube.bands):
        raise SettingsError(f"{part!r} is outside the bands of {cube.name}; they count from 1 to {cube.bands}")
    numbers = np.arange(1, cube.bands + 1)
    return np.asarray((low <= numbers) & (numbers <= high))


def _wavelengths(part: str, low: float, high: float, unit: str, cube: Cube) -> NDArray[np.bool_]:
    lengths = cube.wavelengths_nm
    if unit not in _UNITS or lengths is None:
        reason = "is not understood" if unit not in _UNITS else f"cannot be found: {cube.name} has no wavelengths"
        raise SettingsError(f"{part!r} {reason}; write band numbers such as 1-4, 17, or a range in nm or µm")
    low, high = low * _UNITS[unit], high * _UNITS[unit]
    if low == high:
        return np.asarray(np.arange(cube.bands) == np.nanargmin(np.abs(lengths - low)))
    within = (low <= lengths) & (lengths <= high)
    if not within.any():
        raise SettingsError(f"{part!r} names no band: {cube.name} has none between these wavelengths")
    return np.asarray(within)
