from dataclasses import dataclass

import pytest

from napari_decsc.deq.settings import DecscSettings
from napari_decsc.errors import SettingsError
from napari_decsc.hsi.noise.models import NOISE_MODELS
from napari_decsc.settings import described
from napari_decsc.ui.parts.form import SettingsForm, as_text


@dataclass(frozen=True)
class AllKinds:
    level: float = described(50.0, "A level", unit="of 255", minimum=0, maximum=255)
    share: float = described(1 / 3, "A share", minimum=0, maximum=1)
    tiny: float = described(1e-4, "A tolerance", minimum=0, maximum=1)
    count: int = described(7, "A number", minimum=1, maximum=9)
    name: str = described("auto", "A name")
    kind: str = described("a", "A kind", choices=("a", "b"))
    fast: bool = described(False, "Whether to hurry")
    several: tuple = described((0.1, 0.3), "Several")


@pytest.mark.parametrize("cls", [AllKinds, DecscSettings, *NOISE_MODELS.values()], ids=lambda cls: cls.__name__)
def test_an_untouched_form_gives_exactly_the_defaults(qtbot, cls):
    assert SettingsForm(cls).settings() == cls()


def test_what_is_entered_becomes_the_settings(qtbot):
    form = SettingsForm(AllKinds)
    entered = {"level": 12.5, "share": 0.25, "tiny": "2e-5", "count": 3, "name": "x", "kind": "b", "fast": True}
    for name, value in entered.items():
        form.fields[name].value = value
    form.fields["several"].value = "1, 2.5, 3"
    assert form.settings() == AllKinds(12.5, 0.25, 2e-5, 3, "x", "b", True, (1.0, 2.5, 3.0))


def test_settings_can_be_shown_and_read_again(qtbot):
    form = SettingsForm(AllKinds)
    settings = AllKinds(1.0, 0.5, 3e-3, 2, "y", "b", True, (9.0,))
    form.show(settings)
    assert form.settings() == settings
    form.show(AllKinds())
    assert form.settings() == AllKinds()


def test_labels_and_tooltips_carry_units_and_ranges(qtbot):
    form = SettingsForm(AllKinds)
    assert form.fields["level"].label == "Level (of 255)"
    assert form.fields["level"].tooltip == "A level (of 255, 0 to 255)"
    assert (form.fields["count"].min, form.fields["count"].max) == (1, 9)
    assert tuple(form.fields["kind"].choices) == ("a", "b")


@pytest.mark.parametrize(("name", "text"), [("tiny", "small"), ("several", "1, two")])
def test_a_slip_of_the_pen_is_named(qtbot, name, text):
    form = SettingsForm(AllKinds)
    form.fields[name].value = text
    with pytest.raises(SettingsError, match=name):
        form.settings()


def test_a_typed_number_outside_its_range_is_refused(qtbot):
    form = SettingsForm(DecscSettings)
    form.fields["tolerance"].value = "7"
    with pytest.raises(SettingsError, match="tolerance"):
        form.settings()


def test_changed_settings_in_one_line():
    assert as_text(AllKinds()) == ""
    assert as_text(AllKinds(level=10.0, several=(1.0, 2.0))) == "level 10, several 1, 2"


def test_an_empty_choice_is_shown_by_its_name(qtbot):
    @dataclass(frozen=True)
    class Some:
        only: str = described("", "What alone is mended", choices=("", "stripes"))

    form = SettingsForm(Some)
    box = form.fields["only"].native
    assert [box.itemText(place) for place in range(box.count())] == ["everything", "stripes"]
    assert form.settings() == Some("")
    box.setCurrentText("stripes")
    assert form.settings() == Some("stripes")
    form.show(Some(""))
    assert box.currentText() == "everything"
