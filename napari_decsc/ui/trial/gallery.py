"""Pictures of one band side by side, one of which is chosen by a click or the arrow keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QKeyEvent, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_decsc.ui.parts.painting import prepare
from napari_decsc.ui.parts.theme import CUBE_COLOURS, Colours

#: Points between the pictures.
GAP = 8
#: Side of a picture in a window that is too low for larger ones, so that all are seen at once.
LEAST = 110.0
KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}


@dataclass(frozen=True, eq=False)
class Tile:
    """Shades (row, col) from 0 to 1, or None with a text instead; a title, and a line below."""

    title: str
    below: str
    shades: NDArray[np.floating] | None


class Gallery(QWidget):
    """``chosen`` carries the number of a picture; only those from ``first`` on can be chosen."""

    chosen = Signal(int)

    def __init__(self, colours: Colours, first: int = 1) -> None:
        super().__init__()
        self.colours, self._first = colours, first
        self.tiles: tuple[Tile, ...] = ()
        self.current = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("What each came to")

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show these pictures; the choice stays where it is."""
        count = len(self.tiles)
        self.setVisible(bool(tiles))
        self.tiles = tuple(tiles)
        if self.current >= len(tiles):
            self.current = -1
        if count != len(tiles):
            self.setMinimumHeight(self._height(min(LEAST, self._widest())))
            self.updateGeometry()
        self.update()

    def choose(self, number: int) -> None:
        """Choose a picture."""
        if self._first <= number < len(self.tiles) and number != self.current:
            self.current = number
            self.update()
            self.chosen.emit(number)

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        self.colours = colours
        self.update()

    def sizeHint(self) -> QSize:
        """No higher than need be: a column that scrolls gives every part its hint, and what is left to the tall one."""
        return QSize(280, self._height(min(LEAST, self._widest())))

    def resizeEvent(self, event: Any) -> None:
        """Another width makes other pictures."""
        super().resizeEvent(event)
        self.setMinimumHeight(self._height(min(LEAST, self._widest())))

    def places(self) -> list[QRectF]:
        """Where each picture is, without its title and the line below."""
        side, line = self._side(), self._line()
        step_down = side + 2 * line + GAP
        return [
            QRectF((n % self._across) * (side + GAP), line + (n // self._across) * step_down, side, side)
            for n in range(len(self.tiles))
        ]

    def mousePressEvent(self, event: Any) -> None:
        """A click chooses."""
        for number, place in enumerate(self.places()):
            if place.contains(event.pos().x(), event.pos().y()):
                self.choose(number)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """The arrow keys choose."""
        step = None if event is None else KEYS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.choose(max(self._first, self.current + step))

    def paintEvent(self, event: Any) -> None:
        """All pictures, and a frame around the chosen one."""
        painter = QPainter(self)
        prepare(painter)
        for number, (tile, place) in enumerate(zip(self.tiles, self.places(), strict=True)):
            self._paint(painter, tile, place, number == self.current)
        painter.end()

    def _paint(self, painter: QPainter, tile: Tile, place: QRectF, is_current: bool) -> None:
        line, flags = self._line(), Qt.AlignmentFlag
        if tile.shades is not None:
            painter.drawImage(_fitted(place, tile.shades.shape), _image(tile.shades))
        frame = QPen(QColor(CUBE_COLOURS[0] if is_current else self.colours.lines), 2.5 if is_current else 0.8)
        painter.setPen(frame)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place)
        painter.setPen(QColor(CUBE_COLOURS[0] if is_current else self.colours.text))
        title = painter.fontMetrics().elidedText(tile.title, Qt.TextElideMode.ElideRight, int(place.width()))
        painter.drawText(QRectF(place.left(), place.top() - line, place.width(), line), flags.AlignLeft, title)
        painter.setPen(QColor(self.colours.text))
        if tile.shades is None:
            painter.drawText(place.adjusted(4, 4, -4, -4), int(Qt.TextFlag.TextWordWrap), tile.below)
        else:
            below = QRectF(place.left(), place.bottom() + 1, place.width(), line)
            painter.drawText(below, flags.AlignLeft, tile.below)

    @property
    def _across(self) -> int:
        return 2 if len(self.tiles) <= 4 else 3

    @property
    def _down(self) -> int:
        return -(-len(self.tiles) // self._across)

    def _widest(self) -> float:
        """Side of a picture of which a row fills the width."""
        return max(40.0, (self.width() - GAP * (self._across - 1)) / self._across - 1)

    def _side(self) -> float:
        """Side of a picture: the widest, unless the rows together would be too high."""
        highest = self.height() / max(1, self._down) - 2 * self._line() - GAP
        return min(self._widest(), max(LEAST, highest))

    def _line(self) -> int:
        return int(self.fontMetrics().height())

    def _height(self, side: float) -> int:
        return int(self._down * (side + 2 * self._line() + GAP))


def _image(shades: NDArray[np.floating]) -> QImage:
    grey = np.ascontiguousarray(np.round(255 * np.clip(np.nan_to_num(shades), 0, 1)).astype(np.uint8))
    rows, cols = grey.shape
    return QImage(grey.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8).copy()


def _fitted(place: QRectF, shape: tuple[int, ...]) -> QRectF:
    """The largest place of an image's proportions within a square."""
    rows, cols = shape
    scale = place.width() / max(rows, cols)
    width, height = cols * scale, rows * scale
    return QRectF(place.center().x() - width / 2, place.center().y() - height / 2, width, height)
