"""The stopwatch against a clock that the test moves."""

import pytest

from napari_decsc.denoising.stopwatch import Stopwatch


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counts_only_between_start_and_stop():
    clock = Clock()
    watch = Stopwatch(clock)
    clock.now += 5
    assert watch.elapsed == 0
    watch.start()
    clock.now += 2
    assert watch.elapsed == 2
    watch.stop()
    clock.now += 7
    assert watch.elapsed == 2
    watch.start()
    clock.now += 1
    assert watch.elapsed == 3


def test_starting_twice_loses_nothing_and_stopping_twice_adds_nothing():
    clock = Clock()
    watch = Stopwatch(clock)
    watch.start()
    clock.now += 2
    watch.start()
    clock.now += 2
    watch.stop()
    clock.now += 2
    watch.stop()
    assert watch.elapsed == 4


def test_pause_leaves_out_the_block_and_goes_on_after_it_even_after_an_error():
    clock = Clock()
    watch = Stopwatch(clock)
    watch.start()
    clock.now += 1

    def interrupted() -> None:
        with watch.pause():
            clock.now += 10
            assert watch.elapsed == 1
            raise ValueError

    with pytest.raises(ValueError):
        interrupted()
    clock.now += 1
    assert watch.elapsed == 2


def test_pausing_a_standing_watch_does_not_start_it():
    watch = Stopwatch(Clock())
    with watch.pause():
        pass
    assert not watch.running


def test_the_system_clock_never_runs_backwards():
    watch = Stopwatch()
    watch.start()
    first = watch.elapsed
    assert watch.elapsed >= first >= 0
