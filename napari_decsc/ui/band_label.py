"""Which band is shown, in words on the canvas: "band 31 of 285 · 612.4 nm"."""

import weakref
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.layers import cube_layers, cube_of, is_cube_layer

#: Units as people write them; a unit not listed is shown as it is.
UNITS = {"um": "µm", "1/cm": "cm⁻¹", "index": ""}

_labels: weakref.WeakKeyDictionary[Any, "BandLabel"] = weakref.WeakKeyDictionary()


def label_bands(viewer: Any) -> "BandLabel":
    """Show the band's number and wavelength on the viewer's canvas from now on; a second call changes nothing."""
    if viewer not in _labels:
        _labels[viewer] = BandLabel(viewer)
    return _labels[viewer]


def unit_text(unit: str) -> str:
    """A wavelength unit as people write it."""
    return UNITS.get(unit, unit)


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
    point = np.zeros(max(viewer.dims.ndim, layer.ndim))
    point[-viewer.dims.ndim :] = viewer.dims.point
    band = layer.world_to_data(point)[0]
    return int(np.clip(round(float(band)), 0, layer.data.shape[0] - 1))


def show_band(viewer: Any, layer: Any, band: int) -> None:
    """Move the slider to a band of ``layer``."""
    axis = viewer.dims.ndim - 3
    viewer.dims.set_point(axis, layer.data_to_world((band, 0, 0))[0])


class BandLabel:
    """Keeps the canvas text of one viewer up to date."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._written = ""
        for emitter in (
            viewer.dims.events.current_step,
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
            viewer.layers.selection.events.active,
        ):
            emitter.connect(self.update)
        self.update()

    def update(self, event: Any = None) -> None:
        """Write the text anew, unless somebody else wrote on the canvas."""
        viewer = self._viewer()
        if viewer is None:
            return
        overlay = viewer_compat.canvas_text(viewer)
        if overlay.text not in ("", self._written):
            return
        layer = labelled_layer(viewer)
        text = "" if layer is None else band_text(cube_of(layer), shown_band(viewer, layer))
        if not self._written and text:
            overlay.position = "bottom_left"
            overlay.font_size = 12
        overlay.text = self._written = text
        overlay.visible = bool(text)


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
