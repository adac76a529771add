"""Regions of interest: shapes that a person draws, and the pixels that they cover."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.ui.cubes.layers import placement
from napari_decsc.ui.spectra.pins import next_colour
from napari_decsc.ui.spectra.places import Pin

ROIS = "ROIs"


#: Points on an ellipse: enough that no pixel is missed.
ELLIPSE = 90


def middle(area: NDArray[np.int64]) -> tuple[int, int]:
    """(row, col) of the middle of a region."""
    row, col = np.round(area.mean(axis=0)).astype(int)
    return int(row), int(col)


def area_of(vertices: NDArray[Any], kind: str, shape: tuple[int, int]) -> NDArray[np.int64]:
    """Pixels (row, col) whose centres lie within a shape's outline, shape (n, 2), inside an image (rows, cols).

    ``vertices`` are (row, col) of the corners; of an ellipse, those of the rectangle around it.
    """
    from skimage.draw import polygon

    outline = _ellipse(vertices) if kind == "ellipse" else vertices
    return np.stack(polygon(outline[:, 0], outline[:, 1], shape), axis=1)  # type: ignore[no-untyped-call]


def _areas(shapes: Any, cube_layer: Any) -> list[NDArray[np.int64]]:
    """The pixels of ``cube_layer`` that each shape of a Shapes layer covers; lines and paths cover none."""
    rows, cols = cube_layer.data.shape[1:]
    found = []
    for vertices, kind in zip(shapes.data, shapes.shape_type, strict=True):
        corners = np.array([_to_pixels(shapes, cube_layer, vertex) for vertex in vertices])
        is_flat = kind in ("line", "path")
        found.append(np.zeros((0, 2), int) if is_flat else area_of(corners, kind, (rows, cols)))
    return found


def _to_pixels(shapes: Any, cube_layer: Any, vertex: Any) -> NDArray[np.float64]:
    world = np.asarray(shapes.data_to_world(vertex))[-2:]
    return np.asarray(cube_layer.world_to_data((0.0, *world)))[-2:]


def _ellipse(corners: NDArray[Any]) -> NDArray[np.float64]:
    centre = corners.mean(axis=0)
    one, other = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    angle = np.linspace(0, 2 * np.pi, ELLIPSE, endpoint=False)[:, None]
    return np.asarray(centre + np.cos(angle) * one + np.sin(angle) * other)


class RoiShapes:
    """The Shapes layer that regions are drawn in. ``slots`` holds the pin of each of its shapes, or None."""

    def __init__(self, viewer: Any, on_change: Any) -> None:
        self._viewer, self._on_change = viewer, on_change
        self.layer: Any = None
        self.slots: list[Pin | None] = []

    @property
    def is_shown(self) -> bool:
        """Whether the layer is in the viewer."""
        return self.layer is not None and self.layer in self._viewer.layers

    def start(self, cube_layer: Any) -> None:
        """Begin to draw: in the selected Shapes layer, else in one made for it."""
        active = self._viewer.layers.selection.active
        if type(active).__name__ == "Shapes":
            self._adopt(active)
        elif not self.is_shown:
            self._adopt(self._make(cube_layer))
        self._viewer.layers.selection.active = self.layer
        self.layer.mode = "add_polygon_lasso"

    def update(self, pins: Sequence[Pin], cube_layer: Any, event: Any = None) -> list[Pin]:
        """The regions as pins again, after shapes were added, moved or removed; other pins' colours are respected."""
        if event is not None and _action(event) == "removed":
            gone = {index % max(1, len(self.slots)) for index in event.data_indices}
            self.slots = [pin for index, pin in enumerate(self.slots) if index not in gone]
        found = _areas(self.layer, cube_layer)
        self.slots = [*self.slots, *([None] * len(found))][: len(found)]
        others = [pin for pin in pins if pin.area is None]
        for index, area in enumerate(found):
            kept = [pin for pin in (*others, *self.slots) if pin is not None]
            self.slots[index] = _region(self.slots[index], area, kept)
        self.paint()
        return [pin for pin in self.slots if pin is not None]

    def replace(self, old: Pin, new: Pin) -> None:
        """Another name, or hidden: the shape stays."""
        self.slots = [new if pin is old else pin for pin in self.slots]
        self.paint()

    def remove(self, pin: Pin) -> None:
        """Take the region's shape away."""
        index = self.slots.index(pin)
        del self.slots[index]
        with self.layer.events.data.blocker(self._on_change):
            self.layer.selected_data = {index}
            self.layer.remove_selected()
        self.paint()

    def to_front(self) -> None:
        """Draw the outlines over images that came later."""
        if not self.is_shown:
            return
        layers = self._viewer.layers
        place = layers.index(self.layer)
        if any(type(layer).__name__ == "Image" for layer in layers[place + 1 :]):
            layers.move(place, len(layers))

    def forget(self) -> None:
        """Let go of the layer: it is the person's drawing, and stays."""
        if self.layer is not None:
            self.layer.events.data.disconnect(self._on_change)
        self.layer, self.slots = None, []

    def paint(self) -> None:
        """Give each outline the colour of its curve; hidden ones and such without a curve are grey."""
        if self.layer is None or not self.slots:
            return
        colours = ["#808080" if pin is None or pin.is_hidden else pin.colour for pin in self.slots]
        self.layer.edge_color = colours
        self.layer.face_color = [f"{colour}28" for colour in colours]

    def _adopt(self, layer: Any) -> None:
        if layer is self.layer:
            return
        self.forget()
        self.layer = layer
        layer.events.data.connect(self._on_change)

    def _make(self, cube_layer: Any) -> Any:
        place = placement(cube_layer)
        place = {name: place[name][1:] for name in ("scale", "translate", "axis_labels", "units") if name in place}
        width = max(0.3, max(cube_layer.data.shape[1:]) / 250)
        return self._viewer.add_shapes(name=ROIS, ndim=2, edge_width=width, opacity=1.0, **place)


def _region(pin: Pin | None, area: NDArray[np.int64], others: Sequence[Pin]) -> Pin | None:
    if not len(area):
        return None
    colour = next_colour(others) if pin is None else pin.colour
    if colour is None:
        return None
    row, col = middle(area)
    name, is_hidden = ("", False) if pin is None else (pin.name, pin.is_hidden)
    return Pin(row, col, colour, name, is_hidden, area)


def _action(event: Any) -> str:
    """Such as "added" or "removing", in every version of napari."""
    action = getattr(event, "action", "changed")
    return str(getattr(action, "value", action))


def is_finished(event: Any) -> bool:
    """Whether a shape was added, moved or removed, rather than being about to."""
    return _action(event) in ("added", "changed", "removed")
