"""Figures to print, by matplotlib, which is loaded when the first one is saved."""

from typing import Any

from napari_decsc.ui.parts.theme import Colours

#: Inches of a saved figure.
SAVED_SIZE = (7.0, 4.2)
#: Its dots per inch.
SAVED_DPI = 150


def style(figure: Any, colours: Colours) -> None:
    """Give a figure and its axes the colours of a theme."""
    figure.set_facecolor(colours.background)
    for axes in figure.axes:
        axes.set_facecolor(colours.background)
        axes.tick_params(colors=colours.text, which="both", labelsize=8)
        axes.xaxis.label.set(color=colours.text, size=8)
        axes.yaxis.label.set(color=colours.text, size=8)
        axes.grid(True, which="major", color=colours.lines, linewidth=0.5, alpha=0.5)
        for spine in axes.spines.values():
            spine.set_color(colours.lines)
