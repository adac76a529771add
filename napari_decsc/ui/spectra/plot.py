"""Spectra against wavelength: one panel for the pixel under the cursor, one for each pinned place, one a library."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.axis import Axis, shared_axis, value_label
from napari_decsc.ui.parts.panel import Line, Panel, ends_of
from napari_decsc.ui.parts.plot import Plot
from napari_decsc.ui.parts.theme import Colours
from napari_decsc.ui.spectra.library_panel import library_panel
from napari_decsc.ui.spectra.places import Pin, Shelved, Statistics, short, statistics


@dataclass(frozen=True, eq=False)
class Curve:
    """A cube whose spectra are drawn, its colour, whether it is a difference, which has no angle, and its layer."""

    cube: Cube
    colour: str
    is_difference: bool = False
    layer: Any = None


#: Height that the curves have at least.
LEAST = 78


class SpectrumPlot(Plot):
    """All cubes at once, each in its own colour; the frame of a pinned panel has the colour of its marker.

    The first panel is that of the pixel under the cursor, the next ones are those of the pins, then of the libraries.
    """

    margins = (58, 14, 20, 38)  # a title above, labels and numbers left and below
    gaps = (40, 60)

    def __init__(self, colours: Colours) -> None:
        super().__init__(colours, height=125)
        # where the controls of other layers need room, a low window stays as high as it is
        self.setMinimumHeight(LEAST)
        self.curves: Sequence[Curve] = ()
        self.pins: Sequence[Pin] = ()
        self.libraries: Sequence[Shelved] = ()
        self.axis: Axis = shared_axis(())
        self.limits = (0.0, 1.0)
        self._pinned: list[list[Statistics]] = []
        self._marked = math.nan
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
        same = [curve.layer for curve in curves] == [curve.layer for curve in self.curves]
        before, self.limits = self.limits, limits
        self.curves, self.pins = tuple(curves), tuple(pin for pin in pins if not pin.is_hidden)
        self.axis = shared_axis([curve.cube for curve in curves])
        self._pinned = [[statistics(curve.cube, pin) for curve in self.curves] for pin in self.pins]
        self._widen([ends for found in self._pinned for one in found for ends in _ends(one)])
        if same and curves:  # limits do not shrink while a person looks at the same layers
            self.limits = min(before[0], self.limits[0]), max(before[1], self.limits[1])
        self._build()

    def hover(self, values: Sequence[Any], title: str) -> None:
        """Draw the spectra under the cursor: one array a cube, or None where the cube has no such pixel."""
        if len(values) != len(self.curves):
            return
        hovered = self.panels[0]
        hovered.title = title
        hovered.moving = [
            Line(x, y, curve.colour)
            for curve, x, y in zip(self.curves, self.axis.values, values, strict=True)
            if y is not None
        ]
        if self._widen(values):
            for panel in self._of_cubes:
                panel.y_ends = self.limits
            self.paint_anew()
        self.paint_moves()

    def mark(self, x: float | None) -> None:
        """Draw an upright line at the shown band."""
        self._marked = math.nan if x is None else x
        for panel in self._of_cubes:
            panel.mark = self._marked
        self.paint_moves()

    def save(self, path: Path) -> Path:
        """Write the shown pins as a picture that stands on its own: a panel a place, with a legend.

        The name's ending says the format, .png or .svg. Raises FileFormatError if it cannot be written.
        """
        from napari_decsc.ui.spectra.picture import save_spectra

        names = [(curve.cube.name, curve.colour) for curve in self.curves]
        return save_spectra(self._of_cubes[1:], self.axis, self._label, names, path)

    def resizeEvent(self, event: Any) -> None:
        """Panels stand side by side in a wide dock, and below each other in a tall one."""
        is_wide = self.width() >= self.height()
        if is_wide != self.is_wide:
            self.is_wide = is_wide
            for number, panel in enumerate(self._of_cubes):
                self._label_panel(panel, number)
            self.paint_anew()
        super().resizeEvent(event)

    @property
    def _of_cubes(self) -> Sequence[Panel]:
        """The panels whose axes are those of the cubes."""
        return self.panels[: 1 + len(self.pins)]

    @property
    def _label(self) -> str:
        return value_label([curve.cube for curve in self.curves])

    @property
    def _span(self) -> tuple[float, float]:
        """Ends of the abscissa."""
        return ends_of(self.axis.values)

    def _build(self) -> None:
        """New panels."""
        span = self._span
        title = "Move over the image" if self.curves else "No cube is shown"
        panels = [Panel(span, self.limits, title=title, mark=self._marked)]
        for pin, found in zip(self.pins, self._pinned, strict=True):
            panels.append(
                Panel(
                    span,
                    self.limits,
                    title=f"● {short(pin.title)}{_deviation(pin)}",
                    title_colour=pin.colour,
                    frame=pin.colour,
                    lines=self._lines(found),
                    mark=self._marked,
                )
            )
        for number, panel in enumerate(panels):
            self._label_panel(panel, number)
        self.panels = [*panels, *map(library_panel, self.libraries)]
        self.paint_anew()

    def _lines(self, found: Sequence[Statistics]) -> list[Line]:
        """The curves of a pinned place."""
        return [
            Line(x, one.mean, curve.colour, spread=one.std)
            for curve, x, one in zip(self.curves, self.axis.values, found, strict=True)
        ]

    def _label_panel(self, panel: Panel, number: int) -> None:
        """Panels side by side share the ordinate, panels below each other the abscissa."""
        is_last = number == len(self.pins) + len(self.libraries)
        panel.x_step = self.axis.step
        panel.x_label = self.axis.label if self.is_wide or is_last else ""
        panel.is_numbered = number == 0 or not self.is_wide
        panel.y_label = self._label if panel.is_numbered else ""

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


def _deviation(pin: Pin) -> str:
    return "" if pin.area is None else f" · mean ± std of {pin.pixels} px"
