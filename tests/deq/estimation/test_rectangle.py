"""Borders without data, as georeferenced scenes have them, do not keep the noise from being measured."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_decsc.denoising.protocol import run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.estimation import noise_search, rectangle
from napari_decsc.hsi.cube import Cube

ROWS, COLS = np.mgrid[:72, :80]
INSIDE = (ROWS + 0.3 * COLS > 16) & (ROWS - 0.3 * COLS < 56)


def scene(bands: int = 20) -> np.ndarray:
    drawn = np.random.default_rng(0)
    images = ndimage.gaussian_filter(drawn.standard_normal((4, 72, 80)), (0, 3, 3))
    spectra = ndimage.gaussian_filter1d(drawn.standard_normal((bands, 4)), 3, axis=0)
    cube = np.tensordot(spectra / spectra.std(), images / images.std(), 1)
    return (0.5 + 0.1 * cube).astype(np.float32)


def along_bands() -> np.ndarray:
    noise = ndimage.gaussian_filter1d(np.random.default_rng(1).standard_normal((20, 72, 80)), 0.8, axis=0)
    return (0.05 * noise / noise.std()).astype(np.float32)


def columns() -> np.ndarray:
    drawn = np.random.default_rng(1)
    return (0.05 * drawn.standard_normal((20, 1, 80)) + 0.01 * drawn.standard_normal((20, 72, 80))).astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_rectangle_is_that_of_every_one_tried(seed: int) -> None:
    there = np.random.default_rng(seed).random((9, 11)) < 0.8
    rows, cols = rectangle.largest(there)
    sizes = [
        (bottom - top) * (right - left)
        for top in range(9)
        for bottom in range(top + 1, 10)
        for left in range(11)
        for right in range(left + 1, 12)
        if there[top:bottom, left:right].all()
    ]
    assert there[rows, cols].all()
    assert (rows.stop - rows.start) * (cols.stop - cols.start) == max(sizes)


def test_of_nothing_it_is_empty() -> None:
    assert rectangle.largest(np.zeros((4, 5), bool)) == (slice(0, 0), slice(0, 0))


def test_a_column_that_keeps_blocks_apart_is_bridged() -> None:
    there = np.ones((6, 9), bool)
    there[:, 4] = False
    there[0, 5] = False
    assert rectangle.bridged(there)[:, 4].tolist() == [False, True, True, True, True, True]
    assert rectangle.largest(rectangle.bridged(there)) == (slice(1, 6), slice(0, 9))
    there[:, 5] = False  # two of them are a border
    assert not rectangle.bridged(there)[:, 4:6].any()


def test_noise_between_bands_is_found_inside_of_borders() -> None:
    cube = torch.from_numpy(scene() + along_bands())
    there = torch.from_numpy(INSIDE).expand_as(cube)
    found = noise_search.measure(torch.where(there, cube, 0), there)
    assert found.whitening is not None


@pytest.mark.parametrize("noise", [along_bands, columns])
def test_a_scene_with_borders_is_denoised_as_well_as_without(noise) -> None:
    clean = scene()
    noisy = clean + noise()

    def error(cube: np.ndarray) -> float:
        result = np.asarray(run(DecscDenoiser().denoise(Cube(cube))).data)
        return float(np.sqrt(np.mean((result - clean)[:, INSIDE] ** 2)))

    with_borders = error(np.where(INSIDE, noisy, np.nan).astype(np.float32))
    assert with_borders < 1.5 * error(noisy)
