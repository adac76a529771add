"""The board of pinned places: pixels and regions, each with a colour, marked in the image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_decsc.hsi.io.envi.library import SpectralLibrary
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.parts.docked import Connections
from napari_decsc.ui.parts.texts import NO_SHOWN_CUBE, Message
from napari_decsc.ui.parts.theme import PIN_COLOURS
from napari_decsc.ui.spectra.pins import PinMarkers, next_colour
from napari_decsc.ui.spectra.places import Pin, Shelved
from napari_decsc.ui.spectra.regions import RoiShapes, is_finished

#: Milliseconds between two readings of a region that is being drawn.
ROI_PAUSE = 150
ROI_HELP = "Draw around a region in the image; the tools at the top left offer rectangles and ellipses too."
FULL = f"{len(PIN_COLOURS)} places are pinned, one for each colour; remove one first (select its name, press Delete)."


class Board(QObject):
    """``pins`` are the places, ``shelf`` the libraries; ``changed`` says that they are others.

    Pins and then libraries are counted through. What a person should know goes to ``message``.
    """

    changed = Signal()

    def __init__(self, viewer: Any, connections: Connections, message: Message, parent: QObject) -> None:
        super().__init__(parent)
        self.pins: list[Pin] = []
        self.shelf: list[Shelved] = []
        self._message = message
        self._layers: Sequence[Any] = ()
        self._markers = PinMarkers(viewer)
        self._rois = RoiShapes(viewer, self._on_shapes)
        self.roi_timer = QTimer(self)
        self.roi_timer.setSingleShot(True)
        self.roi_timer.setInterval(ROI_PAUSE)
        self.roi_timer.timeout.connect(self._read_rois)
        connections.add(viewer_compat.grid(viewer).events.enabled, self._markers.follow_grid)

    def pin(self, row: int, col: int, *, keep: bool = False) -> None:
        """Pin a pixel. Without ``keep`` it replaces the pixels that were pinned before and have no name."""
        if any((pin.row, pin.col) == (row, col) for pin in self.pins if pin.area is None):
            return
        kept = [pin for pin in self.pins if keep or pin.name or pin.area is not None]
        colour = next_colour(kept)
        if colour is None:
            self._message.complain(FULL)
            return
        self._message.say("")
        self.pins = [*kept, Pin(row, col, colour)]
        self._show()

    def draw_roi(self) -> None:
        """Let the person draw a region; each shape becomes a curve, mean and standard deviation."""
        if not self._layers:
            self._message.complain(NO_SHOWN_CUBE)
            return
        self._rois.start(self._layers[0])
        self._read_rois()
        self._message.say(ROI_HELP)

    @property
    def items(self) -> list[Pin | Shelved]:
        """All that is on the board."""
        return [*self.pins, *self.shelf]

    def put(self, library: SpectralLibrary) -> None:
        """Show a spectral library beside the pins; one of the same file is exchanged."""
        others = [one for one in self.shelf if one.library.source != library.source or library.source is None]
        self.shelf = [*others, Shelved(library)]
        self.changed.emit()

    def rename(self, number: int, name: str) -> None:
        """Give something a name; an empty one takes it away."""
        self._exchange(number, replace(self.items[number], name=name))

    def set_hidden(self, number: int, is_hidden: bool) -> None:
        """Hide or show the curves, and the mark in the image."""
        self._exchange(number, replace(self.items[number], is_hidden=is_hidden))

    def remove(self, number: int) -> None:
        """Take a pinned place or a library away."""
        self._message.say("")
        if number >= len(self.pins):
            del self.shelf[number - len(self.pins)]
            self.changed.emit()
            return
        pin = self.pins.pop(number)
        if pin.area is not None:
            self._rois.remove(pin)
        self._show()

    def clear(self) -> None:
        """Take all pinned places and libraries away."""
        for number in reversed(range(len(self.items))):
            self.remove(number)

    def follow(self, layers: Sequence[Any]) -> None:
        """Take over which cubes' layers are shown; what no cube has a pixel for, or a person took away, goes."""
        self._layers = layers
        if self._markers.layer is not None and not self._markers.is_shown:
            self._markers.layer = None  # the person removed the rings
            self.pins = [pin for pin in self.pins if pin.area is not None]
        if self._rois.layer is not None and not self._rois.is_shown:
            self.pins = [pin for pin in self.pins if pin.area is None]  # the person removed the drawing
            self._rois.forget()
        self._rois.to_front()
        self._markers.to_front()
        rows, cols = self._extent
        self.pins = [pin for pin in self.pins if pin.area is not None or (pin.row < rows and pin.col < cols)]

    @property
    def inside(self) -> list[Pin]:
        """The pins that every shown cube has pixels for."""
        return [pin for pin in self.pins if pin.area is None or (pin.area < self._extent).all()]

    @property
    def regions(self) -> tuple[Any, list[str]] | None:
        """The layer that regions are drawn in, and a name for each of its shapes ("": none); None without one."""
        if not self._rois.is_shown:
            return None
        return self._rois.layer, ["" if pin is None else pin.name for pin in self._rois.slots]

    def read_regions(self) -> None:
        """Take over now what was drawn."""
        self.roi_timer.stop()
        self._read_rois()

    def leave(self) -> None:
        """Take the markers away; a drawing is the person's, and stays."""
        self.roi_timer.stop()
        self._markers.clear()
        self._rois.forget()

    @property
    def _extent(self) -> tuple[int, int]:
        """Rows and cols that all shown cubes have."""
        shapes = [layer.data.shape[1:] for layer in self._layers]
        rows, cols = np.min(shapes, axis=0) if shapes else (0, 0)
        return int(rows), int(cols)

    def _show(self) -> None:
        layer = self._layers[0] if self._layers else None
        self._markers.show(self.pins if layer is not None else [], layer)
        self.changed.emit()

    def _exchange(self, number: int, pin: Pin | Shelved) -> None:
        if isinstance(pin, Shelved):
            self.shelf[number - len(self.pins)] = pin
            self.changed.emit()
            return
        if pin.area is not None:
            self._rois.replace(self.pins[number], pin)
        self.pins[number] = pin
        self._show()

    def _on_shapes(self, event: Any) -> None:
        """Shapes that were removed are known by their numbers now, and only now; the rest can wait a moment."""
        if event.source is self._rois.layer and is_finished(event):
            if str(getattr(event.action, "value", event.action)) == "removed":
                self._read_rois(event)
            elif not self.roi_timer.isActive():
                self.roi_timer.start()

    def _read_rois(self, event: Any = None) -> None:
        if not self._rois.is_shown or not self._layers:
            return
        pixels = [pin for pin in self.pins if pin.area is None]
        self.pins = [*pixels, *self._rois.update(pixels, self._layers[0], event)]
        if None in self._rois.slots and next_colour(self.pins) is None:
            self._message.complain(FULL)
        elif self._message.text() == ROI_HELP and self._rois.slots:
            self._message.say("")
        self.changed.emit()
