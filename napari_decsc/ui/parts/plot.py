"""A matplotlib canvas that follows napari's theme and redraws only its curves (blitting)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy

from napari_decsc.ui.parts.theme import PAPER, Colours

#: Inches and dots per inch of a saved figure.
SAVED_SIZE, SAVED_DPI = (7.0, 4.2), 150
#: Pixels left, right, above and below the axes.
Margins = tuple[int, int, int, int]


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
        for text in axes.get_legend().get_texts() if axes.get_legend() else ():
            text.set_color(colours.text)


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure that stands on its own: on white, at a size to print."""
    figure.savefig(path, dpi=SAVED_DPI, facecolor=PAPER.background)
    return path


class PlotCanvas(FigureCanvasQTAgg):
    """A canvas whose moving artists are drawn over a picture of everything else.

    Subclasses fill ``self.figure`` and give their moving artists, made with ``animated=True``, to `blit`. A canvas that
    nobody sees is not drawn before it is shown. ``margins`` are pixels around the axes, ``gaps`` between them: laid out
    by hand, since a solved layout doubles the time of a draw.
    """

    margins: Margins = (54, 8, 8, 38)
    gaps: tuple[int, int] = (0, 0)

    def __init__(self, colours: Colours, height: int) -> None:
        super().__init__(Figure())
        self.colours = colours
        self._height = height
        self._still: Any = None
        self._is_wanted = False
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

    def draw_idle(self) -> None:
        """Draw everything soon, or once the canvas is shown."""
        self._is_wanted = not self.isVisible()
        if not self._is_wanted:
            super().draw_idle()

    def blit(self, moving: Iterable[Any] = ()) -> None:
        """Draw only the moving artists, over the picture kept from the last full draw.

        The screen follows with the window's next turn: painting at once would wait for the image canvas too.
        """
        self._moving = list(moving)
        if self._still is None or not self.isVisible():
            self.draw_idle()
            return
        self.restore_region(self._still)
        self._draw_moving()
        self.update()

    def place(self) -> None:
        """Lay the axes out for the size that the canvas has."""
        left, right, top, bottom = self.margins
        width, height = max(self.width(), 160), max(self.height(), 100)
        rows, cols = _shape(self.figure)
        inner = (width - left - right) / width, (height - top - bottom) / height
        across, down = (gap / side for gap, side in zip(self.gaps, (width, height), strict=True))
        self.figure.subplots_adjust(
            left / width, bottom / height, 1 - right / width, 1 - top / height,
            wspace=_share(inner[0], across, cols), hspace=_share(inner[1], down, rows),
        )  # fmt: skip

    def resizeEvent(self, event: Any) -> None:
        """Keep the margins."""
        self.place()
        self._still = None
        super().resizeEvent(event)

    def showEvent(self, event: Any) -> None:
        """Draw what was not drawn while nobody saw it."""
        super().showEvent(event)
        if self._is_wanted:
            self.draw_idle()

    def _after_draw(self, event: Any) -> None:
        self._still = self.copy_from_bbox(self.figure.bbox)
        self._draw_moving()

    def _draw_moving(self) -> None:
        for artist in self._moving:
            if artist.axes is not None:
                artist.axes.draw_artist(artist)


def _shape(figure: Figure) -> tuple[int, int]:
    """Rows and columns of the figure's axes."""
    return figure.axes[0].get_subplotspec().get_gridspec().get_geometry() if figure.axes else (1, 1)


def _share(whole: float, gap: float, count: int) -> float:
    """A gap as matplotlib wants it: as a share of the mean width of the axes."""
    each = (whole - gap * (count - 1)) / count
    return gap / each if each > 0 else 0.0
