"""Spectra: of all visible cubes, at the pixel under the cursor, at pinned pixels and over regions of interest."""

import html
from dataclasses import replace
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.band_control import BandControl
from napari_decsc.ui.band_label import label_bands, labelled_layer, show_band, shown_band
from napari_decsc.ui.docked import Docked, Message
from napari_decsc.ui.layers import contrast, cube_layers, cube_of
from napari_decsc.ui.pin_list import PinList
from napari_decsc.ui.pins import PinMarkers, RoiShapes, is_finished, next_colour
from napari_decsc.ui.reference import differences, find_reference, in_html, in_text
from napari_decsc.ui.spectra import Pin, short, spectrum
from napari_decsc.ui.spectrum_export import ExportButton
from napari_decsc.ui.spectrum_plot import Curve, SpectrumPlot
from napari_decsc.ui.theme import PIN_COLOURS, cube_colour, theme_colours

#: Milliseconds between two redraws while the cursor moves, and while a region is drawn.
PAUSE, ROI_PAUSE = 33, 150
HELP = "Click in the image pins a pixel, Shift-click one more. Click in a plot to go to that band."
ROI_HELP = "Draw around a region in the image; the tools at the top left offer rectangles and ellipses too."
FULL = f"{len(PIN_COLOURS)} places are pinned, one for each colour; remove one first (select its name, press Delete)."
NO_CUBE = "No cube is shown. Tick the eye of one in the layer list, or drop an ENVI header on the window."


class SpectrumWidget(Docked):
    """Follows the cursor; a click in the image pins a pixel, a click in the plot moves the band slider."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.plot = SpectrumPlot(theme_colours(self.viewer))
        self.pins: list[Pin] = []
        self.list = PinList()
        self.bands = BandControl(self.viewer, self.connections)
        self.legend, self.differences = QLabel(), QLabel()
        self.message = Message()
        self.roi_button = QPushButton("Draw ROI")
        self.clear_button = QPushButton("Remove all")
        self.export_button = ExportButton(self.plot, self.message, self._shown)
        self._layers: list[Any] = []
        self._watched: list[Any] = []
        self._position: Any = None
        self._markers = PinMarkers(self.viewer)
        self._rois = RoiShapes(self.viewer, self._on_shapes)
        self._hover_timer = self._timer(PAUSE, self._draw_hover)
        self._refresh_timer = self._timer(0, self.refresh)
        self._roi_timer = self._timer(ROI_PAUSE, self._read_rois)
        self._lay_out()
        self._connect()
        label_bands(self.viewer)
        self.refresh()

    def pin(self, row: int, col: int, *, keep: bool = False) -> None:
        """Pin a pixel. Without ``keep`` it replaces the pixels that were pinned before and have no name."""
        if any((pin.row, pin.col) == (row, col) for pin in self.pins if pin.area is None):
            return
        kept = [pin for pin in self.pins if keep or pin.name or pin.area is not None]
        colour = next_colour(kept)
        if colour is None:
            self.message.complain(FULL)
            return
        self.message.say("")
        self.pins = [*kept, Pin(row, col, colour)]
        self._show_pins()

    def draw_roi(self) -> None:
        """Let the person draw a region; each shape becomes a curve, mean and standard deviation."""
        if not self._layers:
            self.message.complain(NO_CUBE)
            return
        self._rois.start(self._layers[0])
        self._read_rois()
        self.message.say(ROI_HELP)

    def rename(self, number: int, name: str) -> None:
        """Give a pinned place a name; an empty one takes it away."""
        self._exchange(number, replace(self.pins[number], name=name))

    def set_hidden(self, number: int, is_hidden: bool) -> None:
        """Hide or show the curves and the mark of a pinned place."""
        self._exchange(number, replace(self.pins[number], is_hidden=is_hidden))

    def remove(self, number: int) -> None:
        """Take a pinned place away."""
        pin = self.pins.pop(number)
        if pin.area is not None:
            self._rois.remove(pin)
        self.message.say("")
        self._show_pins()

    def clear_pins(self) -> None:
        """Take all pinned places away."""
        for number in reversed(range(len(self.pins))):
            self.remove(number)
        self._show_pins()

    def refresh(self) -> None:
        """Read the visible cubes anew."""
        self._layers = [layer for layer in cube_layers(self.viewer) if layer.visible]
        self._watch()
        if self._markers.layer is not None and not self._markers.is_shown:
            self._markers.layer = None  # the person removed the rings
            self.pins = [pin for pin in self.pins if pin.area is not None]
        self._rois.to_front()
        self._markers.to_front()
        self._refresh_timer.stop()  # putting the marks in front is no news
        curves = [Curve(cube_of(layer), cube_colour(self.viewer, layer)) for layer in self._layers]
        rows, cols = np.min([curve.cube.shape[1:] for curve in curves], axis=0) if curves else (0, 0)
        self.pins = [pin for pin in self.pins if pin.area is not None or (pin.row < rows and pin.col < cols)]
        if self._rois.layer is not None and not self._rois.is_shown:
            self.pins = [pin for pin in self.pins if pin.area is None]  # the person removed the drawing
            self._rois.forget()
        self._reference = find_reference(self._layers)
        self.plot.show_cubes(curves, self._inside(rows, cols), self._limits())
        self.legend.setText(_legend(curves))
        self.legend.setToolTip("\n".join(curve.cube.name for curve in curves))
        notes = [in_text(self._reference, differences(self._reference, curves, pin)) for pin in self.pins]
        self.list.show_pins(self.pins, notes)
        self._draw_pixel()
        self._mark_band()
        for button in (self.clear_button, self.export_button):
            button.setEnabled(bool(self.pins))
        self._guide(curves)

    def leave(self) -> None:
        """Let go of the viewer and take the markers away."""
        super().leave()
        self._hover_timer.stop()
        self._refresh_timer.stop()
        self._roi_timer.stop()
        self._unwatch()
        self._markers.clear()
        self._rois.forget()

    def hover_at(self, position: Any) -> None:
        """Draw the spectra at a world position."""
        if len(position) < 3:
            return
        pixels = [_pixel(layer, position) for layer in self._layers]
        if any(pixel is not None for pixel in pixels):
            self._position = position
            self._draw(pixels)

    # --- events -----------------------------------------------------------------------------------------------------

    def _on_move(self, viewer: Any, event: Any) -> None:
        if self._is_shown() and not self._hover_timer.isActive():
            self._hover_timer.start()

    def _draw_hover(self) -> None:
        if len(self._layers) == len(self.plot.curves):
            self.hover_at(self.viewer.cursor.position)

    def _on_press(self, viewer: Any, event: Any) -> Any:
        """A generator, as napari's mouse callbacks are: it ends in a pin only if the mouse did not drag."""
        dragged = False
        yield
        while event.type == "mouse_move":
            dragged = True
            yield
        active = self.viewer.layers.selection.active
        is_drawing = active is not None and str(getattr(active, "mode", "pan_zoom")) != "pan_zoom"
        if dragged or is_drawing or event.button != 1 or not self._is_shown():
            return
        pixels = [_pixel(layer, event.position) for layer in self._layers if len(event.position) >= 3]
        pixel = next((pixel for pixel in pixels if pixel is not None), None)
        if pixel is not None:
            self.pin(*pixel, keep="Shift" in event.modifiers)

    def _on_plot_click(self, event: Any) -> None:
        layer = self._followed()
        if event.inaxes is None or event.xdata is None or layer is None:
            return
        x = self.plot.axis.values[self._layers.index(layer)]
        show_band(self.viewer, layer, int(np.nanargmin(np.abs(x - event.xdata))))

    def _on_layers(self, event: Any = None) -> None:
        if not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _mark_band(self, event: Any = None) -> None:
        layer = self._followed()
        if layer is None or len(self._layers) != len(self.plot.curves):
            self.plot.mark(None)
            return
        band = shown_band(self.viewer, layer)
        self.plot.mark(float(self.plot.axis.values[self._layers.index(layer)][band]))

    def _on_shapes(self, event: Any) -> None:
        """Shapes that were removed are known by their numbers now, and only now; the rest can wait a moment."""
        if event.source is self._rois.layer and is_finished(event):
            if str(getattr(event.action, "value", event.action)) == "removed":
                self._read_rois(event)
            elif not self._roi_timer.isActive():
                self._roi_timer.start()

    def _read_rois(self, event: Any = None) -> None:
        if not self._rois.is_shown or not self._layers:
            return
        pixels = [pin for pin in self.pins if pin.area is None]
        self.pins = [*pixels, *self._rois.update(pixels, self._layers[0], event)]
        if None in self._rois.slots and next_colour(self.pins) is None:
            self.message.complain(FULL)
        elif self.message.text() == ROI_HELP and self._rois.slots:
            self.message.say("")
        self.refresh()

    def _follow_theme(self, event: Any = None) -> None:
        self.plot.set_colours(theme_colours(self.viewer))

    def _draw_pixel(self) -> None:
        """Draw the pixel that was under the cursor last; to begin with, the centre of the image."""
        if not self._layers:
            return
        pixels = [None if self._position is None else _pixel(layer, self._position) for layer in self._layers]
        if all(pixel is None for pixel in pixels):
            pixels = [(layer.data.shape[1] // 2, layer.data.shape[2] // 2) for layer in self._layers]
        self._draw(pixels)

    def _draw(self, pixels: list[tuple[int, int] | None]) -> None:
        values = [
            None if pixel is None else spectrum(curve.cube, *pixel)
            for curve, pixel in zip(self.plot.curves, pixels, strict=True)
        ]
        row, col = next(pixel for pixel in pixels if pixel is not None)
        self.plot.hover(values, f"row {row}, col {col}")
        found = differences(self._reference, self.plot.curves, Pin(row, col, ""))
        self.differences.setText(in_html(self._reference, found))
        self.differences.setVisible(bool(found))

    # --- helpers ----------------------------------------------------------------------------------------------------

    def _followed(self) -> Any | None:
        layer = labelled_layer(self.viewer)
        if layer in self._layers:
            return layer
        return self._layers[-1] if self._layers else None

    def _limits(self) -> tuple[float, float]:
        """Values that the ordinate spans at least: the narrowest contrast, so that noise does not flatten signal."""
        ranges = [np.array(contrast(cube)) / cube.scale for cube in map(cube_of, self._layers)]
        if not ranges:
            return 0.0, 1.0
        low, high = min(ranges, key=lambda ends: ends[1] - ends[0])
        return min(0.0, float(low)), float(high) * 1.1

    def _show_pins(self) -> None:
        layer = self._layers[0] if self._layers else None
        self._markers.show(self.pins if layer is not None else [], layer)
        self.refresh()

    def _exchange(self, number: int, pin: Pin) -> None:
        if pin.area is not None:
            self._rois.replace(self.pins[number], pin)
        self.pins[number] = pin
        self._show_pins()

    def _inside(self, rows: int, cols: int) -> list[Pin]:
        """The pins that every shown cube has pixels for."""
        return [pin for pin in self.pins if pin.area is None or (pin.area < (rows, cols)).all()]

    def _guide(self, curves: list[Curve]) -> None:
        if not curves:
            self.message.say(NO_CUBE)
        elif self.message.text() == NO_CUBE:
            self.message.say("")
        self.hint.setVisible(bool(curves) and not self.pins)

    def _shown(self) -> tuple[list[Cube], list[Pin]]:
        return [cube_of(layer) for layer in self._layers], self.pins

    def _is_shown(self) -> bool:
        # in a hidden or covered dock clicks belong to others
        return self.isVisible() or not self.window().isVisible()

    def _watch(self) -> None:
        cubes = cube_layers(self.viewer)
        if cubes == self._watched:
            return
        self._unwatch()
        self._watched = cubes
        for layer in cubes:
            for emitter in _emitters(layer):
                emitter.connect(self._on_layers)

    def _unwatch(self) -> None:
        for layer in self._watched:
            for emitter in _emitters(layer):
                emitter.disconnect(self._on_layers)
        self._watched = []

    def _timer(self, pause: int, function: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(pause)
        timer.timeout.connect(function)
        return timer

    def _connect(self) -> None:
        viewer, add = self.viewer, self.connections.add
        add(viewer.mouse_move_callbacks, self._on_move)
        add(viewer.mouse_drag_callbacks, self._on_press)
        for emitter in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.reordered):
            add(emitter, self._on_layers)
        add(viewer_compat.grid(viewer).events.enabled, self._markers.follow_grid)
        add(viewer.dims.events.current_step, self._mark_band)
        add(viewer.layers.selection.events.active, self._mark_band)
        add(viewer.events.theme, self._follow_theme)
        self.plot.mpl_connect("button_press_event", self._on_plot_click)
        self.roi_button.clicked.connect(lambda: self.draw_roi())
        self.clear_button.clicked.connect(lambda: self.clear_pins())
        self.list.renamed.connect(self.rename)
        self.list.ticked.connect(lambda number, is_shown: self.set_hidden(number, not is_shown))
        self.list.removed.connect(self.remove)

    def _lay_out(self) -> None:
        self.hint = QLabel(HELP)
        for label in (self.legend, self.differences):
            label.setTextFormat(Qt.TextFormat.RichText)
        # a longer text must not push the window wider
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.differences.setMinimumWidth(1)
        self.hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.differences.setToolTip("Spectral angle (degrees) and root mean square error (physical values), good bands")
        self.roi_button.setToolTip("Mean and standard deviation over a region that you draw in a Shapes layer")
        self.clear_button.setToolTip("Remove all pinned pixels and regions")
        self.plot.setToolTip(HELP)
        top = QHBoxLayout()
        top.addWidget(self.bands)
        top.addSpacing(12)
        top.addWidget(self.legend, stretch=1)
        for button in (self.roi_button, self.export_button, self.clear_button):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 2)
        column.setSpacing(2)
        column.addLayout(top)
        second = QHBoxLayout()
        second.addWidget(self.differences)
        second.addSpacing(12)
        second.addWidget(self.list, stretch=1)
        second.addWidget(self.hint, stretch=1)
        column.addLayout(second)
        column.addWidget(self.plot, stretch=1)
        column.addWidget(self.message)


def _emitters(layer: Any) -> list[Any]:
    """What says that a cube's spectra, or the marks of its bands, are others now."""
    events = layer.events
    return [events.visible, events.data, events.name, *viewer_compat.metadata_events(layer)]


def _pixel(layer: Any, position: Any) -> tuple[int, int] | None:
    """(row, col) of a world position, or None outside the cube."""
    _, row, col = (round(float(value)) for value in layer.world_to_data(position)[-3:])
    rows, cols = layer.data.shape[1:]
    return (row, col) if 0 <= row < rows and 0 <= col < cols else None


def _legend(curves: list[Curve]) -> str:
    length = 30 if len(curves) < 4 else 18
    parts = [f"<span style='color:{c.colour}'>▬</span>&nbsp;{html.escape(short(c.cube.name, length))}" for c in curves]
    return " &nbsp; ".join(parts)
