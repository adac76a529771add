"""A plot that follows napari's theme: a picture of all that stands still is kept, what moves is painted over it."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_decsc.ui.parts.painting import paint_moving, paint_still, prepare
from napari_decsc.ui.parts.panel import Panel
from napari_decsc.ui.parts.theme import Colours

#: Points left, right, above and below the panels.
Margins = tuple[int, int, int, int]


class Plot(QWidget):
    """Panels side by side, or below each other where ``is_wide`` does not hold.

    Change ``panels``, or what is in them, and call `paint_anew`; where only moving things changed, `paint_moves`.
    ``clicked`` carries the number of a panel and the abscissa. ``margins`` are points around the panels, ``gaps``
    those between them, across and down.
    """

    clicked = Signal(int, float)

    margins: Margins = (58, 10, 8, 38)
    gaps: tuple[int, int] = (0, 0)

    def __init__(self, colours: Colours, height: int) -> None:
        super().__init__()
        self.colours = colours
        self.panels: Sequence[Panel] = ()
        self.is_wide = True
        self._height = height
        self._still: QPixmap | None = None
        self.setMinimumSize(160, height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        # painted whole every time: what lies behind it need not be painted before
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """A modest size: docks grow from it."""
        return QSize(280, self._height)

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        self.colours = colours
        self.paint_anew()

    def paint_anew(self) -> None:
        """Paint everything with the window's next turn."""
        self._still = None
        self.update()

    def paint_moves(self) -> None:
        """Paint what moves, over the picture that was kept, with the window's next turn."""
        self.update()

    def places(self) -> list[QRectF]:
        """Where the axes of each panel are."""
        left, right, top, bottom = self.margins
        count = max(1, len(self.panels))
        across, down = self.gaps
        width, height = float(self.width() - left - right), float(self.height() - top - bottom)
        if self.is_wide:
            width = (width - across * (count - 1)) / count
        else:
            height = (height - down * (count - 1)) / count
        size = max(1.0, width), max(1.0, height)
        steps = (size[0] + across, 0.0) if self.is_wide else (0.0, size[1] + down)
        return [QRectF(left + n * steps[0], top + n * steps[1], *size) for n in range(len(self.panels))]

    def paintEvent(self, event: Any) -> None:
        """The kept picture, and over it what moves."""
        if self._still is None or self._still.size() != self.size() * self.devicePixelRatioF():
            self._still = self._painted_still()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._still)
        prepare(painter)
        for panel, place in zip(self.panels, self.places(), strict=True):
            paint_moving(painter, place, panel, self.colours)
        painter.end()

    def mousePressEvent(self, event: Any) -> None:
        """A click in a panel tells the abscissa."""
        at = QPointF(event.pos())
        for number, (panel, place) in enumerate(zip(self.panels, self.places(), strict=True)):
            if place.contains(at) and event.button() == Qt.MouseButton.LeftButton:
                low, high = panel.x_ends
                self.clicked.emit(number, low + (at.x() - place.left()) / place.width() * (high - low))

    def _painted_still(self) -> QPixmap:
        picture = QPixmap(self.size() * self.devicePixelRatioF())
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        picture.fill(QColor(self.colours.background))
        painter = QPainter(picture)
        painter.setFont(self.font())
        prepare(painter)
        for panel, place in zip(self.panels, self.places(), strict=True):
            paint_still(painter, place, panel, self.colours)
        painter.end()
        return picture
