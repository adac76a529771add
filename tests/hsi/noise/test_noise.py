"""The noise models: what each draws, and what that does to an array of peak 1."""

from itertools import pairwise

import numpy as np
import pytest

from napari_decsc.hsi.noise.models import (
    Combined,
    Complex,
    Corr,
    Corruption,
    Deadline,
    Gaussian,
    Impulse,
    Mixture,
    NonIid,
    Stripe,
    make_noise,
)

LEVELS = np.float32([10, 30, 50, 70]) / np.float32(255)
FRACTIONS = np.float32([0.1, 0.3, 0.5, 0.7])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def kinds(drawn: Corruption) -> np.ndarray:
    """Which bands have stripes, dead columns and impulses, shape (3, band)."""
    return np.stack([(drawn.offset != 0).any(axis=1), drawn.dead.any(axis=1), drawn.impulse > 0])


@pytest.mark.parametrize("model", [Gaussian(50), NonIid(95), Complex(), Corr()], ids=lambda model: model.name)
def test_gaussian_noise_has_the_drawn_sigma_in_every_band(model):
    clean = np.full((12, 200, 200), 0.4, np.float32)
    noise = model(clean, rng(3)).astype(float) - clean
    sigma = model.draw(clean.shape, rng(3)).sigma
    # 40000 samples know a standard deviation to 1 / sqrt(80000) = 0.35 %, a mean to sigma / 200
    np.testing.assert_allclose(noise.std(axis=(1, 2)), sigma, rtol=0.02)
    assert (np.abs(noise.mean(axis=(1, 2))) < 5 * sigma / 200).all()
    neighbours = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairwise(noise)]
    assert np.abs(neighbours).max() < 0.03  # bands are independent, those of "corr" as well


def test_gaussian_levels_are_on_the_scale_of_255():
    np.testing.assert_allclose(Gaussian(51).draw((3, 1, 1), rng()).sigma, 0.2, rtol=1e-6)


@pytest.mark.parametrize("maximum", [15, 55, 95])
def test_non_iid_levels_are_uniform_up_to_the_maximum(maximum):
    sigma = np.sort(NonIid(maximum).draw((4000, 1, 1), rng()).sigma) * 255 / maximum
    assert 0 <= sigma[0] <= sigma[-1] <= 1 + 1e-6
    # Kolmogorov's distance from U(0, 1): 2 / sqrt(n) is exceeded by chance once in 1500 draws
    assert np.abs(sigma - (np.arange(4000) + 0.5) / 4000).max() < 2 / np.sqrt(4000)


def test_complex_levels_are_four_equally_likely_ones():
    levels, counts = np.unique(Complex().draw((4000, 1, 1), rng()).sigma, return_counts=True)
    np.testing.assert_array_equal(levels, LEVELS)
    assert np.abs(counts / 4000 - 0.25).max() < 0.03


def test_corr_follows_its_formula():
    # 23.08 exp(-d^2 / (4 * 0.157^2)) by hand for the distances 1/2, 1/4, 0, 1/4 from the centre
    sigma = Corr().draw((4, 1, 1), rng()).sigma * 255
    np.testing.assert_allclose(sigma, [1.828264, 12.244373, 23.08, 12.244373], rtol=1e-5)


@pytest.mark.parametrize("kind", [Stripe, Deadline, Impulse], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("bands", "hit"), [(32, 10), (30, 10), (3, 1), (2, 1), (1, 1)])
def test_a_third_of_the_bands_is_hit_and_other_bands_stay_as_they_are(kind, bands, hit):
    clean = np.full((bands, 30, 40), 0.5, np.float32)
    changed = (kind()(clean, rng(4)) != clean).any(axis=(1, 2))
    assert np.count_nonzero(changed) == hit
    assert not kinds(kind(band_share=0).draw(clean.shape, rng())).any()


@pytest.mark.parametrize("kind", [Stripe, Deadline], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("cols", "fewest", "most"), [(200, 10, 30), (100, 5, 15), (50, 3, 7), (10, 1, 1), (1, 1, 1)])
def test_between_5_and_15_percent_of_the_columns_are_hit(kind, cols, fewest, most):
    drawn = kind(band_share=1).draw((600, 1, cols), rng())
    counts = np.count_nonzero(drawn.dead | (drawn.offset != 0), axis=1)
    assert (counts.min(), counts.max()) == (fewest, most)  # every number comes up among 600 bands


def test_a_stripe_is_constant_along_its_column_and_at_most_a_quarter_of_the_peak():
    clean = rng().random((60, 8, 100), np.float32)
    shift = Stripe()(clean, rng(1)) - clean
    assert np.ptp(shift, axis=1).max() < 1e-6
    hit = shift[:, 0][np.abs(shift[:, 0]) > 1e-6]
    assert np.abs(hit).max() <= 0.25 + 1e-6
    assert (hit.min() < -0.2, hit.max() > 0.2, abs(hit.mean()) < 0.05) == (True, True, True)


def test_dead_columns_are_exactly_0_and_nothing_else_changes():
    clean = 0.1 + 0.9 * rng().random((9, 8, 40), np.float32)
    noisy = Deadline()(clean, rng(2))
    dead = Deadline().draw(clean.shape, rng(2)).dead
    np.testing.assert_array_equal(noisy, np.where(dead[:, None, :], 0, clean))


def test_impulses_are_half_0_half_1_with_fractions_from_the_set():
    clean = np.full((30, 200, 200), 0.5, np.float32)
    noisy = Impulse(band_share=1)(clean, rng(5))
    drawn = Impulse(band_share=1).draw(clean.shape, rng(5)).impulse
    assert set(drawn) == set(FRACTIONS)
    assert set(np.unique(noisy)) == {0, 0.5, 1}
    for value in (0, 1):  # 40000 pixels know a share to 0.0025
        np.testing.assert_allclose((noisy == value).mean(axis=(1, 2)), drawn / 2, atol=0.0125)


@pytest.mark.parametrize(("case", "kind"), [("case2", 0), ("case3", 1), ("case4", 2)])
def test_cases_2_to_4_are_case_1_and_one_kind_on_a_third(case, kind):
    drawn = make_noise(case).draw((31, 20, 40), rng(6))
    assert set(drawn.sigma) <= set(LEVELS)
    np.testing.assert_array_equal(kinds(drawn).sum(axis=1), np.where(np.arange(3) == kind, 10, 0))


@pytest.mark.parametrize(("bands", "third"), [(32, 10), (30, 10), (3, 1), (2, 1), (1, 1)])
def test_mixture_is_case_1_and_the_kinds_on_disjoint_thirds(bands, third):
    drawn = Mixture().draw((bands, 20, 40), rng(7))
    assert set(drawn.sigma) <= set(LEVELS)
    np.testing.assert_array_equal(kinds(drawn).sum(axis=1), [third] * 3)
    assert kinds(drawn).sum(axis=0).max() == 1 or bands < 3


def test_a_combination_adds_up():
    both = Combined((Gaussian(30), Gaussian(40), Impulse(1, (0.5,)), Impulse(1, (0.2,)))).draw((2, 3, 4), rng())
    np.testing.assert_allclose(both.sigma, 50 / 255, rtol=1e-6)  # 3-4-5
    np.testing.assert_allclose(both.impulse, 0.6, rtol=1e-6)  # escapes both: 0.5 * 0.8 = 0.4
    shape, twice = (6, 4, 40), rng(8)
    first, second = Stripe().draw(shape, twice), Stripe().draw(shape, twice)
    np.testing.assert_allclose(Combined((Stripe(),) * 2).draw(shape, rng(8)).offset, first.offset + second.offset)
    nothing = rng().random(shape, np.float32)
    np.testing.assert_array_equal(Combined()(nothing, rng()), nothing)
