"""The live curve of the relative residual, ||f(z) - z|| / ||f(z)||, against evaluations of f, and its fitted rate.

Every equilibrium begins a new stretch of the curve, behind an upright line; a second, finer curve is the change of the
picture by each evaluation, as a share of the peak. A residual of 0 has no logarithm: it stands at the lower edge.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.ui.denoise.forecast import forecast_line
from napari_decsc.ui.parts.painting import DASHES, DOTS
from napari_decsc.ui.parts.panel import Floats, Level, Line, Panel
from napari_decsc.ui.parts.plot import Plot
from napari_decsc.ui.parts.theme import CUBE_COLOURS, FIT, GOAL, RESIDUAL, Colours

HEIGHT = 108
#: Points of a curve, at most, and the radius of their dots: a stage of one evaluation is a dot alone. More have none.
DOTS_OF = {12: 3.0, 60: 1.5}
#: Evaluations that the axes of a finished run have room for, at least.
FEWEST_SHOWN = 4
#: Evaluations that there is room for at first, at most.
MOST_AT_FIRST = 8
#: What is said before there is a run.
WAITING = "A run draws its residual here"
#: What is said of a last residual that is 0.
SOLVED = "0 at the lower edge: solved exactly"
#: A bound from here on is written with four digits: ×1.00 would promise nothing.
NEAR_1 = 0.995
#: Colour of the change of the picture.
CHANGE = CUBE_COLOURS[4]
#: Colour of the borders between stages.
BORDER = CUBE_COLOURS[5]


@dataclass
class TileCurve:
    """What one tile has said: residuals, changes of the picture, and where every stage of it begins."""

    residuals: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    borders: list[int] = field(default_factory=lambda: [0])
    stage: str = ""

    def add(self, iteration: Iteration) -> None:
        """Take one evaluation in."""
        if iteration.stage != self.stage:
            self.stage = iteration.stage
            if self.residuals and self.borders[-1] != len(self.residuals):
                self.borders.append(len(self.residuals))
        self.residuals.append(iteration.relative_residual)
        self.changes.append(iteration.change)

    @property
    def newest(self) -> list[float]:
        """Residuals of the newest stage."""
        return self.residuals[self.borders[-1] :]


class ResidualPlot(Plot):
    """Grows with every batch of iterations; a tile begins a new curve and the curves of earlier tiles fade."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, HEIGHT)
        self.setToolTip(
            "Relative residual ||f(z) - z|| / ||f(z)|| after every evaluation of f, on a logarithmic axis; the finer "
            "line is the root mean square by which the evaluation changed the picture, as a share of the peak; upright "
            "lines part one equilibrium from the next"
        )
        self.setAccessibleName("Relative residual")
        self.start(None, 10)
        self.panels[0].note = WAITING, ""

    @property
    def tiles(self) -> list[list[float]]:
        """Relative residuals of every tile, those of its stages one after the other."""
        return [curve.residuals for curve in self.curves]

    def start(self, tolerance: float | None, evaluations: int) -> None:
        """Clear for a new run."""
        self.tolerance = tolerance
        self.curves: list[TileCurve] = []
        self._evaluations = max(2, evaluations)
        self._ends = 0.2 * (tolerance or 1e-3), 2.0
        self._bound = math.nan
        self._has_changes = False
        self._is_over = False
        self.starts: Panel | None = None
        self._build()

    def add(self, iterations: Iterable[Iteration]) -> None:
        """Take in a batch; it is painted with the window's next turn."""
        before = self._ends, self._evaluations, self._has_changes
        for iteration in iterations:
            while len(self.curves) < iteration.tile:
                self.curves.append(TileCurve())
            if iteration.number > 0 and iteration.relative_residual >= 0:
                curve = self.curves[iteration.tile - 1]
                curve.add(iteration)
                self._make_room(iteration.relative_residual, len(curve.residuals))
                if _has_logarithm(iteration.change):
                    self._make_room(iteration.change, 0)
                    self._has_changes = True
            if iteration.number > 0:
                self._bound = iteration.bound
        if before != (self._ends, self._evaluations, self._has_changes):
            self._build()
        self._draw()
        self.paint_moves()

    def finish(self) -> None:
        """Nothing more will come: the axes end with the last evaluation, and so does the fitted line."""
        longest = max(map(len, self.tiles), default=0)
        if longest and not self._is_over and self.starts is None:
            self._is_over, self._evaluations = True, max(FEWEST_SHOWN, longest)
            self._build()
            self._draw()
            self.paint_moves()

    def show_starts(self, axes: Panel) -> None:
        """Draw two solves in the place of the run's residuals, until the next run."""
        self.starts = axes
        self.panels = [axes]
        self.paint_anew()

    def explain(self, text: str) -> None:
        """Say why there is no curve, where there is none."""
        if not any(map(any, self.tiles)):
            self.panels[0].note = text, ""
            self.paint_moves()

    def _draw(self) -> None:
        """Put the curves, the fitted line and the borders into the axes."""
        newest = self.curves[-1] if self.curves else TileCurve()
        begin = newest.borders[-1]
        x, y, rate = forecast_line(newest.newest, 0 if self._is_over else self._evaluations - begin)
        fit = Line(np.array(x) + begin, np.array(y), FIT, dashes=DOTS)
        borders = [_upright(at + 0.5, self._ends) for at in newest.borders[1:]]
        self.panels[0].moving = [*borders, *_curves(self.curves, self._ends[0]), fit]
        if rate and math.isfinite(self._bound):
            rate += f" (proved: ×{self._bound:.{2 if self._bound < NEAR_1 else 4}f})"
        self.panels[0].note = (SOLVED, "") if newest.residuals[-1:] == [0.0] else (rate, FIT)

    def save(self, path: Path) -> Path:
        """Write the curves as a picture that stands on its own."""
        from napari_decsc.ui.denoise.residual_picture import save_residuals

        return save_residuals(self.tiles, self.tolerance, self._ends, path)

    def _make_room(self, value: float, count: int) -> None:
        """The axes grow by decades, or by half as many evaluations."""
        low, high = self._ends
        while _has_logarithm(value) and value < low:
            low /= 10
        while _has_logarithm(value) and value > high:
            high *= 10
        self._ends = low, high
        while count > self._evaluations:
            self._evaluations = self._evaluations * 3 // 2 + 1

    def _build(self) -> None:
        """New axes."""
        level = Level(self.tolerance, f"tolerance {self.tolerance:g}", GOAL) if self.tolerance else None
        axes = Panel((0.5, self._evaluations + 0.5), self._ends, is_log=True, is_counted=True, level=level)
        axes.x_label, axes.y_label, axes.y_short = "evaluations of f", "relative residual", "residual"
        if self._has_changes:
            axes.x_label = "evaluations of f (fine line: change of the picture)"
        self.panels = [axes]
        self.paint_anew()


def _curves(curves: Sequence[TileCurve], low: float) -> list[Line]:
    """A curve for every tile, with a gap where a stage begins; the newest stands out, with its picture's changes.

    ``low`` is the lower end of the axes, where a residual of 0 stands.
    """
    lines = [Line(*_gapped(one, _raised(one.residuals, low)), RESIDUAL, width=0.8, opacity=0.4) for one in curves[:-1]]
    for one in curves[-1:]:
        dots = next((radius for most, radius in DOTS_OF.items() if len(one.residuals) <= most), 0.0)
        if any(map(_has_logarithm, one.changes)):
            lines.append(Line(*_gapped(one, one.changes), CHANGE, width=0.8, opacity=0.9, dots=0.6 * dots))
        lines.append(Line(*_gapped(one, _raised(one.residuals, low)), RESIDUAL, width=1.5, dots=dots))
    return lines


def _raised(residuals: Sequence[float], low: float) -> list[float]:
    """Residuals with those of 0 at the lower end of the axes."""
    return [value if value > 0 else low for value in residuals]


def _gapped(curve: TileCurve, values: Sequence[float]) -> tuple[Floats, Floats]:
    """Numbers of the evaluations and their values, NaN between two stages."""
    numbers = np.arange(1.0, len(values) + 1)
    borders = curve.borders[1:]
    return np.insert(numbers, borders, np.nan), np.insert(np.asarray(values, float), borders, np.nan)


def _upright(x: float, ends: tuple[float, float]) -> Line:
    """The border between two stages."""
    return Line(np.array([x, x]), np.array(ends), BORDER, width=0.8, dashes=DASHES)


def _has_logarithm(value: float) -> bool:
    return math.isfinite(value) and value > 0
