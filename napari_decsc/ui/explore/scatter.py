"""The scatter of two bands: how many pixels have which pair of values, and a box to choose some of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPen

from napari_decsc.ui.parts.matrix import matrix_picture
from napari_decsc.ui.parts.panel import Panel, ends_of
from napari_decsc.ui.parts.plot import Plot
from napari_decsc.ui.parts.theme import Colours

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
#: Cells along each axis.
CELLS = 96
#: Pixels that they are filled from at most: more take time and show nothing new.
MOST = 400_000
#: Percent of the values on each side that may lie beyond the axes.
BEYOND = 0.1
#: Height of the plot, points.
HEIGHT = 170
#: Colour of the chosen pixels, here and in the image: on no scale of the density, nor of grey.
CHOSEN = "#33c3d6"


@dataclass(frozen=True)
class Box:
    """Ends of both axes between which values are chosen."""

    x: tuple[float, float]
    y: tuple[float, float]

    def holds(self, x: Floats, y: Floats) -> Mask:
        """Which pairs lie in it; NaN never does."""
        inside: Mask = (x >= self.x[0]) & (x <= self.x[1]) & (y >= self.y[0]) & (y <= self.y[1])
        return inside


def ends(values: Floats) -> tuple[float, float]:
    """Where an axis for these values begins and ends: nearly all of them, with a little room."""
    known = values[np.isfinite(values)]
    some = known[:: max(1, known.size // MOST)]
    return ends_of([np.percentile(some, (BEYOND, 100 - BEYOND)) if some.size else np.zeros(0)], 0.03)


def density(x: Floats, y: Floats, panel: Panel) -> NDArray[np.float64]:
    """Logarithm of the count of pixels in each cell, (up, across) from the top left, NaN in empty ones."""
    step = max(1, x.size // MOST)
    across, up = x.ravel()[::step], y.ravel()[::step]
    known = np.isfinite(across) & np.isfinite(up)
    cells = (CELLS, CELLS)
    count, _, _ = np.histogram2d(across[known], up[known], bins=cells, range=(panel.x_ends, panel.y_ends))
    turned = count.T[::-1]
    return np.where(turned > 0, np.log(np.maximum(turned, 1)) + 1, np.nan)


class ScatterPlot(Plot):
    """``chosen`` carries the `Box` that a person dragged, or None after a click without a drag."""

    chosen = Signal(object)

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, HEIGHT)
        self.margins = (58, 10, 20, 38)
        self._points: Any = None
        self._marked: Any = None
        self._from: QPointF | None = None
        self._to: QPointF | None = None
        self.setAccessibleName("Scatter of two bands")
        self.setToolTip("Drag a box: its pixels are marked in the image. A click marks none")

    def show_values(self, x: Floats, y: Floats, x_label: str, y_label: str) -> None:
        """Draw two bands, shape (row, col) each."""
        panel = Panel(ends(x), ends(y), x_label=x_label, y_label=y_label)
        self.panels = [panel]
        counts = density(x, y, panel)
        self._points = matrix_picture(counts, 0.0, float(np.nanmax(counts, initial=1.0)))
        self._marked = self._from = self._to = None
        self.paint_anew()

    def mark(self, x: Floats, y: Floats) -> None:
        """Show where some pixels lie; none where there are none."""
        self._marked = None
        if x.size and self.panels:
            there = np.isfinite(density(x, y, self.panels[0]))
            self._marked = _in_colour(there)
        self.paint_moves()

    def say(self, text: str) -> None:
        """Write a title: words elsewhere would move the plot under the mouse."""
        if self.panels:
            self.panels[0].title = text
            self.paint_moves()

    def paintEvent(self, event: Any) -> None:
        """The axes, the points, those that are marked, the box that is being dragged."""
        super().paintEvent(event)
        if self._points is None or not self.panels:
            return
        painter, place = QPainter(self), self.places()[0]
        painter.drawImage(place, self._points)
        if self._marked is not None:
            painter.drawImage(place, self._marked)
        if self._from is not None and self._to is not None:
            painter.setPen(QPen(QColor(CHOSEN), 1.2))
            painter.drawRect(QRectF(self._from, self._to).normalized())
        painter.end()

    def mousePressEvent(self, event: Any) -> None:
        """A box begins."""
        super().mousePressEvent(event)
        if self._points is not None and event.button() == Qt.MouseButton.LeftButton:
            self._from = self._to = QPointF(event.pos())

    def mouseMoveEvent(self, event: Any) -> None:
        """The box grows."""
        if self._from is not None:
            self._to = QPointF(event.pos())
            self.paint_moves()

    def mouseReleaseEvent(self, event: Any) -> None:
        """The box is there."""
        if self._from is None:
            return
        dragged = QRectF(self._from, QPointF(event.pos())).normalized()
        self._from = self._to = None
        self.paint_moves()
        self.chosen.emit(self._box(dragged) if min(dragged.width(), dragged.height()) >= 2 else None)

    def _box(self, dragged: QRectF) -> Box:
        place, panel = self.places()[0], self.panels[0]
        (low, high), (bottom, top) = panel.x_ends, panel.y_ends
        across = ((dragged.left() - place.left()) / place.width(), (dragged.right() - place.left()) / place.width())
        up = ((place.bottom() - dragged.bottom()) / place.height(), (place.bottom() - dragged.top()) / place.height())
        x, y = (low + share * (high - low) for share in across), (bottom + share * (top - bottom) for share in up)
        return Box(tuple(x), tuple(y))  # type: ignore[arg-type]


def _in_colour(there: Mask) -> QImage:
    """A picture (up, across) with the colour of what is chosen where something is, else transparent."""
    colour = QColor(CHOSEN)
    pixels = np.zeros((*there.shape, 4), np.uint8)
    pixels[there] = colour.red(), colour.green(), colour.blue(), 255
    rows, cols = there.shape
    return QImage(pixels.tobytes(), cols, rows, 4 * cols, QImage.Format.Format_RGBA8888).copy()
