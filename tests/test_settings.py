"""Described settings: ranges, choices, sentences for people, and the way through JSON."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from napari_decsc.errors import DecscError, SettingsError
from napari_decsc.settings import Description, as_dict, check, defaults, described, descriptions, from_dict


@dataclass(frozen=True)
class Lamp:
    """A lamp."""

    power: float = described(40.0, "Electric power", unit="W", minimum=0, maximum=100)
    count: int = described(1, "Number of lamps", minimum=1)
    colour: str = described("warm", "Colour of the light", choices=("warm", "cold"))
    dimmed: bool = described(False, "Whether it is dimmed")
    glare: float = described(0.0, "How much it blinds", maximum=1)
    hours: tuple[float, ...] = described((7.0, 19.0), "When it is lit", unit="h")
    shop: str = described("", "Where it was bought")
    maker: str = "nobody"  # not described: neither form nor provenance shows it

    def __post_init__(self) -> None:
        check(self)


DESCRIBED = ["power", "count", "colour", "dimmed", "glare", "hours", "shop"]


def test_descriptions_come_in_the_order_of_the_fields_and_leave_others_out():
    assert list(descriptions(Lamp)) == DESCRIBED
    assert descriptions(Lamp(power=1.0)) == descriptions(Lamp)
    assert descriptions(Lamp)["power"] == Description("Electric power", "W", 0, 100)
    assert defaults(Lamp(power=1.0)) == {
        "power": 40.0,
        "count": 1,
        "colour": "warm",
        "dimmed": False,
        "glare": 0.0,
        "hours": (7.0, 19.0),
        "shop": "",
    }


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        (Description("Power"), "Power"),
        (Description("Power", "W"), "Power (W)"),
        (Description("Power", "W", 0, 100), "Power (W, 0 to 100)"),
        (Description("Power", minimum=0), "Power (at least 0)"),
        (Description("Power", maximum=2.5), "Power (at most 2.5)"),
    ],
)
def test_the_sentence_tells_unit_and_range(about, sentence):
    assert about.sentence == sentence


@pytest.mark.parametrize(
    "values",
    [
        {"power": 0},
        {"power": 100},
        {"power": np.float32(0.5)},
        {"count": np.int64(10**9)},
        {"colour": "cold"},
        {"dimmed": True},
    ],
)
def test_values_in_range_are_accepted_both_ends_included(values):
    lamp = Lamp(**values)
    assert {name: getattr(lamp, name) for name in values} == values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"power": -0.001}, r"power is -0.001; Electric power \(W, 0 to 100\)"),
        ({"power": 100.5}, "power is 100.5"),
        ({"power": float("nan")}, "power is nan"),
        ({"glare": float("nan")}, "glare is nan"),
        ({"power": float("inf")}, "power is inf"),
        ({"power": np.float32(101)}, "power is 101.0"),
        ({"power": "40"}, "power is '40', which is no number; Electric power"),
        ({"power": None}, "power is None, which is no number"),
        ({"count": "3"}, "count is '3', which is no whole number"),
        ({"count": 2.5}, "count is 2.5, which is no whole number; Number of lamps"),
        ({"count": float("nan")}, "count is nan, which is no whole number"),
        ({"shop": None}, "shop is None, which is no text; Where it was bought"),
        ({"shop": 7}, "shop is 7, which is no text"),
        ({"dimmed": "no"}, "dimmed is 'no', which is no yes or no"),
        ({"count": 0}, r"count is 0; Number of lamps \(at least 1\)"),
        ({"count": np.int64(-1)}, "count is -1"),
        ({"colour": "green"}, "colour is 'green'; choose one of warm, cold"),
    ],
)
def test_values_out_of_range_are_refused_with_the_cure(values, words):
    with pytest.raises(SettingsError, match=words):
        Lamp(**values)


def test_the_first_field_that_is_wrong_is_named():
    with pytest.raises(SettingsError, match="power is -1"):
        Lamp(count=0, power=-1)
    assert issubclass(SettingsError, DecscError)


def test_settings_survive_json():
    lamp = Lamp(power=25.0, hours=(8.0,))
    values = as_dict(lamp)
    assert values == {**defaults(Lamp), "power": 25.0, "hours": [8.0]}  # JSON has lists, no tuples
    assert json.loads(json.dumps(values)) == values
    assert as_dict(from_dict(Lamp, values)) == values
    assert from_dict(Lamp, {}) == Lamp()


@dataclass(frozen=True)
class Wiper:
    """What wipes."""

    only: str = described("", "What alone is wiped", choices=("", "left"))

    def __post_init__(self) -> None:
        check(self)


def test_a_choice_is_taken_by_the_name_that_the_refusal_gives_it():
    with pytest.raises(SettingsError, match="only is 'right'; choose one of everything, left"):
        Wiper(only="right")
    assert Wiper(only="everything") == Wiper(only="")


def test_numbers_of_numpy_and_paths_survive_json_too():
    lamp = Lamp(power=np.float32(0.5), count=np.int64(3), dimmed=np.bool_(True), shop=Path("a/b"))
    assert lamp == Lamp(power=0.5, count=3, dimmed=True, shop=str(Path("a/b")))
    assert json.loads(json.dumps(as_dict(lamp))) == as_dict(lamp)
    assert type(Lamp(count=2.0).count) is int


@pytest.mark.parametrize("name", ["watts", "maker"])
def test_unknown_names_are_refused_and_known_ones_listed(name):
    with pytest.raises(SettingsError, match=f"Lamp has no setting '{name}'; it has {', '.join(DESCRIBED)}$"):
        from_dict(Lamp, {name: 1})
