"""The pinned places as a row of names: tick to show, double-click to rename, Delete to remove."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QKeyEvent, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem

from napari_decsc.ui.spectra.places import Pin, Shelved

HELP = "Tick to show a curve, double-click (F2) to name it, Delete to remove it"


class PinList(QListWidget):
    """Says what a person did to which pin, by its number."""

    renamed = Signal(int, str)
    ticked = Signal(int, bool)
    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._pins: Sequence[Pin | Shelved] = ()
        self.setFlow(QListView.Flow.LeftToRight)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSpacing(2)
        self.setFixedHeight(self.fontMetrics().height() + 16)
        self.setToolTip(HELP)
        self.setAccessibleName("Pinned spectra")
        self.itemChanged.connect(self._tell)
        self.setVisible(False)

    def show_pins(self, pins: Sequence[Pin | Shelved], notes: Sequence[str]) -> None:
        """Show the pins; ``notes`` are what the tooltips say of each."""
        self._pins = tuple(pins)
        self.blockSignals(True)
        current = self.currentRow()
        self.clear()
        for pin, note in zip(pins, notes, strict=True):
            item = QListWidgetItem(_icon(pin.colour), pin.title)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable)
            item.setCheckState(Qt.CheckState.Unchecked if pin.is_hidden else Qt.CheckState.Checked)
            item.setToolTip(f"{note}\n{HELP}" if note else HELP)
            self.addItem(item)
        self.setCurrentRow(min(current, self.count() - 1))
        self.blockSignals(False)
        self.setVisible(bool(pins))

    def sizeHint(self) -> QSize:
        """As wide as it gets, one line high."""
        return QSize(200, self.height())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Delete removes the current pin."""
        if event is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.currentRow() >= 0:
            self.removed.emit(self.currentRow())
            return
        super().keyPressEvent(event)

    def _tell(self, item: Any) -> None:
        number = self.row(item)
        pin, is_shown = self._pins[number], item.checkState() == Qt.CheckState.Checked
        if is_shown == pin.is_hidden:
            self.ticked.emit(number, is_shown)
        elif item.text() != pin.title:
            self.renamed.emit(number, item.text().strip())


def _icon(colour: str) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
