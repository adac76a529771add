"""The box that is drawn in the image, as rows and columns of a cube."""

from typing import Any

import numpy as np

from napari_decsc.ui.cubes.layers import placement
from napari_decsc.ui.trial.variants import Box

#: Name of the layer.
NAME = "Try here"
#: Colour of the box.
COLOUR = "#E69F00"


class BoxShape:
    """The Shapes layer with one rectangle; a person draws another, moves it, or takes the layer away."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.layer: Any = None

    @property
    def is_shown(self) -> bool:
        """Whether the layer is in the viewer."""
        return self.layer is not None and self.layer in self._viewer.layers

    def draw(self, cube_layer: Any, box: Box) -> None:
        """Show a box to begin with, and let the person draw another."""
        self.show(cube_layer, box)
        self._viewer.layers.selection.active = self.layer
        self.layer.mode = "add_rectangle"

    def show(self, cube_layer: Any, box: Box) -> None:
        """Show a box, unless there is one."""
        if self.is_shown and len(self.layer.data):
            return
        corners = np.array([(box.top, box.left), (box.top, box.right), (box.bottom, box.right), (box.bottom, box.left)])
        if not self.is_shown:
            active = self._viewer.layers.selection.active
            self.layer = self._viewer.add_shapes(
                name=NAME, ndim=2, edge_color=COLOUR, edge_width=max(1.0, cube_layer.data.shape[2] / 200),
                face_color="transparent", **_plane(cube_layer),
            )  # fmt: skip
            self._viewer.layers.selection.active = active
        self.layer.add_rectangles(corners - 0.5)

    def box(self, cube_layer: Any) -> Box | None:
        """The pixels of a cube's layer in the newest box; None without one, or where it lies outside."""
        if not self.is_shown or not len(self.layer.data):
            return None
        world = [np.asarray(self.layer.data_to_world(corner))[-2:] for corner in self.layer.data[-1]]
        pixels = np.array([np.asarray(cube_layer.world_to_data((0.0, *point)))[-2:] for point in world])
        low = np.round(pixels.min(axis=0) + 0.5).astype(int)
        high = np.round(pixels.max(axis=0) + 0.5).astype(int)
        rows, cols = cube_layer.data.shape[1:]
        (top, left), (bottom, right) = np.maximum(low, 0), np.minimum(high, (rows, cols))
        return Box(int(top), int(bottom), int(left), int(right)) if bottom > top and right > left else None

    def leave(self) -> None:
        """Take the layer away."""
        if self.is_shown:
            self._viewer.layers.remove(self.layer)
        self.layer = None


def _plane(layer: Any) -> dict[str, Any]:
    """Where a flat layer lies in the world."""
    place = placement(layer)
    return {name: place[name][1:] for name in ("scale", "translate", "axis_labels", "units") if name in place}
