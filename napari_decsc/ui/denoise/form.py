"""The form of a denoising method: weights and devices to choose from, each with a line of its own, and a strength."""

from collections.abc import Mapping
from typing import Any

from qtpy import compat

from napari_decsc.ui.denoise.fields import StrengthSlider, WordsChoice
from napari_decsc.ui.parts.form import SettingsForm

#: A field that a person chooses in words.
WEIGHTS = "weights"
#: Another.
DEVICE = "device"
#: The field with a slider.
STRENGTH = "strength"
#: Whether Qt still has an object (qtpy gives no types).
_is_there: Any = compat.isalive


class DenoiseForm(SettingsForm):
    """As `SettingsForm`; ``strength`` is a slider for a place outside the form, None where the method has none."""

    def __init__(self, cls: type) -> None:
        super().__init__(cls)
        self.choices = {name: self._in_words(name) for name in (WEIGHTS, DEVICE) if name in self.fields}
        self.strength = self._taken_out(STRENGTH) if STRENGTH in self.fields else None

    def offer(self, name: str, choices: Mapping[str, str]) -> None:
        """Offer what may be chosen for a field, with a line about each; anything else can still be typed.

        The answer may come when the window is gone.
        """
        choice = self.choices.get(name)
        if choice is not None and _is_there(choice.box):
            choice.offer(choices)

    def _in_words(self, name: str) -> "WordsChoice":
        field = self.fields[name]
        choice = WordsChoice(field.value, field.tooltip)
        rows: Any = self.widget.layout()
        rows.replaceWidget(field.native, choice)
        field.native.setVisible(False)
        choice.changed.connect(lambda text: _set(field, text))
        field.changed.connect(choice.show_value)
        return choice

    def _taken_out(self, name: str) -> "StrengthSlider":
        field = self.fields[name]
        rows: Any = self.widget.layout()
        rows.labelForField(field.native).setVisible(False)
        field.native.setVisible(False)
        slider = StrengthSlider(field.value, field.max, field.tooltip)
        slider.changed.connect(lambda value: _set(field, value))
        field.changed.connect(slider.show_value)
        return slider


def _set(field: Any, value: Any) -> None:
    if field.value != value:
        field.value = value
