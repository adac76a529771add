"""Values that voxels are stuck on show by their frequency, wherever they lie."""

import numpy as np
import pytest

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.masks import cut_off, stuck_values, usable


def with_stuck(values: np.ndarray, *, share: float, stuck: float) -> np.ndarray:
    hit = np.random.default_rng(1).random(values.shape) < share
    return np.where(hit, np.float32(stuck), values).astype(np.float32)


def test_a_value_in_the_middle_of_the_range_is_found_when_values_hardly_ever_repeat():
    smooth = np.random.default_rng(0).normal(0.5, 0.2, (8, 40, 40)).astype(np.float32)
    assert stuck_values(Cube(smooth, "smooth")) == ()
    found = stuck_values(Cube(with_stuck(smooth, share=0.01, stuck=0.625), "stuck"))
    assert found == (0.625,)


def test_counts_that_repeat_by_chance_are_not_stuck():
    counts = np.random.default_rng(0).integers(100, 164, (8, 40, 40))
    assert set(stuck_values(Cube(counts.astype(np.int16), "counts"))) <= {100.0, 163.0}


def test_fine_grey_levels_that_repeat_by_chance_are_not_stuck():
    row, col = np.mgrid[:40, :40] / 40
    disc = (row - 0.3) ** 2 + (col - 0.6) ** 2 < 0.04
    places = np.stack([np.sin(3 * row + 2 * col) ** 2, np.cos(5 * col - row) ** 2, row > 0.5, 0.7 * disc])
    scene = np.tensordot(np.random.default_rng(0).random((8, 4)), places, 1)
    levels = np.round(4095 * (scene / scene.max()).astype(np.float32)).astype(np.float32) / 4095
    assert stuck_values(Cube(levels, "levels")) == ()


def bright_spot() -> np.ndarray:
    """A scene whose bright middle is cut off at 1, in grey levels."""
    rows, cols = np.mgrid[:64, :64] / 63 - 0.5
    scene = 1.1 * np.exp(-8 * (rows**2 + cols**2)) * np.linspace(0.8, 1, 12)[:, None, None]
    return (np.round(255 * np.clip(scene, 0, 1)) / 255).astype(np.float32)


def found_cut(values: np.ndarray) -> tuple[float, ...]:
    cube = Cube(values, "cube")
    return cut_off(cube, stuck_values(cube))


def test_what_is_bright_all_around_is_cut_off():
    scene = bright_spot()
    assert (scene == 1).mean() > 0.005
    assert found_cut(scene) == (1.0,)


def test_noise_that_was_cut_off_at_zero_in_dark_places():
    noise = 0.02 * np.random.default_rng(0).standard_normal((12, 64, 64))
    assert found_cut(np.clip(bright_spot() * 0.8 + noise, 0, None).astype(np.float32)) == (0.0,)


def test_single_pixels_that_are_too_bright_in_some_bands_are_cut_off():
    rng = np.random.default_rng(0)
    scene = rng.uniform(0.1, 0.3, (40, 64, 64))
    rows, cols = rng.integers(0, 64, (2, 30))
    scene[:, rows, cols] = 1.3 * np.exp(-(((np.arange(40)[:, None] - rng.uniform(8, 32, 30)) / 8) ** 2))
    assert 1.0 in found_cut((np.round(255 * scene.clip(0, 1)) / 255).astype(np.float32))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_impulses_and_dead_columns_are_not_cut_off(value: float):
    scene = bright_spot() * np.float32(0.7) + np.float32(0.05)
    scene[:, :, ::16] = value
    scene = with_stuck(scene, share=0.05, stuck=value)
    assert value in stuck_values(Cube(scene, "impulses"))
    assert value not in found_cut(scene)


def test_a_value_far_outside_the_scene_is_no_end_of_it():
    scene = bright_spot()
    scene[scene == 1] = 65535
    assert found_cut(scene) == ()


def test_only_whole_pixels_on_a_value_that_is_cut_off_are_not_usable():
    physical = np.array([[[0, 0, 0.5]], [[0, 0.25, 0]]], np.float32)
    np.testing.assert_array_equal(usable(physical, (0.0,), (0.0,)), [[[False, True, True]], [[False, True, True]]])
