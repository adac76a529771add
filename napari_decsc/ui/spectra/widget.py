"""Spectra: of all visible cubes, at the pixel under the cursor, at pinned pixels and over regions of interest."""

import weakref
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.band_label import label_bands
from napari_decsc.ui.cubes.bands import labelled_layer, show_band, shown_band
from napari_decsc.ui.cubes.contrast import contrast
from napari_decsc.ui.cubes.layers import cube_layers, cube_of, is_difference
from napari_decsc.ui.files.libraries import listen
from napari_decsc.ui.parts.band_control import BandControl
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.fitting import Entry, FittingLine
from napari_decsc.ui.parts.texts import NO_SHOWN_CUBE, Message
from napari_decsc.ui.parts.theme import cube_colour, theme_colours
from napari_decsc.ui.spectra.board import Board
from napari_decsc.ui.spectra.export import ExportButton
from napari_decsc.ui.spectra.map_place import MapPlace, map_text
from napari_decsc.ui.spectra.matching import in_words, matches
from napari_decsc.ui.spectra.pin_list import PinList
from napari_decsc.ui.spectra.places import Pin, short, spectrum, statistics
from napari_decsc.ui.spectra.plot import Curve, SpectrumPlot
from napari_decsc.ui.spectra.pointer import Pointer, pixel_at
from napari_decsc.ui.spectra.reference import differences, find_reference, in_line, in_text

HELP = "Click in the image pins a pixel, Shift-click one more. Click in a plot to go to that band."
#: Names of a library that a tooltip lists.
MOST_NAMES = 20


class SpectrumWidget(Docked):
    """Follows the cursor; a click in the image pins a pixel, a click in the plot moves the band slider."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.plot = SpectrumPlot(theme_colours(self.viewer))
        self.list = PinList()
        self.bands = BandControl(self.viewer, self.connections)
        self.legend, self.differences = FittingLine(), FittingLine()
        self.message = Message()
        self.roi_button = QPushButton("Draw ROI")
        self.clear_button = QPushButton("Remove all")
        self.board = Board(self.viewer, self.connections, self.message, self)
        self.pointer = Pointer(self.viewer, self.connections, self._is_shown, self)
        self.export_button = ExportButton(self.plot, self.message, self._shown)
        self.map_place = MapPlace()
        self._layers: list[Any] = []
        self._watched: list[Any] = []
        self._position: Any = None
        self._contrasts: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.refresh)
        self._lay_out()
        self._connect()
        label_bands(self.viewer)
        self.refresh()

    @property
    def pins(self) -> list[Pin]:
        """The pinned places."""
        return self.board.pins

    def refresh(self) -> None:
        """Read the visible cubes anew."""
        self._layers = [layer for layer in cube_layers(self.viewer) if layer.visible]
        self._watch()
        self.board.follow(self._layers)
        self._soon.stop()  # putting the marks in front is no news
        curves = [
            Curve(cube_of(layer), cube_colour(self.viewer, layer), is_difference(layer), layer)
            for layer in self._layers
        ]
        self._reference = find_reference(self._layers)
        self.plot.show_cubes(curves, self.board.inside, self._limits(), self.board.shelf)
        self.legend.show_entries("", _legend(curves))
        self.legend.setToolTip("\n".join(curve.cube.name for curve in curves))
        notes = [self._note(curves, pin) for pin in self.pins]
        notes += [", ".join(one.library.names[:MOST_NAMES]) for one in self.board.shelf]
        self.list.show_pins(self.board.items, notes)
        self._draw_pixel()
        self._mark_band()
        self.clear_button.setEnabled(bool(self.board.items))
        self.export_button.setEnabled(bool(self.pins))
        self._advise(curves)

    def _note(self, curves: list[Curve], pin: Pin) -> str:
        """What is known of a pin: how far its spectra are from the reference, and from those of the libraries."""
        lines = [in_text(self._reference, differences(self._reference, curves, pin))]
        libraries = [one.library for one in self.board.shelf]
        for curve in curves if libraries and pin in self.board.inside else ():
            found = in_words(matches(curve.cube, statistics(curve.cube, pin).mean, libraries))
            lines += [f"{curve.cube.name}: {found}"] if found else []
        return "\n".join(line for line in lines if line)

    def leave(self) -> None:
        """Let go of the viewer and take the markers away."""
        super().leave()
        self.pointer.stop()
        self._soon.stop()
        self._unwatch()
        self.board.leave()
        self.map_place.leave()

    def hover_at(self, position: Any) -> None:
        """Draw the spectra at a world position."""
        if len(self._layers) != len(self.plot.curves):
            return
        pixels = [pixel_at(layer, position) for layer in self._layers]
        if any(pixel is not None for pixel in pixels):
            self._position = position
            self._draw(pixels)

    def pin_at(self, position: Any, keep: bool = False) -> None:
        """Pin the pixel at a world position, one more where ``keep`` holds."""
        pixels = (pixel_at(layer, position) for layer in self._layers)
        pixel = next((pixel for pixel in pixels if pixel is not None), None)
        if pixel is not None:
            self.board.pin(*pixel, keep=keep)

    def _on_plot_click(self, panel: int, wanted: float) -> None:
        layer = self._followed()
        if layer is None or panel > len(self.plot.pins):
            return  # a library has an axis of its own
        x = self.plot.axis.values[self._layers.index(layer)]
        show_band(self.viewer, layer, int(np.nanargmin(np.abs(x - wanted))))

    def refresh_soon(self, event: Any = None) -> None:
        """Read the visible cubes anew with the window's next turn; several wishes are one."""
        if not self._soon.isActive():
            self._soon.start()

    def _mark_band(self, event: Any = None) -> None:
        layer = self._followed()
        if layer is None or len(self._layers) != len(self.plot.curves):
            self.plot.mark(None)
            return
        band = shown_band(self.viewer, layer)
        self.plot.mark(float(self.plot.axis.values[self._layers.index(layer)][band]))

    def _follow_theme(self, event: Any = None) -> None:
        self.plot.set_colours(theme_colours(self.viewer))

    def _draw_pixel(self) -> None:
        """Draw the pixel that was under the cursor last; to begin with, the centre of the image."""
        if not self._layers:
            self.differences.show_entries("", ())
            return
        pixels = [None if self._position is None else pixel_at(layer, self._position) for layer in self._layers]
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
        self.map_place.settle(self)
        self.map_place.show_place(map_text(self.plot.curves[-1].cube, row, col))
        found = differences(self._reference, self.plot.curves, Pin(row, col, ""))
        self.differences.show_entries(*in_line(self._reference, found))
        self.differences.setVisible(bool(found))

    def _followed(self) -> Any | None:
        layer = labelled_layer(self.viewer)
        if layer in self._layers:
            return layer
        return self._layers[-1] if self._layers else None

    def _limits(self) -> tuple[float, float]:
        """Values that the ordinate spans at least: the narrowest contrast, so that noise does not flatten signal."""
        scenes = [layer for layer in self._layers if not is_difference(layer)]
        ranges = [self._contrast(layer) for layer in scenes or self._layers]
        if not ranges:
            return 0.0, 1.0
        low, high = min(ranges, key=lambda ends: ends[1] - ends[0])
        return min(0.0, low), high * 1.1

    def _contrast(self, layer: Any) -> tuple[float, float]:
        """The contrast of a layer in physical values; looked for once as long as its data is the same array."""
        known = self._contrasts.get(layer)
        if known is None or known[0] is not layer.data:
            cube = cube_of(layer)
            low, high = contrast(cube)
            self._contrasts[layer] = known = layer.data, (low / cube.scale, high / cube.scale)
        found: tuple[float, float] = known[1]
        return found

    def _advise(self, curves: list[Curve]) -> None:
        if not curves:
            self.message.say(NO_SHOWN_CUBE)
        elif self.message.text() == NO_SHOWN_CUBE:
            self.message.say("")
        self.hint.setVisible(bool(curves) and not self.pins)

    def _shown(self) -> tuple[list[Cube], list[Pin]]:
        return [cube_of(layer) for layer in self._layers], self.pins

    def _is_shown(self) -> bool:
        # in a hidden or covered dock clicks belong to others
        window: Any = self.window()
        return self.isVisible() or not window.isVisible()

    def _watch(self) -> None:
        cubes = cube_layers(self.viewer)
        if cubes == self._watched:
            return
        self._unwatch()
        self._watched = cubes
        for layer in cubes:
            for emitter in _emitters(layer):
                emitter.connect(self.refresh_soon)

    def _unwatch(self) -> None:
        for layer in self._watched:
            for emitter in _emitters(layer):
                emitter.disconnect(self.refresh_soon)
        self._watched = []

    def _connect(self) -> None:
        viewer, add = self.viewer, self.connections.add
        for emitter in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.reordered):
            add(emitter, self.refresh_soon)
        add(viewer.dims.events.current_step, self._mark_band)
        add(viewer.layers.selection.events.active, self._mark_band)
        add(viewer.events.theme, self._follow_theme)
        self.connections.at_end(listen(viewer, self.board.put))
        self.plot.clicked.connect(self._on_plot_click)
        self.pointer.moved.connect(self.hover_at)
        self.pointer.clicked.connect(self.pin_at)
        self.board.changed.connect(self.refresh)
        self.roi_button.clicked.connect(lambda: self.board.draw_roi())
        self.clear_button.clicked.connect(lambda: self.board.clear())
        self.list.renamed.connect(self.board.rename)
        self.list.ticked.connect(lambda number, is_shown: self.board.set_hidden(number, not is_shown))
        self.list.removed.connect(self.board.remove)

    def _lay_out(self) -> None:
        self.hint = QLabel(HELP)
        # a longer text must not push the window wider
        self.bands.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
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
        second.addWidget(self.differences, stretch=1)
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


def _legend(curves: list[Curve]) -> list[Entry]:
    length = 27 if len(curves) < 4 else 18
    return [(curve.colour, short(curve.cube.name, length)) for curve in curves]
