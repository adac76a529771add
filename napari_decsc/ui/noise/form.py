"""The strength of noise in two units, and several kinds of noise at once."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.noise.models import FULL_SCALE, NOISE_MODELS, Combined, NoiseModel
from napari_decsc.hsi.noise.sensors import SENSOR_MODELS, PushBroom
from napari_decsc.settings import descriptions
from napari_decsc.ui.parts.form import SettingsForm
from napari_decsc.ui.parts.limits import tell_limits
from napari_decsc.ui.parts.room import make_room

#: How many of each unit make up the peak.
UNITS = {"of 255": FULL_SCALE, "of the peak": 1.0}
#: Kinds of noise side by side in the form of a combination.
ACROSS = 3
#: The kinds of noise that can be ticked; the others are combinations of these.
KINDS = (
    *("gaussian", "non-iid", "complex", "stripe", "deadline", "impulse", "corr"),
    *(model.name for model in SENSOR_MODELS if model is not PushBroom),
)
#: Positions of a slider.
STEPS = 510
#: Numbers with a larger limit get none.
SLIDABLE = 1000
#: What has to fit between the buttons of a field.
WIDEST = "255.00"
COMBINATION = Combined.name


class NoiseForm:
    """The form of one noise model, as `SettingsForm`, with every strength in data units too."""

    def __init__(self, name: str, on_change: Callable[..., None]) -> None:
        self._form = SettingsForm(NOISE_MODELS[name])
        self.fields, self.widget = self._form.fields, self._form.widget
        self._twins = {
            name: _Twin(self.widget, self.fields[name], UNITS[about.unit])
            for name, about in descriptions(NOISE_MODELS[name]).items()
            if about.unit in UNITS
        }
        for field in self.fields.values():
            field.changed.connect(on_change)
            if type(field).__name__ == "FloatSpinBox" and field.max < SLIDABLE:
                _add_slider(self.widget.layout(), field)

    def settings(self) -> NoiseModel:
        """The model; raises SettingsError for a value that cannot be used."""
        model: NoiseModel = self._form.settings()
        return model

    def show(self, model: NoiseModel) -> None:
        """Fill the form."""
        self._form.show(model)

    def set_peak(self, peak: float | None) -> None:
        """Tell the raw value that counts as 1; None while it is unknown."""
        for twin in self._twins.values():
            twin.set_peak(peak)


class CombinationForm:
    """Kinds of noise to tick; each that is ticked shows its own form."""

    def __init__(self, on_change: Callable[..., None]) -> None:
        self.fields: dict[str, Any] = {}
        self.widget = QWidget()
        self._peak: float | None = None
        self._on_change = on_change
        self.ticks: dict[str, QCheckBox] = {}
        self.forms: dict[str, NoiseForm] = {}
        self._boxes: dict[str, QGroupBox] = {}
        column, grid = QVBoxLayout(self.widget), QGridLayout()
        column.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        column.addLayout(grid)
        for number, name in enumerate(KINDS):
            self.ticks[name] = tick = QCheckBox(name)
            tick.setStyleSheet("font-size: 8pt;")
            tick.setToolTip(NOISE_MODELS[name].summary)
            tick.toggled.connect(lambda is_on, name=name: self._tick(name, is_on))
            grid.addWidget(tick, number // ACROSS, number % ACROSS)
        self._column = column

    def settings(self) -> Combined:
        """All ticked models at once; raises SettingsError where none is ticked, or for a value that cannot be used."""
        models = [self.forms[name].settings() for name, tick in self.ticks.items() if tick.isChecked()]
        if not models:
            raise SettingsError("no kind of noise is ticked; tick one or more")
        return Combined(tuple(models))

    def show(self, model: Combined) -> None:
        """Tick the kinds that the model has, and fill their forms."""
        by_name = {one.name: one for one in model.models}
        for name, tick in self.ticks.items():
            tick.setChecked(name in by_name)
            if name in by_name:
                self.forms[name].show(by_name[name])

    def set_peak(self, peak: float | None) -> None:
        """Tell the raw value that counts as 1."""
        self._peak = peak
        for form in self.forms.values():
            form.set_peak(peak)

    def _tick(self, name: str, is_on: bool) -> None:
        if is_on and name not in self.forms:
            self.forms[name] = form = NoiseForm(name, self._on_change)
            form.set_peak(self._peak)
            self._boxes[name] = box = QGroupBox(name)
            inside = QVBoxLayout(box)
            inside.setContentsMargins(6, 2, 6, 2)
            inside.addWidget(form.widget)
            before = [one for one in KINDS[: KINDS.index(name)] if one in self.forms]
            self._column.insertWidget(1 + len(before), box)
        if name in self._boxes:
            self._boxes[name].setVisible(is_on)
        self._on_change()


def _add_slider(rows: Any, field: Any) -> None:
    """Put a slider before a field of numbers; either moves the other."""
    row, _ = rows.getWidgetPosition(field.native)
    label = rows.itemAt(row, QFormLayout.ItemRole.LabelRole).widget()
    rows.takeRow(row)
    both, slider = QWidget(), QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, STEPS)
    slider.setToolTip(field.tooltip)
    slider.setMinimumWidth(40)
    make_room(field.native, WIDEST)
    line = QHBoxLayout(both)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(slider, stretch=1)
    line.addWidget(field.native, stretch=1)
    rows.insertRow(row, label, both)
    span = field.max - field.min

    def follow(value: float) -> None:
        slider.blockSignals(True)
        slider.setValue(round((value - field.min) / span * STEPS))
        slider.blockSignals(False)

    def lead(position: int) -> None:
        field.value = field.min + span * position / STEPS

    field.changed.connect(follow)
    slider.valueChanged.connect(lead)
    follow(field.value)


class _Twin:
    """The same strength in the units of the file's values; either field moves the other."""

    def __init__(self, form: QWidget, field: Any, full: float) -> None:
        self._field, self._full, self._peak = field, full, 0.0
        self.box = QDoubleSpinBox()
        self.list = QLabel()
        self._is_list = type(field).__name__ == "LineEdit"
        shown = self.list if self._is_list else self.box
        about = "The same strength in the units of the file's values"
        for part in (self.box, self.list):
            part.setToolTip(about)
        rows: Any = form.layout()
        row, _ = rows.getWidgetPosition(field.native)
        label = QLabel("in data units")
        label.setToolTip(about)
        rows.insertRow(row + 1, label, shown)
        shown.setEnabled(False)
        field.changed.connect(self._follow)
        self.box.setKeyboardTracking(False)
        tell_limits(self.box)
        self.box.valueChanged.connect(self._lead)

    def set_peak(self, peak: float | None) -> None:
        """Values of the file that make up the peak."""
        self._peak = peak or 0.0
        self.box.setEnabled(bool(peak))
        self.list.setEnabled(bool(peak))
        self._follow()

    def _follow(self, *_: Any) -> None:
        if not self._peak:
            return
        if self._is_list:
            self.list.setText(self._in_data_units(self._field.value))
            return
        self.box.blockSignals(True)
        self.box.setDecimals(4 if self._peak < 10 else 1)
        self.box.setRange(0, self._field.max / self._full * self._peak)
        self.box.setSingleStep(self._peak / 100)
        self.box.setValue(self._field.value / self._full * self._peak)
        self.box.blockSignals(False)

    def _lead(self, value: float) -> None:
        if self._peak:
            self._field.value = min(self._field.max, value / self._peak * self._full)

    def _in_data_units(self, text: str) -> str:
        try:
            numbers = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
        except ValueError:
            return "–"
        return ", ".join(f"{number / self._full * self._peak:.4g}" for number in numbers)
