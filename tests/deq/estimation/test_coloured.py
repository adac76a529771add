"""The level of noise that is correlated in space, beside a scene of fine texture."""

import numpy as np
import pytest
import torch

from napari_decsc.deq.estimation.noise_search import measure
from napari_decsc.deq.estimation.regression import beside_other_bands, coloured_level
from napari_decsc.hsi.noise.sensors import Correlated

BANDS, SIDE, MATERIALS = 40, 96, 6


def textured(seed: int = 0) -> np.ndarray:
    """Materials mixed differently in every pixel: as an airborne scene, rough to the last pixel."""
    rng = np.random.default_rng(seed)
    place = np.arange(BANDS) / BANDS
    spectra = [np.exp(-(((place - rng.random()) / 0.3) ** 2)) for _ in range(MATERIALS)]
    shares = rng.random((MATERIALS, SIDE, SIDE)) ** 3
    cube = np.tensordot(np.stack(spectra, 1), shares, 1)
    return (cube / cube.max()).astype(np.float32)


def noisy(across: float, along: float = 0.0, level: float = 0.03) -> tuple[torch.Tensor, np.ndarray]:
    clean = textured()
    values = Correlated(level, 0.7, across, along)(clean, np.random.default_rng(1))
    return torch.from_numpy(values), (values - clean).std((1, 2))


@pytest.mark.parametrize("across", [0.65, 0.9, 1.2])
def test_levels_are_right_where_differences_hold_the_texture(across: float) -> None:
    values, true = noisy(across)
    level = coloured_level(values)
    assert level is not None
    assert level.numpy() == pytest.approx(true, rel=0.35)


@pytest.mark.parametrize(("across", "along"), [(0.0, 0.0), (0.0, 0.7), (0.9, 0.7)], ids=["white", "bands", "both"])
def test_other_noise_is_left_to_others(across: float, along: float) -> None:
    assert coloured_level(noisy(across, along)[0]) is None


def test_offset_columns_are_no_noise_that_is_correlated_in_space() -> None:
    columns = 0.03 * np.random.default_rng(1).standard_normal((BANDS, 1, SIDE))
    values = noisy(0.0, level=0.003)[0] + torch.from_numpy(columns.astype(np.float32))
    assert coloured_level(values) is None


@pytest.mark.parametrize("across", [0.7, 0.9])
def test_neither_noise_passes_for_components_nor_texture_for_correlation(across: float) -> None:
    values, true = noisy(across)
    model = measure(values, torch.ones_like(values, dtype=torch.bool))
    assert model.basis is not None
    assert model.basis.shape[1] <= MATERIALS + 1
    assert model.whitening is None
    assert model.level.numpy() == pytest.approx(true, rel=0.25)


def test_a_constant_cube_has_no_noise_of_any_kind() -> None:
    cube = torch.full((BANDS, 32, 32), 0.5)
    residual, level, partial = beside_other_bands(cube)
    assert float(residual.abs().max()) < 1e-6
    assert float(level.max()) < 1e-6
    assert bool(partial.isfinite().all())
    assert coloured_level(cube) is None
