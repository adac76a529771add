"""A list to choose a cube from: the viewer's layers, kept up to date."""

import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy

from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.layers import scene_layers
from napari_decsc.ui.parts.docked import Connections
from napari_decsc.ui.parts.elided import ElidedBox


class CubeChoice(ElidedBox):
    """The viewer's cubes to choose from; goes along with the selected layer where ``follows`` agrees.

    ``chosen`` comes with every other choice, ``lost`` with the name of a chosen layer that was removed: the choice goes
    on to the topmost layer for which ``follows`` agrees, and to none where it agrees for none.
    """

    chosen = Signal()
    lost = Signal(str)

    def __init__(self, viewer: Any, connections: Connections, follows: Callable[[Any], bool]) -> None:
        super().__init__()
        self._viewer = viewer
        self._follows = follows
        self._layers: list[Any] = []
        self._name = ""
        self._followed: Any = lambda: None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        for emitter in viewer_compat.layer_list_events(viewer):
            connections.add(emitter, self.refresh)
        connections.add(viewer.layers.selection.events.active, self._follow)
        self.currentIndexChanged.connect(self._on_index)
        self.setPlaceholderText("choose a cube")
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
        before, name = self.layer, self._name
        self._layers = scene_layers(self._viewer)
        self.blockSignals(True)
        self.clear()
        self.addItems([layer.name for layer in self._layers])
        self.setCurrentIndex(self._place(before))
        self.blockSignals(False)
        self._name = "" if self.layer is None else self.layer.name
        if self.layer is not before:
            self.chosen.emit()
            if before is not None:
                self.lost.emit(name)

    def _place(self, before: Any) -> int:
        """Where the choice goes when the layers are others: it stays if it can."""
        if before in self._layers:
            return self._layers.index(before)
        fit = [place for place, layer in enumerate(self._layers) if self._follows(layer)]
        if fit:
            return fit[-1] if before is not None else fit[0]
        return 0 if before is None and self._layers else -1

    def _on_index(self, index: int) -> None:
        self._name = "" if self.layer is None else self.layer.name
        self.chosen.emit()

    def _follow(self, event: Any = None) -> None:
        """Go along with another selected cube; one that is selected again, after a layer came and went, is no news."""
        active = self._viewer.layers.selection.active
        if active in self._layers and self._follows(active) and active is not self._followed():
            self._followed = weakref.ref(active)
            self.setCurrentIndex(self._layers.index(active))
