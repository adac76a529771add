"""The collaborative filter with groups, axes and gains frozen: a linear operator that is self-adjoint and contracts.

Every group of similar patches is taken to its own frame U (cosines, the group's principal axes over the images, Haar
along its patches), multiplied by gains 0 <= G < 1, taken back, and put in its places with one weight w_g::

    W = D^-1 M,    M = sum_g w_g P_g^T U_g^T G_g U_g P_g,    D = sum_g w_g P_g^T P_g

D is one positive number per pixel, the same for all images. M is symmetric and 0 <= M <= max(G) D, so in the inner
product <x, y>_D = sum D x y W is self-adjoint with 0 <= W <= max(G) < 1.

Sources: K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
filtering", IEEE Transactions on Image Processing 16, 2007; A. Danielyan, V. Katkovnik, K. Egiazarian, "BM3D frames and
variational image deblurring", IEEE Transactions on Image Processing 21, 2012.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.collaborative import (
    IN_CACHE,
    PATCH,
    Block,
    Groups,
    coefficients,
    cosines,
    haar,
    laid_out,
    on_device,
    principal_axes,
)
from napari_decsc.filters.parallel import side_by_side

#: No gain is larger: the bound on what W keeps.
LARGEST_GAIN = 0.9999
#: No group weighs more than the one that keeps so little noise.
LEAST_KEPT = 1e-3
#: Gains are held between evaluations, with half the bits, where they take no more bytes; found anew otherwise.
HELD = 200_000_000


@dataclass(frozen=True, eq=False)
class Gains:
    """What is frozen of a block: axes (group, image, axis) and weights (group,); gains of its chunks where held."""

    axes: Tensor
    weights: Tensor
    held: tuple[Tensor, ...] | None


class FrozenFilter:
    """W of a pilot: call it with images (image, row, col); the result has the same shape.

    Parameters
    ----------
    pilot : tensor, shape (image, row, col)
        What gains come from. Unit noise.
    groups : Groups
        Similar patches.
    threshold : float, optional
        Gains 1 for the pilot's coefficients beyond it, 0 for others (the pilot is the noisy image then); Wiener gains
        p^2 / (p^2 + noise) of an estimate's coefficients p if not given.
    spectrum : tensor, shape (64,), optional
        Noise variance of every cosine coefficient; 1 if not given. As it is the same for all images and groups, W
        stays self-adjoint.
    strength : float
        Noise levels count so many times.
    """

    def __init__(
        self,
        pilot: Tensor,
        groups: Groups,
        *,
        threshold: float | None = None,
        spectrum: Tensor | None = None,
        strength: float = 1.0,
    ) -> None:
        self.groups, self.threshold, self.pilot = groups, threshold, pilot
        self.root = None if spectrum is None else spectrum.to(pilot).clamp(min=0.02).sqrt().flatten()
        self.level = max(strength, 1e-3)
        self.transform = on_device(haar, groups.positions.shape[1], pilot.device)
        self.cosines = on_device(cosines, PATCH, pilot.device)
        self.blocks = list(groups.blocks())
        members = groups.positions.shape[1]
        self.some = max(1, 4 * IN_CACHE // (members * max(1, len(pilot))))
        hold = 2 * groups.positions.numel() * len(pilot) * PATCH**2 <= HELD
        self.frozen = list(side_by_side(lambda block: self._freeze(block, hold=hold), self.blocks, pilot.device))
        self.weight = self._weights(pilot)
        if hold:
            del self.pilot

    def __call__(self, images: Tensor) -> Tensor:
        """W of images (image, row, col). Pixels that no group reaches come back as 0.9999 of what they are."""
        total = torch.zeros_like(images)
        work = list(zip(self.blocks, self.frozen, strict=True))
        results = side_by_side(lambda each: self._filtered(images, *each), work, images.device)
        for block, part in zip(self.blocks, results, strict=True):
            total[:, block.rows, block.cols] += part
        reached = self.weight > 0
        return torch.where(reached, total / torch.where(reached, self.weight, 1), LARGEST_GAIN * images)

    def inner(self, a: Tensor, b: Tensor) -> float:
        """<a, b>_D, the inner product in which W is self-adjoint."""
        return float((torch.where(self.weight > 0, self.weight, 1) * a * b).double().sum())

    def _freeze(self, block: Block, *, hold: bool) -> Gains:
        transformed = self._transformed(self.pilot, block)
        axes, weights, held = [], [], []
        for start in range(0, len(block.positions), self.some):
            group = _gathered(transformed, block.positions[start : start + self.some], len(self.pilot))
            turn = principal_axes(group)
            gains = self._gains(self.transform @ (turn.mT @ group.flatten(2)).view_as(group))
            kept = gains.square().flatten(2).sum(2)
            axes.append(turn)
            weights.append(1 / (turn.square() @ kept[:, :, None])[:, :, 0].mean(1).clamp(min=LEAST_KEPT))
            if hold:
                held.append(gains.half())
        return Gains(torch.cat(axes), torch.cat(weights), tuple(held) if hold else None)

    def _gains(self, pilot: Tensor) -> Tensor:
        """Gains (group, axis, patch, coefficient) of a pilot's coefficients."""
        if self.threshold is None:
            energy = pilot.square_()
            return (energy / (energy + self.level**2)).clamp_(max=LARGEST_GAIN)
        kept = pilot.abs() > self.threshold * self.level
        kept[:, :, 0, 0] = True  # the mean stays
        return kept.to(pilot.dtype) * LARGEST_GAIN

    def _transformed(self, images: Tensor, block: Block) -> Tensor:
        found = coefficients(images[:, block.rows, block.cols])
        return found if self.root is None else found / self.root

    def _filtered(self, images: Tensor, block: Block, frozen: Gains) -> Tensor:
        """What the groups of a block give, weighed, not yet divided by D."""
        count = len(images)
        transformed = self._transformed(images, block)
        pilot = None if frozen.held is not None else self._transformed(self.pilot, block)
        sums, image = torch.zeros_like(transformed), torch.arange(count, device=images.device)[:, None]
        for number, start in enumerate(range(0, len(block.positions), self.some)):
            part = slice(start, start + self.some)
            positions, axes = block.positions[part], frozen.axes[part]
            group = self._turned(transformed, positions, axes, count)
            if frozen.held is not None:
                group *= frozen.held[number]
            else:
                assert pilot is not None
                group *= self._gains(self._turned(pilot, positions, axes, count))
            back = (axes @ (self.transform.mT @ group).flatten(2)).view_as(group)
            back *= frozen.weights[part][:, None, None, None]
            here = (positions[:, None] * count + image).flatten()
            sums.index_add_(0, here, back.view(-1, PATCH * PATCH))
        if self.root is not None:
            sums *= self.root
        return laid_out(sums @ self.cosines, images[:, block.rows, block.cols].shape)

    def _turned(self, transformed: Tensor, positions: Tensor, axes: Tensor, count: int) -> Tensor:
        group = _gathered(transformed, positions, count)
        return self.transform @ (axes.mT @ group.flatten(2)).view_as(group)

    def _weights(self, images: Tensor) -> Tensor:
        """D, (row, col)."""
        found = images.new_zeros(images.shape[1:])
        ones = images.new_ones(1, 1, PATCH, PATCH)
        for block, frozen in zip(self.blocks, self.frozen, strict=True):
            rows, cols = (part.stop - part.start - PATCH + 1 for part in (block.rows, block.cols))
            each = frozen.weights.repeat_interleave(block.positions.shape[1])
            corners = images.new_zeros(rows * cols).index_add_(0, block.positions.flatten(), each)
            found[block.rows, block.cols] += F.conv_transpose2d(corners.view(1, 1, rows, cols), ones)[0, 0]
        return found


def _gathered(transformed: Tensor, positions: Tensor, count: int) -> Tensor:
    """Groups (group, image, patch, coefficient) from rows of coefficients, one for every corner and image."""
    here = (positions[:, None] * count + torch.arange(count, device=positions.device)[:, None]).flatten()
    return transformed.index_select(0, here).view(len(positions), count, positions.shape[1], PATCH * PATCH)
