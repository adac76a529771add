"""The live curve of the relative residual, ||f(z) - z|| / ||f(z)||, against evaluations of f, and its fitted rate.

Painted by Qt itself, axes and numbers included: a few milliseconds even with hundreds of points and axes that grow.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF, QTextOption
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_decsc.hsi.denoising import Iteration
from napari_decsc.ui.denoise.forecast import forecast_line
from napari_decsc.ui.parts.theme import FIT, GOAL, RESIDUAL, Colours

#: Points left, right, above and below the axes, and between two numbers along an axis, at least.
LEFT, RIGHT, TOP, BOTTOM = 54, 8, 8, 38
APART = {"x": 44, "y": 16}
HEIGHT = 110
#: Curves with more points than this have no dots.
MOST_DOTS = 60
FONT_POINTS = 8
ALIGN = Qt.AlignmentFlag


class ResidualPlot(QWidget):
    """Grows with every batch of iterations; a tile begins a new curve and the curves of earlier tiles fade."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self.colours = colours
        self.setMinimumSize(160, HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        # painted whole every time: what lies behind it need not be painted before
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setToolTip("Relative residual ||f(z) - z|| / ||f(z)|| after every evaluation of f, on a logarithmic axis")
        self.setAccessibleName("Relative residual")
        self.start(None, 10)

    def start(self, tolerance: float | None, evaluations: int) -> None:
        """Clear for a new run."""
        self.tolerance = tolerance
        self.tiles: list[list[float]] = []
        self._evaluations = max(2, evaluations)
        self._low, self._high = 0.2 * (tolerance or 1e-3), 2.0
        self.update()

    def add(self, iterations: Iterable[Iteration]) -> None:
        """Take in a batch; it is painted with the window's next turn."""
        for iteration in iterations:
            while len(self.tiles) < iteration.tile:
                self.tiles.append([])
            if iteration.number > 0 and _is_drawable(iteration.relative_residual):
                self.tiles[iteration.tile - 1].append(iteration.relative_residual)
                self._make_room(iteration.relative_residual, len(self.tiles[iteration.tile - 1]))
        self.update()

    def save(self, path: Path) -> Path:
        """Write the curves as a picture that stands on its own."""
        from napari_decsc.ui.denoise.residual_picture import save_residuals

        return save_residuals(self.tiles, self.tolerance, (self._low, self._high), path)

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        self.colours = colours
        self.update()

    def sizeHint(self) -> QSize:
        """A modest size: docks grow from it."""
        return QSize(280, HEIGHT)

    def paintEvent(self, event: Any) -> None:
        """Paint all of it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.colours.background))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPointSize(FONT_POINTS)
        painter.setFont(font)
        self._paint_axes(painter)
        self._paint_tolerance(painter)
        self._paint_curves(painter)
        painter.end()

    def _make_room(self, value: float, count: int) -> None:
        """The axes grow by decades, or by half as many evaluations."""
        while value < self._low:
            self._low /= 10
        while value > self._high:
            self._high *= 10
        while count > self._evaluations:
            self._evaluations = self._evaluations * 3 // 2 + 1

    @property
    def _inside(self) -> QRectF:
        """The place of the axes."""
        return QRectF(LEFT, TOP, max(1, self.width() - LEFT - RIGHT), max(1, self.height() - TOP - BOTTOM))

    def _at(self, number: float, value: float) -> QPointF:
        """Where a residual after so many evaluations is painted."""
        inside, low, high = self._inside, math.log10(self._low), math.log10(self._high)
        across = (number - 0.5) / self._evaluations
        up = (math.log10(value) - low) / (high - low)
        return QPointF(inside.left() + across * inside.width(), inside.bottom() - up * inside.height())

    def _paint_axes(self, painter: QPainter) -> None:
        inside = self._inside
        for power in decades(self._low, self._high, int(inside.height() // APART["y"])):
            y = self._at(1, 10.0**power).y()
            self._paint_line(painter, QPointF(inside.left(), y), QPointF(inside.right(), y))
            self._write(painter, QRectF(16, y - 8, LEFT - 21, 16), ALIGN.AlignRight, f"1e{power}")
        for number in whole_numbers(self._evaluations, int(inside.width() // APART["x"])):
            x = self._at(number, self._low).x()
            self._paint_line(painter, QPointF(x, inside.top()), QPointF(x, inside.bottom()))
            self._write(painter, QRectF(x - 30, inside.bottom() + 2, 60, 15), ALIGN.AlignHCenter, str(number))
        painter.setPen(QColor(self.colours.lines))
        painter.drawRect(inside)
        below = QRectF(inside.left(), inside.bottom() + 18, inside.width(), 16)
        self._write(painter, below, ALIGN.AlignHCenter, "evaluations of f")
        painter.save()
        painter.translate(2, inside.center().y())
        painter.rotate(-90)
        self._write(painter, QRectF(-self.height() / 2, 0, self.height(), 14), ALIGN.AlignHCenter, "relative residual")
        painter.restore()

    def _paint_tolerance(self, painter: QPainter) -> None:
        if not self.tolerance:
            return
        inside, y = self._inside, self._at(1, self.tolerance).y()
        painter.setPen(QPen(QColor(GOAL), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(inside.left(), y), QPointF(inside.right(), y))
        place = QRectF(inside.left() + 4, y + 1, inside.width(), 14)
        self._write(painter, place, ALIGN.AlignLeft, f"tolerance {self.tolerance:g}", GOAL)

    def _paint_curves(self, painter: QPainter) -> None:
        painter.setClipRect(self._inside)
        newest = self.tiles[-1] if self.tiles else []
        faint = QColor(RESIDUAL)
        faint.setAlphaF(0.4)
        for tile in self.tiles[:-1]:
            self._paint_curve(painter, _numbered(tile), QPen(faint, 0.8))
        line = QPen(QColor(RESIDUAL), 1.5)
        self._paint_curve(painter, _numbered(newest), line, with_dots=len(newest) <= MOST_DOTS)
        x, y, text = forecast_line(newest, self._evaluations)
        self._paint_curve(painter, list(zip(x, y, strict=True)), QPen(QColor(FIT), 1.2, Qt.PenStyle.DotLine))
        self._write(painter, self._inside.adjusted(0, 4, -6, 0), ALIGN.AlignRight | ALIGN.AlignTop, text, FIT)

    def _paint_curve(
        self, painter: QPainter, curve: Sequence[tuple[float, float]], pen: QPen, *, with_dots: bool = False
    ) -> None:
        points = [self._at(number, value) for number, value in curve if value > 0]
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(points))
        if with_dots:
            painter.setBrush(pen.color())
            for point in points:
                painter.drawEllipse(point, 1.5, 1.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_line(self, painter: QPainter, begin: QPointF, end: QPointF) -> None:
        faint = QColor(self.colours.lines)
        faint.setAlphaF(0.5)
        painter.setPen(QPen(faint, 0.5))
        painter.drawLine(begin, end)

    def _write(self, painter: QPainter, place: QRectF, how: Any, text: str, colour: str = "") -> None:
        painter.setPen(QColor(colour or self.colours.text))
        option = QTextOption(how)
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        painter.drawText(place, text, option)


def decades(low: float, high: float, most: int) -> range:
    """Powers of ten between two values, every second or third one where more than ``most`` would be."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = math.ceil((last - first + 1) / max(1, most))
    return range(first, last + 1, max(1, step))


def whole_numbers(end: int, most: int) -> range:
    """Round whole numbers from 1 to ``end``, about ``most`` of them at most."""
    tens = 10 ** math.floor(math.log10(max(1, end)))
    steps = [step for step in (tens // 10, tens // 5, tens // 2, tens, 2 * tens, 5 * tens) if step > 0]
    step = next((step for step in steps if end / step <= max(1, most)), 10 * tens)
    return range(step, end + 1, step)


def _numbered(tile: Sequence[float]) -> list[tuple[float, float]]:
    """Number and value of each."""
    return [(float(number), value) for number, value in enumerate(tile, 1)]


def _is_drawable(value: float) -> bool:
    return math.isfinite(value) and value > 0
