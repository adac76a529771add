"""The colour picture of a cube as a layer: bands that a person names, and the layer above the cube's own."""

import re
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.band_list import nearest_band
from napari_decsc.hsi.colours import Choice
from napari_decsc.hsi.cube import NANOMETRES, Cube
from napari_decsc.hsi.summary import unit_text
from napari_decsc.ui.cubes.layers import KEY, Composite, composite_of, placement

COLOURS = ("red", "green", "blue")
#: Units as people type them, and what they are called in a cube.
SPELLED = {"nm": "nm", "um": "um", "µm": "um", "μm": "um"}
_NUMBER = r"(\d*\.?\d+(?:[eE][+-]?\d+)?)"
_UNIT = r"([^\d\s,;.]+)?"
#: One unit at the end, or the same one after each number; commas, semicolons or spaces between.
_PART = rf"{_NUMBER}\s*{_UNIT}"
_TYPED = re.compile(rf"{_PART}(?:\s*[,;]\s*|\s+){_PART}(?:\s*[,;]\s*|\s+){_PART}")


def typed(cube: Cube, text: str) -> Choice:
    """Three wavelengths, or band numbers where the cube has none, as "650, 550, 450" or "0.65, 0.55, 0.45 um".

    A wavelength without a unit is one in the cube's unit, or in another unit of length if it lies among the cube's
    wavelengths only there.

    Raises
    ------
    SettingsError
        If the text holds no three numbers, a wavelength lies outside the cube's, or a band number is out of range.
    """
    known = cube.wavelengths is not None
    kind, example = ("wavelengths", "650, 550, 450") if known else ("band numbers", "3, 2, 1")
    match = _TYPED.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} is not understood; write three {kind} for red, green and blue, as {example}")
    numbers, units = [float(number) for number in match.groups()[::2]], set(match.groups()[1::2]) - {None}
    if len(units) > 1:
        raise SettingsError(f"{text!r} names two units; write one at the end")
    unit = next(iter(units), None)
    if known:
        bands = [nearest_band(cube, number) for number in _in_unit_of(cube, numbers, unit, text)]
    else:
        if not all(number.is_integer() and 1 <= number <= cube.bands for number in numbers):
            raise SettingsError(f"{text!r} names no bands of {cube.name}; they count from 1 to {cube.bands}")
        bands = [int(number) - 1 for number in numbers]
    return Choice((bands[0], bands[1], bands[2]), "chosen bands")


def _in_unit_of(cube: Cube, numbers: list[float], unit: str | None, text: str) -> list[float]:
    """Typed wavelengths in the cube's own unit."""
    own, lengths = NANOMETRES.get(cube.wavelength_unit), cube.wavelengths
    assert lengths is not None
    low, high = float(np.nanmin(lengths)), float(np.nanmax(lengths))
    room = 0.05 * (high - low) + 1e-9
    if unit is None:
        factors = [1.0, *([] if own is None else [NANOMETRES[name] / own for name in ("nm", "um")])]
    elif own is None or unit not in SPELLED:
        raise SettingsError(f"{text!r}: the unit {unit!r} is not understood; write {unit_text(cube.wavelength_unit)}")
    else:
        factors = [NANOMETRES[SPELLED[unit]] / own]
    for factor in factors:
        if all(low - room <= number * factor <= high + room for number in numbers):
            return [number * factor for number in numbers]
    said = f"{low:.5g} to {high:.5g} {unit_text(cube.wavelength_unit)}".rstrip()
    raise SettingsError(f"{text!r} lies outside the wavelengths of {cube.name}, which go from {said}")


def show(viewer: Any, layer: Any, cube: Cube, choice: Choice, image: NDArray[np.uint8]) -> Any:
    """Add or renew the composite of a cube's layer, right above it; returns the composite's layer."""
    text = in_words(cube, choice.bands)
    found = composite_of(viewer, layer)
    record = Composite(weakref.ref(layer), text)
    if found is not None:
        found.data, found.visible = image, True
        found.metadata = {**found.metadata, KEY: record}
        return found
    place = placement(layer)
    place = {name: place[name][1:] for name in ("scale", "translate", "axis_labels", "units") if name in place}
    made = viewer.add_image(image, name=f"colour · {layer.name}", rgb=True, metadata={KEY: record}, **place)
    viewer.layers.move(viewer.layers.index(made), viewer.layers.index(layer) + 1)
    return made


def in_words(cube: Cube, bands: Sequence[int]) -> str:
    """Such as "red 640 · green 550 · blue 460 nm", or band numbers where wavelengths are unknown."""
    lengths = cube.wavelengths
    if lengths is None or not np.isfinite(lengths[list(bands)]).all():
        return _named([f"band {band + 1}" for band in bands])
    return f"{_named([f'{lengths[band]:.4g}' for band in bands])} {unit_text(cube.wavelength_unit)}".rstrip()


def _named(numbers: Sequence[str]) -> str:
    return " · ".join(f"{colour} {number}" for colour, number in zip(COLOURS, numbers, strict=True))


def hide(viewer: Any, layer: Any) -> None:
    """Hide the composite of a cube's layer, so that its bands are seen."""
    found = composite_of(viewer, layer)
    if found is not None:
        found.visible = False
