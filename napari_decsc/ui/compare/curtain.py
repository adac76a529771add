"""Curtain: two cubes in one place, one left of an edge that is dragged, the other right of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.ui import viewer_compat
from napari_decsc.ui.compare.captions import Caption
from napari_decsc.ui.compare.unlisted import hide_in_list
from napari_decsc.ui.compare.view import View
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import KEY
from napari_decsc.ui.parts.docked import Connections

#: Name of the layer that covers a part of the other.
NAME = "Curtain"
#: Name of the layer with the line between the two.
EDGE = "Curtain edge"
COLOUR = "#E69F00"
#: The edge can be taken hold of within so many canvas pixels.
REACH = 8.0


class Curtain(View):
    """One band of both cubes, composed into one picture that follows the slider; ``moved`` is told the edge's place.

    The picture holds the values between the contrast limits, from 0 to 1, so that cubes of different units and
    contrasts can meet at the edge.
    """

    moved: Callable[[float], None] | None = None

    def enter(self) -> None:
        """Put the picture above both cubes, the edge above the picture."""
        left, right = self.layers
        self._band = -1
        self._halves: list[NDArray[np.float32]] = []
        self._picture = np.zeros(left.data.shape[1:], np.float32)
        self.split = left.data.shape[2] // 2
        self._connections = Connections()
        self._add_layers(left)
        self.captions = {left: Caption(self.viewer, left), right: Caption(self.viewer, right, right=True)}
        self._connect()
        self._read()
        self.viewer.reset_view()

    @property
    def position(self) -> float:
        """Share of the columns that is left of the edge."""
        return float(self.split / self._picture.shape[1])

    def move(self, position: float) -> None:
        """Move the edge to a share of the columns; only the columns in between are drawn anew."""
        split = round(float(np.clip(position, 0, 1)) * self._picture.shape[1])
        if split == self.split:
            return
        low, high = sorted((split, self.split))
        self._picture[:, low:high] = self._halves[split < self.split][:, low:high]
        self.split = split
        self.layer.refresh(extent=False, thumbnail=False)
        self.edge.data = self._edge()
        if self.moved is not None:
            self.moved(self.position)

    def exit(self) -> None:
        """Take the picture and the edge away."""
        self._connections.close()
        for layer in (self.edge, self.layer):
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def _add_layers(self, left: Any) -> None:
        selected = set(self.viewer.layers.selection)
        common = {"axis_labels": left.axis_labels[1:], "units": left.units[1:]}
        self.layer = self.viewer.add_image(
            self._picture, name=NAME, contrast_limits=(0, 1), colormap=left.colormap, gamma=left.gamma,
            affine=_plane(left), metadata={KEY: NAME}, **common,
        )  # fmt: skip
        width = self._picture.shape[1] / 200 * abs(left.scale[-1])
        self.edge = self.viewer.add_vectors(
            self._edge(), name=EDGE, edge_color=COLOUR, edge_width=width, vector_style="line", opacity=1.0, **common
        )
        self.viewer.layers.selection = selected
        hide_in_list([self.edge])

    def _connect(self) -> None:
        add = self._connections.add
        add(self.viewer.dims.events.current_step, self._follow_band)
        for layer in self.layers:
            for name in ("contrast_limits", "data", "set_data"):
                add(layer.events[name], self._read)
        for name in ("colormap", "gamma"):
            add(self.layers[0].events[name], self._follow_looks)
        add(self.viewer.mouse_drag_callbacks, self._on_press)

    def _follow_band(self, event: Any = None) -> None:
        if shown_band(self.viewer, self.layers[0]) != self._band:
            self._read()

    def _follow_looks(self, event: Any = None) -> None:
        self.layer.colormap, self.layer.gamma = self.layers[0].colormap, self.layers[0].gamma

    def _read(self, event: Any = None) -> None:
        """Read the shown band of both cubes and draw all of it."""
        self._band = shown_band(self.viewer, self.layers[0])
        self._halves = [_between_limits(layer, self._band) for layer in self.layers]
        self._picture[:, : self.split] = self._halves[0][:, : self.split]
        self._picture[:, self.split :] = self._halves[1][:, self.split :]
        self.layer.refresh(extent=False, thumbnail=False)

    def _edge(self) -> NDArray[np.float64]:
        """The edge as a vector in the world: shape (1, 2, 2), start and direction."""
        left = self.layers[0]
        rows = left.data.shape[1]
        top, bottom = (np.asarray(left.data_to_world((0, row - 0.5, self.split - 0.5)))[1:] for row in (0, rows))
        return np.array([[top, bottom - top]])

    def _on_press(self, viewer: Any, event: Any) -> Any:
        """Drag the edge; the camera keeps still meanwhile."""
        camera = viewer_compat.camera(self.viewer)
        if abs(self._col(event) - self.split) * abs(self.layers[0].scale[-1]) * camera.zoom > REACH:
            return
        pans, camera.mouse_pan = camera.mouse_pan, False
        yield
        while event.type == "mouse_move":
            self.move(self._col(event) / self._picture.shape[1])
            yield
        camera.mouse_pan = pans

    def _col(self, event: Any) -> float:
        """Columns left of the cursor."""
        return float(self.layers[0].world_to_data(event.position)[-1]) + 0.5


def _between_limits(layer: Any, band: int) -> NDArray[np.float32]:
    """One band on the scale of the layer's contrast limits, 0 to 1; 0 where nothing was measured."""
    low, high = layer.contrast_limits
    values = np.asarray(layer.data[min(band, layer.data.shape[0] - 1)], dtype=np.float32)
    shares: NDArray[np.float32] = np.nan_to_num((values - np.float32(low)) / np.float32(high - low), nan=0.0)
    return shares


def _plane(layer: Any) -> NDArray[np.float64]:
    """The affine matrix, shape (3, 3), that puts (row, col) of a cube's layer into the plane of the world."""
    origin, row, col = (np.asarray(layer.data_to_world(point))[1:] for point in ((0, 0, 0), (0, 1, 0), (0, 0, 1)))
    matrix = np.eye(3)
    matrix[:2] = np.column_stack([row - origin, col - origin, origin])
    return matrix
