"""Collaborative filtering of images that share their structure: similar patches are found once, then shrunk together.

The images are the eigen-images of a cube, in units of their noise (variance 1, white). One search in all of them
together sees more than a search in each, and costs less. Everything goes on block by block, so that large images take
no more memory than their blocks; on a GPU, and on the cores of a CPU side by side.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from napari_decsc.filters.arrays import Floats
from napari_decsc.filters.matching import Block, Groups
from napari_decsc.filters.parallel import side_by_side
from napari_decsc.filters.patches import PATCH, coefficients, cosines, haar, laid_out, on_device, principal_axes

#: Patches of all images that are transformed at once on a CPU: they fit into the cache of a core. A GPU takes a block.
IN_CACHE = 4096


@torch.no_grad()
def shrink(
    images: Tensor, groups: Groups, threshold: float, pilot: Tensor | None = None, *, together: bool = False
) -> Tensor:
    """Images (image, row, col), unit noise, with every group of similar patches shrunk in its transform domain.

    Without ``pilot`` coefficients of magnitude up to ``threshold`` are dropped; with it, an estimate of the clean
    images, they are multiplied by the Wiener gain p^2 / (p^2 + 1), p the pilot's coefficients. In every image, groups
    weigh by the inverse of the noise they keep. Pixels at the lower and right border that no group reaches come back
    as they are.

    With ``together`` every group turns the images to its own principal axes before that, means left out: where a place
    shows fewer materials than the whole, fewer images hold its signal.

    K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
    filtering", IEEE Transactions on Image Processing 16, 2007.

    Parameters
    ----------
    images : tensor of shape (image, row, col)
        Unit noise, white.
    groups : Groups
        Of images of this size.
    threshold : float
        In noise levels; without a pilot.
    pilot : tensor of shape (image, row, col), optional
        An estimate of the clean images.
    together : bool
        Whether every group turns the images to its own principal axes.

    Returns
    -------
    tensor of shape (image, row, col)
        A new one.
    """

    def shrunk(block: Block) -> tuple[Tensor, Tensor]:
        part = images[:, block.rows, block.cols]
        pilot_here = None if pilot is None else pilot[:, block.rows, block.cols]
        return _Workspace(part, block.positions, together).shrunk(part, threshold, pilot_here)

    total, weight = torch.zeros_like(images), torch.zeros_like(images)
    blocks = list(groups.blocks())
    for block, (sums, weights) in zip(blocks, side_by_side(shrunk, blocks, images.device), strict=True):
        total[:, block.rows, block.cols] += sums
        weight[:, block.rows, block.cols] += weights
    return torch.where(weight > 0, total / weight, images)


class _Workspace:
    """The groups of a block, and memory that is taken once for all chunks of groups in it.

    Fresh memory for every step would cost more time than the arithmetic. A chunk has the shape
    (group, image, patch, coefficient).
    """

    def __init__(self, images: Tensor, positions: Tensor, together: bool) -> None:
        self.positions, self.together = positions, together
        count, members = len(images), positions.shape[1]
        self.transform = on_device(haar, members, images.device)
        self.some = max(1, IN_CACHE // (members * count)) if images.device.type == "cpu" else len(positions)
        self.chunks = images.new_empty(3, min(self.some, len(positions)), count, members, PATCH * PATCH)
        corners = (images.shape[1] - PATCH + 1) * (images.shape[2] - PATCH + 1)
        self.first = corners * torch.arange(count, device=images.device)[:, None]

    def shrunk(self, images: Tensor, threshold: float, pilot: Tensor | None) -> tuple[Tensor, Tensor]:
        """Shrunk patches of all groups, weighed and added up in their places, and their weights; shaped as images."""
        noisy, pilot_coefficients = coefficients(images), None if pilot is None else coefficients(pilot)
        sums, noise = torch.zeros_like(noisy), images.new_empty(len(images), len(self.positions))
        for start in range(0, len(self.positions), self.some):
            part = slice(start, start + self.some)
            positions = self.positions[part]
            # a row of coefficients for every image and corner
            here = (positions[:, None] + self.first).flatten()
            group, other, spare = (chunk[: len(positions)] for chunk in self.chunks)
            _gather(noisy, here, group)
            if pilot_coefficients is not None:
                _gather(pilot_coefficients, here, other)
            axes = principal_axes(group if pilot_coefficients is None else other) if self.together else None
            group, spare = self._turned(group, axes, spare)
            if pilot_coefficients is None:
                kept = _threshold(group, threshold, other)
            else:
                other, spare = self._turned(other, axes, spare)
                kept = _wiener(group, other, spare)
            noise[:, part], back = self._turned_back(group, kept, axes, spare)
            sums.view(-1, PATCH * PATCH).index_add_(0, here, back.view(-1, PATCH * PATCH))
        return _laid_out(sums, images.shape), _weights(noise, self.positions, images.shape)

    def _turned(self, group: Tensor, axes: Tensor | None, spare: Tensor) -> tuple[Tensor, Tensor]:
        """A group to its own axes, and its patches transformed; the result, and memory that is free again."""
        if axes is not None:
            torch.bmm(axes.mT, group.flatten(2), out=spare.flatten(2))
            group, spare = spare, group
        torch.matmul(self.transform, group, out=spare)
        return spare, group

    def _turned_back(self, group: Tensor, kept: Tensor, axes: Tensor | None, spare: Tensor) -> tuple[Tensor, Tensor]:
        """The noise (image, group) that groups keep, and the groups weighed by its inverse, as patches again."""
        if axes is not None:
            kept = (axes.square() @ kept[:, :, None])[:, :, 0]
        torch.matmul(self.transform.mT, group, out=spare)
        if axes is not None:
            torch.bmm(axes, spare.flatten(2), out=group.flatten(2))
            spare = group
        spare /= kept[:, :, None, None]
        return kept.mT, spare


def _gather(coefficients: Tensor, here: Tensor, out: Tensor) -> None:
    torch.index_select(coefficients.view(-1, PATCH * PATCH), 0, here, out=out.view(-1, PATCH * PATCH))


def _laid_out(sums: Tensor, shape: torch.Size) -> Tensor:
    """The images (image, row, col) of coefficients added up: every patch in its place, through the window."""
    return laid_out(
        sums, on_device(cosines, PATCH, sums.device) * on_device(_window, PATCH, sums.device).flatten(), shape
    )


def _threshold(group: Tensor, threshold: float, spare: Tensor) -> Tensor:
    """Drop small coefficients (group, image, patch, coefficient), in place; return how many are kept (group, image)."""
    torch.abs(group, out=spare)
    spare[:, :, 0, 0] = torch.inf  # the mean stays
    torch.gt(spare, threshold, out=spare)
    group *= spare
    return spare.flatten(2).sum(2)


def _wiener(group: Tensor, pilot: Tensor, spare: Tensor) -> Tensor:
    """Multiply by the Wiener gain in place; return the noise energy that is kept (group, image)."""
    torch.add(pilot.square_(), 1, out=spare)
    gain = torch.div(pilot, spare, out=spare)
    group *= gain
    return gain.square_().flatten(2).sum(2).clamp_(min=1e-3)


def _weights(noise: Tensor, positions: Tensor, shape: torch.Size) -> Tensor:
    """What the groups' patches weigh in every pixel: noise (image, group) -> (image, row, col)."""
    rows, cols = shape[1] - PATCH + 1, shape[2] - PATCH + 1
    each = (1 / noise).mT.repeat_interleave(positions.shape[1], dim=0)
    corners = noise.new_zeros(rows * cols, len(noise)).index_add_(0, positions.flatten(), each)
    corners = corners.mT.reshape(-1, rows, cols)
    across = noise.new_zeros(len(noise), rows, shape[2])
    found = noise.new_zeros(len(noise), shape[1], shape[2])
    # the window is a product of one along the rows and one along the columns
    for offset, height in enumerate(np.kaiser(PATCH, 2).tolist()):
        across[:, :, offset : offset + cols].add_(corners, alpha=height)
    for offset, height in enumerate(np.kaiser(PATCH, 2).tolist()):
        found[:, offset : offset + rows].add_(across, alpha=height)
    return found


@cache
def _window(length: int) -> Floats:
    return np.outer(np.kaiser(length, 2), np.kaiser(length, 2)).astype(np.float32)
