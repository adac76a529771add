"""Colours: those of plots from napari's theme, and one constant colour for every cube."""

import colorsys
import itertools
import weakref
from dataclasses import dataclass
from typing import Any

#: Readable on light and dark, and told apart by colour-blind eyes (after Okabe and Ito).
CUBE_COLOURS = ("#E69F00", "#3E9BDC", "#009E73", "#D55E00", "#B58AD6", "#8C8C8C")
PIN_COLOURS = ("#E8409F", "#8E6CEF", "#00A6B8", "#B0803A", "#6FA82E", "#E4572E")
#: Colour of the residual.
RESIDUAL = "#3E9BDC"
#: Of the tolerance that it is to reach.
GOAL = "#D55E00"
#: Of the line fitted to it.
FIT = "#009E73"

#: Hues of further colours lie a golden section of the circle apart: however many there are, no two are alike.
GOLDEN = 0.618034
#: Their saturation.
SATURATION = 0.55
#: Their lightness, in turn.
LIGHTNESS = (0.42, 0.62)

_given: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Colours:
    """What a figure needs of a theme."""

    background: str
    text: str
    lines: str
    mark: str


#: For figures that are saved: they are printed on white.
PAPER = Colours("#ffffff", "#1e1e21", "#b4b2af", "#8a8a8a")


def theme_colours(viewer: Any) -> Colours:
    """Colours of the viewer's theme."""
    from napari.utils.theme import get_theme

    theme = get_theme(viewer.theme)
    return Colours(*map(_hex, (theme.background, theme.text, theme.secondary, theme.icon)))


def _hex(colour: Any) -> str:
    """Such as "#ffffff"; versions of napari disagree on what ``as_hex`` takes."""
    red, green, blue = colour.as_rgb_tuple(alpha=False)
    return f"#{red:02x}{green:02x}{blue:02x}"


def cube_colour(viewer: Any, layer: Any) -> str:
    """The colour of a cube's curves: given once, kept for the life of the layer, the same in every plot.

    It is the first that no other layer of the viewer has.
    """
    if layer not in _given:
        taken = {_given[other] for other in viewer.layers if other in _given}
        _given[layer] = next(colour for colour in map(colour_of, itertools.count()) if colour not in taken)
    return _given[layer]


def colour_of(number: int) -> str:
    """A colour for each number from 0; the first are those of `CUBE_COLOURS`."""
    if number < len(CUBE_COLOURS):
        return CUBE_COLOURS[number]
    hue = (0.08 + number * GOLDEN) % 1
    channels = colorsys.hls_to_rgb(hue, LIGHTNESS[number % 2], SATURATION)
    red, green, blue = (round(255 * channel) for channel in channels)
    return f"#{red:02x}{green:02x}{blue:02x}"
