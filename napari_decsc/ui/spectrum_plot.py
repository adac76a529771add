"""Spectra against wavelength: one panel for the pixel under the cursor, one for each pinned pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import saving
from napari_decsc.ui.plot import SAVED_SIZE, PlotCanvas, style
from napari_decsc.ui.spectra import Axis, Pin, Statistics, shared_axis, short, statistics, value_label
from napari_decsc.ui.theme import PAPER, Colours


@dataclass(frozen=True, eq=False)
class Curve:
    """A cube whose spectra are drawn, and its colour."""

    cube: Cube
    colour: str


class SpectrumPlot(PlotCanvas):
    """All cubes at once, each in its own colour; the frame of a pinned panel has the colour of its marker."""

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, height=125)
        self.curves: Sequence[Curve] = ()
        self.pins: Sequence[Pin] = ()
        self.axis: Axis = shared_axis(())
        self.limits = (0.0, 1.0)
        self.marks: list[Any] = []
        self.lines: list[Any] = []
        self._panels: list[Any] = []
        self._is_wide = True
        self.show_cubes((), (), (0.0, 1.0))

    def show_cubes(self, curves: Sequence[Curve], pins: Sequence[Pin], limits: tuple[float, float]) -> None:
        """Build the panels anew; ``limits`` are the values that the ordinate spans at least."""
        self.curves, self.pins = tuple(curves), tuple(pin for pin in pins if not pin.is_hidden)
        self.axis = shared_axis([curve.cube for curve in curves])
        self.limits = limits
        self._hovered = (), ""
        self._pinned = [[statistics(curve.cube, pin) for curve in self.curves] for pin in self.pins]
        self._widen([ends for found in self._pinned for one in found for ends in _ends(one)])
        self._rebuild()

    def hover(self, values: Sequence[Any], title: str) -> None:
        """Draw the spectra under the cursor: one array a cube, or None where the cube has no such pixel."""
        if len(values) != len(self.lines):
            return
        self._hovered = values, title
        if self._set_hover():
            self._set_limits()
            self._still = None
        self.blit(self._animated())

    def _set_limits(self) -> None:
        for panel in self._panels:
            panel.set_ylim(self.limits)

    def _set_hover(self) -> bool:
        """Put the kept spectra into the first panel; whether the limits had to grow for them."""
        values, title = self._hovered
        if len(values) != len(self.lines) or not values:
            return False
        for line, x, y in zip(self.lines, self.axis.values, values, strict=True):
            line.set_data(x, np.full_like(x, np.nan) if y is None else y)
        self._panels[0].title.set_text(title)
        return self._widen(values)

    def mark(self, x: float | None) -> None:
        """Draw an upright line at the shown band."""
        for line in self.marks:
            line.set_xdata([np.nan if x is None else x] * 2)
        self.blit(self._animated())

    def save(self, path: Path) -> Path:
        """Write the shown pins as a picture that stands on its own: a panel a place, with a legend.

        The name's ending says the format, .png or .svg. Raises FileFormatError if it cannot be written.
        """
        width, height = SAVED_SIZE
        count = max(1, len(self.pins))
        figure = Figure(figsize=(width, height * (0.4 + 0.6 * count)), layout="constrained")
        panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        for panel, found in zip(panels, self._pinned, strict=False):
            self._draw_pin(panel, found)
        for curve in self.curves:
            panels[0].plot([], [], color=curve.colour, label=curve.cube.name)
        style(figure, PAPER)
        if self.curves:
            figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
        for panel, pin in zip(panels, self.pins, strict=False):
            _frame(panel, pin)
        panels[-1].set_xlabel(self.axis.label, size=9)
        return saving.write_bytes(saving.picture_bytes(figure, path), path)

    def resizeEvent(self, event: Any) -> None:
        """Panels stand side by side in a wide dock, and below each other in a tall one."""
        super().resizeEvent(event)
        is_wide = self.width() >= self.height()
        self._still = None
        if is_wide != self._is_wide:
            self._is_wide = is_wide
            self._rebuild()

    def _rebuild(self) -> None:
        self.figure.clear()
        count = 1 + len(self.pins)
        shape = (1, count) if self._is_wide else (count, 1)
        self._panels = list(self.figure.subplots(*shape, squeeze=False).flat)
        self._make_hover(self._panels[0])
        for panel, found in zip(self._panels[1:], self._pinned, strict=True):
            self._draw_pin(panel, found)
        self._label_panels()
        self.marks = [panel.axvline(np.nan, linewidth=1, linestyle=":", animated=True) for panel in self._panels]
        if self._set_hover():
            self._set_limits()
        self._moving, self._still = self._animated(), None
        self.set_colours(self.colours)

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme; pinned panels keep the colour of their marker."""
        super().set_colours(colours)
        self._panels[0].title.set_color(colours.text)
        for mark in self.marks:
            mark.set_color(colours.mark)
        for panel, pin in zip(self._panels[1:], self.pins, strict=True):
            _frame(panel, pin)

    def _make_hover(self, panel: Any) -> None:
        self.lines = [panel.plot([], [], color=c.colour, linewidth=1.2, animated=True)[0] for c in self.curves]
        panel.set_title("Move over the image" if self.curves else "No cube is shown", size=8)
        panel.title.set_animated(True)
        self._span(panel)

    def _draw_pin(self, panel: Any, found: Sequence[Statistics]) -> None:
        for curve, x, one in zip(self.curves, self.axis.values, found, strict=True):
            panel.plot(x, one.mean, color=curve.colour, linewidth=1.2)
            if one.std is not None:
                panel.fill_between(x, *_ends(one), color=curve.colour, alpha=0.25, linewidth=0)
        self._span(panel)
        panel.set_ylabel(value_label([curve.cube for curve in self.curves]))

    def _label_panels(self) -> None:
        label = value_label([curve.cube for curve in self.curves])
        for number, panel in enumerate(self._panels):
            is_last = number == len(self._panels) - 1
            panel.set_xlabel(self.axis.label if self._is_wide or is_last else "")
            panel.set_ylabel(label if not self._is_wide or number == 0 else "")

    def _span(self, panel: Any) -> None:
        ends = [end for x in self.axis.values for end in (np.nanmin(x), np.nanmax(x))]
        low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
        panel.set_xlim(*((low, high) if high > low else (low - 0.5, low + 0.5)))
        panel.set_ylim(self.limits)

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

    def _animated(self) -> list[Any]:
        return [*self.marks, *self.lines, self._panels[0].title]


def _ends(found: Statistics) -> tuple[Any, ...]:
    """The spectrum itself, or the mean less and plus the standard deviation."""
    return (found.mean,) if found.std is None else (found.mean - found.std, found.mean + found.std)


def _frame(panel: Any, pin: Pin) -> None:
    deviation = "" if pin.area is None else f" · mean ± std of {pin.pixels} px"
    panel.set_title(f"● {short(pin.title)}{deviation}", size=8, color=pin.colour)
    for spine in panel.spines.values():
        spine.set_color(pin.colour)
