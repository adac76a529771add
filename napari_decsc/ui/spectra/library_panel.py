"""The curves of a spectral library, in a panel with axes of their own: its values need not be those of a cube."""

from typing import Any

import numpy as np

from napari_decsc.ui.cubes.axis import axis_label
from napari_decsc.ui.spectra.places import Shelved, short

#: Curves that are drawn, and names that a legend has room for, at most.
MOST_CURVES, MOST_NAMES = 40, 8


def draw_library(panel: Any, shelved: Shelved) -> None:
    """Draw the spectra of a library, the first ones of a long one, which the title says then."""
    from matplotlib import colormaps

    library = shelved.library
    count = min(len(library.names), MOST_CURVES)
    known = library.wavelengths is not None
    x = library.wavelengths if known else np.arange(1, library.spectra.shape[1] + 1)
    colours = colormaps["turbo"](np.linspace(0.08, 0.92, count))
    for name, values, colour in zip(library.names, library.spectra[:count], colours, strict=False):
        panel.plot(x, values, color=colour, linewidth=1.0, label=short(name))
    part = f", {count} shown" if count < len(library.names) else ""
    panel.set_title(f"▤ {short(shelved.title, 34)}{part}", size=8, color=shelved.colour)
    panel.set_xlabel(axis_label(library.unit) if known else "band")
    if count <= MOST_NAMES:
        panel.legend(fontsize=6, facecolor="none", edgecolor="none")
