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


def shown(stream: io.StringIO, iterations: list[Iteration], limit: int | None) -> str:
    with Progress("decsc", limit, stream) as listener:
        for iteration in iterations:
            listener(iteration)
    return stream.getvalue()


def test_a_log_gets_the_first_and_the_last_line_of_a_short_run() -> None:
    lines = shown(io.StringIO(), steps(1, 9), 20).splitlines()
    assert lines == ["decsc: evaluation 1, residual 1.0e-01, 0.1 s", "decsc: evaluation 9, residual 1.0e-09, 0.9 s"]


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0)
    lines = shown(io.StringIO(), steps(2, 2), None).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("decsc: tile 2 of 2, evaluation 1")


def test_the_start_estimate_has_no_residual() -> None:
    start = Iteration(0, float("nan"), float("nan"), 0.0)
    assert shown(io.StringIO(), [start], 20) == "decsc: start estimate, 0.0 s\n"


@pytest.mark.parametrize("limit", [20, None])
def test_a_terminal_gets_a_bar(limit: int | None) -> None:
    text = shown(Terminal(), steps(1, 9), limit)
    assert "decsc" in text
    assert "residual" in text
