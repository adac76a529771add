"""A run tells at its own seconds, remembers who said stop, and makes pictures only as often as they cost little."""

import pytest

from napari_decsc.denoising.protocol import Command
from napari_decsc.denoising.teller import PAUSE, SHARE, Teller, aside


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_its_clock_stands_still_while_somebody_listens(clock):
    teller = Teller(clock=clock)
    clock.now += 2
    steps = teller.tell(aside(1, 3, message="half way"))
    event = next(steps)
    assert (event.elapsed, event.tile, event.tiles, event.message) == (2.0, 1, 3, "half way")
    clock.now += 87  # somebody reads it
    assert list(steps) == []
    assert teller.elapsed == 2.0
    clock.now += 1
    assert teller.elapsed == 3.0


def test_the_system_clock_never_runs_backwards():
    teller = Teller()
    first = teller.elapsed
    assert teller.elapsed >= first >= 0


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
    teller = Teller(previews=False)
    assert list(teller.begins("groups", 1, 1)) == []
    assert not teller.picture_is_due


@pytest.mark.parametrize(("cost", "wait"), [(0.0, PAUSE), (0.01, PAUSE), (1.0, 1.0 / SHARE)])
def test_the_first_picture_comes_at_once_and_others_after_a_pause_that_grows_with_their_cost(clock, cost, wait):
    teller = Teller(clock=clock)
    assert teller.picture_is_due
    clock.now += 5
    with teller.making_picture():
        clock.now += cost
    clock.now += 0.99 * wait
    assert not teller.picture_is_due
    clock.now += 0.02 * wait
    assert teller.picture_is_due
