"""Bands that hold nothing of the scene: which they are, and what fills them."""

import numpy as np
import pytest

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.empty_bands import BLANK, FLAGGED, JUNK, empty_bands, filled, junk_bands, told
from napari_decsc.hsi.masks import stuck_values
from napari_decsc.hsi.sample import sample_cube

SCENE = sample_cube(64, 64, 16).data.astype(np.float32)
SCENE /= SCENE.max()


def noisy(sigma: float = 0.02, seed: int = 0) -> np.ndarray:
    return (SCENE + sigma * np.random.default_rng(seed).standard_normal(SCENE.shape)).astype(np.float32)


def junk_of(values: np.ndarray) -> tuple[int, ...]:
    cube = Cube(values)
    return junk_bands(cube, stuck_values(cube))


@pytest.mark.parametrize("level", [1.0, 3.0, 1000.0])
@pytest.mark.parametrize("seed", range(3))
def test_loud_noise_alone_is_junk(level: float, seed: int) -> None:
    values = noisy(seed=seed)
    rng = np.random.default_rng(seed + 10)
    values[[2, 9]] = level * rng.standard_normal((2, 64, 64))
    values[9] += 0.5 * level  # an offset is no scene
    assert junk_of(values) == (2, 9)


@pytest.mark.parametrize("sigma", [0.0, 0.02, 0.4, 1.5])
def test_no_band_is_junk_where_noise_is_loud_everywhere(sigma: float) -> None:
    assert junk_of(noisy(sigma)) == ()


def test_a_band_that_shows_the_scene_is_no_junk() -> None:
    values = noisy()
    values[4] = 50 * values[4] + 5 * np.random.default_rng(1).standard_normal((64, 64))
    assert junk_of(values) == ()


def test_a_band_with_structure_of_its_own_is_no_junk() -> None:
    values = noisy()
    row, col = np.mgrid[:64, :64]
    values[4] = 300 + 5 * np.sin(row / 4) * np.cos(col / 6)
    assert junk_of(values) == ()


def test_junk_with_stripes_is_junk() -> None:
    values, rng = noisy(), np.random.default_rng(1)
    values[4] = 3 * rng.standard_normal((64, 64)) + 5 * rng.standard_normal(64)
    assert junk_of(values) == (4,)


def test_reasons_and_the_sentence() -> None:
    values = noisy()
    values[3], values[5] = 0.7, 10 * np.random.default_rng(1).standard_normal((64, 64))
    good = np.ones(16, bool)
    good[[0, 1, 2]] = False
    cube = Cube(values, good_bands=good)
    found = empty_bands(cube, stuck_values(cube))
    assert found == {0: FLAGGED, 1: FLAGGED, 2: FLAGGED, 3: BLANK, 5: JUNK}
    assert told(found, fill=False) == (
        "left out of everything: bands 1-3 (bad by the header), 4 (no usable voxel, or constant), "
        "6 (noise alone, louder than the scene); they come back as they came"
    )
    assert "filled from the bands beside them" in told(found, fill=True)


def test_flags_that_call_every_band_bad_are_no_flags() -> None:
    cube = Cube(noisy(), good_bands=np.zeros(16, bool))
    assert empty_bands(cube, stuck_values(cube)) == {}


def test_where_every_band_is_empty_none_is_left_out() -> None:
    cube = Cube(np.full((4, 40, 40), 0.5, np.float32))
    assert empty_bands(cube, stuck_values(cube)) == {}


@pytest.mark.parametrize("places", [np.array([0.0, 1, 2, 4, 5]), np.array([50.0, 40, 30, 10, 0])], ids=["up", "down"])
def test_missing_bands_lie_on_a_line_between_those_beside(places: np.ndarray) -> None:
    truth = (3 * places + 1).astype(np.float32)[:, None, None] * np.ones((1, 2, 2), np.float32)
    kept, missing = np.array([0, 1, 3]), np.array([2, 4])
    found = filled(truth[kept], kept, places, missing)
    assert np.allclose(found[0], truth[2], atol=1e-5)
    assert np.allclose(found[1], truth[3], atol=1e-5)  # beyond the last: as that


def test_a_single_band_fills_all_others() -> None:
    found = filled(np.full((1, 2, 2), 3, np.float32), np.array([1]), np.arange(3.0), np.array([0, 2]))
    assert np.array_equal(found, np.full((2, 2, 2), 3))
