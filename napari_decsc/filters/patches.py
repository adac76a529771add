"""Patches of images and their transforms: cosines over a patch, Haar along a group, axes over the images."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.arrays import Floats

#: Side of a patch, in pixels.
PATCH = 8


def principal_axes(group: Tensor) -> Tensor:
    """Orthonormal axes (group, image, axis) of the images in every group, its means left out.

    Parameters
    ----------
    group : tensor of shape (group, image, patch, coefficient)
        Of unit noise.

    Returns
    -------
    tensor of shape (group, image, axis)
        Strongest last.
    """
    flat, means = group.flatten(2), group[..., 0].sum(2) / group.shape[2] ** 0.5
    moment = torch.bmm(flat, flat.mT) - means[:, :, None] * means[:, None]
    axes: Tensor = torch.linalg.eigh(moment)[1]
    return axes


def coefficients(images: Tensor, transform: Tensor | None = None) -> Tensor:
    """Cosine transform of the patch at every corner of (image, row, col): (image, corner, coefficient).

    Parameters
    ----------
    images : tensor of shape (image, row, col)
        At least a patch wide.
    transform : tensor of shape (coefficient, 64), optional
        Some of the cosines, or multiples of them; all of them if not given.

    Returns
    -------
    tensor of shape (image, corner, coefficient)
        Corners row by row.
    """
    kernels = on_device(cosines, PATCH, images.device) if transform is None else transform
    count = len(kernels)
    # one image in, its coefficients side by side: strides of a single channel say so
    kernels = kernels.reshape(count, 1, PATCH, PATCH).as_strided((count, 1, PATCH, PATCH), (PATCH**2, 1, PATCH, 1))
    found = F.conv2d(images[:, None], kernels).permute(0, 2, 3, 1)
    return found.reshape(len(images), -1, count)


def laid_out(sums: Tensor, pixels: Tensor, shape: torch.Size) -> Tensor:
    """Images (image, row, col) of patches added up in their places.

    Parameters
    ----------
    sums : tensor of shape (image, corner, coefficient)
        Coefficients of the patches, corners row by row.
    pixels : tensor of shape (coefficient, pixel)
        What a coefficient contributes to the pixels of its patch.
    shape : tuple of int
        (image, row, col).

    Returns
    -------
    tensor of shape (image, row, col)
        Sums.
    """
    count, rows, cols = shape
    down, right = rows - PATCH + 1, cols - PATCH + 1
    images = sums.new_zeros(count, rows, cols)
    for image, own in zip(images, sums, strict=True):
        # pixel by pixel of the patch, all corners side by side; one sum along the columns, then one along the rows
        patches = (pixels.mT @ own.mT).view(PATCH, PATCH, down, right)
        columns = sums.new_zeros(PATCH, rows, right)
        for offset in range(PATCH):
            columns[:, offset : offset + down] += patches[offset]
        for offset in range(PATCH):
            image[:, offset : offset + right] += columns[offset]
    return images


def on_device(make: Callable[[int], Floats], size: int, device: torch.device) -> Tensor:
    """A matrix that is made for a size, on a device.

    Parameters
    ----------
    make : callable
        Takes a size, gives an array.
    size : int
        What it takes.
    device : torch.device
        Where the matrix is wanted.

    Returns
    -------
    float32 tensor
        Made once for each device.
    """
    return torch.from_numpy(make(size)).to(device)


@cache
def cosines(length: int = PATCH) -> Floats:
    """Orthonormal cosine transform of a patch, rows in a row: shape (coefficient, pixel).

    Parameters
    ----------
    length : int
        Side of the patch, pixels.

    Returns
    -------
    float32 array, shape (coefficient, pixel)
        Both in row-major order.
    """
    sample = np.arange(length)
    one = np.sqrt(2 / length) * np.cos(np.pi * (sample + 0.5) * sample[:, None] / length)
    one[0] /= np.sqrt(2)
    return np.kron(one, one).astype(np.float32)


@cache
def haar(length: int) -> Floats:
    """Orthonormal Haar transform, length a power of two: shape (coefficient, sample); coefficient 0 is the mean's.

    Parameters
    ----------
    length : int
        A power of two.

    Returns
    -------
    float32 array, shape (coefficient, sample)
        Orthonormal.
    """
    if length == 1:
        return np.ones((1, 1), np.float32)
    half = length // 2
    coarse, fine = np.kron(haar(half), [1, 1]), np.kron(np.eye(half), [1, -1])
    both: Floats = (np.concatenate([coarse, fine]) / np.sqrt(2)).astype(np.float32)
    return both
