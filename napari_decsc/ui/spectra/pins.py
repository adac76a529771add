"""Where pinned spectra come from, marked in the image: rings around pixels, outlines of regions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.layers import PINS
from napari_decsc.ui.parts.theme import PIN_COLOURS
from napari_decsc.ui.spectra.places import Pin


def next_colour(pins: Sequence[Pin]) -> str | None:
    """The first colour that no pin has, or None when all are taken."""
    used = {pin.colour for pin in pins}
    return next((colour for colour in PIN_COLOURS if colour not in used), None)


class PinMarkers:
    """Rings in a points layer of their own, placed like the cube they were pinned on."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self.layer: Any = None

    def show(self, pins: Sequence[Pin], cube_layer: Any) -> None:
        """Draw rings around the pinned pixels of ``cube_layer``; hidden pins and regions get none."""
        self.clear()
        pins = [pin for pin in pins if pin.area is None and not pin.is_hidden]
        if not pins:
            return
        selected = self._viewer.layers.selection.active
        world = [cube_layer.data_to_world((0, pin.row, pin.col))[1:] for pin in pins]
        self.layer = self._viewer.add_points(
            np.array(world),
            name=PINS,
            size=_size(cube_layer),
            symbol="disc",
            face_color="transparent",
            border_color=[pin.colour for pin in pins],
            border_width=0.22,
            opacity=1.0,
            visible=not viewer_compat.grid(self._viewer).enabled,
            axis_labels=cube_layer.axis_labels[1:],
            units=cube_layer.units[1:],
        )
        self._viewer.layers.selection.active = selected

    def follow_grid(self, event: Any = None) -> None:
        """In the grid every visible layer has a cell of its own: rings alone in a cell help nobody."""
        if self.is_shown:
            self.layer.visible = not viewer_compat.grid(self._viewer).enabled

    def to_front(self) -> None:
        """Draw the rings over cubes that came later."""
        layers = self._viewer.layers
        if self.is_shown and layers[-1] is not self.layer:
            layers.move(layers.index(self.layer), len(layers))

    @property
    def is_shown(self) -> bool:
        """Whether the markers' layer is in the viewer."""
        return self.layer is not None and self.layer in self._viewer.layers

    def clear(self) -> None:
        """Take the markers away."""
        if self.is_shown:
            self._viewer.layers.remove(self.layer)
        self.layer = None


def _size(layer: Any) -> float:
    """About a thirtieth of the image, but more than a pixel, in world units."""
    pixel = float(np.abs(layer.scale[-1]))
    return pixel * max(1.4, float(max(layer.data.shape[1:])) / 32)
