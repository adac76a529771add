"""A matplotlib canvas that follows napari's theme and redraws only its curves (blitting)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy

from napari_decsc.ui.theme import PAPER, Colours

#: Inches and dots per inch of a saved figure.
SAVED_SIZE, SAVED_DPI = (7.0, 4.2), 150


def style(figure: Figure, colours: Colours) -> None:
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


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure that stands on its own: on white, at a size to print."""
    figure.savefig(path, dpi=SAVED_DPI, facecolor=PAPER.background)
    return path


class PlotCanvas(FigureCanvasQTAgg):
    """A canvas whose moving artists are drawn over a picture of everything else.

    Subclasses fill ``self.figure`` and give their moving artists, made with ``animated=True``, to `blit`.
    """

    def __init__(self, colours: Colours, height: int) -> None:
        super().__init__(Figure(layout="constrained"))
        self.colours = colours
        self._height = height
        self._still: Any = None
        self._moving: list[Any] = []
        self.setMinimumSize(160, height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.mpl_connect("draw_event", self._after_draw)

    def sizeHint(self) -> QSize:
        """A modest size: docks grow from it."""
        return QSize(280, self._height)

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        self.colours = colours
        style(self.figure, colours)
        self.draw_idle()

    def blit(self, moving: Iterable[Any] = ()) -> None:
        """Draw only the moving artists, over the picture kept from the last full draw."""
        self._moving = list(moving)
        if self._still is None:
            self.draw_idle()
            return
        self.restore_region(self._still)
        self._draw_moving()
        super().blit(self.figure.bbox)

    def _after_draw(self, event: Any) -> None:
        self._still = self.copy_from_bbox(self.figure.bbox)
        self._draw_moving()

    def _draw_moving(self) -> None:
        for artist in self._moving:
            if artist.axes is not None:
                artist.axes.draw_artist(artist)
