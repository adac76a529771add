import math

import pytest

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.ui.denoise import state
from napari_decsc.ui.denoise.forecast import duration, evaluations_ahead, fitted, left

HALVING = [0.5**number for number in range(1, 7)]


def test_a_geometric_series_is_fitted_exactly():
    slope, intercept = fitted(HALVING)
    assert slope == pytest.approx(math.log(0.5))
    assert intercept == pytest.approx(0)  # 0.5 ** 0 is 1


def test_the_newest_residuals_count():
    slope, _ = fitted([1e-1, 1e-2, 1e-3, *(1e-3 * value for value in HALVING)])
    assert math.exp(slope) == pytest.approx(0.5)


@pytest.mark.parametrize("residuals", [[], [0.1, 0.05], [0.1, 0.0, 0.1], [0.1, math.nan, 0.1]])
def test_what_cannot_be_fitted_is_not(residuals):
    assert fitted(residuals) is None


def test_the_run_ends_where_the_line_meets_the_tolerance_or_at_the_limit():
    # after six halvings 2 ** -6; the tolerance 2 ** -10 is four halvings away
    assert evaluations_ahead(HALVING, 2**-10, 100) == 4
    assert evaluations_ahead(HALVING, 2**-10, 8) == 2
    assert evaluations_ahead(HALVING, 2**-10, 0) == 4
    assert evaluations_ahead(HALVING, 2**-5, 100) == 0
    # a residual that grows never meets it
    assert evaluations_ahead(HALVING[::-1], 2**-10, 8) == 2
    assert evaluations_ahead(HALVING[::-1], 2**-10, 0) is None
    # two residuals tell nothing, and a limit is no forecast
    assert evaluations_ahead(HALVING[:2], 2**-10, 8) is None


def run_of(events, tolerance=2**-10, limit=100):
    """The state after events, of which each came at the second that it names."""
    now = state.begin("fake", tolerance, limit, 0.0)
    for event in events:
        now = state.hear(now, [event], event.elapsed)
    return now


def evaluation(number, seconds, stage="equilibrium 1", tile=1, tiles=1):
    return Iteration(number, 0, 0.5**number, seconds, tile=tile, tiles=tiles, stage=stage)


def begun(stage, seconds, tile=1, tiles=1):
    return Iteration(0, math.nan, math.nan, seconds, tile=tile, tiles=tiles, stage=stage)


def test_preparation_is_no_evaluation():
    # nine seconds of preparation, then evaluations of a tenth of a second: the last one is 0.7 s away, not minutes
    events = [begun("noise model", 0.0), begun("groups", 4.0), begun("equilibrium 1", 9.0)]
    assert left(run_of(events), 9.0) is None  # nothing was measured yet
    events.append(evaluation(1, 9.1))
    assert left(run_of(events), 9.1) is None
    events += [evaluation(2, 9.2), evaluation(3, 9.3)]
    found = left(run_of(events), 9.3)
    assert (found.seconds, found.of) == (pytest.approx(7 * 0.1), "equilibrium 1")


def test_every_equilibrium_is_measured_by_its_own_evaluations():
    first = [evaluation(number, number) for number in range(1, 5)]
    second = [evaluation(number, 10 + 0.1 * number, "equilibrium 2") for number in range(1, 4)]
    found = left(run_of(first + second), 10.3)
    assert (found.seconds, found.of) == (pytest.approx(7 * 0.1), "equilibrium 2")


def test_finished_tiles_say_how_long_the_others_take():
    events = [evaluation(number, 1.0 * number, tile=1, tiles=3) for number in (1, 2, 3)]
    assert left(run_of(events), 3.0).of == "equilibrium 1"
    events.append(begun("groups", 4.0, tile=2, tiles=3))
    found = left(run_of(events), 5.0)  # the second tile has three more of its four seconds, the third four
    assert (found.seconds, found.of) == (pytest.approx(3 + 4), "")


def test_nothing_is_left_of_a_run_that_is_over():
    over = state.end(run_of([evaluation(n, n) for n in range(1, 5)]), state.Phase.DONE, 4.0)
    assert left(over, 4.0) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (120, "2 min"), (5340, "89 min"), (4800 * 2, "2 h 40 min")]
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
