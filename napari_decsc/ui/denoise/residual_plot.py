"""The live curve of the relative residual, ||f(z) - z|| / ||f(z)||, against evaluations of f, and its fitted rate."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.ui.denoise.forecast import forecast_line
from napari_decsc.ui.parts.painting import DOTS
from napari_decsc.ui.parts.panel import Floats, Level, Line, Panel
from napari_decsc.ui.parts.plot import Plot
from napari_decsc.ui.parts.theme import FIT, GOAL, RESIDUAL, Colours

HEIGHT = 110
#: Curves with more points than this have no dots.
MOST_DOTS = 60


class ResidualPlot(Plot):
    """Grows with every batch of iterations; a tile begins a new curve and the curves of earlier tiles fade."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, HEIGHT)
        self.setToolTip("Relative residual ||f(z) - z|| / ||f(z)|| after every evaluation of f, on a logarithmic axis")
        self.setAccessibleName("Relative residual")
        self.start(None, 10)
        self.panels[0].note = "A run draws its residual here", ""

    def start(self, tolerance: float | None, evaluations: int) -> None:
        """Clear for a new run."""
        self.tolerance = tolerance
        self.tiles: list[list[float]] = []
        self._evaluations = max(2, evaluations)
        self._ends = 0.2 * (tolerance or 1e-3), 2.0
        self._build()

    def add(self, iterations: Iterable[Iteration]) -> None:
        """Take in a batch; it is painted with the window's next turn."""
        before = self._ends, self._evaluations
        for iteration in iterations:
            while len(self.tiles) < iteration.tile:
                self.tiles.append([])
            if iteration.number > 0 and _is_drawable(iteration.relative_residual):
                self.tiles[iteration.tile - 1].append(iteration.relative_residual)
                self._make_room(iteration.relative_residual, len(self.tiles[iteration.tile - 1]))
        if before != (self._ends, self._evaluations):
            self._build()
        newest = self.tiles[-1] if self.tiles else []
        x, y, rate = forecast_line(newest, self._evaluations)
        self.panels[0].moving = [*_curves(self.tiles), Line(np.array(x), np.array(y), FIT, dashes=DOTS)]
        self.panels[0].note = rate, FIT
        self.paint_moves()

    def save(self, path: Path) -> Path:
        """Write the curves as a picture that stands on its own."""
        from napari_decsc.ui.denoise.residual_picture import save_residuals

        return save_residuals(self.tiles, self.tolerance, self._ends, path)

    def _make_room(self, value: float, count: int) -> None:
        """The axes grow by decades, or by half as many evaluations."""
        low, high = self._ends
        while value < low:
            low /= 10
        while value > high:
            high *= 10
        self._ends = low, high
        while count > self._evaluations:
            self._evaluations = self._evaluations * 3 // 2 + 1

    def _build(self) -> None:
        """New axes."""
        level = Level(self.tolerance, f"tolerance {self.tolerance:g}", GOAL) if self.tolerance else None
        axes = Panel((0.5, self._evaluations + 0.5), self._ends, is_log=True, is_counted=True, level=level)
        axes.x_label, axes.y_label = "evaluations of f", "relative residual"
        self.panels = [axes]
        self.paint_anew()


def _curves(tiles: Sequence[Sequence[float]]) -> list[Line]:
    """A curve for every tile; the newest stands out."""
    lines = [Line(_numbers(tile), np.array(tile), RESIDUAL, width=0.8, opacity=0.4) for tile in tiles[:-1]]
    for tile in tiles[-1:]:
        dots = 1.5 if len(tile) <= MOST_DOTS else 0.0
        lines.append(Line(_numbers(tile), np.array(tile), RESIDUAL, width=1.5, dots=dots))
    return lines


def _numbers(tile: Sequence[float]) -> Floats:
    return np.arange(1.0, len(tile) + 1)


def _is_drawable(value: float) -> bool:
    return math.isfinite(value) and value > 0
