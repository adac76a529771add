"""Correlation of the noise between bands, beside texture that looks like it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_decsc.deq.estimation.correlation import between_bands

BANDS, SIDE, LEVEL = 40, 96, 0.01


def rough(seed: int = 0) -> NDArray[np.float64]:
    """Brightness that differs from pixel to pixel, in some places ten times as much as in others."""
    rng = np.random.default_rng(seed)
    roughness = np.kron(10 ** rng.uniform(-1, 0, (12, 12)), np.ones((8, 8)))
    pattern = 1 + 0.1 * roughness * rng.standard_normal((SIDE, SIDE))
    return np.linspace(0.2, 0.8, BANDS)[:, None, None] * pattern


def found(values: NDArray[np.float64]) -> Tensor | None:
    return between_bands(torch.from_numpy(values).float(), torch.full((BANDS,), LEVEL))


def noise(seed: int = 1) -> NDArray[np.float64]:
    return LEVEL * np.random.default_rng(seed).standard_normal((BANDS, SIDE, SIDE))


def test_texture_from_pixel_to_pixel_is_no_noise() -> None:
    assert found(rough() + noise()) is None


def test_noise_that_all_bands_share_is_found_beside_it() -> None:
    shared = 2 * LEVEL * np.random.default_rng(2).standard_normal((SIDE, SIDE))
    correlation = found(rough() + noise() + shared)
    assert correlation is not None
    beside = correlation[~torch.eye(BANDS, dtype=torch.bool)]
    assert 0.6 < float(beside.median()) < 0.9  # 0.8 of the noise is shared


def test_noise_that_the_bands_beside_share_is_found_and_reaches_no_further() -> None:
    generator = np.random.default_rng(3)
    smooth = generator.standard_normal((BANDS + 1, SIDE, SIDE))
    correlation = found(rough() + LEVEL * (smooth[1:] + 0.4 * smooth[:-1]))
    assert correlation is not None
    assert 0.2 < float(correlation.diagonal(1).mean()) < 0.4  # 0.34
    assert float(correlation.diagonal(10).abs().max()) == 0


def scene_with_glint(glint: float) -> np.ndarray:
    """Two materials; the light on the first, from 0.5 to 1.5, scatters by this share of it."""
    generator = np.random.default_rng(4)
    spectra = np.stack([np.linspace(0.2, 0.8, BANDS), np.cos(np.arange(BANDS) / 9)])
    row, col = np.mgrid[:SIDE, :SIDE] / SIDE
    light = (1 + 0.5 * np.sin(5 * row)) * (1 + glint * generator.standard_normal((SIDE, SIDE)))
    return np.tensordot(spectra.T, np.stack([light, 0.1 * np.cos(4 * col)]), 1)


def test_glint_that_is_alike_everywhere_is_the_scene() -> None:
    assert found(scene_with_glint(0.04) + noise()) is None


def test_noise_that_all_bands_share_is_found_though_the_scene_has_its_spectrum() -> None:
    spectrum = np.linspace(0.2, 0.8, BANDS)[:, None, None]
    shared = 0.04 * spectrum * np.random.default_rng(5).standard_normal((SIDE, SIDE))
    assert found(scene_with_glint(0) + shared + noise()) is not None
