"""Spectra against wavelength: one panel for the pixel under the cursor, one for each pinned pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.axis import Axis, shared_axis, value_label
from napari_decsc.ui.files import saving
from napari_decsc.ui.parts.plot import SAVED_SIZE, PlotCanvas, style
from napari_decsc.ui.parts.theme import PAPER, Colours
from napari_decsc.ui.spectra.library_panel import draw_library
from napari_decsc.ui.spectra.places import Pin, Shelved, Statistics, short, statistics


@dataclass(frozen=True, eq=False)
class Curve:
    """A cube whose spectra are drawn, and its colour."""

    cube: Cube
    colour: str


#: How curves on the screen are drawn.
CURVE = {"linewidth": 1.2, "animated": True}


class SpectrumPlot(PlotCanvas):
    """All cubes at once, each in its own colour; the frame of a pinned panel has the colour of its marker.

    All curves are moving artists: a cube that comes, goes or changes redraws curves only, while the axes stay as they
    are (`_frame` says what they depend on).
    """

    margins = (58, 14, 20, 42)  # a title above, labels and numbers left and below
    gaps = (40, 66)

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, height=125)
        self.curves: Sequence[Curve] = ()
        self.pins: Sequence[Pin] = ()
        self.libraries: Sequence[Shelved] = ()
        self.axis: Axis = shared_axis(())
        self.limits = (0.0, 1.0)
        self.marks: list[Any] = []
        self.lines: list[Any] = []
        self._panels: list[Any] = []
        self._built: tuple[Any, ...] = ()
        self._hovered: tuple[Sequence[Any], str] = (), ""
        self._marked = np.nan
        self._is_wide = True
        self.show_cubes((), (), (0.0, 1.0))

    def show_cubes(
        self,
        curves: Sequence[Curve],
        pins: Sequence[Pin],
        limits: tuple[float, float],
        libraries: Sequence[Shelved] = (),
    ) -> None:
        """Show these cubes, pins and libraries; ``limits`` are the values that the ordinate spans at least."""
        self.libraries = tuple(one for one in libraries if not one.is_hidden)
        same = [curve.colour for curve in curves] == [curve.colour for curve in self.curves]
        before, self.limits = self.limits, limits
        self.curves, self.pins = tuple(curves), tuple(pin for pin in pins if not pin.is_hidden)
        self.axis = shared_axis([curve.cube for curve in curves])
        self._hovered = (), ""
        self._pinned = [[statistics(curve.cube, pin) for curve in self.curves] for pin in self.pins]
        self._widen([ends for found in self._pinned for one in found for ends in _ends(one)])
        if same and curves:  # limits do not shrink while a person looks at the same cubes
            self.limits = min(before[0], self.limits[0]), max(before[1], self.limits[1])
        if self._frame == self._built:
            self._draw_curves()
        else:
            self._rebuild()
        self.blit(self._artists)

    def hover(self, values: Sequence[Any], title: str) -> None:
        """Draw the spectra under the cursor: one array a cube, or None where the cube has no such pixel."""
        if len(values) != len(self.lines) or not values:
            return
        self._hovered = values, title
        for line, x, y in zip(self.lines, self.axis.values, values, strict=True):
            line.set_data(x, np.full_like(x, np.nan) if y is None else y)
        self._panels[0].title.set_text(title)
        if self._widen(values):
            self._built = self._frame
            for panel in self._panels:
                panel.set_ylim(self.limits)
            self._still = None
        self.blit(self._artists)

    def mark(self, x: float | None) -> None:
        """Draw an upright line at the shown band."""
        self._marked = np.nan if x is None else x
        for line in self.marks:
            line.set_xdata([self._marked] * 2)
        self.blit(self._artists)

    def save(self, path: Path) -> Path:
        """Write the shown pins as a picture that stands on its own: a panel a place, with a legend.

        The name's ending says the format, .png or .svg. Raises FileFormatError if it cannot be written.
        """
        width, height = SAVED_SIZE
        count = max(1, len(self.pins))
        figure = Figure(figsize=(width, height * (0.4 + 0.6 * count)), layout="constrained")
        panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        for panel, found in zip(panels, self._pinned, strict=False):
            self._draw_pin(panel, found, animated=False)
            panel.set_ylabel(self._label)
        for curve in self.curves:
            panels[0].plot([], [], color=curve.colour, label=curve.cube.name)
        style(figure, PAPER)
        if self.curves:
            figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
        for panel, pin in zip(panels, self.pins, strict=False):
            _in_colour(panel, pin)
        panels[-1].set_xlabel(self.axis.label, size=9)
        return saving.write_bytes(saving.picture_bytes(figure, path), path)

    def resizeEvent(self, event: Any) -> None:
        """Panels stand side by side in a wide dock, and below each other in a tall one."""
        is_wide = self.width() >= self.height()
        if is_wide != self._is_wide:
            self._is_wide = is_wide
            self._rebuild()
        super().resizeEvent(event)

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme; pinned panels keep the colour of their marker."""
        super().set_colours(colours)
        self._panels[0].title.set_color(colours.text)
        for mark in self.marks:
            mark.set_color(colours.mark)
        for panel, pin in zip(self._panels[1:], self.pins, strict=True):
            _in_colour(panel, pin)

    @property
    def _frame(self) -> tuple[Any, ...]:
        """What the axes depend on."""
        places = tuple((pin.title, pin.colour, pin.pixels) for pin in self.pins)
        libraries = tuple((one.title, one.library) for one in self.libraries)
        return (
            self._is_wide,
            places,
            libraries,
            self._span,
            self.limits,
            self.axis.label,
            self._label,
            bool(self.curves),
        )

    @property
    def _label(self) -> str:
        return value_label([curve.cube for curve in self.curves])

    @property
    def _span(self) -> tuple[float, float]:
        """Ends of the abscissa."""
        ends = [end for x in self.axis.values for end in (np.nanmin(x), np.nanmax(x))]
        low, high = (float(min(ends)), float(max(ends))) if ends else (0.0, 1.0)
        return (low, high) if high > low else (low - 0.5, low + 0.5)

    def _rebuild(self) -> None:
        """New axes, and the curves in them."""
        self._built = self._frame
        self.figure.clear()
        count = 1 + len(self.pins)
        both = count + len(self.libraries)
        panels = list(self.figure.subplots(*((1, both) if self._is_wide else (both, 1)), squeeze=False).flat)
        self._panels = panels[:count]
        for shelved, panel in zip(self.libraries, panels[count:], strict=True):
            draw_library(panel, shelved)
        for number, panel in enumerate(self._panels):
            self._label_panel(panel, is_first=number == 0, is_last=number == both - 1)
        self._panels[0].set_title("Move over the image" if self.curves else "No cube is shown", size=8)
        self._panels[0].title.set_animated(True)
        self._draw_curves()
        self.place()
        self._still = None
        self.set_colours(self.colours)

    def _draw_curves(self) -> None:
        """Exchange the curves and marks of all panels; the axes stay."""
        for panel in self._panels:
            for artist in [*panel.lines, *panel.collections]:
                artist.remove()
        self.lines = [self._panels[0].plot([], [], color=c.colour, **CURVE)[0] for c in self.curves]
        for panel, found in zip(self._panels[1:], self._pinned, strict=True):
            self._draw_pin(panel, found)
        mark = {"linewidth": 1, "linestyle": ":", "color": self.colours.mark, "animated": True}
        self.marks = [panel.axvline(self._marked, **mark) for panel in self._panels]
        drawn = [artist for panel in self._panels for artist in (*panel.collections, *panel.lines)]
        self._artists = [*drawn, self._panels[0].title]
        self._moving = self._artists

    def _draw_pin(self, panel: Any, found: Sequence[Statistics], animated: bool = True) -> None:
        how = {**CURVE, "animated": animated}
        for curve, x, one in zip(self.curves, self.axis.values, found, strict=True):
            panel.plot(x, one.mean, color=curve.colour, **how)
            if one.std is not None:
                band = {"color": curve.colour, "alpha": 0.25, "linewidth": 0, "animated": animated}
                panel.fill_between(x, *_ends(one), **band)
        panel.set_xlim(*self._span)
        panel.set_ylim(self.limits)

    def _label_panel(self, panel: Any, *, is_first: bool, is_last: bool) -> None:
        """Panels side by side share the ordinate, panels below each other the abscissa."""
        panel.set_xlim(*self._span)
        panel.set_ylim(self.limits)
        panel.set_xlabel(self.axis.label if self._is_wide or is_last else "")
        has_values = is_first or not self._is_wide
        panel.set_ylabel(self._label if has_values else "")
        panel.tick_params(labelleft=has_values)

    def _widen(self, values: Sequence[Any]) -> bool:
        """Whether the limits had to grow to hold ``values``; they never shrink while a person moves about."""
        measured = [y[np.isfinite(y)] for y in values if y is not None]
        joined = np.concatenate([*measured, np.array(self.limits)])
        low, high = float(joined.min()), float(joined.max())
        if (low, high) == self.limits:
            return False
        room = 0.03 * (high - low)
        self.limits = (low if low == self.limits[0] else low - room, high if high == self.limits[1] else high + room)
        return True


def _ends(found: Statistics) -> tuple[Any, ...]:
    """The spectrum itself, or the mean less and plus the standard deviation."""
    return (found.mean,) if found.std is None else (found.mean - found.std, found.mean + found.std)


def _in_colour(panel: Any, pin: Pin) -> None:
    """Title and frame of a pinned panel, in the colour of its marker."""
    deviation = "" if pin.area is None else f" · mean ± std of {pin.pixels} px"
    panel.set_title(f"● {short(pin.title)}{deviation}", size=8, color=pin.colour)
    for spine in panel.spines.values():
        spine.set_color(pin.colour)
