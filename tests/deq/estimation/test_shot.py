"""Growth of the noise with the signal is found beside the signal's subspace, and not where there is none."""

import numpy as np
import pytest
import torch

from napari_decsc.deq.estimation.noise_search import measure
from napari_decsc.deq.estimation.shot import ShotNoise
from napari_decsc.hsi.noise.base import Combined
from napari_decsc.hsi.noise.lines import ColumnStripes
from napari_decsc.hsi.noise.sensors import Correlated, Shot

STRIPES = ColumnStripes(0.02, 0.02)


def scene() -> np.ndarray:
    """Three materials in smooth places, (band, row, col), from 0 to 1."""
    rng = np.random.default_rng(0)
    rows, cols = np.mgrid[:96, :96] / 95
    places = np.stack([np.sin(3 * rows + 2 * cols) ** 2, np.cos(5 * cols - rows) ** 2, rows * cols])
    bands = np.linspace(0, 1, 31)
    spectra = np.stack([np.exp(-((bands - centre) ** 2) / 0.1) for centre in rng.random(3)], 1)
    mixed = np.tensordot(spectra, places, 1)
    return (mixed / mixed.max()).astype(np.float32)


def beach() -> np.ndarray:
    """Dark water, and along the left side a beach: only there it is bright."""
    _, cols = np.mgrid[:96, :96]
    bright = np.stack([0.9 / (1 + np.exp((cols - 14) / 2)), 0.1 * scene()[5]])
    bands = np.linspace(0, 1, 31)
    spectra = np.stack([0.3 + 0.7 * bands, 1 - 0.5 * bands], 1)
    return np.tensordot(spectra, bright, 1).astype(np.float32)


def found(noise, clean: np.ndarray | None = None) -> object:
    noisy = torch.from_numpy(noise(scene() if clean is None else clean, np.random.default_rng(1)))
    return measure(noisy, torch.ones_like(noisy, dtype=torch.bool)).shot


@pytest.mark.parametrize("more", [(), (STRIPES,)], ids=["alone", "with stripes"])
def test_shot_noise_is_found(more: tuple[object, ...]) -> None:
    shot = found(Combined((Shot(200, 2, "normal"), *more)))
    assert shot is not None
    assert shot.shot == pytest.approx(1 / 200, rel=0.25)
    assert shot.read == pytest.approx(2 / 200, rel=0.5)


def test_shot_noise_beside_stripes_is_found_where_the_scene_is_bright_along_them() -> None:
    shot = found(Combined((Shot(200, 2, "normal"), STRIPES)), beach())
    assert shot is not None
    assert shot.shot == pytest.approx(1 / 200, rel=0.25)


@pytest.mark.parametrize("more", [(), (STRIPES,)], ids=["alone", "with stripes"])
def test_noise_that_does_not_grow_is_not_taken_for_it(more: tuple[object, ...]) -> None:
    assert found(Combined((Correlated(0.03, 0.7, 0.0, 0.0), *more))) is None


@pytest.mark.parametrize("electrons", [3, 10, 100, 1000])
def test_the_mean_of_stabilised_values_comes_back_as_the_signal(electrons: float) -> None:
    noise = ShotNoise(0.05, 0.02, by_pixel=False)
    signal = torch.tensor(0.05 * electrons)
    draws = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    mean = noise.stabilised(signal + noise.variance(signal[None]).sqrt() * draws).mean()
    assert float(noise.restored(mean[None])) == pytest.approx(float(signal), rel=5e-3)
