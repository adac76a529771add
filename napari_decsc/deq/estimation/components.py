"""The components of the signal, and what is beside them: there a cube shows its noise alone.

Shapes: one cube (band, row, col), whitened.
"""

import torch
from torch import Tensor

from napari_decsc.deq.estimation.rare import is_of_few_pixels
from napari_decsc.filters.differences import second_differences
from napari_decsc.filters.local import LEAK, local_wiener
from napari_decsc.filters.order import robust_deviation
from napari_decsc.filters.spectra import mean_products

#: Noise of several kinds leaves no more than so many times as much in one direction as in another.
UNEVEN = 4.0


@torch.no_grad()
def components(cube: Tensor, colour: float, most: int) -> tuple[Tensor, int]:
    """The spectral components that survive smoothing, and how many do.

    Directions whose noise is stronger than 1 are smoothed as such.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Whitened, without its mean.
    colour : float
        By how much differences of neighbours underestimate noise that is correlated in space.
    most : int
        So many count at most.

    Returns
    -------
    basis : tensor of shape (band, component)
        Orthonormal, without those of a few pixels.
    count : int
        With those.
    """
    bands, pixels = len(cube), cube[0].numel()
    flat = cube.flatten(1)
    vectors = torch.linalg.eigh(mean_products(flat, flat))[1].float()
    for _ in range(2):
        images = (vectors.T @ flat).view_as(cube)
        noise = (colour * level_of_differences(images)).clamp(1, 1.6)[:, None, None]
        smooth = (local_wiener((images / noise)[None])[0][0] * noise).flatten(1)
        moment = mean_products(vectors @ smooth, flat)
        strength, turned = torch.linalg.eigh((moment + moment.T) / 2)
        strength, vectors = strength.float().flip(0), turned.float().flip(1)
    images = (vectors.T @ flat).view_as(cube)
    noise = (colour * level_of_differences(images)).clamp(1, 1.6)
    chance = (bands / pixels) ** 0.5
    # the weaker half is noise, unless the scene has more components than that
    weaker, weakest = (float(strength[-max(2, bands // part) :].median()) for part in (2, 6))
    leak = max(0.75 * LEAK, min(weaker, UNEVEN * weakest))
    least = leak + (0.38 + 3 * chance) * chance * max(1.0, leak / LEAK) * noise.square()
    count = int((strength > least).long().cumprod(0).sum())
    count = min(count, most, bands - 2)
    return vectors[:, :count][:, ~is_of_few_pixels(images[:count] / noise[:count, None, None])], count


def beside(cube: Tensor, basis: Tensor) -> Tensor:
    """What components leave over of a cube.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Whitened.
    basis : tensor of shape (band, component)
        Orthonormal.

    Returns
    -------
    tensor of shape (band, row, col)
        A new one.
    """
    flat = cube.flatten(1)
    found: Tensor = (flat - basis @ (basis.T @ flat)).view_as(cube)
    return found


def level_of_differences(images: Tensor) -> Tensor:
    """Noise level of images as differences of neighbours tell it.

    Parameters
    ----------
    images : tensor of shape (image, row, col)
        In any unit.

    Returns
    -------
    tensor of shape (image,)
        In that unit.
    """
    return robust_deviation(second_differences(images).flatten(1))
