"""The cubes that can be compared, each with a tick; ticks stay as a person set them."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

#: Lines that are seen at least.
FEWEST_LINES = 2
#: Lines that are seen at most; more would push the plot out of a low window.
MOST_LINES = 5


class TickList(QListWidget):
    """``layers`` are those of the lines, from bottom to top."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[Any] = []
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setToolTip("Tick the cubes to compare, two to four of one size; Space ticks")

    def ticked(self) -> list[Any]:
        """The ticked layers, from bottom to top."""
        items: list[Any] = [self.item(row) for row in range(self.count())]
        return [self.layers[row] for row, item in enumerate(items) if item.checkState() == Qt.CheckState.Checked]

    def tick(self, layers: Sequence[Any]) -> None:
        """Tick these layers and no others."""
        for row, layer in enumerate(self.layers):
            item: Any = self.item(row)
            item.setCheckState(_state(layer in layers))

    def show_layers(self, layers: Sequence[Any], most: int) -> bool:
        """Show these; of new ones as many are ticked as there is room for. Returns whether other ones are ticked."""
        before, known = self.ticked(), set(self.layers)
        self.layers = list(layers)
        ticked = [layer for layer in before if layer in self.layers]
        new = [layer for layer in self.layers if layer not in known]
        ticked += new[: max(0, most - len(ticked))]
        self.blockSignals(True)
        self.clear()
        for layer in self.layers:
            item = QListWidgetItem(layer.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(_state(layer in ticked))
            item.setToolTip(layer.name)
            self.addItem(item)
        self.blockSignals(False)
        self._fit()
        return ticked != before

    def showEvent(self, event: Any) -> None:
        """Lines are as high as the window's style has them, which is known only now."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        line = self.sizeHintForRow(0) if self.layers else self.fontMetrics().height()
        self.setFixedHeight(8 + line * min(MOST_LINES, max(FEWEST_LINES, len(self.layers))))


def _state(is_ticked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked
