"""What the other bands do not tell of every band: its noise, and hardly anything of the scene.

Source: multiple regression as in J. M. Bioucas-Dias, J. M. P. Nascimento, *Hyperspectral subspace identification*,
IEEE TGRS 46 (2008).

Shapes: one cube (band, row, col).
"""

import torch
from torch import Tensor

from napari_decsc.filters.order import robust_deviation

#: Noise counts as correlated in space where it is so many times what differences of neighbours tell, across and down,
#: in the median band: neighbours that correlate by a half make 1.41.
COLOURED = 1.4
#: Pixels that are looked at for it, about: rows in the middle.
PIXELS = 16_384
#: Bands are independent where their largest correlation beside all others is below this, in the median band.
INDEPENDENT = 0.3


@torch.no_grad()
def beside_other_bands(cube: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a linear regression on all other bands leaves over of every band, and its level.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Noisy.

    Returns
    -------
    residual : tensor of shape (band, row, col)
        In the units of the cube, mean 0.
    level : tensor of shape (band,)
        Robust deviation of the residual.
    partial : tensor of shape (band, band)
        Correlation of two bands beside all others, 0 with itself.
    """
    flat = (cube - cube.mean((1, 2), keepdim=True)).flatten(1).double()
    moment = flat @ flat.T / flat.shape[1]
    # a cube that is constant has no moment
    moment.diagonal().add_(max(1e-6 * float(moment.diagonal().mean()), 1e-30))
    inverse = torch.linalg.inv(moment)
    size = inverse.diagonal().clone()
    residual = ((inverse / size[:, None]) @ flat).float()
    partial = (-inverse / (size[:, None] * size).sqrt()).fill_diagonal_(0)
    return residual.view_as(cube), robust_deviation(residual).clamp(min=1e-12), partial.float()


@torch.no_grad()
def coloured_level(cube: Tensor) -> Tensor | None:
    """Noise levels (band,) of noise that is correlated in space and independent between bands; None for any other.

    Differences of neighbours hold little of such noise, and all of the texture. What they take for the level is then
    wrong band by band, and a band that seems too quiet passes for a component of the scene; what they take for
    correlation between bands is the scene's. Bands are independent where no single one tells much of another beside
    all the rest.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Noisy.

    Returns
    -------
    tensor of shape (band,), or None
        In the units of the cube.
    """
    rows = max(24, PIXELS // cube.shape[2])
    first = max(0, (cube.shape[1] - rows) // 2)
    residual, level, partial = beside_other_bands(cube[:, first : first + rows])
    # lines of pixels are alike in one direction alone
    steps = (robust_deviation(residual.diff(dim=axis).flatten(1)) / 2**0.5 for axis in (1, 2))
    colour = min(float((level / step.clamp(min=1e-12)).median()) for step in steps)
    most = float(partial.abs().max(1).values.median())
    return level if colour > COLOURED and most < INDEPENDENT else None
