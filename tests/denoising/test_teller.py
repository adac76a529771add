"""A run tells at its own seconds, and remembers who said stop."""

import pytest

from napari_decsc.denoising.protocol import Command
from napari_decsc.denoising.stopwatch import Stopwatch
from napari_decsc.denoising.teller import Teller, aside


def test_its_clock_stands_still_while_somebody_listens():
    now = [10.0]
    teller = Teller(watch=Stopwatch(clock=lambda: now[0]))
    now[0] = 12.0
    steps = teller.tell(aside(1, 3, message="half way"))
    event = next(steps)
    assert (event.elapsed, event.tile, event.tiles, event.message) == (2.0, 1, 3, "half way")
    now[0] = 99.0  # somebody reads it
    assert list(steps) == []
    assert teller.watch.elapsed == 2.0


def test_stop_is_remembered_and_no_stage_begins_any_more():
    teller = Teller()
    steps = teller.begins("groups", 2, 4)
    assert next(steps).stage == "groups"
    with pytest.raises(StopIteration) as ended:
        steps.send(Command.STOP)
    assert ended.value.value is True
    assert teller.stopped
    assert list(teller.begins("equilibrium 1", 2, 4)) == []


def test_stages_are_not_told_where_nobody_looks_on():
    assert list(Teller(previews=False).begins("groups", 1, 1)) == []
