"""A list to choose a cube from: the viewer's layers, kept up to date."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy

from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.layers import cube_layers
from napari_decsc.ui.parts.docked import Connections


class CubeChoice(QComboBox):
    """The viewer's cubes to choose from; goes along with the selected layer where ``follows`` agrees."""

    chosen = Signal()

    def __init__(self, viewer: Any, connections: Connections, follows: Callable[[Any], bool]) -> None:
        super().__init__()
        self._viewer = viewer
        self._follows = follows
        self._layers: list[Any] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        for emitter in viewer_compat.layer_list_events(viewer):
            connections.add(emitter, self.refresh)
        connections.add(viewer.layers.selection.events.active, self._follow)
        self.currentIndexChanged.connect(lambda _: self.chosen.emit())
        self.refresh()
        self._follow()

    @property
    def layer(self) -> Any | None:
        """The chosen layer, or None when the viewer has no cube."""
        index = self.currentIndex()
        return self._layers[index] if 0 <= index < len(self._layers) else None

    @layer.setter
    def layer(self, layer: Any) -> None:
        self.setCurrentIndex(self._layers.index(layer))

    def refresh(self, event: Any = None) -> None:
        """Read the layer list anew; the choice stays, as far as its layer does."""
        before = self.layer
        self._layers = cube_layers(self._viewer)
        self.blockSignals(True)
        self.clear()
        self.addItems([layer.name for layer in self._layers])
        if before in self._layers:
            self.setCurrentIndex(self._layers.index(before))
        self.blockSignals(False)
        if self.layer is not before:
            self.chosen.emit()

    def _follow(self, event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        if active in self._layers and self._follows(active):
            self.setCurrentIndex(self._layers.index(active))
