"""How fast a residual falls, and how long a run will still take: only from what was measured so far. No window."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_decsc.ui.denoise.state import RunState

#: Residuals that the rate is fitted to, at least.
FEWEST = 3
#: The newest so many, at most: the first ones often fall faster.
MOST = 8


@dataclass(frozen=True)
class Left:
    """Seconds that are left, and of what: "" is the whole run."""

    seconds: float
    of: str = ""


def left(state: RunState, now: float) -> Left | None:
    """How long it will take, or None as long as nothing was measured that would tell.

    With tiles: those that are finished say how long one takes. Within an equilibrium: the fitted line says how many
    evaluations are ahead, and the evaluations of this equilibrium how long one takes. Preparation is none of them.
    """
    if state.last is None or not state.goes_on:
        return None
    if state.tile_seconds:
        one = float(np.mean(state.tile_seconds))
        remaining = max(0.0, one - (now - state.tile_began))
        return Left(remaining + one * (state.last.tiles - state.last.tile))
    ahead = evaluations_ahead(state.residuals, state.tolerance, state.limit)
    pace = _seconds_per_evaluation(state.stamps)
    return None if ahead is None or pace is None else Left(ahead * pace, state.current)


def _seconds_per_evaluation(stamps: Sequence[float]) -> float | None:
    """The mean distance of the evaluations of one stage; None before the second of them."""
    return (stamps[-1] - stamps[0]) / (len(stamps) - 1) if len(stamps) > 1 else None


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
    return x, y, f"×{math.exp(slope):.2g} an evaluation"


def evaluations_ahead(residuals: Sequence[float], tolerance: float | None, limit: int) -> int | None:
    """Evaluations until the fitted line meets the tolerance, or the limit (0: none) comes first; None if unknown."""
    fit = fitted(residuals)
    if fit is None:
        return None
    until_limit = max(0, limit - len(residuals)) if limit else None
    if fit[0] >= 0 or not tolerance:
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
