"""The residual curves as a picture that stands on its own, to print."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from napari_decsc.ui.denoise.forecast import forecast_line
from napari_decsc.ui.files import saving
from napari_decsc.ui.parts.printed import SAVED_SIZE, style
from napari_decsc.ui.parts.theme import FIT, GOAL, PAPER, RESIDUAL


def save_residuals(
    tiles: Sequence[Sequence[float]], tolerance: float | None, ends: tuple[float, float], path: Path
) -> Path:
    """Write the curve of every tile, the tolerance and the fitted rate; ``ends`` are those of the ordinate.

    Raises FileFormatError if the picture cannot be written.
    """
    figure = Figure(figsize=SAVED_SIZE, layout="constrained")
    axes = figure.subplots()
    longest = max(map(len, tiles), default=0)
    _prepare(axes, tolerance, longest, *ends)
    for number, tile in enumerate(tiles):
        is_last = number == len(tiles) - 1
        axes.plot(range(1, len(tile) + 1), tile, "o-", color=RESIDUAL, markersize=3, alpha=1 if is_last else 0.4)
    x, y, text = forecast_line(tiles[-1] if tiles else [], longest)
    axes.plot(x, y, ":", linewidth=1.2, color=FIT)
    axes.text(0.98, 0.95, text, transform=axes.transAxes, ha="right", va="top", color=FIT, size=8)
    style(figure, PAPER)
    return saving.write_bytes(saving.picture_bytes(figure, path), path)


def _prepare(axes: Any, tolerance: float | None, evaluations: int, low: float, high: float) -> None:
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
