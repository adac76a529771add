"""What stands in for SciPy, whose import takes longer than a verdict, gives what SciPy gives."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.linalg import solveh_banded
from scipy.ndimage import label, uniform_filter
from scipy.special import gammaincc, gammaincinv

from napari_decsc.denoising import explained, lost_structure, rare_signal


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_quantiles_of_the_chi_square_law(share):
    freedom = np.geomspace(0.5, 1e5, 50)
    np.testing.assert_allclose(lost_structure._quantile(freedom, share), 2 * gammaincinv(freedom / 2, share), rtol=1e-8)


def test_the_tail_of_the_chi_square_law():
    values = np.linspace(0, 400, 200)
    np.testing.assert_allclose(lost_structure._upper_gamma(15.5, values), gammaincc(15.5, values), rtol=1e-8)


@pytest.mark.parametrize("side", [1, 5, 15])
def test_window_sums_see_nothing_outside(side):
    values = np.random.default_rng(0).random((3, 20, 33)).astype(np.float32)
    expected = uniform_filter(values.astype(float), (1, side, side), mode="constant") * side**2
    np.testing.assert_allclose(lost_structure._box(values[1], side), expected[1], rtol=1e-4)
    np.testing.assert_allclose(lost_structure._energy(values, side), np.square(expected).sum(0), rtol=1e-4)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.6, 0.95])
def test_regions_are_those_of_scipy(share):
    where = np.random.default_rng(3).random((30, 41)) < share
    expected, count = label(where)
    found, many = lost_structure._labelled(where)
    assert many == count
    np.testing.assert_array_equal(found, expected)


def test_places_tell_their_most_improbable_pixel():
    scores = np.zeros((80, 90), np.float32)
    scores[10, 12], scores[12, 15], scores[60, 70] = 20, 30, 25
    found, count = lost_structure.places(scores)
    assert count == 2
    assert [(place.row, place.col, place.pixels, place.score) for place in found] == [(12, 15, 2, 30), (60, 70, 1, 25)]


def test_pixels_that_touch_by_a_corner_are_one_place():
    where = np.random.default_rng(1).random((40, 50)) < 0.2
    labels, count = label(where, np.ones((3, 3)))
    found = rare_signal._touching(where)
    assert len(found) == count
    assert sum(len(place) for place in found) == where.sum()
    assert all(len({labels[pixel] for pixel in place}) == 1 for place in found)


def test_offsets_of_lines_solve_their_equations():
    generator = np.random.default_rng(2)
    diagonal, beside, right = generator.random((3, 4, 30))
    diagonal[:, 7] = beside[:, 6:8] = 0  # a line that no pixel knows
    for band, found in enumerate(explained._solved(2 + diagonal, beside, right)):
        bands = np.stack([np.append(0, beside[band, :-1]), 2 + diagonal[band] + 1e-3])
        np.testing.assert_allclose(found, solveh_banded(bands, right[band]), rtol=1e-8)


def test_a_verdict_loads_no_scipy():
    code = (
        "import sys, napari_decsc.denoising.verdict, napari_decsc.denoising.rare_signal;"
        "sys.exit(any(name.startswith('scipy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
