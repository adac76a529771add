"""One scale per pixel or the stabilising transform: the cube itself says which serves it better."""

import numpy as np
import pytest
import torch

from napari_decsc.deq.estimation import trial
from napari_decsc.deq.estimation.noise_level import band_sigmas
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.noise_search import _Search, measure
from napari_decsc.hsi.sample import sample_cube

BANDS, SIDE = 40, 96


def scene(tilt: float) -> np.ndarray:
    """One light on everything, and six materials that differ from it by ``tilt``."""
    place = (np.arange(BANDS) / BANDS)[:, None, None]
    row, col = np.mgrid[:SIDE, :SIDE] / SIDE
    light = 0.15 + 0.85 * np.sin(5 * row + 2 * np.sin(4 * col)) ** 2
    cube = (0.3 + 0.5 * np.exp(-(((place - 0.6) / 0.5) ** 2))) * light
    for k in range(6):
        cube = cube + tilt * np.sin(2 * (k + 1) * place + k) * light * np.sin((3 + k) * row + (2 + k) * col + k) ** 2
    cube = np.maximum(cube, 0.005)
    return (cube / cube.max()).astype(np.float32)


def sample() -> np.ndarray:
    """Small things with spectra of their own."""
    cube = sample_cube(SIDE, SIDE, BANDS).data.astype(np.float32)
    return cube / cube.max()


def noisy(clean: np.ndarray, electrons: float, read: float) -> torch.Tensor:
    level = np.sqrt(clean / electrons + (read / electrons) ** 2)
    return torch.from_numpy((clean + level * np.random.default_rng(5).standard_normal(clean.shape)).astype(np.float32))


def models(cube: torch.Tensor) -> list[NoiseModel]:
    sigma = band_sigmas(cube[None], torch.ones_like(cube[None], dtype=torch.bool))[0]
    return [_Search(cube, sigma, by_pixel=by_pixel).found() for by_pixel in (True, False)]


@pytest.mark.parametrize(
    ("clean", "by_pixel"), [(scene(0.15), True), (scene(0.4), True), (sample(), False)], ids=["light", "more", "sample"]
)
def test_the_better_one_is_told_by_the_noisy_cube(clean: np.ndarray, by_pixel: bool) -> None:
    cube = noisy(clean, 1000, 3)
    both = models(cube)
    errors = [float((trial._filtered(cube, model) - torch.from_numpy(clean)).square().mean()) for model in both]
    assert (errors[0] < errors[1]) == by_pixel
    for order in (both, both[::-1]):
        chosen = trial.best(cube, order, []).shot
        assert chosen is not None
        assert chosen.by_pixel == by_pixel


def test_it_overrules_what_spectra_say() -> None:
    cube = noisy(scene(0.4), 3000, 3)
    found = measure(cube, torch.ones_like(cube, dtype=torch.bool)).shot
    assert found is not None
    assert found.by_pixel_leaves > 0.27
    assert found.by_pixel


def test_a_scene_without_components_is_its_mean() -> None:
    cube = torch.full((BANDS, SIDE, SIDE), 0.5)
    model = NoiseModel(torch.full((BANDS,), 0.1), basis=torch.zeros(BANDS, 0))
    assert torch.allclose(trial._filtered(cube, model), cube)
