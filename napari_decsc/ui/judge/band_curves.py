"""One quantity of every band, one curve a cube, with the shown band marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.axis import shared_axis
from napari_decsc.ui.parts.panel import Line, Panel, ends_of
from napari_decsc.ui.parts.plot import Plot
from napari_decsc.ui.parts.theme import Colours

#: Curves of more bands have no dots.
MOST_DOTS = 80


@dataclass(frozen=True, eq=False)
class BandCurve:
    """A quantity of each band of one cube, shape (band,); what is not finite leaves a gap."""

    cube: Cube
    values: NDArray[np.floating]
    colour: str
    name: str = ""


class BandCurves(Plot):
    """`clicked` carries an abscissa; `band_at` turns it into a band."""

    def __init__(self, colours: Colours, height: int = 120) -> None:
        super().__init__(colours, height)
        self.abscissae: NDArray[np.float64] = np.empty(0)
        self.show_curves((), "")

    def show_curves(self, curves: Sequence[BandCurve], label: str, is_log: bool = False) -> None:
        """Draw the curves; a log axis leaves out what is not above 0."""
        axis = shared_axis([curve.cube for curve in curves])
        self.abscissae = np.asarray(axis.values[0], float) if axis.values else np.empty(0)
        values = [np.asarray(curve.values, float) for curve in curves]
        is_log = is_log and any((one > 0).any() for one in values)
        if is_log:
            values = [np.where(one > 0, one, np.nan) for one in values]
        ends = ends_of([np.log10(one) for one in values] if is_log else values, 0.06)
        panel = Panel(
            ends_of([self.abscissae], 0.02), (10 ** ends[0], 10 ** ends[1]) if is_log else ends, is_log=is_log
        )
        panel.x_label, panel.y_label = (axis.label, label) if curves else ("", "")
        panel.x_step = axis.step
        panel.lines = [
            Line(np.asarray(x, float), one, curve.colour, dots=1.5 if one.size <= MOST_DOTS else 0.0)
            for x, one, curve in zip(axis.values, values, curves, strict=True)
        ]
        panel.names = [(curve.name, curve.colour) for curve in curves if curve.name]
        self.panels = [panel]
        self.paint_anew()

    def mark(self, band: int) -> None:
        """Move the upright line to a band."""
        self.panels[0].mark = float(self.abscissae[band]) if 0 <= band < self.abscissae.size else math.nan
        self.paint_moves()

    def band_at(self, x: float) -> int:
        """The band nearest to an abscissa."""
        return int(np.nanargmin(np.abs(self.abscissae - x)))
