"""Spectra: of all visible cubes, at the pixel under the cursor and at pinned pixels."""

import html
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QDoubleSpinBox, QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from napari_decsc.hsi.errors import DecscError
from napari_decsc.ui import saving, viewer_compat
from napari_decsc.ui.band_label import label_bands, labelled_layer, show_band, shown_band, unit_text
from napari_decsc.ui.docked import Docked, Message
from napari_decsc.ui.layers import contrast, cube_layers, cube_of
from napari_decsc.ui.pins import PinMarkers, next_colour
from napari_decsc.ui.spectra import as_csv, spectrum
from napari_decsc.ui.spectrum_plot import Curve, Pin, SpectrumPlot
from napari_decsc.ui.theme import PIN_COLOURS, cube_colour, theme_colours

#: Milliseconds between two redraws while the cursor moves.
PAUSE = 33
HELP = "Click pins a pixel, Shift-click pins one more. Click in a plot to go to that band."


class SpectrumWidget(Docked):
    """Follows the cursor; a click in the image pins a pixel, a click in the plot moves the band slider."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.plot = SpectrumPlot(theme_colours(self.viewer))
        self.pins: list[Pin] = []
        self.legend = QLabel()
        self.message = Message()
        self.wavelength = QDoubleSpinBox()
        self.unit = QLabel()
        self.clear_button = QPushButton("Clear pins")
        self.csv_button = QPushButton("Export CSV…")
        self._layers: list[Any] = []
        self._watched: list[Any] = []
        self._position: Any = None
        self._markers = PinMarkers(self.viewer)
        self._hover_timer = self._timer(PAUSE, self._draw_hover)
        self._refresh_timer = self._timer(0, self.refresh)
        self._lay_out()
        self._connect()
        label_bands(self.viewer)
        self.refresh()

    def pin(self, row: int, col: int, *, keep: bool = False) -> None:
        """Pin a pixel; others stay pinned only with ``keep``, at most four in all (the oldest goes)."""
        if (row, col) in {(pin.row, pin.col) for pin in self.pins}:
            return
        kept = self.pins[-(len(PIN_COLOURS) - 1) :] if keep else []
        self.pins = [*kept, Pin(row, col, next_colour(kept))]
        self._show_pins()

    def clear_pins(self) -> None:
        """Take all pins away."""
        self.pins = []
        self._show_pins()

    def refresh(self) -> None:
        """Read the visible cubes anew."""
        self._layers = [layer for layer in cube_layers(self.viewer) if layer.visible]
        self._watch()
        if self._markers.layer is not None and not self._markers.is_shown:
            self.pins, self._markers.layer = [], None  # the person removed the markers' layer
        self._markers.to_front()
        curves = [Curve(cube_of(layer), cube_colour(self.viewer, layer)) for layer in self._layers]
        rows, cols = np.min([curve.cube.shape[1:] for curve in curves], axis=0) if curves else (0, 0)
        self.pins = [pin for pin in self.pins if pin.row < rows and pin.col < cols]
        self.plot.show_cubes(curves, self.pins, self._limits())
        self.legend.setText(_legend(curves))
        self.legend.setVisible(bool(curves))
        self._draw_pixel()
        self._mark_band()
        for button in (self.clear_button, self.csv_button):
            button.setEnabled(bool(self.pins))

    def export(self) -> None:
        """Ask for a name and write the pinned spectra as CSV."""
        chosen, _ = QFileDialog.getSaveFileName(self, "Export spectra", str(Path.home() / "spectra.csv"), "CSV (*.csv)")
        if not chosen:
            return
        try:
            saving.write_text(self.csv(), Path(chosen))
            self.message.say(f"Wrote {chosen}.")
        except DecscError as error:
            self.message.complain(str(error))

    def csv(self) -> str:
        """The pinned spectra of the visible cubes."""
        cubes = [cube_of(layer) for layer in self._layers]
        return as_csv(cubes, [(pin.row, pin.col) for pin in self.pins])

    def leave(self) -> None:
        """Let go of the viewer and take the markers away."""
        super().leave()
        self._hover_timer.stop()
        self._refresh_timer.stop()
        self._unwatch()
        self._markers.clear()

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
        if dragged or event.button != 1 or not self._is_shown():
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
        if layer is None:
            self.plot.mark(None)
            return
        band = shown_band(self.viewer, layer)
        self.plot.mark(float(self.plot.axis.values[self._layers.index(layer)][band]))
        self._show_wavelength(cube_of(layer), band)

    def _show_wavelength(self, cube: Any, band: int) -> None:
        known = cube.wavelengths is not None
        self.wavelength.setEnabled(known)
        if not known:
            return
        self.wavelength.blockSignals(True)
        self.wavelength.setDecimals(4 if cube.wavelength_unit == "um" else 1)
        self.unit.setText(unit_text(cube.wavelength_unit))
        self.wavelength.setRange(float(np.nanmin(cube.wavelengths)), float(np.nanmax(cube.wavelengths)))
        self.wavelength.setSingleStep(float(np.median(np.abs(np.diff(cube.wavelengths)))) if cube.bands > 1 else 1.0)
        self.wavelength.setValue(float(cube.wavelengths[band]))
        self.wavelength.blockSignals(False)

    def _go_to_wavelength(self, value: float) -> None:
        layer = self._followed()
        if layer is None:
            return
        wavelengths, shown = cube_of(layer).wavelengths, shown_band(self.viewer, layer)
        band = int(np.nanargmin(np.abs(wavelengths - value)))
        if band == shown:  # a step smaller than the distance of two bands: put the shown band's value back
            self._mark_band()
        show_band(self.viewer, layer, band)

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
            for emitter in (layer.events.visible, layer.events.data, layer.events.name):
                emitter.connect(self._on_layers)

    def _unwatch(self) -> None:
        for layer in self._watched:
            for emitter in (layer.events.visible, layer.events.data, layer.events.name):
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
        self.wavelength.valueChanged.connect(self._go_to_wavelength)
        self.clear_button.clicked.connect(lambda: self.clear_pins())
        self.csv_button.clicked.connect(lambda: self.export())

    def _lay_out(self) -> None:
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.wavelength.setKeyboardTracking(False)
        self.wavelength.setToolTip("Wavelength of the shown band; type one to go to the nearest band")
        self.clear_button.setToolTip(HELP)
        self.csv_button.setToolTip("One line a band: cube, row, col, band, wavelength, unit, good, value")
        self.plot.setToolTip(HELP)
        top = QHBoxLayout()
        top.addWidget(self.legend, stretch=1)
        top.addWidget(self.wavelength)
        top.addWidget(self.unit)
        top.addWidget(self.clear_button)
        top.addWidget(self.csv_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 2)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self.plot, stretch=1)
        column.addWidget(self.message)


def _pixel(layer: Any, position: Any) -> tuple[int, int] | None:
    """(row, col) of a world position, or None outside the cube."""
    _, row, col = (round(float(value)) for value in layer.world_to_data(position)[-3:])
    rows, cols = layer.data.shape[1:]
    return (row, col) if 0 <= row < rows and 0 <= col < cols else None


def _legend(curves: list[Curve]) -> str:
    parts = [f"<span style='color:{c.colour}'>▬</span>&nbsp;{html.escape(c.cube.name)}" for c in curves]
    return " &nbsp; ".join(parts)
