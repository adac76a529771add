"""The strip of stages: a bar whose blocks are as long as they took, their names and seconds, and a clock that runs."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_decsc.ui.denoise.words import Block
from napari_decsc.ui.parts.painting import FONT_POINTS
from napari_decsc.ui.parts.theme import CUBE_COLOURS, RESIDUAL, Colours

#: Height of the bar, points.
BAR = 8
#: Points between a mark and its name.
GAP = 2
#: Rows of names that there is room for.
ROWS = 3
#: Points from one name to the next.
APART = 10
#: Size of the mark before a name, points.
MARK = 7
#: A stage that took less than this share of the bar is seen all the same.
LEAST = 0.012


class StageStrip(QWidget):
    """Painted as a whole: a clock that runs must not lay the panel out anew. It grows by a row when names need one."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self.colours = colours
        self.blocks: tuple[Block, ...] = ()
        self.clock = ""
        self._rows = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Stages of the run")

    def sizeHint(self) -> QSize:
        """One bar and the rows of names."""
        return QSize(200, BAR + 3 + self._rows * (self._line() + 1))

    def minimumSizeHint(self) -> QSize:
        """As `sizeHint`."""
        return self.sizeHint()

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        self.colours = colours
        self.update()

    def show_stages(self, blocks: Sequence[Block], clock: str) -> None:
        """Paint these stages with the window's next turn."""
        if (tuple(blocks), clock) != (self.blocks, self.clock):
            self.blocks, self.clock = tuple(blocks), clock
            self._fit()
            self.update()

    def resizeEvent(self, event: Any) -> None:
        """Another width needs other rows."""
        super().resizeEvent(event)
        self._fit()

    @property
    def texts(self) -> list[str]:
        """What is written: a name and its seconds for every stage."""
        return [f"{block.name} {block.seconds:.1f} s" for block in self.blocks]

    def event(self, event: Any) -> bool:
        """The tooltip has room for all that the strip may have none for."""
        if event.type() == event.Type.ToolTip:
            self.setToolTip("\n".join([*self.texts, f"in all {self.clock}"]) if self.blocks else "Stages of a run")
        return super().event(event)

    def paintEvent(self, event: Any) -> None:
        """The bar, and below it names, seconds and the clock."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPointSize(FONT_POINTS)
        painter.setFont(font)
        self._paint_bar(painter)
        self._paint_names(painter)
        painter.end()

    def _paint_bar(self, painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colours.lines))
        painter.drawRoundedRect(QRectF(0, 0, self.width(), BAR), 2, 2)
        for left, width, colour in self._lengths():
            painter.setBrush(colour)
            painter.drawRect(QRectF(left, 0, max(1.0, width - 1), BAR))

    def _lengths(self) -> list[tuple[float, float, QColor]]:
        """Where every block begins, how long it is, and its colour."""
        total = sum(block.seconds for block in self.blocks)
        shares = [max(LEAST, block.seconds / total) if total > 0 else 1.0 for block in self.blocks]
        whole, left, found = sum(shares), 0.0, []
        for number, share in enumerate(shares):
            width = share / whole * self.width()
            found.append((left, width, self._colour(number)))
            left += width
        return found

    def _paint_names(self, painter: QPainter) -> None:
        for number, (x, row) in enumerate(self._name_places()):
            block, text = self.blocks[number], self.texts[number]
            self._paint_name(painter, x, self._top(row), self._colour(number), text, block.is_current)
        painter.setPen(QColor(self.colours.text))
        place = QRectF(0, self._top(0), self.width(), self._line())
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.clock)

    def _name_places(self) -> list[tuple[float, int]]:
        """Where every name begins, and in which row; the first row leaves room for the clock."""
        metrics = self._metrics()
        clock = metrics.horizontalAdvance(f"{self.clock}  ")
        x, row, found = 0.0, 0, []
        for text in self.texts:
            width = MARK + GAP + metrics.horizontalAdvance(text)
            if x > 0 and x + width > self.width() - (clock if row == 0 else 0):
                x, row = 0.0, row + 1
            found.append((x, row))
            x += width + APART
        return [place for place in found if place[1] < ROWS]

    def _fit(self) -> None:
        rows = 1 + max((row for _, row in self._name_places()), default=0)
        if rows != self._rows:
            self._rows = rows
            self.updateGeometry()

    def _paint_name(self, painter: QPainter, x: float, y: float, mark: QColor, text: str, is_current: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(mark)
        line = self._line()
        painter.drawRect(QRectF(x, y + (line - MARK) / 2 + 1, MARK, MARK))
        ink = QColor(self.colours.text)
        ink.setAlphaF(1.0 if is_current else 0.75)
        painter.setPen(ink)
        place = QRectF(x + MARK + GAP, y, self.width(), line)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _top(self, row: int) -> float:
        return BAR + 3 + row * (self._line() + 1)

    def _line(self) -> int:
        return int(self._metrics().height())

    def _metrics(self) -> QFontMetricsF:
        font = self.font()
        font.setPointSize(FONT_POINTS)
        return QFontMetricsF(font)

    def _colour(self, number: int) -> QColor:
        """One colour for each stage; the one that goes on stands out."""
        block = self.blocks[number]
        colour = QColor(RESIDUAL if block.name.startswith("equilibrium") else CUBE_COLOURS[(0, 4, 3, 2, 5)[number % 5]])
        colour.setAlphaF(1.0 if block.is_current else 0.6)
        return colour
