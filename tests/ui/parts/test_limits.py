from dataclasses import dataclass

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QToolTip

from napari_decsc.hsi.noise.models import NOISE_MODELS
from napari_decsc.settings import described, descriptions
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.noise.widget import NoiseWidget
from napari_decsc.ui.parts.form import SettingsForm
from napari_decsc.ui.parts.limits import limits


@dataclass(frozen=True)
class FakeSettings:
    """A whole number with limits."""

    max_iterations: int = described(5, "Stop after this many", minimum=1, maximum=1000)


@pytest.fixture
def widget(viewer, cube, kept):
    add_cube_layer(viewer, cube)
    made = kept(NoiseWidget(viewer))
    made.model.setCurrentText("gaussian")
    made.show()
    return made


def test_a_number_beyond_the_limit_is_refused_with_a_word(widget, monkeypatch):
    told = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, *_: told.append(text))
    box = widget.form.fields["sigma"].native
    box.selectAll()
    QTest.keyClicks(box, "1000")
    most = descriptions(NOISE_MODELS["gaussian"])["sigma"].maximum
    assert told
    assert told[-1] == f"From 0 to {most:g}; other numbers are not taken."
    told.clear()
    box.selectAll()
    QTest.keyClicks(box, "20")
    assert not told


@pytest.mark.parametrize(("number", "becomes", "is_told"), [("0", 1, True), ("5000", 1000, True), ("7", 7, False)])
def test_a_number_that_becomes_another_is_not_changed_in_silence(qtbot, monkeypatch, number, becomes, is_told):
    told = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, *_: told.append(text))
    form = SettingsForm(FakeSettings)
    qtbot.addWidget(form.widget)
    form.widget.show()
    box = form.fields["max_iterations"].native
    box.lineEdit().selectAll()
    QTest.keyClicks(box.lineEdit(), number)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert form.fields["max_iterations"].value == becomes
    assert bool(told) == is_told
    assert set(told) <= {"From 1 to 1000; other numbers are not taken."}


def test_limits_are_those_of_the_field(widget):
    widget.seed.setRange(3, 70000)
    assert limits(widget.seed) == "From 3 to 70000; other numbers are not taken."
