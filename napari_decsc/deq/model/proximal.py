"""Proximal operators and clippings, element by element."""

import torch
import torch.nn.functional as F
from torch import Tensor


def soft(x: Tensor, threshold: Tensor) -> Tensor:
    """Soft threshold, sign(x) max(|x| - t, 0) for t > 0: the proximal operator of t ||x||_1. Firmly non-expansive."""
    return F.softshrink(x / threshold, 1).mul_(threshold)


def clip(x: Tensor, limit: Tensor) -> Tensor:
    """X limited to +-limit: the gradient of the Huber loss of x. Non-expansive."""
    return x.clamp(-limit, limit)


def inverse_softplus(x: Tensor) -> Tensor:
    """The u with softplus(u) = x > 0: how a positive quantity is stored as a free parameter."""
    return x + torch.log(-torch.expm1(-x))
