"""Validation while training: PSNR per noise case on scenes kept back, with the residual that is left."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from napari_decsc.deq.execution.tiles import spans
from napari_decsc.deq.model.base import Decsc
from napari_decsc.deq.solvers.fixed_point import anderson, until
from napari_decsc.deq.training.corruption import usable
from napari_decsc.deq.training.data import Scene
from napari_decsc.hsi.noise.models import make_noise

CASES = {
    "sigma50": make_noise("gaussian", sigma=50.0),
    "0-95": make_noise("non-iid", maximum=95.0),
    "0-15": make_noise("non-iid", maximum=15.0),
    "corr": make_noise("corr"),
    "mixture": make_noise("mixture"),
}


@dataclass(frozen=True)
class Validation:
    """Means over the scenes for one noise case.

    Parameters
    ----------
    case : str
        Its name.
    psnr : float
        MPSNR in dB.
    relative_residual : float
        At the end.
    """

    case: str
    psnr: float
    relative_residual: float


@torch.inference_mode()
def validate(model: Decsc, scenes: list[Scene], evaluations: int = 16) -> Iterator[Validation]:
    """One result per noise case, none without scenes; seeds are fixed, so that results of different times compare.

    Parameters
    ----------
    model : Decsc
        That is validated.
    scenes : list of Scene
        Kept back from training.
    evaluations : int
        Of f, at most.

    Yields
    ------
    Validation
    """
    device = next(model.parameters()).device
    for number, (case, noise) in enumerate(CASES.items() if scenes else ()):
        psnr, residual = [], []
        for scene in scenes:
            noisy = torch.from_numpy(noise(scene.data.numpy(), np.random.default_rng(number)))[None].to(device)
            subspace = model.identify(noisy, usable(noisy))
            rows, cols = (spans(extent, 0, model.multiple)[0] for extent in noisy.shape[2:])
            canvas = noisy[:, :, rows.indices][..., cols.indices]
            c = model.context(canvas, usable(canvas), subspace)
            states = anderson(lambda z: model.f(z, c), model.start(c))  # noqa: B023
            *_, last = until(states, 1e-4, evaluations)
            clean = model.output(last.z, c)[0, :, rows.inside, cols.inside].cpu()
            mse = (clean - scene.data).square().mean((1, 2))
            psnr.append(float((-10 * mse.log10()).mean()))
            residual.append(float(last.relative_residual))
        yield Validation(case, float(np.mean(psnr)), float(np.mean(residual)))
