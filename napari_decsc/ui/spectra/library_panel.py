"""The curves of a spectral library, in a panel with axes of their own: its values need not be those of a cube."""

import numpy as np
from qtpy.QtGui import QColor

from napari_decsc.ui.cubes.axis import axis_label
from napari_decsc.ui.parts.panel import Line, Panel, ends_of
from napari_decsc.ui.spectra.places import Shelved, short

#: Curves that are drawn, at most.
MOST_CURVES = 40
#: Names that a legend has room for, at most.
MOST_NAMES = 8


def library_panel(shelved: Shelved) -> Panel:
    """The spectra of a library, the first ones of a long one, which the title says then."""
    library = shelved.library
    count = min(len(library.names), MOST_CURVES)
    spectra, known = library.spectra[:count], library.wavelengths
    x = np.arange(1.0, spectra.shape[1] + 1) if known is None else np.asarray(known, float)
    part = f", {count} shown" if count < len(library.names) else ""
    named = library.names if count <= MOST_NAMES else ()
    colours = [_colour(number / max(1, count - 1)) for number in range(count)]
    return Panel(
        ends_of([x]),
        ends_of(list(spectra), 0.03),
        x_step=1.0 if known is None else 0.0,
        x_label="band" if known is None else axis_label(library.unit),
        title=f"▤ {short(shelved.title, 34)}{part}",
        title_colour=shelved.colour,
        lines=[Line(x, y, colour) for y, colour in zip(spectra, colours, strict=True)],
        names=[(short(name), colour) for name, colour in zip(named, colours, strict=False)],
    )


def _colour(share: float) -> str:
    """A colour between blue and red that is seen on light and dark."""
    return QColor.fromHslF(0.58 * (1 - share), 0.75, 0.55).name()
