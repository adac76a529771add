"""The colour picture of a cube as a layer: bands that a person names, and the layer above the cube's own."""

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.band_list import nearest_band
from napari_decsc.hsi.colours import Choice
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.summary import unit_text
from napari_decsc.ui.cubes.layers import KEY, Composite, composite_of, placement

COLOURS = ("red", "green", "blue")


def typed(cube: Cube, text: str) -> Choice:
    """Three wavelengths in the cube's unit, or band numbers where it has none, as "650, 550, 450".

    Raises
    ------
    SettingsError
        If the text holds no three numbers, or a band number is out of range.
    """
    try:
        numbers = [float(part) for part in text.replace(";", ",").split(",")]
    except ValueError:
        numbers = []
    known = cube.wavelengths is not None
    kind, example = ("wavelengths", "650, 550, 450") if known else ("band numbers", "3, 2, 1")
    if len(numbers) != 3:
        raise SettingsError(f"{text!r} is not understood; write three {kind} for red, green and blue, as {example}")
    if cube.wavelengths is not None:
        bands = [nearest_band(cube, number) for number in numbers]
    else:
        if not all(number.is_integer() and 1 <= number <= cube.bands for number in numbers):
            raise SettingsError(f"{text!r} names no bands of {cube.name}; they count from 1 to {cube.bands}")
        bands = [int(number) - 1 for number in numbers]
    return Choice((bands[0], bands[1], bands[2]), "chosen bands")


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
