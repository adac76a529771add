"""Panels painted by Qt itself, numbers included: a few milliseconds, where a plotting library takes fifty."""

from typing import Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF, QTextOption

from napari_decsc.ui.parts.panel import Floats, Line, Panel, runs
from napari_decsc.ui.parts.theme import Colours

#: Size of the letters, points.
FONT_POINTS = 8
#: Points between two numbers along the horizontal axis, at least.
APART_X = 44
#: And along the vertical one.
APART_Y = 18
#: Heights of the panel that a line may leave it by: Qt cannot clip what lies millions of pixels away.
FAR = 20.0
#: Radius of a point that stands alone.
ALONE = 2.0
ALIGN = Qt.AlignmentFlag
#: Lengths of a dash and of the gap behind it, in widths of the line.
DASHES = (4.0, 3.0)
#: The same of a dotted line.
DOTS = (1.0, 2.0)


def prepare(painter: QPainter) -> None:
    """Set what all painting here wants."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = painter.font()
    font.setPointSize(FONT_POINTS)
    painter.setFont(font)


def paint_still(painter: QPainter, inside: QRectF, panel: Panel, colours: Colours) -> None:
    """Paint what does not move into the place of the axes: grid, numbers, labels, frame, and the still lines."""
    line = painter.fontMetrics().height()
    grid = QColor(colours.lines)
    grid.setAlphaF(0.5)
    for value, text in panel.y_numbers(int(inside.height() // APART_Y)):
        y = _y(inside, panel, value)
        _paint_line(painter, QPen(grid, 0.5), QPointF(inside.left(), y), QPointF(inside.right(), y))
        if panel.is_numbered:
            _write(painter, QRectF(inside.left() - 65, y - line / 2, 60, line), ALIGN.AlignRight, text, colours.text)
    for value, text in panel.x_numbers(int(inside.width() // APART_X)):
        x = _x(inside, panel, value)
        _paint_line(painter, QPen(grid, 0.5), QPointF(x, inside.top()), QPointF(x, inside.bottom()))
        _write(painter, QRectF(x - 40, inside.bottom() + 2, 80, line), ALIGN.AlignHCenter, text, colours.text)
    painter.setPen(QColor(panel.frame or colours.lines))
    painter.drawRect(inside)
    _paint_labels(painter, inside, panel, colours)
    _paint_level(painter, inside, panel)
    _paint_lines(painter, inside, panel, panel.lines)
    _paint_names(painter, inside, panel)


def paint_moving(painter: QPainter, inside: QRectF, panel: Panel, colours: Colours) -> None:
    """Paint what moves: the title, the moving lines, the note, and the mark."""
    line = painter.fontMetrics().height()
    title = painter.fontMetrics().elidedText(panel.title, Qt.TextElideMode.ElideMiddle, int(inside.width()) + 24)
    above = QRectF(inside.left() - 12, inside.top() - line - 3, inside.width() + 24, line)
    _write(painter, above, ALIGN.AlignHCenter, title, panel.title_colour or colours.text)
    _paint_lines(painter, inside, panel, panel.moving)
    note, colour = panel.note
    corner = QRectF(inside.left(), inside.top() + 3, inside.width() - 6, line)
    _write(painter, corner, ALIGN.AlignRight, note, colour or colours.text)
    if np.isfinite(panel.mark):
        x = _x(inside, panel, panel.mark)
        pen = _pen(colours.mark, 1.0, DOTS)
        _paint_line(painter, pen, QPointF(x, inside.top()), QPointF(x, inside.bottom()))


def _paint_labels(painter: QPainter, inside: QRectF, panel: Panel, colours: Colours) -> None:
    line = painter.fontMetrics().height()
    below = QRectF(inside.left() - 20, inside.bottom() + 3 + line, inside.width() + 40, line)
    _write(painter, below, ALIGN.AlignHCenter, panel.x_label, colours.text)
    painter.save()
    painter.translate(inside.left() - 54, inside.center().y())
    painter.rotate(-90)
    # beyond the top of the widget nothing is seen
    length = inside.height() + 2 * min(line, max(0.0, inside.top() - 1))
    metrics = painter.fontMetrics()
    text = panel.y_short if panel.y_short and metrics.horizontalAdvance(panel.y_label) > length else panel.y_label
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(length))
    _write(painter, QRectF(-length / 2, 0, length, line), ALIGN.AlignHCenter, text, colours.text)
    painter.restore()


def _paint_level(painter: QPainter, inside: QRectF, panel: Panel) -> None:
    level, line = panel.level, painter.fontMetrics().height()
    if level is not None:
        y = _y(inside, panel, level.value)
        _paint_line(painter, _pen(level.colour, 1.0, DASHES), QPointF(inside.left(), y), QPointF(inside.right(), y))
        below = QRectF(inside.left() + 4, y + 1, inside.width(), line)
        _write(painter, below, ALIGN.AlignLeft, level.text, level.colour)


def _paint_names(painter: QPainter, inside: QRectF, panel: Panel) -> None:
    line = painter.fontMetrics().height()
    for number, (text, colour) in enumerate(panel.names[: int((inside.height() - 4) // line)]):
        place = QRectF(inside.left() + 5, inside.top() + 2 + number * line, inside.width() - 10, line)
        _write(painter, place, ALIGN.AlignRight if panel.names_right else ALIGN.AlignLeft, text, colour)


def _paint_lines(painter: QPainter, inside: QRectF, panel: Panel, lines: Any) -> None:
    painter.save()
    painter.setClipRect(inside)
    for line in lines:
        _paint_curve(painter, inside, panel, line)
    painter.restore()


def _paint_curve(painter: QPainter, inside: QRectF, panel: Panel, line: Line) -> None:
    if line.spread is not None:
        _paint_spread(painter, inside, panel, line, line.spread)
    points = _points(inside, panel, line.x, line.y)
    colour = QColor(line.colour)
    colour.setAlphaF(line.opacity)
    painter.setPen(_pen(colour, line.width, line.dashes))
    for run in points:
        painter.drawPolyline(QPolygonF(run))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    for run in points:
        # a point between two gaps, or of a cube of one band, has no line to be seen by
        radius = line.dots or (ALONE if len(run) == 1 else 0.0)
        for point in run if radius else ():
            painter.drawEllipse(point, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_spread(painter: QPainter, inside: QRectF, panel: Panel, line: Line, spread: Floats) -> None:
    colour = QColor(line.colour)
    colour.setAlphaF(0.25)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    low = _points(inside, panel, line.x, line.y - spread)
    high = _points(inside, panel, line.x, line.y + spread)
    for lower, upper in zip(low, high, strict=True):
        painter.drawPolygon(QPolygonF([*lower, *upper[::-1]]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _points(inside: QRectF, panel: Panel, x: Any, y: Any) -> list[list[QPointF]]:
    """Where the points of a line are painted, a list for every run without a gap."""
    across = inside.left() + panel.across(x) * inside.width()
    up = inside.bottom() - np.clip(panel.up(y), -FAR, FAR) * inside.height()
    found = runs(across + up)
    return [list(map(QPointF, across[run].tolist(), up[run].tolist())) for run in found]


def _x(inside: QRectF, panel: Panel, value: float) -> float:
    return inside.left() + float(panel.across(np.asarray(value))) * inside.width()


def _y(inside: QRectF, panel: Panel, value: float) -> float:
    return inside.bottom() - float(panel.up(np.asarray(value))) * inside.height()


def _pen(colour: Any, width: float, dashes: tuple[float, ...]) -> QPen:
    pen = QPen(QColor(colour), width)
    if dashes:
        pen.setDashPattern(list(dashes))
    return pen


def _paint_line(painter: QPainter, pen: QPen, begin: QPointF, end: QPointF) -> None:
    painter.setPen(pen)
    painter.drawLine(begin, end)


def _write(painter: QPainter, place: QRectF, how: Any, text: str, colour: str) -> None:
    if not text:
        return
    painter.setPen(QColor(colour))
    option = QTextOption(how)
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    painter.drawText(place, text, option)
