"""Proximal operators and clippings, element by element."""

import torch
import torch.nn.functional as F
from torch import Tensor


def soft(x: Tensor, threshold: Tensor) -> Tensor:
    """Soft threshold, sign(x) max(|x| - t, 0): the proximal operator of t ||x||_1. Firmly non-expansive."""
    return F.relu(x - threshold) - F.relu(-x - threshold)


def firm(x: Tensor, threshold: Tensor, ratio: Tensor) -> Tensor:
    """Firm threshold: 0 below t, x above ratio * t, linear between.

    The proximal operator of the minimax concave penalty. Large coefficients keep their size (soft thresholding takes t
    from each); between the two it stretches by ratio / (ratio - 1).
    Source: Gao and Bruce, *WaveShrink with firm shrinkage*, Statistica Sinica 7 (1997).
    """
    size = x.abs()
    return torch.sign(x) * torch.minimum((size - threshold).clamp(min=0) * (ratio / (ratio - 1)), size)


def clip(x: Tensor, limit: Tensor) -> Tensor:
    """X limited to +-limit: the gradient of the Huber loss of x. Non-expansive."""
    return torch.maximum(torch.minimum(x, limit), -limit)


def inverse_softplus(x: Tensor) -> Tensor:
    """The u with softplus(u) = x > 0: how a positive quantity is stored as a free parameter."""
    return x + torch.log(-torch.expm1(-x))
