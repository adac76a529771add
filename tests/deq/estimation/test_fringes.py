"""Waves of single bands are found in a noisy cube, and taken out without the scene."""

import math

import numpy as np
import torch

from napari_decsc.deq.estimation import fringes
from napari_decsc.deq.estimation.fringes import Wave
from napari_decsc.hsi.noise.lines import Fringes


def scene() -> np.ndarray:
    """Two materials; one is periodic in space, as fields are."""
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[:96, :96]
    places = np.stack([np.sin(rows / 30) ** 2, np.sin(2 * np.pi * (rows + 2 * cols) / 24) ** 2])
    return np.tensordot(rng.random((20, 2)), places, 1).astype(np.float32)


def noisy(*, waves: bool) -> torch.Tensor:
    rng = np.random.default_rng(1)
    cube = scene() + 0.03 * rng.standard_normal((20, 96, 96))
    return torch.from_numpy(Fringes(0.05, 9)(cube, rng) if waves else cube).float()


def test_every_band_has_its_wave() -> None:
    found = fringes.found_in_cube(noisy(waves=True))
    periods = [1 / math.hypot(wave.down, wave.across) for wave in found]
    assert sum(abs(period - 9) < 0.1 for period in periods) >= 18
    assert len(found) <= 24


def test_what_is_periodic_in_the_scene_is_no_wave() -> None:
    assert fringes.found_in_cube(noisy(waves=False)) == ()


def test_the_waves_of_a_band_are_fitted_together() -> None:
    rows, cols = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    waves = (Wave(1, 0.1, 0.05), Wave(1, 0.11, 0.06))
    image = sum(
        size * torch.cos(2 * math.pi * (wave.down * rows + wave.across * cols) + size)
        for size, wave in zip((1.0, 2.0), waves, strict=True)
    )
    images = torch.stack([image, image])
    weight = 1 + torch.rand(64, 48, generator=torch.Generator().manual_seed(0))
    fitted = fringes.fit(images, waves, weight)
    assert fitted[0].abs().max() == 0
    torch.testing.assert_close(fitted[1], image, rtol=0.02, atol=0.02)
