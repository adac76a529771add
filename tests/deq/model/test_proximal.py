"""Proximal operators, by hand and by the problem they solve."""

import torch

from napari_decsc.deq.model.proximal import clip, inverse_softplus, soft


def test_soft_threshold_by_hand():
    x = torch.tensor([-3.0, -1.0, -0.2, 0.0, 0.5, 2.0])
    torch.testing.assert_close(soft(x, torch.tensor(1.0)), torch.tensor([-2.0, 0.0, 0.0, 0.0, 0.0, 1.0]))


def test_soft_threshold_minimises_its_problem():
    # prox(x) = argmin_y 1/2 (y - x)^2 + t |y|, searched on a fine grid
    grid = torch.linspace(-4, 4, 8001)
    for x in (-2.3, -0.4, 0.9, 3.1):
        best = grid[(0.5 * (grid - x) ** 2 + 0.7 * grid.abs()).argmin()]
        torch.testing.assert_close(soft(torch.tensor(x), torch.tensor(0.7)), best, atol=2e-3, rtol=0)


def test_clip_is_the_gradient_of_the_huber_loss():
    x = torch.linspace(-4, 4, 101, requires_grad=True)
    torch.nn.functional.huber_loss(x, torch.zeros_like(x), delta=1.5, reduction="sum").backward()
    torch.testing.assert_close(clip(x.detach(), torch.tensor(1.5)), x.grad)


def test_inverse_softplus_inverts():
    x = torch.tensor([1e-3, 0.5, 2.0, 40.0])
    torch.testing.assert_close(torch.nn.functional.softplus(inverse_softplus(x)), x)
