import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QToolTip

from napari_decsc.hsi.noise.models import NOISE_MODELS
from napari_decsc.settings import descriptions
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.noise.widget import NoiseWidget
from napari_decsc.ui.parts.limits import limits


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


def test_limits_are_those_of_the_field(widget):
    widget.seed.setRange(3, 70000)
    assert limits(widget.seed) == "From 3 to 70000; other numbers are not taken."
