"""Bands in words, and which one the slider shows: "band 31 of 285 · 612.4 nm"."""

from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.summary import unit_text
from napari_decsc.ui.cubes.layers import cube_layers, is_cube_layer


def band_text(cube: Cube, band: int) -> str:
    """Such as "band 31 of 285 · 612.4 nm", bands counted from 1; says so where a band is marked as bad."""
    text = f"band {band + 1} of {cube.bands}"
    if cube.wavelengths is not None and np.isfinite(cube.wavelengths[band]):
        text += f" · {cube.wavelengths[band]:{_digits(cube)}} {unit_text(cube.wavelength_unit)}".rstrip()
    if cube.good_bands is not None and not cube.good_bands[band]:
        text += " · marked as bad"
    return text


def shown_band(viewer: Any, layer: Any) -> int:
    """Index of the band of ``layer`` that the slider shows, within the layer's bands."""
    return int(np.clip(slider_band(viewer, layer), 0, layer.data.shape[0] - 1))


def slider_band(viewer: Any, layer: Any) -> int:
    """Index of the band that the slider is at; beside a cube of more bands it may lie outside those of ``layer``."""
    point = np.zeros(max(viewer.dims.ndim, layer.ndim))
    point[-viewer.dims.ndim :] = viewer.dims.point
    return round(float(layer.world_to_data(point)[0]))


def show_band(viewer: Any, layer: Any, band: int) -> None:
    """Move the slider to a band of ``layer``."""
    axis = viewer.dims.ndim - 3
    viewer.dims.set_point(axis, layer.data_to_world((band, 0, 0))[0])


def labelled_layer(viewer: Any) -> Any | None:
    """The cube a person is looking at: the selected one, else the topmost visible one."""
    active = viewer.layers.selection.active
    if active is not None and is_cube_layer(active):
        return active
    visible = [layer for layer in cube_layers(viewer) if layer.visible]
    return visible[-1] if visible else None


def _digits(cube: Cube) -> str:
    """Format of a wavelength: micrometres need three decimals to tell bands apart, nanometres one."""
    return {"um": ".3f", "mm": ".6f", "m": ".9f", "index": "g"}.get(cube.wavelength_unit, ".1f")
