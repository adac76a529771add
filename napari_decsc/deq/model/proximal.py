"""Proximal operators and clippings, element by element."""

import torch
import torch.nn.functional as F
from torch import Tensor


def soft(x: Tensor, threshold: Tensor) -> Tensor:
    """Soft threshold, sign(x) max(|x| - t, 0): the proximal operator of t ||x||_1. Firmly non-expansive.

    Parameters
    ----------
    x : tensor
        Of any shape.
    threshold : tensor
        t > 0, of a shape that broadcasts to that of x.

    Returns
    -------
    tensor
        Of the shape of x.
    """
    return F.softshrink(x / threshold, 1).mul_(threshold)


def clip(x: Tensor, limit: Tensor) -> Tensor:
    """The value within +-limit: the gradient of the Huber loss of x. Non-expansive.

    Parameters
    ----------
    x : tensor
        Of any shape.
    limit : tensor
        Positive, of a shape that broadcasts to that of x.

    Returns
    -------
    tensor
        Of the shape of x.
    """
    return x.clamp(-limit, limit)


def inverse_softplus(x: Tensor) -> Tensor:
    """The u with softplus(u) = x > 0: how a positive quantity is stored as a free parameter.

    Parameters
    ----------
    x : tensor
        Positive, of any shape.

    Returns
    -------
    tensor
        Of the same shape.
    """
    return x + torch.log(-torch.expm1(-x))


def free_parameter(value: float, maps: int) -> Tensor:
    """A parameter that is positive through softplus, one for each map.

    Parameters
    ----------
    value : float
        Of all of them, at first.
    maps : int
        How many.

    Returns
    -------
    tensor of shape (1, maps, 1, 1)
        Before softplus.
    """
    return inverse_softplus(torch.full((1, maps, 1, 1), value))
