"""The peak of a cube, and the voxels that carry no information."""

import numpy as np
import pytest

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.masks import STUCK_SHARE, blank_pixels, stuck_values, usable
from napari_decsc.hsi.scaling import peak, sample


def ramp(low: float, high: float, shape: tuple[int, int, int] = (5, 20, 20)) -> np.ndarray:
    """All values from low to high, evenly, in random order."""
    values = np.linspace(low, high, int(np.prod(shape)), dtype=np.float32)
    return np.random.default_rng(0).permutation(values).reshape(shape)


def test_a_small_cube_is_sampled_whole_and_in_physical_values():
    cube = Cube(np.array([[[-1, 500, 1000]]], np.int16), scale=1000, no_data=-1)
    values = sample(cube)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.array([[[np.nan, 0.5, 1]]], np.float32))


@pytest.mark.parametrize(("voxels", "step"), [(2000, 1), (1999, 2), (500, 2), (499, 3), (1, 45)])
def test_a_large_cube_is_sampled_on_an_even_grid_with_all_bands(voxels, step):
    data = ramp(0, 1)  # 2000 voxels; sqrt(2000 / 499) = 2.002, sqrt(2000) = 44.7
    np.testing.assert_array_equal(sample(Cube(data), voxels), data[:, ::step, ::step])


def test_sampling_reads_only_the_grid_of_a_memory_map(tmp_path):
    path = tmp_path / "cube.dat"
    data = ramp(0, 1)
    data.tofile(path)
    mapped = np.memmap(path, np.float32, "r", shape=data.shape)
    assert sample(Cube(mapped), 500).shape == (5, 10, 10)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, 1),  # reflectance
        (0, 0.3, 1),  # dark reflectance: 0.2985
        (-0.5, 1.9, 1),
        (0, 0.1, 0.0995),  # the 99.5th percentile of an even ramp is 99.5 % of the way
        (0, 4000, 3980),  # counts
        (-2, 0, 1),  # nothing above 0: no peak to refer to
    ],
)
def test_the_peak_is_1_for_reflectance_and_the_percentile_for_other_units(low, high, expected):
    assert peak(Cube(ramp(low, high))) == pytest.approx(expected, rel=1e-4)


def test_the_peak_is_physical_and_ignores_gaps_and_single_hot_voxels():
    counts = ramp(0, 4000)
    assert peak(Cube(counts, scale=10)) == pytest.approx(398, rel=1e-4)
    gaps = np.where(counts > 2000, np.float32(-9999), counts)
    assert peak(Cube(gaps, no_data=-9999)) == pytest.approx(1990, rel=1e-3)
    hot = counts.copy()
    hot[0, 0, 0], hot[0, 0, 1], hot[0, 0, 2] = 1e9, np.inf, np.nan
    assert peak(Cube(hot)) == pytest.approx(3980, rel=1e-3)


@pytest.mark.parametrize("nothing", [np.full((2, 3, 4), np.nan), np.full((2, 3, 4), -1.0), np.zeros((2, 3, 4))])
def test_a_cube_without_values_has_the_peak_1(nothing):
    assert peak(Cube(nothing, no_data=-1)) == 1


def test_a_continuous_cube_is_stuck_nowhere():
    assert stuck_values(Cube(ramp(0, 1))) == ()


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (0, -1, 1),  # dead lines inside the range
        (0, 0, 1),
        (1, 0, 2),  # salt at the peak
        (0.9, 0, 0.9),  # saturation below the peak
        (-0.5, -0.5, 1),
    ],
)
def test_a_value_that_comes_again_and_again_is_found(value, low, high):
    data = ramp(low, high)
    data[2, :, 5] = value
    assert stuck_values(Cube(data)) == pytest.approx((value,))


def test_stuck_values_are_physical_sorted_and_no_gaps():
    data = ramp(100, 900).astype(np.float32)
    data[0, 0], data[1, 0], data[2, 0] = 0, 1000, -9999
    assert stuck_values(Cube(data, scale=1000, no_data=-9999)) == (0, 1)
    assert stuck_values(Cube(np.full((2, 3, 4), np.nan))) == ()


@pytest.mark.parametrize(("count", "found"), [(1, False), (2, True), (3, True)])
def test_one_voxel_on_a_value_is_no_proof(count, found):
    data = ramp(0.1, 1)
    data.flat[:count] = 0
    assert (0 in stuck_values(Cube(data))) is found


def test_in_a_large_cube_the_share_decides():
    shape = (10, 100, 100)
    enough = int(STUCK_SHARE * np.prod(shape))
    for count, found in ((enough - 1, False), (enough, True)):
        data = ramp(0.1, 1, shape)
        data.flat[:count] = 0
        assert (0 in stuck_values(Cube(data))) is found


def test_voxels_on_a_stuck_value_and_gaps_are_not_usable():
    physical = np.array([[[0, 0.5, 1]], [[np.nan, np.inf, 0.1]]], np.float32)
    np.testing.assert_array_equal(usable(physical, (0.0, 1.0)), [[[False, True, False]], [[False, False, True]]])
    np.testing.assert_array_equal(usable(physical, (float(np.float64(0.1)),))[1], [[False, False, False]])
    np.testing.assert_array_equal(usable(physical, ()), np.isfinite(physical))


def test_a_pixel_is_blank_when_no_band_is_usable():
    keep = np.array([[[True, False], [False, False]], [[False, True], [False, False]]])
    np.testing.assert_array_equal(blank_pixels(keep), [[False, False], [True, True]])
