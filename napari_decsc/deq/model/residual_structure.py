"""Whether what an estimate leaves over of a band is the scene's: noise is white in space, the scene is not."""

import torch
from torch import Tensor

from napari_decsc.deq.model.subspace_context import SubspaceContext

#: Neighbours of the scene's finest structure correlate by this.
NEIGHBOURS = 0.5
#: Those of what is left over count from so many deviations of chance on ...
MUCH = 4.0
#: ... and from this correlation.
FROM = 0.08


def share(residual: Tensor, c: SubspaceContext) -> Tensor:
    """Share of what is left over that is the scene's: the correlation of neighbours by that of the scene.

    It counts only far above chance, and not where the noise itself is correlated.

    Parameters
    ----------
    residual : tensor of shape (1, B, rows, cols)
        What an estimate leaves over of the whitened cube.
    c : SubspaceContext
        Of the stage.

    Returns
    -------
    tensor of shape (1, B, 1, 1)
        From 0 to 1.
    """
    none = residual.new_zeros(1, residual.shape[1], 1, 1)
    if c.whitener is not None and c.whitener.model.negligible:
        return none + 1  # what is finer than a grey level is not known to be noise
    if c.whitener is not None and c.whitener.model.spectrum is not None:
        return none
    both = (
        torch.tensor([_correlation(band) for band in residual.detach().flatten(0, 1)])
        .to(residual)
        .view(residual.shape[:2])
    )
    chance = (residual.shape[2] * residual.shape[3]) ** -0.5
    found = ((both - MUCH * chance).clamp(min=0) / NEIGHBOURS).clamp(max=1)
    return torch.where(both > FROM, found, none[..., 0, 0])[:, :, None, None]


def _correlation(band: Tensor) -> float:
    """Of neighbours (rows, cols), across or down: the smaller one."""
    energy = max(float(band.square().mean()), 1e-9)
    return min(float((band[:, 1:] * band[:, :-1]).mean()), float((band[1:] * band[:-1]).mean())) / energy
