"""What training minimises: the error at the equilibrium, and how much f stretches there where nothing bounds it."""

import torch
from torch import Tensor

from napari_decsc.deq.execution.tiles import BORDER
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.solvers.fixed_point import Code, Map, gain, phantom, picard, until
from napari_decsc.deq.training.settings import TrainSettings


def error(estimate: Tensor, clean: Tensor, yardstick: Tensor) -> Tensor:
    """Mean over bands of the mean square error by its yardstick, and a little of its logarithm.

    The ratio is, to first order, what the metric (mean PSNR of the whole crop) changes by; the logarithm lets smooth
    and dark patches count, where the error is far below that of the crop.

    Parameters
    ----------
    estimate, clean : tensor of shape (N, B, rows, cols)
        Peak 1.
    yardstick : tensor of shape (B,)
        Mean square error of the whole crop.

    Returns
    -------
    tensor of shape ()
    """
    # in use the image is continued beyond its border, so what happens at the border of a patch does not count
    inside = slice(BORDER, -BORDER)
    ratio = (estimate - clean)[..., inside, inside].square().mean((0, 2, 3)) / yardstick
    return ratio.clamp(max=30).mean() + 0.3 * (ratio + 0.03).log().mean()


def equilibrium(model: Decsc, c: Context, depth: int, settings: TrainSettings) -> Code:
    """A code near the fixed point that carries a gradient: plain evaluations without, a few damped ones with.

    Parameters
    ----------
    model : Decsc
        Whose f is iterated.
    c : Context
        Of the stage.
    depth : int
        Plain evaluations; with 0 the start estimate is part of the graph.
    settings : TrainSettings
        Number and damping of those with a gradient.

    Returns
    -------
    tuple of tensors
        A code.
    """
    f: Map = lambda z: model.f(z, c)  # noqa: E731
    if depth == 0:
        return phantom(f, model.start(c), settings.phantom_steps, settings.phantom_damping)
    with torch.no_grad():
        *_, last = until(picard(f, model.start(c)), 0.0, depth)
    return phantom(f, last.z, settings.phantom_steps, settings.phantom_damping)


def stretch(model: Decsc, c: Context, z: Code, limit: float) -> tuple[Tensor, Tensor]:
    """The squared excess of f's gain at a code over a limit, mean over images.

    Parameters
    ----------
    model : Decsc
        Whose f it is.
    c : Context
        Of the stage.
    z : tuple of tensors
        A code.
    limit : float
        Below 1.

    Returns
    -------
    two tensors of shape ()
        The penalty; the gain.
    """
    f: Map = lambda code: model.f(code, c)  # noqa: E731
    found = gain(f, tuple(part.detach() for part in z))
    return (found - limit).clamp(min=0).square().mean(), found.detach().mean()
