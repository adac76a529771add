"""Robust coordinates: against their definition."""

import pytest
import torch

from napari_decsc.deq.estimation import robust_pca


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


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
