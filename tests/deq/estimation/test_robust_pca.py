"""Robust coordinates: against their definition."""

import pytest
import torch

from napari_decsc.deq.estimation import robust_pca


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("weighed", [False, True])
def test_robust_coordinates_solve_their_equation(weighed: bool):
    """At the minimum the clipped rest of every spectrum is orthogonal to the basis; more spectra than fit at once."""
    pixels = 3 * normal(1, 8, robust_pca.IN_CACHE // 8 + 50)
    basis = torch.linalg.qr(normal(1, 8, 2))[0]
    limit = torch.linspace(2, 5, 8).view(1, 8, 1)
    weight = (torch.arange(pixels.shape[2]) % 5 > 0).float().expand_as(pixels) if weighed else None
    start = torch.zeros(1, 2, pixels.shape[2])
    code = robust_pca.huber_code(pixels, weight, basis, limit, start, steps=200)
    residual = (pixels - basis @ code).clamp(-limit, limit) * (1 if weight is None else weight)
    assert float((basis.mT @ residual).abs().max()) < 3 * robust_pca.STILL
    assert float(start.abs().max()) == 0


def test_few_steps_come_as_close_as_half_as_many_more_without_momentum():
    pixels = 3 * normal(1, 20, 400)
    basis, limit = torch.linalg.qr(normal(1, 20, 4))[0], torch.full((1, 20, 1), 1.5)
    start = torch.zeros(1, 4, 400)
    known = robust_pca.huber_code(pixels, None, basis, limit, start, steps=400)
    plain = start
    for _ in range(robust_pca.STEPS * 3 // 2):
        plain = plain + basis.mT @ (pixels - basis @ plain).clamp(-limit, limit)
    found = robust_pca.huber_code(pixels, None, basis, limit, start, robust_pca.STEPS)
    assert float((found - known).norm()) < float((plain - known).norm())
