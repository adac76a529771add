"""Progress on a terminal and in a log."""

import io

import pytest

from napari_decsc.cli import progress
from napari_decsc.cli.progress import Progress
from napari_decsc.denoising.protocol import Iteration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def steps(tiles: int, evaluations: int) -> list[Iteration]:
    numbers = [(tile, number) for tile in range(1, tiles + 1) for number in range(1, evaluations + 1)]
    return [Iteration(number, 1.0, 10.0**-number, 0.1 * number, tile, tiles) for tile, number in numbers]


def shown(stream: io.StringIO, iterations: list[Iteration]) -> str:
    with Progress("decsc", stream) as listener:
        for iteration in iterations:
            listener(iteration)
    return stream.getvalue()


def test_a_log_gets_the_first_and_the_last_line_of_a_short_run() -> None:
    lines = shown(io.StringIO(), steps(1, 9)).splitlines()
    assert lines == ["decsc: evaluation 1, residual 1.0e-01, 0.1 s", "decsc: evaluation 9, residual 1.0e-09, 0.9 s"]


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0)
    lines = shown(io.StringIO(), steps(2, 2)).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("decsc: tile 2 of 2, evaluation 1")


def test_the_start_estimate_has_no_residual() -> None:
    start = Iteration(0, float("nan"), float("nan"), 0.0)
    assert shown(io.StringIO(), [start]) == "decsc: start estimate, 0.0 s\n"


def test_a_terminal_gets_a_bar() -> None:
    text = shown(Terminal(), steps(1, 9))
    assert "decsc: 9eval" in text
    assert "residual 1.0e-09" in text


def test_a_bar_of_tiles_ends_full_though_nobody_says_that_the_last_is_done() -> None:
    assert "4/4" in shown(Terminal(), steps(4, 2))
