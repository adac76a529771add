"""The form of a denoising method: weights and devices to choose from, each with a line of its own, and a strength."""

from collections.abc import Callable, Mapping
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

from napari_decsc.ui.form import SettingsForm

#: Steps of the slider for a strength of 1.
STEPS = 100
#: Fields that a person chooses in words, and the one with a slider.
WEIGHTS, DEVICE, STRENGTH = "weights", "device", "strength"


class DenoiseForm(SettingsForm):
    """As `SettingsForm`; ``strength`` is a slider for a place outside the form, None where the method has none."""

    def __init__(self, cls: type) -> None:
        super().__init__(cls)
        self.choices = {name: self._in_words(name) for name in (WEIGHTS, DEVICE) if name in self.fields}
        self.strength = self._taken_out(STRENGTH) if STRENGTH in self.fields else None

    def offer(self, name: str, choices: Mapping[str, str]) -> None:
        """Offer what may be chosen for a field, with a line about each; anything else can still be typed."""
        if name in self.choices:
            self.choices[name].offer(choices)

    def _in_words(self, name: str) -> "WordsChoice":
        field = self.fields[name]
        choice = WordsChoice(field.value, field.tooltip)
        self.widget.layout().replaceWidget(field.native, choice)
        field.native.setVisible(False)
        choice.changed.connect(lambda text: _set(field, text))
        field.changed.connect(choice.show_value)
        return choice

    def _taken_out(self, name: str) -> "StrengthSlider":
        field = self.fields[name]
        self.widget.layout().labelForField(field.native).setVisible(False)
        field.native.setVisible(False)
        slider = StrengthSlider(field.value, field.max, field.tooltip)
        slider.changed.connect(lambda value: _set(field, value))
        field.changed.connect(slider.show_value)
        return slider


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
        self.box.view().setMinimumWidth(320)
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


def _set(field: Any, value: Any) -> None:
    if field.value != value:
        field.value = value


def weights_choices() -> dict[str, str]:
    """Shipped weights and a line about each."""
    from napari_decsc.deq import choices

    return choices.weights_choices()


def device_choices() -> dict[str, str]:
    """Devices, their names and free memory. Takes seconds at first."""
    from napari_decsc.deq import choices

    return choices.device_choices()


#: Who knows what may be chosen for a field.
SOURCES: dict[str, Callable[[], dict[str, str]]] = {WEIGHTS: weights_choices, DEVICE: device_choices}
