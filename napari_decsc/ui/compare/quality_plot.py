"""One quantity of every band, one curve a cube: PSNR, SSIM, noise, or the structure of what was removed."""

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


@dataclass(frozen=True, eq=False)
class Quality:
    """A quantity of each band of one cube, shape (band,), and the colour of its curve."""

    cube: Cube
    values: NDArray[np.float64]
    colour: str


class QualityPlot(Plot):
    """Curves that stand still, and an upright line at the shown band that moves."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, height=125)
        self.abscissas: NDArray[np.float64] = np.empty(0)
        self.show_qualities(())

    def show_qualities(self, qualities: Sequence[Quality], label: str = "PSNR (dB)", log: bool = False) -> None:
        """Draw the curves; left out is what no axis shows: infinite PSNR of an untouched band, 0 on a log axis."""
        axis = shared_axis([quality.cube for quality in qualities])
        self.abscissas = np.asarray(axis.values[0], float) if axis.values else np.empty(0)
        drawn = [np.where(np.isfinite(one.values), one.values, np.nan) for one in qualities]
        is_log = log and any((values > 0).any() for values in drawn)
        if is_log:
            drawn = [np.where(values > 0, values, np.nan) for values in drawn]
        self.panels = [
            Panel(
                ends_of([self.abscissas], 0.02),
                _log_ends(drawn) if is_log else ends_of(drawn, 0.06),
                is_log=is_log,
                x_label=axis.label,
                x_step=axis.step,
                y_label=label,
                lines=[
                    Line(self.abscissas, values, one.colour, dots=1.5)
                    for values, one in zip(drawn, qualities, strict=True)
                ],
            )
        ]
        self.paint_anew()

    def mark(self, band: int) -> None:
        """Move the upright line to a band."""
        self.panels[0].mark = float(self.abscissas[band]) if band < self.abscissas.size else math.nan
        self.paint_moves()

    def band_at(self, x: float) -> int:
        """The band nearest to an abscissa."""
        return int(np.nanargmin(np.abs(self.abscissas - x)))


def _log_ends(arrays: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """As `ends_of`, with the same room on a logarithmic axis."""
    low, high = ends_of([np.log10(values) for values in arrays], 0.06)
    return 10.0**low, 10.0**high
