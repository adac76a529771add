"""The live curve of the relative residual, ||f(z) - z|| / ||f(z)||, against evaluations of f, and its fitted rate."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from napari_decsc.hsi.denoising import Iteration
from napari_decsc.ui.denoise.forecast import fitted
from napari_decsc.ui.parts.plot import SAVED_SIZE, PlotCanvas, save_figure, style
from napari_decsc.ui.parts.theme import PAPER, Colours

CURVE = "#3E9BDC"
GOAL = "#D55E00"
FIT = "#009E73"


def prepare(axes: Any, tolerance: float | None, evaluations: int, low: float, high: float) -> None:
    """Axes for a curve of ``evaluations`` points between ``low`` and ``high``, with the tolerance as a dashed line."""
    axes.set_yscale("log")
    axes.set_xlim(0.5, max(evaluations, 2) + 0.5)
    axes.set_ylim(low, high)
    # plain text: mathematical type would take half the time of a draw
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"1e{round(math.log10(value))}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=2))
    axes.set_xlabel("evaluations of f")
    axes.set_ylabel("relative residual")
    if tolerance:
        axes.axhline(tolerance, color=GOAL, linestyle="--", linewidth=1)
        axes.annotate(
            f"tolerance {tolerance:g}", (0.01, tolerance), xycoords=("axes fraction", "data"), xytext=(0, -3),
            textcoords="offset points", ha="left", va="top", color=GOAL, size=8,
        )  # fmt: skip


class ResidualPlot(PlotCanvas):
    """Grows with every batch of iterations; a tile begins a new curve and the curves of earlier tiles fade."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, height=110)
        self._built: tuple[Any, ...] = ()
        self.tolerance: float | None = None
        self.tiles: list[list[float]] = []
        self._evaluations = 10
        self.start(None, 10)

    def start(self, tolerance: float | None, evaluations: int) -> None:
        """Clear for a new run."""
        self.tolerance, self.tiles, self._evaluations = tolerance, [], max(2, evaluations)
        self._low, self._high = 0.2 * (tolerance or 1e-3), 2.0
        if self._built == self._frame:
            self._set_curves()
            self.blit(self._moving)
        else:
            self._rebuild()

    def add(self, iterations: Iterable[Iteration]) -> None:
        """Take in a batch; only the curves are redrawn unless the axes must grow."""
        for iteration in iterations:
            while len(self.tiles) < iteration.tile:
                self.tiles.append([])
            if iteration.number > 0 and _is_drawable(iteration.relative_residual):
                self.tiles[iteration.tile - 1].append(iteration.relative_residual)
        self._set_curves()
        if self._grow():
            self._built, self._still = self._frame, None  # other ends, the same axes
            self._axes.set_xlim(0.5, self._evaluations + 0.5)
            self._axes.set_ylim(self._low, self._high)
            self._set_curves()
        self.blit(self._moving)

    def save(self, path: Path) -> Path:
        """Write the curves as a picture that stands on its own."""
        figure = Figure(figsize=SAVED_SIZE, layout="constrained")
        axes = figure.subplots()
        longest = max(map(len, self.tiles), default=0)
        prepare(axes, self.tolerance, longest, self._low, self._high)
        for number, tile in enumerate(self.tiles):
            is_last = number == len(self.tiles) - 1
            axes.plot(range(1, len(tile) + 1), tile, "o-", color=CURVE, markersize=3, alpha=1 if is_last else 0.4)
        x, y, text = _forecast_line(self.tiles[-1] if self.tiles else [], longest)
        axes.plot(x, y, ":", linewidth=1.2, color=FIT)
        axes.text(0.98, 0.95, text, transform=axes.transAxes, ha="right", va="top", color=FIT, size=8)
        style(figure, PAPER)
        return save_figure(figure, path)

    @property
    def _frame(self) -> tuple[Any, ...]:
        """What the axes depend on."""
        return self.tolerance, self._evaluations, self._low, self._high

    def _rebuild(self) -> None:
        self._built = self._frame
        self.figure.clear()
        self._axes = axes = self.figure.subplots()
        prepare(axes, self.tolerance, self._evaluations, self._low, self._high)
        common = {"color": CURVE, "animated": True, "markersize": 3}
        (self._earlier,) = axes.plot([], [], "-", linewidth=0.8, alpha=0.4, **common)
        (self._current,) = axes.plot([], [], "o-", linewidth=1.5, **common)
        (self._fit,) = axes.plot([], [], ":", linewidth=1.2, color=FIT, animated=True)
        self._rate = axes.text(0.98, 0.95, "", transform=axes.transAxes, ha="right", va="top", color=FIT, size=8)
        self._rate.set_animated(True)
        self._moving = [self._earlier, self._current, self._fit, self._rate]
        self._set_curves()
        self.place()
        self._still = None
        self.set_colours(self.colours)

    def _set_curves(self) -> None:
        newest = self.tiles[-1] if self.tiles else []
        self._current.set_data(range(1, len(newest) + 1), newest)
        self._earlier.set_data(*_joined(self.tiles[:-1]))
        x, y, text = _forecast_line(newest, self._evaluations)
        self._fit.set_data(x, y)
        self._rate.set_text(text)

    def _grow(self) -> bool:
        """Whether a value lies outside the axes; they then grow by a decade, or by half as many evaluations."""
        values = [value for tile in self.tiles[-1:] for value in tile]
        low, high = min(values, default=self._low), max(values, default=self._high)
        grown = False
        while low < self._low:
            self._low, grown = self._low / 10, True
        while high > self._high:
            self._high, grown = self._high * 10, True
        while len(values) > self._evaluations:
            self._evaluations, grown = self._evaluations * 3 // 2 + 1, True
        return grown


def _forecast_line(residuals: Sequence[float], evaluations: int) -> tuple[list[float], list[float], str]:
    """The fitted line from the first to the last evaluation of the axes, and the rate in words."""
    fit = fitted(residuals)
    if fit is None:
        return [], [], ""
    slope, intercept = fit
    x = [1.0, float(max(evaluations, len(residuals)))]
    y = [math.exp(min(intercept + slope * number, 600.0)) for number in x]
    return x, y, f"×{math.exp(slope):.2f} an evaluation"


def _joined(tiles: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Several curves as one, with gaps between."""
    x: list[float] = []
    y: list[float] = []
    for tile in tiles:
        x += [*range(1, len(tile) + 1), math.nan]
        y += [*tile, math.nan]
    return x, y


def _is_drawable(value: float) -> bool:
    return math.isfinite(value) and value > 0
