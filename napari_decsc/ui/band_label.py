"""Which band is shown, in words on the canvas: "band 31 of 285 · 612.4 nm"."""

import weakref
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.layers import composite_of, composite_text, cube_layers, cube_of, is_cube_layer

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
        viewer.layers.events.inserted.connect(self._watch)
        for emitter in viewer_compat.layer_list_events(viewer):
            emitter.connect(self._forget_old_names)
        for layer in viewer.layers:
            self._watch_layer(layer)
        self.update()

    def update(self, event: Any = None) -> None:
        """Write the text anew, unless somebody else wrote on the canvas."""
        viewer = self._viewer()
        if viewer is None:
            return
        overlay = viewer_compat.canvas_text(viewer)
        if overlay.text not in ("", self._written):
            return
        text = shown_text(viewer)
        if not self._written and text:
            overlay.position = "bottom_left"
            overlay.font_size = 12
        overlay.text = self._written = text
        overlay.visible = bool(text)

    def _watch(self, event: Any) -> None:
        self._watch_layer(event.value)

    def _watch_layer(self, layer: Any) -> None:
        for emitter in (layer.events.visible, *viewer_compat.metadata_events(layer)):
            emitter.connect(self.update)

    def _forget_old_names(self, event: Any = None) -> None:
        """The status bar tells of the layer under the cursor, until the mouse moves even by a name that is gone."""
        viewer = self._viewer()
        if viewer is None or not isinstance(viewer.status, dict):
            return
        if viewer.status.get("layer_name") not in {"", None, *(layer.name for layer in viewer.layers)}:
            viewer.status = "Ready"


def shown_text(viewer: Any) -> str:
    """What the canvas should say of the cube that a person looks at: its band, or the bands of its colour picture."""
    active = viewer.layers.selection.active
    if active is not None and active.visible and composite_text(active):
        return composite_text(active)
    layer = labelled_layer(viewer)
    if layer is None:
        return ""
    colours = composite_of(viewer, layer)
    if colours is not None and colours.visible and not viewer_compat.grid(viewer).enabled:
        return composite_text(colours)
    cube, band = cube_of(layer), slider_band(viewer, layer)
    if 0 <= band < cube.bands:
        return band_text(cube, band)
    return f"{layer.name} ends at band {cube.bands}"


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
