"""Dictionaries before any training: frames, so that the first estimate is good and every step is stable."""

import math

import torch
from torch import Tensor

from napari_decsc.deq.model.convolution import analyse, synthesise


def lapped_orthogonal(taps: int = 8) -> Tensor:
    """The modulated lapped transform: (taps / 2)^2 orthonormal filters at stride taps / 2.

    Source: Malvar, *Lapped transforms for efficient transform/subband coding*, IEEE TASSP 38 (1990).

    Parameters
    ----------
    taps : int
        Even.

    Returns
    -------
    tensor of shape (filters, taps, taps)
    """
    half = taps // 2
    n, k = torch.arange(float(taps)), torch.arange(float(half))[:, None]
    window = math.sqrt(2 / half) * torch.sin(math.pi * (n + 0.5) / taps)
    line = window * torch.cos(math.pi / half * (n + 0.5 + half / 2) * (k + 0.5))
    return torch.einsum("ai,bj->abij", line, line).reshape(half * half, taps, taps)


@torch.no_grad()
def frame_bound(filters: Tensor, stride: int, steps: int = 30) -> float:
    """Largest eigenvalue of K^T K, by power iteration on a 24 x 24 grid of coefficients.

    Parameters
    ----------
    filters : tensor of shape (F, O, k, k)
        Of K.
    stride : int
        s.
    steps : int
        Of the iteration.

    Returns
    -------
    float
    """
    x = torch.ones(1, filters.shape[0], 24, 24) + 0.1 * torch.randn(1, filters.shape[0], 24, 24)
    for _ in range(steps):
        x = x / x.norm()
        x = analyse(synthesise(x, filters, stride), filters, stride)
    return float(x.norm())
