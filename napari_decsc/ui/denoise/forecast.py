"""How fast a residual falls, and how long a run will still take: numbers from the iterations so far. No window."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from napari_decsc.denoising.protocol import Iteration

#: The rate is fitted to the newest so many residuals: the first ones often fall faster.
FEWEST, MOST = 3, 8


class Forecast:
    """Takes in the iterations of a run; knows nothing of a tile until three residuals are there."""

    def __init__(self, tolerance: float | None, limit: int) -> None:
        self._tolerance, self._limit = tolerance, limit
        self._tile = 0
        self._residuals: list[float] = []
        self._evaluations = 0
        self._last: Iteration | None = None

    def add(self, iterations: Iterable[Iteration]) -> None:
        """Take in a batch."""
        for iteration in iterations:
            if iteration.tile != self._tile:
                self._tile, self._residuals = iteration.tile, []
            if iteration.number > 0:
                self._residuals.append(iteration.relative_residual)
                self._evaluations += 1
            self._last = iteration

    @property
    def rate(self) -> float | None:
        """What one evaluation multiplies the residual by."""
        fit = fitted(self._residuals)
        return None if fit is None else math.exp(fit[0])

    @property
    def seconds_left(self) -> float | None:
        """Until the last tile is done, or None as long as nobody can tell."""
        if self._last is None or not self._evaluations:
            return None
        ahead = evaluations_ahead(self._residuals, self._tolerance, self._limit)
        if ahead is None:
            return None
        whole_tile = len(self._residuals) + ahead
        evaluations = ahead + whole_tile * (self._last.tiles - self._last.tile)
        return evaluations * self._last.elapsed / self._evaluations


def fitted(residuals: Sequence[float]) -> tuple[float, float] | None:
    """Slope and intercept of the least-squares line through log residual against evaluation (counted from 1).

    Taken from the newest residuals; None where there are too few of them, or one that has no logarithm.
    """
    newest = residuals[-min(MOST, max(FEWEST, len(residuals) // 2)) :]
    if len(newest) < FEWEST or not all(math.isfinite(value) and value > 0 for value in newest):
        return None
    numbers = np.arange(len(residuals) - len(newest) + 1, len(residuals) + 1)
    slope, intercept = np.polyfit(numbers, np.log(newest), 1)
    return float(slope), float(intercept)


def forecast_line(residuals: Sequence[float], evaluations: int) -> tuple[list[float], list[float], str]:
    """The fitted line from the first to the last evaluation of the axes, and the rate in words."""
    fit = fitted(residuals)
    if fit is None:
        return [], [], ""
    slope, intercept = fit
    x = [1.0, float(max(evaluations, len(residuals)))]
    y = [math.exp(min(intercept + slope * number, 600.0)) for number in x]
    return x, y, f"×{math.exp(slope):.2f} an evaluation"


def evaluations_ahead(residuals: Sequence[float], tolerance: float | None, limit: int) -> int | None:
    """Evaluations until the fitted line meets the tolerance, or the limit (0: none) comes first; None if unknown."""
    until_limit = max(0, limit - len(residuals)) if limit else None
    fit = fitted(residuals)
    if fit is None or fit[0] >= 0 or not tolerance:
        return until_limit
    crossing = (math.log(tolerance) - fit[1]) / fit[0]
    until_tolerance = max(0, math.ceil(crossing - len(residuals) - 1e-9))
    return until_tolerance if until_limit is None else min(until_tolerance, until_limit)


def duration(seconds: float) -> str:
    """Seconds as people say them: "3 s", "2 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
