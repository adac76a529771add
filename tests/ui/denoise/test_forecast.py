import math

import pytest

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.ui.denoise.forecast import Forecast, duration, evaluations_ahead, fitted

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


def test_time_left_is_that_of_the_evaluations_that_are_left_in_all_tiles():
    forecast = Forecast(2**-10, 100)
    assert forecast.seconds_left is None
    # half a second each; this tile takes ten, so will both others
    forecast.add(Iteration(n, 0, 0.5**n, n / 2, tile=1, tiles=3) for n in range(1, 7))
    assert forecast.rate == pytest.approx(0.5)
    assert forecast.seconds_left == pytest.approx((4 + 2 * 10) / 2)
    # a new tile knows nothing of its own yet: the limit
    forecast.add([Iteration(0, math.nan, math.nan, 5.0, tile=2, tiles=3)])
    assert forecast.rate is None
    assert forecast.seconds_left == pytest.approx((100 + 100) * 5 / 6)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (120, "2 min"), (5340, "89 min"), (4800 * 2, "2 h 40 min")]
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
