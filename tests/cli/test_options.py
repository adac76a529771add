"""Options come from described settings; what is given belongs to the class that is chosen."""

import argparse
from dataclasses import dataclass

import pytest

from napari_decsc.cli.options import add_settings, make_settings, unused_settings
from napari_decsc.errors import SettingsError
from napari_decsc.settings import check, described


@dataclass(frozen=True)
class Soft:
    """One method."""

    strength: float = described(0.5, "How much, 100 % at most", unit="of 1", minimum=0, maximum=1)
    max_rounds: int = described(4, "How often", minimum=1)
    fast: bool = described(True, "Be quick")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Hard:
    """Another one; its strength is a whole number."""

    strength: int = described(3, "How hard", minimum=0)
    mode: str = described("near", "Where", choices=("near", "far"))
    levels: tuple[float, ...] = described((1.0, 2.5), "Levels")

    def __post_init__(self) -> None:
        check(self)


CLASSES = {"soft": Soft, "hard": Hard}


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_settings(parser, CLASSES)
    return parser.parse_args(words)


def test_nothing_given_gives_the_defaults() -> None:
    assert make_settings(parse(), CLASSES, "soft") == Soft()
    assert make_settings(parse(), CLASSES, "hard") == Hard()


def test_values_take_the_type_of_their_field() -> None:
    given = parse("--strength", "0.25", "--max-rounds", "7", "--no-fast")
    assert make_settings(given, CLASSES, "soft") == Soft(0.25, 7, False)
    given = parse("--strength", "2", "--mode", "far", "--levels", "3", "4")
    assert make_settings(given, CLASSES, "hard") == Hard(2, "far", (3.0, 4.0))


def test_an_option_of_another_method_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"--mode does not belong to soft, only to hard"):
        make_settings(parse("--mode", "far"), CLASSES, "soft")


def test_an_option_of_another_method_may_be_allowed() -> None:
    given = parse("--mode", "far")
    assert make_settings(given, CLASSES, "soft", others_allowed=True) == Soft()
    assert unused_settings(given, [Soft]) == ["--mode"]
    assert unused_settings(given, [Soft, Hard]) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--strength", "much"], "--strength takes a number, not 'much'"),
        (["--max-rounds", "1.5"], "--max-rounds takes a whole number, not '1.5'"),
        (["--strength", "1.01"], "strength is 1.01"),
        (["--strength", "nan"], "strength is nan"),
    ],
)
def test_a_wrong_value_is_named(words: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_settings(parse(*words), CLASSES, "soft")


def test_help_tells_unit_range_default_and_owner() -> None:
    parser = argparse.ArgumentParser(formatter_class=lambda prog: argparse.HelpFormatter(prog, width=200))
    add_settings(parser, CLASSES)
    text = parser.format_help()
    assert (
        "soft: How much, 100 % at most (of 1, 0 to 1) [default: 0.5]; hard: How hard (at least 0) [default: 3]" in text
    )
    assert "settings of soft, hard:" in text
    assert "--mode {near,far}" in text
    assert "[default: 1 2.5]" in text


def test_help_says_once_what_several_owners_have_in_common() -> None:
    @dataclass(frozen=True)
    class Twin:
        strength: float = described(0.5, "How much, 100 % at most", unit="of 1", minimum=0, maximum=1)

    parser = argparse.ArgumentParser()
    add_settings(parser, {"soft": Soft, "twin": Twin, "hard": Hard})
    words = " ".join(parser.format_help().split())
    assert "soft, twin: How much, 100 % at most (of 1, 0 to 1) [default: 0.5]; hard: How hard" in words
    assert words.count("How much") == 1


def test_an_empty_choice_has_a_name() -> None:
    @dataclass(frozen=True)
    class Some:
        only: str = described("", "What alone is mended", choices=("", "stripes"))
        mode: str = described("", "How", choices=("", "hard"), empty="softly")

        def __post_init__(self) -> None:
            check(self)

    parser = argparse.ArgumentParser()
    add_settings(parser, {"some": Some})
    words = " ".join(parser.format_help().split())
    assert "--only {everything,stripes} What alone is mended [default: everything]" in words
    assert "--mode {softly,hard} How [default: softly]" in words
    for given, only in ((["--only", "everything"], ""), (["--only", "stripes"], "stripes"), ([], "")):
        assert make_settings(parser.parse_args(given), {"some": Some}, "some") == Some(only)
    with pytest.raises(SettingsError, match="only is 'rows'; choose one of everything, stripes"):
        make_settings(parser.parse_args(["--only", "rows"]), {"some": Some}, "some")
