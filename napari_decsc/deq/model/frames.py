"""Dictionaries before any training: frames, so that the first estimate is good and every step is stable."""

import math

import torch
from torch import Tensor


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
