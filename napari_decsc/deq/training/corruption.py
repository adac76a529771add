"""Blind training noise: the package's noise models draw what befalls a patch, the device draws the pixels' noise."""

import numpy as np
import torch
from torch import Tensor

from napari_decsc.hsi.noise.base import Corruption, DrawnNoise, as_drawn
from napari_decsc.hsi.noise.models import make_noise


def draw_model(rng: np.random.Generator) -> DrawnNoise:
    """A noise model at random: half Gaussian of all kinds and levels, half with stripes, dead columns or impulses.

    Parameters
    ----------
    rng : numpy Generator
        Chooses.

    Returns
    -------
    DrawnNoise
        Of one patch.
    """
    kind = rng.choice(
        ["gaussian", "non-iid", "quiet", "corr", "case2", "case3", "case4", "mixture"],
        p=[0.16, 0.2, 0.18, 0.08, 0.05, 0.05, 0.05, 0.23],
    )
    if kind == "gaussian":
        return as_drawn(make_noise("gaussian", sigma=float(rng.uniform(5, 75))))
    if kind == "non-iid":
        return as_drawn(make_noise("non-iid", maximum=float(rng.choice([35.0, 55.0, 75.0, 95.0]))))
    if kind == "quiet":
        return as_drawn(make_noise("non-iid", maximum=float(rng.uniform(4, 20))))
    return as_drawn(make_noise(str(kind)))


def corrupt(clean: Tensor, rng: np.random.Generator, generator: torch.Generator) -> Tensor:
    """Noisy patches, each with noise of its own kind, computed where the patches are.

    Parameters
    ----------
    clean : tensor of shape (N, band, row, col)
        Peak 1.
    rng : numpy Generator
        Draws what befalls a patch.
    generator : torch Generator
        Draws the pixels' noise; on the device of the patches.

    Returns
    -------
    tensor of shape (N, band, row, col)
    """
    _, bands, rows, cols = clean.shape
    drawn = [draw_model(rng).draw((bands, rows, cols), rng) for _ in range(clean.shape[0])]
    fields = (np.stack([getattr(one, name) for one in drawn]) for name in ("sigma", "offset", "dead", "impulse"))
    corruption = Corruption(*(torch.from_numpy(field).to(clean.device) for field in fields))
    normal = torch.randn(clean.shape, generator=generator, device=clean.device)
    uniform = torch.rand(clean.shape, generator=generator, device=clean.device)
    return corruption.apply(clean, normal, uniform, torch.where)


def usable(noisy: Tensor) -> Tensor:
    """False where a voxel lies exactly on the floor (0) or the ceiling (1) of the scale.

    Parameters
    ----------
    noisy : tensor
        Peak 1, of any shape.

    Returns
    -------
    bool tensor
        Of the same shape.
    """
    return (noisy.abs() > 1e-6) & ((noisy - 1).abs() > 1e-6)
