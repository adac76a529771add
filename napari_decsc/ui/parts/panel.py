"""What a plot shows, as data: panels with axes, and the lines in them. No window here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Steps between round numbers, as multiples of a power of ten.
ROUND = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, eq=False)
class Line:
    """Points (x, y), each of shape (point,), joined by a line; what is not finite leaves a gap.

    ``spread``, shape (point,), is shaded on both sides of the line; ``dots`` is the radius of a dot at every point;
    ``dashes`` are lengths of dashes and gaps in widths of the line, none for a solid one.
    """

    x: Floats
    y: Floats
    colour: str
    width: float = 1.2
    opacity: float = 1.0
    dashes: tuple[float, ...] = ()
    dots: float = 0.0
    spread: Floats | None = None


@dataclass(frozen=True)
class Level:
    """A dashed line across the panel at a value, with a text below it."""

    value: float
    text: str
    colour: str


@dataclass(eq=False)
class Panel:
    """One pair of axes: ends, labels, and the lines in them.

    ``lines`` stand still, ``moving`` are painted anew with every move of the mouse, ``mark`` is where an upright line
    stands (NaN: nowhere). ``names`` is a legend of texts and colours, top left or top right; ``note`` is a
    text and its colour, at the top right. Colours that are empty are those of the theme. ``y_short`` stands for
    ``y_label`` where that is too long. ``x_step`` is the least distance of the numbers at the abscissa.
    """

    x_ends: tuple[float, float] = (0.0, 1.0)
    y_ends: tuple[float, float] = (0.0, 1.0)
    is_log: bool = False
    is_counted: bool = False
    x_label: str = ""
    x_step: float = 0.0
    y_label: str = ""
    y_short: str = ""
    is_numbered: bool = True
    title: str = ""
    title_colour: str = ""
    frame: str = ""
    lines: Sequence[Line] = ()
    moving: Sequence[Line] = ()
    mark: float = math.nan
    level: Level | None = None
    names: Sequence[tuple[str, str]] = ()
    names_right: bool = False
    note: tuple[str, str] = ("", "")

    def across(self, x: Floats) -> Floats:
        """Where abscissas lie: 0 at the left end of the panel, 1 at the right one."""
        low, high = self.x_ends
        return (np.asarray(x, float) - low) / (high - low)

    def up(self, y: Floats) -> Floats:
        """Where values lie: 0 at the lower end of the panel, 1 at the upper; NaN for what a log axis does not show."""
        values = np.asarray(y, float)
        if not self.is_log:
            low, high = self.y_ends
            return (values - low) / (high - low)
        low, high = (math.log10(end) for end in self.y_ends)
        return (np.log10(np.where(values > 0, values, np.nan)) - low) / (high - low)

    def x_numbers(self, most: int) -> list[tuple[float, str]]:
        """Round abscissas and what is written there, about ``most`` of them at most."""
        if self.is_counted:
            return [(float(number), str(number)) for number in whole_numbers(int(self.x_ends[1]), most)]
        return round_numbers(*self.x_ends, most, self.x_step)

    def y_numbers(self, most: int) -> list[tuple[float, str]]:
        """Round values and what is written there."""
        return log_numbers(*self.y_ends, most) if self.is_log else round_numbers(*self.y_ends, most)


def round_numbers(low: float, high: float, most: int, least: float = 0.0) -> list[tuple[float, str]]:
    """Multiples of 1, 2 or 5 times a power of ten, ``least`` or more, between two values; about ``most`` at most."""
    rough = max((high - low) / max(1, most), least)
    tens = 10.0 ** math.floor(math.log10(rough))
    step = next(tens * share for share in ROUND if tens * share >= rough * (1 - 1e-9))
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [(number * step, f"{number * step:.6g}") for number in numbers]


def log_numbers(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Powers of ten between two values; round numbers where fewer than two of them lie there."""
    powers = decades(low, high, most)
    if len(powers) > 1:
        return [(10.0**power, f"1e{power}") for power in powers]
    return [(value, text) for value, text in round_numbers(low, high, most) if value > 0]


def decades(low: float, high: float, most: int) -> range:
    """Powers of ten between two values, every second or third one where more than ``most`` would be."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = math.ceil((last - first + 1) / max(1, most))
    return range(first, last + 1, max(1, step))


def whole_numbers(end: int, most: int) -> range:
    """Round whole numbers from 1 to ``end``, about ``most`` of them at most."""
    tens = 10 ** math.floor(math.log10(max(1, end)))
    steps = [step for step in (tens // 10, tens // 5, tens // 2, tens, 2 * tens, 5 * tens) if step > 0]
    step = next((step for step in steps if end / step <= max(1, most)), 10 * tens)
    return range(step, end + 1, step)


def runs(values: Floats) -> list[slice]:
    """Where values are finite, as slices from gap to gap."""
    finite = np.isfinite(values).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], finite, [0]))))
    return [slice(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def ends_of(arrays: Sequence[Floats], room: float = 0.0) -> tuple[float, float]:
    """The least and the largest finite value, with a share of their distance as room on both sides; never alike."""
    finite = np.concatenate([values[np.isfinite(values)] for values in arrays] or [np.empty(0)])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    room *= high - low
    return (low - room, high + room) if high > low else (low - 0.5, low + 0.5)
