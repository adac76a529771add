"""Which band is shown, in words on the canvas: "band 31 of 285 · 612.4 nm"."""

import weakref
from typing import Any

from qtpy.QtCore import QTimer

from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.bands import band_text, labelled_layer, slider_band
from napari_decsc.ui.cubes.first_view import open_well
from napari_decsc.ui.cubes.layers import composite_of, composite_text, cube_of, record_of, stack_text

#: Corner of the canvas. Notifications of napari come at the bottom, and would cover what is said there.
ALONE = "top_left"
#: Corner where captions take the upper one.
BELOW_CAPTIONS = "bottom_left"

_labels: weakref.WeakKeyDictionary[Any, "BandLabel"] = weakref.WeakKeyDictionary()


def label_bands(viewer: Any) -> "BandLabel":
    """Show the band's number and wavelength on the viewer's canvas from now on; a second call changes nothing."""
    if viewer not in _labels:
        _labels[viewer] = BandLabel(viewer)
    return _labels[viewer]


class BandLabel:
    """Keeps the canvas text of one viewer up to date."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._written, self._is_begun = "", False
        self._position = ALONE
        self._opened: weakref.WeakSet[Any] = weakref.WeakSet(viewer.layers)
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
        text = _shown_text(viewer)
        if text and not self._is_begun:
            # the first text of a window takes 0.2 s to draw: the picture comes first
            self._is_begun = True
            overlay.position = self._position
            overlay.font_size = 12
            QTimer.singleShot(0, self.update)
            return
        overlay.text = self._written = text
        overlay.visible = bool(text)

    def move(self, position: str) -> None:
        """Say it elsewhere: at the top where the image is alone, below it where captions stand above it."""
        self._position = position
        viewer = self._viewer()
        if viewer is not None and self._is_begun:
            viewer_compat.canvas_text(viewer).position = position

    def _watch(self, event: Any) -> None:
        self._watch_layer(event.value)
        if record_of(event.value) is not None:
            # napari turns its sliders to the new layer first
            layer = weakref.ref(event.value)
            QTimer.singleShot(0, lambda: self.open(layer()))

    def open(self, layer: Any) -> None:
        """Show a good band of a cube that came, once; that of a reader comes here a moment after it is in the list."""
        viewer = self._viewer()
        if viewer is not None and layer is not None and layer not in self._opened:
            self._opened.add(layer)
            open_well(viewer, layer)

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


def _shown_text(viewer: Any) -> str:
    """What the canvas should say of the cube that a person looks at: its band, the bands of its colour picture,
    or its component.
    """
    active = viewer.layers.selection.active
    if active is not None and active.visible and composite_text(active):
        return composite_text(active)
    if active is not None and active.visible and active.ndim == 3 and stack_text(active, 0):
        return stack_text(active, slider_band(viewer, active))
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
