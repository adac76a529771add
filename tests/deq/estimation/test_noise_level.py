"""The noise level of a band: what must not matter."""

import pytest
import torch

from napari_decsc.deq.estimation.noise_level import band_sigmas


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("hidden", [0.0, 0.1, 0.6])
def test_the_noise_level_of_a_large_band(hidden: float):
    """Larger than the sample, and as wide as a power of two; columns of their own level must not matter."""
    noise = 0.1 * normal(1, 1, 300, 512) + normal(512)
    mask = torch.rand(noise.shape, generator=torch.Generator().manual_seed(6)) >= hidden
    if hidden < 0.25:
        assert float(band_sigmas(noise, mask)) == pytest.approx(0.1, rel=0.02)
    assert float(band_sigmas(noise - noise.mean(2, keepdim=True), mask)) == pytest.approx(0.1, rel=0.02)
