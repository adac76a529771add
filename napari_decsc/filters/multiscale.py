"""A non-local estimate of eigen-images at several scales: similar patches at each, the coarser right the finer.

A patch of 8 x 8 pixels cannot tell weak signal that is larger than itself from noise. In an image of half the size,
means of 2 x 2 pixels, it reaches twice as far, and the noise of each pixel is half as strong.

Shapes: images (r, rows, cols), in units of their noise (variance 1, white).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.collaborative import shrink
from napari_decsc.filters.local import LEAK, without_leak
from napari_decsc.filters.matching import Groups, similar_patches

#: Patches of a group.
GROUP = 32
#: Similar patches are looked for within so many pixels ...
SEARCH = 16
#: ... and at every place within so many.
NEAR = 2
#: Threshold of the pass without a pilot, in noise levels.
THRESHOLD = 3.0
#: From one reference patch to the next, in pixels, in turn. Patches of a group lie at even distances from the reference
#: for the most part: with odd and even steps they begin at every place.
FINE = (5, 6, 5)
#: ... where the estimate is but a pilot.
PILOT = (8,)
#: ... in the coarser image.
COARSE = (5, 3)
#: Images that begin at multiples of this show the same references at either scale.
ALIGNED = 16
#: Components that the search looks at: the strongest, which stand first.
SEEN = 3
#: Scales.
SCALES = 2
#: Side of the smallest image that has a coarser scale, pixels.
SMALLEST = 24
#: What a coarser image knows better is what is smoother than this, in pixels of it.
SMOOTH = 1.0


def first_pass(images: Tensor, signal: Tensor, scales: int = SCALES) -> tuple[Tensor, Tensor | None]:
    """A pilot: similar patches thresholded together, at every scale.

    Parameters
    ----------
    images : tensor of shape (r, rows, cols)
        Unit noise, white; r may be 0.
    signal : tensor of shape (r,)
        Weighs the images in the search.
    scales : int
        How often the image is halved, and 1.

    Returns
    -------
    pilot : tensor of shape (r, rows, cols)
        The estimate.
    coarse : tensor of shape (r, rows / 2, cols / 2), or None
        The estimate at half the size, if there is one.
    """
    if len(images) == 0:
        return images, None
    coarse = halved(images, signal, scales - 1)
    groups = similar(images * signal[:, None, None], PILOT)
    pilot = without_leak(shrink(images, groups, THRESHOLD, together=True)[None], LEAK)[0]
    return righted(pilot, coarse), coarse


def second_pass(images: Tensor, pilot: Tensor, coarse: Tensor | None) -> Tensor:
    """The estimate: similar patches multiplied by the Wiener gains of a pilot.

    Parameters
    ----------
    images : tensor of shape (r, rows, cols)
        Unit noise, white.
    pilot : tensor of shape (r, rows, cols)
        Of :func:`first_pass`.
    coarse : tensor, optional
        Of :func:`first_pass`.

    Returns
    -------
    tensor of shape (r, rows, cols)
        A new one.
    """
    if len(images) == 0:
        return images
    groups = similar(pilot, COARSE)
    return righted(shrink(images, groups, THRESHOLD, pilot, together=True), coarse)


def similar(images: Tensor, steps: tuple[int, ...] = FINE) -> Groups:
    """Groups of patches that look alike in the strongest components.

    Patches that overlap share their noise, and look alike because of it: few places near by, many further off.

    Parameters
    ----------
    images : tensor of shape (r, rows, cols)
        Strongest component first, weighed.
    steps : tuple of int
        From one reference patch to the next, in pixels.

    Returns
    -------
    Groups
        Of `GROUP` patches.
    """
    return similar_patches(images[:SEEN], GROUP, SEARCH, steps, NEAR)


def halved(images: Tensor, signal: Tensor, scales: int) -> Tensor | None:
    """The estimate (r, rows / 2, cols / 2) at the next scale, None where the image is too small.

    Parameters
    ----------
    images : tensor of shape (r, rows, cols)
        Unit noise, white.
    signal : tensor of shape (r,)
        Weighs the images in the search.
    scales : int
        How many are left.

    Returns
    -------
    tensor of shape (r, rows / 2, cols / 2), or None
        None where the image is too small, or no scale is left.
    """
    rows, cols = images.shape[1:]
    if scales == 0 or min(rows, cols) < 2 * SMALLEST or rows % 2 or cols % 2:
        return None
    half = 2 * F.avg_pool2d(images, 2)  # noise of variance 1 again
    return second_pass(half, *first_pass(half, signal, scales)) / 2


def righted(fine: Tensor, coarse: Tensor | None) -> Tensor:
    """The finer estimate, with what is smooth in it as the coarser has it.

    Parameters
    ----------
    fine : tensor of shape (r, rows, cols)
        An estimate.
    coarse : tensor of shape (r, rows / 2, cols / 2), optional
        Of :func:`halved`.

    Returns
    -------
    tensor of shape (r, rows, cols)
        ``fine`` itself without a coarser one.
    """
    if coarse is None:
        return fine
    missing = _smooth(coarse - F.avg_pool2d(fine, 2))
    return fine + F.interpolate(missing[None], fine.shape[1:], mode="bicubic", align_corners=False)[0]


def _smooth(images: Tensor) -> Tensor:
    """Gaussian smoothing."""
    half = math.ceil(4 * SMOOTH)
    place = torch.arange(-half, half + 1, device=images.device)
    kernel = torch.exp(-0.5 * (place / SMOOTH) ** 2)
    kernel = (kernel / kernel.sum()).expand(len(images), 1, 1, -1)
    around = F.pad(images[None], (half, half, half, half), mode="replicate")
    across = F.conv2d(around, kernel, groups=len(images))
    return F.conv2d(across, kernel.mT, groups=len(images))[0]
