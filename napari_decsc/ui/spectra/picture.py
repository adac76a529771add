"""The pinned spectra as a picture that stands on its own, to print."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from napari_decsc.ui.cubes.axis import Axis
from napari_decsc.ui.files import saving
from napari_decsc.ui.parts.panel import Panel
from napari_decsc.ui.parts.printed import SAVED_SIZE, style
from napari_decsc.ui.parts.theme import PAPER


def save_spectra(panels: Sequence[Panel], axis: Axis, label: str, names: Sequence[tuple[str, str]], path: Path) -> Path:
    """Write the panels of pinned places below each other; ``names`` are the cubes' names and colours.

    Raises
    ------
    FileFormatError
        If the ending names no format of pictures, or the file cannot be written.
    """
    width, height = SAVED_SIZE
    count = max(1, len(panels))
    figure = Figure(figsize=(width, height * (0.4 + 0.6 * count)), layout="constrained")
    drawn = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(drawn, panels, strict=False):
        _draw(axes, panel)
        axes.set_ylabel(label)
    for name, colour in names:
        drawn[0].plot([], [], color=colour, label=name)
    style(figure, PAPER)
    if names:
        figure.legend(*drawn[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
    for axes, panel in zip(drawn, panels, strict=False):
        axes.set_title(panel.title, size=8, color=panel.frame)
        for spine in axes.spines.values():
            spine.set_color(panel.frame)
    drawn[-1].set_xlabel(axis.label, size=9)
    return saving.write_bytes(saving.picture_bytes(figure, path), path)


def _draw(axes: Any, panel: Panel) -> None:
    for line in panel.lines:
        axes.plot(line.x, line.y, color=line.colour, linewidth=line.width)
        if line.spread is not None:
            ends = line.y - line.spread, line.y + line.spread
            axes.fill_between(line.x, *ends, color=line.colour, alpha=0.25, linewidth=0)
    axes.set_xlim(*panel.x_ends)
    axes.set_ylim(*panel.y_ends)
