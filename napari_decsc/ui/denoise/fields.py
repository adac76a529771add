"""Fields for what a spin box cannot say: a choice in words, and a strength as a slider."""

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

#: Points that a line about a choice has, as long as nobody knows better.
LINE_WIDTH = 200
#: Steps of the slider for a strength of 1.
STEPS = 100


def explain(label: QLabel) -> None:
    """Make a label one that explains, in small letters, and breaks its lines."""
    label.setWordWrap(True)
    label.setStyleSheet("font-size: 8pt;")


class NameAndLine(QStyledItemDelegate):
    """Writes what is known of an item behind its name, in the opened list only."""

    def initStyleOption(self, option: Any, index: Any) -> None:
        """Called for every item that is drawn."""
        super().initStyleOption(option, index)
        about = index.data(Qt.ItemDataRole.ToolTipRole)
        if about:
            option.text = f"{option.text} · {about}"


class WordsChoice(QWidget):
    """A list to choose from, in which one can also type; below it, what is known of the chosen one."""

    changed = Signal(str)

    def __init__(self, value: str, tooltip: str) -> None:
        super().__init__()
        self.box, self.about = QComboBox(), QLabel()
        self._choices: dict[str, str] = {value: ""}
        self.box.setEditable(True)
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.box.setToolTip(tooltip)
        explain(self.about)
        self.box.setItemDelegate(NameAndLine(self.box))
        names: Any = self.box.view()
        names.setMinimumWidth(320)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.box)
        column.addWidget(self.about)
        self.offer(self._choices)
        self.box.currentTextChanged.connect(self._on_text)

    def offer(self, choices: Mapping[str, str]) -> None:
        """Fill the list; the chosen value stays."""
        value = self.box.currentText() or next(iter(self._choices))
        self._choices = dict(choices)
        self.box.blockSignals(True)
        self.box.clear()
        for name, about in self._choices.items():
            self.box.addItem(name)
            self.box.setItemData(self.box.count() - 1, about, Qt.ItemDataRole.ToolTipRole)
        self.box.setEditText(value)
        self.box.blockSignals(False)
        self._describe(value)

    def show_value(self, value: str) -> None:
        """Show a value that was set elsewhere."""
        if value != self.box.currentText():
            self.box.setEditText(value)

    def _on_text(self, text: str) -> None:
        self._describe(text)
        self.changed.emit(text)

    def _describe(self, value: str) -> None:
        self.about.setText(self._choices.get(value, ""))
        self.about.setVisible(bool(self.about.text()))
        self._make_room()

    def resizeEvent(self, event: Any) -> None:
        """Another width breaks the line elsewhere."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """A line that breaks needs room for all its parts, which the form does not reckon with."""
        width = self.width() if self.isVisible() else LINE_WIDTH
        self.about.setMinimumHeight(self.about.heightForWidth(width) if self.about.text() else 0)


class StrengthSlider(QWidget):
    """From 0, which keeps everything, to the most that is allowed; 1 is the noise as it was found."""

    changed = Signal(float)

    def __init__(self, value: float, most: float, tooltip: str) -> None:
        super().__init__()
        self.slider, self.about = QSlider(Qt.Orientation.Horizontal), QLabel()
        self.slider.setRange(0, round(most * STEPS))
        self.slider.setToolTip(f"{tooltip}. Moving it goes on from the last solution")
        self.about.setMinimumWidth(self.about.fontMetrics().horizontalAdvance("keeps all  "))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, stretch=1)
        row.addWidget(self.about)
        self.slider.setValue(round(value * STEPS))
        self._describe()
        self.slider.valueChanged.connect(self._on_slider)

    def show_value(self, value: float) -> None:
        """Show a value that was set elsewhere."""
        self.slider.setValue(round(value * STEPS))

    def _on_slider(self, steps: int) -> None:
        self._describe()
        self.changed.emit(steps / STEPS)

    def _describe(self) -> None:
        value = self.slider.value() / STEPS
        self.about.setText(f"{value:.2f}" if value else "keeps all")
