"""Medians, noise levels and robust coordinates: against their definitions, and what must not matter."""

import numpy as np
import pytest
import torch
from scipy.ndimage import median_filter

from napari_decsc.deq.estimation import robust_pca


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


def test_the_median_of_usable_voxels_is_that_of_scipy():
    cube = normal(2, 3, 9, 11)
    found = robust_pca.median_3x3(cube, torch.ones_like(cube, dtype=torch.bool))
    np.testing.assert_array_equal(found, median_filter(cube.numpy(), size=(1, 1, 3, 3), mode="mirror"))


def test_a_hidden_voxel_counts_in_no_median_and_changes_its_own_band_only():
    cube, mask = normal(1, 2, 9, 11), torch.ones(1, 2, 9, 11, dtype=torch.bool)
    mask[0, 1, 4, 5] = False
    found, plain = robust_pca.median_3x3(cube, mask), robust_pca.median_3x3(cube, torch.ones_like(mask))
    torch.testing.assert_close(found[0, 0], plain[0, 0], rtol=0, atol=0)
    near = cube[0, 1, 3:6, 4:7].flatten()[[0, 1, 2, 3, 5, 6, 7, 8]].sort().values
    assert found[0, 1, 4, 5] == near[3]  # of eight, the lower middle one


@pytest.mark.parametrize("hidden", [0.0, 0.1, 0.6])
def test_the_noise_level_of_a_large_band(hidden: float):
    """Larger than the sample, and as wide as a power of two; columns of their own level must not matter."""
    noise = 0.1 * normal(1, 1, 300, 512) + normal(512)
    mask = torch.rand(noise.shape, generator=torch.Generator().manual_seed(6)) >= hidden
    if hidden < 0.25:
        assert float(robust_pca.band_sigmas(noise, mask)) == pytest.approx(0.1, rel=0.02)
    assert float(robust_pca.band_sigmas(noise - noise.mean(2, keepdim=True), mask)) == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("weighed", [False, True])
def test_robust_coordinates_solve_their_equation(weighed: bool):
    """At the minimum the clipped rest of every spectrum is orthogonal to the basis; more spectra than fit at once."""
    pixels = 3 * normal(1, 8, robust_pca.IN_CACHE + 50)
    basis = torch.linalg.qr(normal(1, 8, 2))[0]
    limit = torch.linspace(2, 5, 8).view(1, 8, 1)
    weight = (torch.arange(pixels.shape[2]) % 5 > 0).float().expand_as(pixels) if weighed else None
    start = torch.zeros(1, 2, pixels.shape[2])
    code = robust_pca.huber_code(pixels, weight, basis, limit, start, steps=200)
    residual = (pixels - basis @ code).clamp(-limit, limit) * (1 if weight is None else weight)
    assert float((basis.mT @ residual).abs().max()) < 3 * robust_pca.STILL
    assert float(start.abs().max()) == 0
