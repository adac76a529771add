"""The noise model of a run, drawn as soon as it is known: levels of the bands, and what they have in common."""

from typing import Any

import numpy as np
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.ui.cubes.axis import shared_axis
from napari_decsc.ui.parts.matrix import matrix_picture
from napari_decsc.ui.parts.panel import Line, Panel, ends_of
from napari_decsc.ui.parts.plot import Plot
from napari_decsc.ui.parts.theme import GOAL, Colours

HEIGHT = 108


class NoiseCurves(Plot):
    """Noise level of every band; on the right the correlation of the noise between bands, as a picture."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, HEIGHT)
        self.margins = (58, 96, 18, 36)
        self.noise: MeasuredNoise | None = None
        self._picture: Any = None
        self.setAccessibleName("Noise model")
        self.setToolTip("Noise level of every band, physical units; right: correlation of the noise between the bands")
        self.setVisible(False)

    def show_noise(self, noise: MeasuredNoise, cube: Cube) -> None:
        """Draw what was measured of a cube."""
        self.noise = noise
        axis = shared_axis([cube])
        level = np.asarray(noise.level, float)
        panel = Panel(ends_of([axis.values[0]], 0.02), ends_of([np.append(level, 0.0)], 0.06), x_label=axis.label)
        panel.x_step = axis.step
        panel.y_label = "noise level"
        panel.lines = [Line(axis.values[0], level, GOAL, dots=1.2 if cube.bands <= 60 else 0.0)]
        panel.title = "; ".join(noise.kinds) or "white in space and between bands"
        self.panels = [panel]
        self._picture = matrix_picture(noise.correlation, -1.0, 1.0)
        self.paint_anew()

    def clear(self) -> None:
        """Nothing is known."""
        self.noise = None
        self.setVisible(False)

    def paintEvent(self, event: Any) -> None:
        """The curve, and the picture beside it."""
        super().paintEvent(event)
        if self._picture is None or not self.panels:
            return
        side = min(self.places()[0].height(), self.margins[1] - 16)
        painter = QPainter(self)
        place = QRectF(self.width() - side - 6, self.margins[2], side, side)
        painter.drawImage(place, self._picture)
        painter.setPen(QColor(self.colours.lines))
        painter.drawRect(place)
        font = painter.font()
        font.setPointSize(8)
        painter.setFont(font)
        painter.setPen(QColor(self.colours.text))
        below = QRectF(place.left() - 20, place.bottom() + 2, side + 26, 14)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, "correlation")
        painter.end()
