"""A result is never worse than its input by more than 0.1 dB over the voxels that were measured."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_decsc.denoising.protocol import run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.hsi.cube import Cube

Floats = NDArray[np.float32]


def scene(bands: int, rows: int, cols: int, seed: int = 0) -> Floats:
    """Four materials, two of them with sharp edges; peak 1."""
    rng = np.random.default_rng(seed)
    row, col = np.mgrid[:rows, :cols] / max(rows, cols)
    disc = (row - 0.3) ** 2 + (col - 0.6) ** 2 < 0.04
    places = np.stack([np.sin(3 * row + 2 * col) ** 2, np.cos(5 * col - row) ** 2, row > 0.5, 0.7 * disc])
    cube = np.tensordot(rng.random((bands, 4)), places, 1)
    return (cube / cube.max()).astype(np.float32)


def denoised(noisy: Floats) -> Floats:
    return np.asarray(run(DecscDenoiser().denoise(Cube(noisy, "noisy"))).data)


def decibels(clean: Floats, values: Floats) -> float:
    return float(-10 * np.log10(np.mean((clean - values.astype(np.float64)) ** 2)))


def gaussian(level: float) -> Callable[[Floats], Floats]:
    return lambda clean: (clean + level * np.random.default_rng(1).standard_normal(clean.shape)).astype(np.float32)


def levels(count: int, noise: float = 0.0) -> Callable[[Floats], Floats]:
    """Grey levels, with noise of this share of one."""
    return lambda clean: (np.round((count - 1) * gaussian(noise / (count - 1))(clean)) / (count - 1)).astype(np.float32)


SHAPES = [(31, 64, 64), (8, 40, 40), (100, 24, 32), (31, 33, 20)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_cube_without_noise_comes_back_as_it_came(shape: tuple[int, int, int]) -> None:
    clean = scene(*shape)
    assert np.abs(denoised(clean) - clean).max() < 1e-6


@pytest.mark.parametrize(
    "spoil",
    [gaussian(1e-5), gaussian(5e-4), gaussian(2e-3), gaussian(0.1), levels(256), levels(256, 0.1), levels(65536)],
    ids=["1e-5", "5e-4", "2e-3", "0.1", "256 levels", "256 levels, a tenth of one", "65536 levels"],
)
@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_no_strength_of_noise_is_made_worse(shape: tuple[int, int, int], spoil: Callable[[Floats], Floats]) -> None:
    clean = scene(*shape)
    noisy = spoil(clean)
    assert decibels(clean, denoised(noisy)) > decibels(clean, noisy) - 0.1


@pytest.mark.parametrize("noise", [2.0, 4.0])
def test_noise_of_a_few_rounding_levels_is_more_than_rounding(noise: float) -> None:
    clean = scene(31, 64, 64)
    noisy = levels(256, noise / 12**0.5)(clean)
    assert decibels(clean, denoised(noisy)) > decibels(clean, noisy) + 6


@pytest.mark.parametrize("level", [5e-3, 1e-2])
def test_a_scene_of_as_many_components_as_bands_is_not_taken_for_noise(level: float) -> None:
    rng = np.random.default_rng(0)
    frequencies = np.fft.fftn(rng.standard_normal((64, 64, 64))) / (1 + _distance(64) ** 3)
    clean = np.fft.ifftn(frequencies).real
    clean = ((clean - clean.min()) / np.ptp(clean)).astype(np.float32)
    noisy = gaussian(level)(clean)
    assert decibels(clean, denoised(noisy)) > decibels(clean, noisy) - 0.1


def _distance(side: int) -> NDArray[np.float64]:
    axis = np.fft.fftfreq(side, 1 / side)
    return np.sqrt(sum(part**2 for part in np.meshgrid(axis, axis, axis)))


@pytest.mark.parametrize("count", [64, 256, 4096])
def test_rounding_is_taken_off_and_no_voxel_leaves_its_grey_level(count: int) -> None:
    clean = scene(31, 64, 64)
    rounded = levels(count)(clean)
    result = denoised(rounded)
    assert decibels(clean, result) > decibels(clean, rounded) + 1
    assert np.abs(result - rounded).max() <= 0.5 / (count - 1) + 1e-6


@pytest.mark.parametrize("shape", [(8, 40, 40), (16, 24, 24), (31, 12, 12)], ids=str)
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_grey_levels_of_a_tiny_cube_are_not_made_worse(shape: tuple[int, int, int], noise: float) -> None:
    clean = scene(*shape)
    noisy = levels(4096, noise)(clean)
    assert decibels(clean, denoised(noisy)) > decibels(clean, noisy) - 0.1


def test_a_hidden_voxel_of_a_rounded_cube_is_what_its_neighbours_say() -> None:
    clean = scene(31, 64, 64)
    noisy = levels(256)(clean)
    noisy[4, 20, 20] = np.nan
    noisy[:, 30, 31] = np.nan
    noisy[9, 10, 50] = 80.0
    result = denoised(noisy)
    assert abs(result[9, 10, 50] - clean[9, 10, 50]) < 0.05


@pytest.mark.parametrize("shape", [(31, 1, 1), (31, 1, 2), (2, 1, 1), (1, 3, 3)], ids=str)
def test_hardly_any_pixels_come_back(shape: tuple[int, int, int]) -> None:
    noisy = gaussian(0.1)(np.full(shape, 0.5, np.float32))
    assert np.abs(denoised(noisy) - noisy).max() < 1e-5


@pytest.mark.parametrize("level", [1e-3, 0.02, 0.1])
def test_four_by_three_pixels_are_not_made_worse(level: float) -> None:
    clean = scene(31, 64, 64)[:, 30:34, 30:33]
    noisy = gaussian(level)(clean)
    assert decibels(clean, denoised(noisy)) > decibels(clean, noisy) - 0.1


def test_constant_bands_come_back_and_do_not_spoil_the_others() -> None:
    clean = scene(31, 64, 64)
    clean[[3, 10]] = [[[0.5]], [[0.0]]]
    noisy = gaussian(0.01)(clean)
    noisy[[3, 10]] = clean[[3, 10]]
    result = denoised(noisy)
    assert np.array_equal(result[[3, 10]], clean[[3, 10]])
    assert decibels(clean, result) > decibels(clean, noisy) + 3


@pytest.mark.parametrize("value", [80.0, -80.0])
@pytest.mark.parametrize("level", [0.0, 0.01])
def test_one_wild_voxel_spoils_nothing(level: float, value: float) -> None:
    clean = scene(31, 64, 64)
    noisy = gaussian(level)(clean)
    noisy[5, 20, 30] = value
    result = denoised(noisy)
    assert abs(result[5, 20, 30] - clean[5, 20, 30]) < 0.1
    measured = np.ones(clean.shape, bool)
    measured[5, 20, 30] = False
    before = np.mean((noisy - clean)[measured].astype(np.float64) ** 2)
    assert np.mean((result - clean)[measured].astype(np.float64) ** 2) <= 1.023 * before + 1e-12
