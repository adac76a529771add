"""Matrices beside each other as pictures, each with a title and a line below it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_decsc.ui.parts.matrix import matrix_picture
from napari_decsc.ui.parts.painting import prepare
from napari_decsc.ui.parts.theme import Colours


@dataclass(frozen=True, eq=False)
class Matrix:
    """Values, shape (row, col), between two ends; ``title`` stands above and ``below`` below the picture."""

    values: NDArray[np.floating]
    low: float
    high: float
    title: str
    below: str = ""


class Pictures(QWidget):
    """Paints matrices; all are squares of one size."""

    def __init__(self, colours: Colours, height: int) -> None:
        super().__init__()
        self.colours = colours
        self.matrices: tuple[Matrix, ...] = ()
        self._height = height
        self.setMinimumSize(160, height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """A modest size."""
        return QSize(280, self._height)

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        self.colours = colours
        self.update()

    def show_matrices(self, matrices: Sequence[Matrix]) -> None:
        """Paint these with the window's next turn."""
        self.matrices = tuple(matrices)
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Titles, pictures, lines below."""
        painter = QPainter(self)
        prepare(painter)
        line = painter.fontMetrics().height()
        count = max(1, len(self.matrices))
        side = min(self.height() - 2 * line - 6, self.width() / count - 16)
        for number, matrix in enumerate(self.matrices):
            middle = (number + 0.5) * self.width() / count
            place = QRectF(middle - side / 2, line + 2, side, side)
            painter.drawImage(place, matrix_picture(matrix.values, matrix.low, matrix.high))
            painter.setPen(QColor(self.colours.lines))
            painter.drawRect(place)
            painter.setPen(QColor(self.colours.text))
            wide = QRectF(middle - self.width() / count / 2, 0, self.width() / count, line)
            painter.drawText(wide, Qt.AlignmentFlag.AlignHCenter, matrix.title)
            painter.drawText(wide.translated(0, side + line + 4), Qt.AlignmentFlag.AlignHCenter, matrix.below)
        painter.end()
