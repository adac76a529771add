"""A scatter and the image belong together: what is chosen in one is marked in the other, through a layer of labels."""

from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_decsc.ui.cubes.layers import free_name
from napari_decsc.ui.explore.scatter import CHOSEN, Box, Floats, ScatterPlot
from napari_decsc.ui.parts.docked import Connections

NAME = "scatter selection"


class Linked(QObject):
    """Two bands of one cube, their scatter, and the layer that says which pixels are chosen.

    ``counted`` carries how many pixels are chosen, of how many.
    """

    counted = Signal(int, int)

    def __init__(self, viewer: Any, plot: ScatterPlot, connections: Connections) -> None:
        super().__init__(plot)
        self._viewer, self._plot = viewer, plot
        self.layer: Any = None
        self._place: dict[str, Any] = {}
        self._x: Floats = np.zeros((0, 0), np.float32)
        self._y: Floats = np.zeros((0, 0), np.float32)
        self._is_writing = False
        plot.chosen.connect(self.choose)
        connections.add(viewer.layers.events.removed, self._forget)

    def show(self, x: Floats, y: Floats, labels: tuple[str, str], place: dict[str, Any]) -> None:
        """Draw two bands (row, col) that lie at a place in the world."""
        same = self.layer is not None and self.layer.data.shape == x.shape
        self._x, self._y, self._place = x, y, place
        self._plot.show_values(x, y, *labels)
        if same:
            self.follow()

    def choose(self, box: Box | None) -> None:
        """Mark the pixels of a box in the image; None marks none."""
        if not self._x.size:
            return
        mask = np.zeros(self._x.shape, np.uint8) if box is None else box.holds(self._x, self._y).astype(np.uint8)
        self._is_writing = True
        if self.layer is None or self.layer.data.shape != mask.shape:
            self._add(mask)
        else:
            self.layer.data = mask
        self._is_writing = False
        self.follow()

    def follow(self, event: Any = None) -> None:
        """Show in the scatter which pixels are chosen in the image, by a box here or painted there."""
        if self._is_writing or self.layer is None or self.layer.data.shape != self._x.shape:
            return
        mask = np.asarray(self.layer.data) > 0
        self._plot.mark(self._x[mask], self._y[mask])
        self.counted.emit(int(mask.sum()), int(mask.size))

    def _add(self, mask: Any) -> None:
        from napari.utils.colormaps import DirectLabelColormap

        active = self._viewer.layers.selection.active
        self.layer = self._viewer.add_labels(mask, name=free_name(self._viewer, NAME), opacity=0.6, **self._place)
        self.layer.colormap = DirectLabelColormap(color_dict={0: "transparent", 1: CHOSEN, None: CHOSEN})
        for name in ("paint", "labels_update", "data", "set_data"):
            emitter = getattr(self.layer.events, name, None)
            if emitter is not None:
                emitter.connect(self.follow)
        self._viewer.layers.selection.active = active

    def _forget(self, event: Any) -> None:
        if event.value is self.layer:
            self.layer = None
            self._plot.mark(self._x[:0], self._y[:0])
