"""A cube's name and scores above its image, where napari's own name overlay would be cut at the edge of a cell."""

import textwrap
from typing import Any

import numpy as np

from napari_decsc.ui.compare.unlisted import hide_in_list
from napari_decsc.ui.cubes.layers import PINS

NAME = "Caption"
#: Letters in a line: it fits into a third of a canvas of 540 pixels.
WIDTH = 22
#: Points of a letter.
SIZE = 7
#: A longer name ends with an ellipsis.
LINES = 2
#: Where the text stands above the image, as a share of its rows. The next four are such shares too.
ABOVE = 0.03
#: The room kept for it when the view is fitted.
ROOM = 0.22
#: The room kept below the image: there the canvas says which band is shown.
BELOW = 0.14
#: As `ROOM`, in cells of half the height.
MUCH_ROOM = 0.42
#: As `BELOW`, there.
MUCH_BELOW = 0.3


class Caption:
    """One points layer directly above its cube's layer; ``pins`` copies the rings of pinned pixels into it.

    ``right`` says that the text ends at the image's right edge, ``is_small`` that the cell has half the height.
    """

    def __init__(
        self, viewer: Any, cube_layer: Any, *, pins: bool = False, right: bool = False, is_small: bool = False
    ) -> None:
        from napari.layers import Points

        self._viewer, self._cube_layer, self._right = viewer, cube_layer, right
        selected = set(viewer.layers.selection)
        room = (MUCH_ROOM, MUCH_BELOW) if is_small else (ROOM, BELOW)
        self.layer = Points(**_points(viewer, cube_layer, pins, right, room))
        viewer.layers.insert(viewer.layers.index(cube_layer) + 1, self.layer)
        hide_in_list([self.layer])
        viewer.layers.selection = selected
        self.write("")

    @property
    def text(self) -> str:
        """What is written on the canvas."""
        return str(self.layer.text.values[0])

    def write(self, scores: str) -> None:
        """Write the name, and ``scores`` in a line below."""
        lines = [*_wrapped(self._cube_layer.name), scores]
        strings = ["\n".join(lines).rstrip()] + [""] * (len(self.layer.data) - 1)
        anchor = "upper_right" if self._right else "upper_left"
        self.layer.text = {"string": strings, "size": SIZE, "anchor": anchor, "color": _ink(self._viewer)}

    def remove(self) -> None:
        """Take the caption away."""
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)


def _wrapped(name: str) -> list[str]:
    """A name in lines that fit into a cell of the grid, broken between its parts where that is possible."""
    return textwrap.wrap(name, WIDTH, max_lines=LINES, placeholder=" …")


def _points(viewer: Any, cube_layer: Any, with_pins: bool, right: bool, room: tuple[float, float]) -> dict[str, Any]:
    """Points without a mark where the text stands and where its room ends, and rings at the pinned pixels."""
    _, rows, cols = cube_layer.data.shape
    col = cols - 0.5 if right else -0.5
    corners = [(0, -0.5 - share * rows, col) for share in (ABOVE, room[0], -1 - room[1])]
    places = [np.asarray(cube_layer.data_to_world(corner))[1:] for corner in corners]
    colours, size = [np.zeros(4)] * len(places), 1.0
    rings = _rings(viewer) if with_pins else None
    if rings is not None:
        places, colours, size = [*places, *rings.data], [*colours, *rings.border_color], rings.size.max()
    return {
        "data": np.array(places),
        "name": NAME,
        "size": size,
        "symbol": "disc",
        "face_color": "transparent",
        "border_color": np.array(colours),
        "border_width": 0.22,
        "opacity": 1.0,
        "axis_labels": cube_layer.axis_labels[1:],
        "units": cube_layer.units[1:],
    }


def _rings(viewer: Any) -> Any | None:
    """The layer with the rings of pinned pixels, if there is one that lies in the image's plane."""
    found = [layer for layer in viewer.layers if type(layer).__name__ == "Points" and layer.name == PINS]
    return found[0] if found and found[0].ndim == 2 and len(found[0].data) else None


def _ink(viewer: Any) -> str:
    from napari_decsc.ui.parts.theme import theme_colours

    return theme_colours(viewer).text
