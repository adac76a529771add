"""One quantity of every band, one curve a cube: PSNR, SSIM, noise, or the structure of what was removed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.axis import shared_axis
from napari_decsc.ui.parts.plot import PlotCanvas
from napari_decsc.ui.parts.theme import Colours


@dataclass(frozen=True, eq=False)
class Quality:
    """A quantity of each band of one cube, shape (band,), and the colour of its curve."""

    cube: Cube
    values: NDArray[np.float64]
    colour: str


class QualityPlot(PlotCanvas):
    """Curves that stand still, and an upright line at the shown band that moves."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, height=150)
        self.x: NDArray[np.float64] = np.empty(0)
        self.show_qualities(())

    def show_qualities(self, qualities: Sequence[Quality], label: str = "PSNR (dB)", log: bool = False) -> None:
        """Draw the curves; left out is what no axis shows: infinite PSNR of an untouched band, 0 on a log axis."""
        self.figure.clear()
        axes = self.figure.subplots()
        axis = shared_axis([quality.cube for quality in qualities])
        self.x = axis.values[0] if axis.values else np.empty(0)
        for quality in qualities:
            drawable = np.isfinite(quality.values) & ((quality.values > 0) | (not log))
            values = np.where(drawable, quality.values, np.nan)
            axes.plot(self.x, values, ".-", color=quality.colour, linewidth=1.2, markersize=3)
            if log and drawable.any():
                axes.set_yscale("log")
        axes.set_xlabel(axis.label)
        axes.set_ylabel(label)
        self._mark = axes.axvline(np.nan, linewidth=1, linestyle=":", animated=True)
        self._moving, self._still = [self._mark], None
        self.place()
        self.set_colours(self.colours)

    def mark(self, band: int) -> None:
        """Move the upright line to a band."""
        if band < self.x.size:
            self._mark.set_xdata([self.x[band]] * 2)
            self.blit([self._mark])

    def band_at(self, x: float) -> int:
        """The band nearest to an abscissa."""
        return int(np.nanargmin(np.abs(self.x - x)))

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        super().set_colours(colours)
        self._mark.set_color(colours.mark)
