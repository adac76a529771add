"""A form for a described settings class: labels, tooltips with units and ranges, choices; and back to settings."""

import dataclasses
from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_decsc.errors import SettingsError
from napari_decsc.settings import Description, defaults, descriptions, from_dict
from napari_decsc.ui.parts.limits import tell_limits

#: Below this a number is typed ("1e-4") and not stepped: a spin box would hide its digits.
SMALL = 0.01
#: What an empty line shows; its tooltip says what that means.
EMPTY = "automatic"


class SettingsForm:
    """The fields of one settings class.

    ``fields`` are magicgui widgets by name, ``widget`` shows them with their labels, ``settings()`` is what the person
    chose.
    """

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self._defaults = defaults(cls)
        self.fields = {name: _field(name, about, self._defaults[name]) for name, about in descriptions(cls).items()}
        self._untouched = {name: field.value for name, field in self.fields.items()}
        self.widget = _laid_out(list(self.fields.values()))

    def settings(self) -> Any:
        """The settings object; raises SettingsError, which names the field, for a value that cannot be used."""
        return from_dict(self.cls, {name: self._value(name) for name in self.fields})

    def show(self, settings: Any) -> None:
        """Fill the form from a settings object."""
        for name, field in self.fields.items():
            value = getattr(settings, name)
            field.value = _text(value) if _is_typed(field) else value
            if value == self._defaults[name]:
                self._untouched[name] = field.value

    def _value(self, name: str) -> Any:
        field, default = self.fields[name], self._defaults[name]
        if field.value == self._untouched[name]:
            return default  # exactly: a spin box may have rounded it
        if not _is_typed(field) or isinstance(default, str):
            return field.value
        return _parsed(name, field.value, default)


def _laid_out(fields: list[Any]) -> QWidget:
    """The fields below each other, labels in one column, with the tooltip on both."""
    widget = QWidget()
    rows = QFormLayout(widget)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for field in fields:
        text = QLabel(field.label)
        text.setToolTip(field.tooltip)
        tell_limits(field.native)
        rows.addRow(text, field.native)
    return widget


def _field(name: str, about: Description, default: Any) -> Any:
    from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, LineEdit, SpinBox

    common: dict[str, Any] = {"name": name, "label": label(name, about), "tooltip": about.sentence}
    if about.choices:
        return ComboBox(value=default, choices=list(about.named_choices.items()), **common)
    if isinstance(default, bool):
        return CheckBox(value=default, text="", **common)
    if isinstance(default, int):
        return SpinBox(value=default, **_range(about, 2**31 - 1), **common)
    if isinstance(default, float) and (default == 0 or abs(default) >= SMALL):
        return FloatSpinBox(value=round(default, 3), step=_step(default), **_range(about, 1e9), **common)
    line = LineEdit(value=_text(default), **common)
    line.native.setPlaceholderText(EMPTY if default == "" else "")
    return line


def label(name: str, about: Description) -> str:
    """Such as "Band share (of 1)": the field's label or name, and its unit."""
    words = about.label or name.replace("_", " ").capitalize()
    return f"{words} ({about.unit})" if about.unit else words


def _range(about: Description, limit: float) -> dict[str, Any]:
    return {
        "min": -limit if about.minimum is None else about.minimum,
        "max": limit if about.maximum is None else about.maximum,
    }


def _step(default: float) -> float:
    return 1.0 if default >= 10 else 0.01 if default >= 1 else 0.001


def _is_typed(field: Any) -> bool:
    return type(field).__name__ == "LineEdit"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{item:g}" for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _parsed(name: str, text: str, default: Any) -> Any:
    """The typed number or numbers; a comma separates numbers, a point decimals."""
    try:
        if isinstance(default, tuple):
            return tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
        return float(text)
    except ValueError:
        kind = "numbers, with commas between" if isinstance(default, tuple) else "a number, such as 0.001 or 1e-3"
        raise SettingsError(f"{name} is {text!r}; write {kind}") from None


def as_text(settings: Any) -> str:
    """The settings that differ from their defaults, in one line; empty if none does."""
    usual = defaults(settings)
    names = [field.name for field in dataclasses.fields(settings) if field.name in usual]
    changed = [name for name in names if getattr(settings, name) != usual[name]]
    return ", ".join(f"{name.replace('_', ' ')} {_text(getattr(settings, name))}" for name in changed)
