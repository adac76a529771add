"""The collaborative filter with groups, axes and gains frozen: a linear operator that is self-adjoint and contracts.

Every group of similar patches is taken to its own frame U (cosines, the group's principal axes over the images, Haar
along its patches), multiplied by gains 0 <= G < 1, taken back, and put in its places with one weight w_g::

    W = D^-1 M,    M = sum_g w_g P_g^T U_g^T G_g U_g P_g,    D = sum_g w_g P_g^T P_g

D is one positive number per pixel, the same for all images. M is symmetric and 0 <= M <= max(G) D, so in the inner
product <x, y>_D = sum D x y W is self-adjoint with 0 <= W <= max(G) < 1.

What of a block holds no signal (:mod:`.worth`) has gains 0, and is not even transformed.

Sources: K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
filtering", IEEE Transactions on Image Processing 16, 2007; A. Danielyan, V. Katkovnik, K. Egiazarian, "BM3D frames and
variational image deblurring", IEEE Transactions on Image Processing 21, 2012.
"""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from napari_decsc.filters.matching import Block, Groups
from napari_decsc.filters.parallel import side_by_side
from napari_decsc.filters.patches import PATCH, coefficients, cosines, haar, laid_out, on_device, principal_axes
from napari_decsc.filters.worth import Kept, coefficients_of_estimate, coefficients_of_noisy, mixtures_of, sampled

#: No gain is larger: the bound on what W keeps.
LARGEST_GAIN = 0.9999
#: No group weighs more than the one that keeps so little noise.
LEAST_KEPT = 1e-3
#: What gains lack to the largest is held between evaluations, a byte each, block by block until it would take so many
#: bytes if every coefficient of theirs were filtered (about half are); it is found anew for the other blocks.
HELD = 200_000_000
#: Its root counts in so many steps, so that no coefficient is off by more than 0.4 % of the noise level.
STEPS = 255
#: Patches of all images that are transformed at once on a CPU: they fit into the cache of a core.
AT_ONCE = 8192
#: Of fewer images every coefficient is filtered: what is left out would show in each of them.
MANY = 4


@dataclass(frozen=True, eq=False)
class Gains:
    """What is frozen of a block.

    Parameters
    ----------
    axes : tensor of shape (group, mixture, axis)
        Principal axes of every group.
    weights : tensor of shape (group,)
        How much a group counts.
    kept : Kept
        What is filtered.
    lacking : tuple of uint8 tensors, optional
        The root of the share that gains lack to the largest, in `STEPS`, chunk by chunk, where it is held.
    """

    axes: Tensor
    weights: Tensor
    kept: Kept
    lacking: tuple[Tensor, ...] | None


class FrozenFilter:
    """W of a pilot: call it with images (image, row, col); the result has the same shape.

    Parameters
    ----------
    pilot : tensor of shape (image, row, col)
        What gains come from. Unit noise.
    groups : Groups
        Similar patches.
    threshold : float, optional
        Gains 1 for the pilot's coefficients beyond it, 0 for others (the pilot is the noisy image then); Wiener gains
        p^2 / (p^2 + noise) of an estimate's coefficients p if not given.
    spectrum : tensor of shape (64,), optional
        Noise variance of every cosine coefficient; 1 if not given. As it is the same for all images and groups, W
        stays self-adjoint.
    strength : float
        Noise levels count so many times.
    estimate : tensor of shape (image, some, some), optional
        Of the same place, at any size, that tells which mixtures of the images hold signal in a block; if
        not given, an estimate as the pilot does it itself, and of a noisy pilot all are filtered.
    """

    def __init__(
        self,
        pilot: Tensor,
        groups: Groups,
        *,
        threshold: float | None = None,
        spectrum: Tensor | None = None,
        strength: float = 1.0,
        estimate: Tensor | None = None,
    ) -> None:
        self.groups, self.threshold, self.pilot = groups, threshold, pilot
        self.estimate = pilot if estimate is None and threshold is None else estimate
        self.root = None if spectrum is None else spectrum.to(pilot).clamp(min=0.02).sqrt().flatten()
        self.level = max(strength, 1e-3)
        self.blocks = list(groups.blocks())

    def __call__(self, images: Tensor) -> Tensor:
        """W of images (image, row, col). Pixels that no group reaches come back as 0.9999 of what they are."""
        work = list(zip(self.blocks, self.frozen, strict=True))
        results = side_by_side(
            lambda each: _Workshop(self, each[0], each[1].kept).filtered(images, each[1]), work, images.device
        )
        return self._divided(images, self._put_together(images, results), self.weight)

    def once(self, images: Tensor) -> Tensor:
        """The same for images that are the only ones: gains are found on the way, and nothing of them is held.

        Parameters
        ----------
        images : tensor of shape (image, row, col)
            Unit noise.

        Returns
        -------
        tensor of shape (image, row, col)
            W times the images.
        """
        parts: list[Tensor] = []

        def kept(results: Iterator[tuple[Tensor, Tensor]]) -> Iterator[Tensor]:
            for part, weights in results:
                parts.append(weights)
                yield part

        results = side_by_side(lambda block: _Workshop(self, block).once(images), self.blocks, images.device)
        total = self._put_together(images, kept(results))
        return self._divided(images, total, self._weight(parts))

    def lean(self) -> "FrozenFilter":
        """The same without its gains, which are found anew when they are asked for.

        Returns
        -------
        FrozenFilter
            This one stays as it is.
        """
        made = copy.copy(self)
        vars(made).pop("frozen", None)
        return made

    def inner(self, a: Tensor, b: Tensor) -> float:
        """<a, b>_D, the inner product in which W is self-adjoint.

        Parameters
        ----------
        a, b : tensor of shape (image, row, col)
            Of the pilot's shape.

        Returns
        -------
        float
            Positive for a = b unless they are 0.
        """
        return float((torch.where(self.weight > 0, self.weight, 1) * a * b).double().sum())

    @cached_property
    def frozen(self) -> list[Gains]:
        """The gains of every block."""
        room, work = HELD, []
        for block in self.blocks:
            mixtures = mixtures_of(self.estimate, self.pilot, block)
            images = len(self.pilot) if mixtures is None else mixtures.shape[1]
            room -= block.positions.numel() * images * PATCH**2
            work.append((block, Kept(mixtures), room >= 0))
        gains = side_by_side(
            lambda each: _Workshop(self, each[0], each[1]).frozen(hold=each[2]), work, self.pilot.device
        )
        return list(gains)

    @cached_property
    def weight(self) -> Tensor:
        """D, (row, col)."""
        return self._weight([frozen.weights for frozen in self.frozen])

    def _weight(self, weights: list[Tensor]) -> Tensor:
        rows, cols = self.pilot.shape[1:]
        corners = self.pilot.new_zeros(rows - PATCH + 1, cols - PATCH + 1)
        for block, each in zip(self.blocks, weights, strict=True):
            here = corners[
                block.rows.start : block.rows.stop - PATCH + 1, block.cols.start : block.cols.stop - PATCH + 1
            ]
            counts = each.repeat_interleave(block.positions.shape[1])
            here += here.new_zeros(here.numel()).index_add_(0, block.positions.flatten(), counts).view_as(here)
        lines, found = corners.new_zeros(len(corners), cols), corners.new_zeros(rows, cols)
        for offset in range(PATCH):
            lines[:, offset : offset + corners.shape[1]] += corners
        for offset in range(PATCH):
            found[offset : offset + len(corners)] += lines
        return found

    def _put_together(self, images: Tensor, parts: Iterator[Tensor]) -> Tensor:
        total = torch.zeros_like(images)
        for block, part in zip(self.blocks, parts, strict=True):
            total[:, block.rows, block.cols] += part
        return total

    @staticmethod
    def _divided(images: Tensor, total: Tensor, weight: Tensor) -> Tensor:
        total /= torch.where(weight > 0, weight, 1)
        return total if bool((weight > 0).all()) else torch.where(weight > 0, total, LARGEST_GAIN * images)


class _Workshop:
    """The groups of one block, chunk by chunk: (group, image, patch, coefficient)."""

    def __init__(self, made: FrozenFilter, block: Block, kept: Kept | None = None) -> None:
        self.made, self.positions = made, block.positions
        self.rows, self.cols = block.rows, block.cols
        groups, self.members = block.positions.shape
        device = made.pilot.device
        self.haar = on_device(haar, self.members, device)
        self.cosines = on_device(cosines, PATCH, device)
        # memory that is taken once for all chunks: fresh memory would cost more time than the arithmetic
        each = max(1, len(made.pilot)) * self.members * PATCH**2
        size = min(groups * each, max(each, AT_ONCE * PATCH**2)) if device.type == "cpu" else groups * each
        self.memory = made.pilot.new_empty(3, size)
        self._take(Kept(mixtures_of(made.estimate, made.pilot, block)) if kept is None else kept)

    def frozen(self, *, hold: bool) -> Gains:
        """Axes, weights and, to ``hold``, what gains lack to the largest."""
        pilot = self._pilot()
        axes, weights, held = [], [], []
        for part in self.chunks:
            turned, turn = self._turned(pilot, self.positions[part])
            gain = self._gain(turned)
            axes.append(turn)
            weights.append(self._weight(gain))
            if hold:
                lacking = gain.div_(-LARGEST_GAIN).add_(1).clamp_(min=0)
                held.append(lacking.sqrt_().mul_(STEPS).round_().to(torch.uint8))
        return Gains(torch.cat(axes), torch.cat(weights), self.kept, tuple(held) if hold else None)

    def filtered(self, images: Tensor, frozen: Gains) -> Tensor:
        """What the groups of the block give, weighed, not yet divided by D."""
        noisy = self._transformed(images)
        pilot = None if frozen.lacking is not None else self._transformed(self.made.pilot)
        sums, largest = torch.zeros_like(noisy), noisy.new_tensor(LARGEST_GAIN)
        for number, part in enumerate(self.chunks):
            positions, axes = self.positions[part], frozen.axes[part]
            gain = self._at(len(positions))[2]
            if frozen.lacking is not None:
                steps = gain.copy_(frozen.lacking[number])
                torch.addcmul(largest, steps, steps, value=-LARGEST_GAIN / STEPS**2, out=gain)
            else:
                assert pilot is not None
                self._gain(self._turned(pilot, positions, axes)[0])
            group = self._turned(noisy, positions, axes)[0].mul_(gain)
            self._put_back(sums, group, positions, axes * frozen.weights[part, None, None])
        return self._laid_out(sums, images)

    def once(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same with gains that are found on the way; and the weights (group,)."""
        pilot = self._pilot()
        noisy = pilot if images is self.made.pilot else self._transformed(images)
        sums, weights = torch.zeros_like(noisy), []
        for part in self.chunks:
            positions = self.positions[part]
            group, axes = self._turned(pilot, positions)
            gain = self._gain(group)
            weights.append(self._weight(gain))
            if noisy is not pilot:
                group, _ = self._turned(noisy, positions, axes)
            self._put_back(sums, group.mul_(gain), positions, axes * weights[-1][:, None, None])
        return self._laid_out(sums, images), torch.cat(weights)

    def _take(self, kept: Kept) -> None:
        """From here on this is filtered."""
        self.kept, root, chosen = kept, self.made.root, kept.coefficients
        self.count = len(self.made.pilot) if kept.mixtures is None else kept.mixtures.shape[1]
        each = max(1, self.count) * self.members * (PATCH**2 if chosen is None else len(chosen))
        some = max(1, self.memory.shape[1] // each)
        self.chunks = [slice(start, start + some) for start in range(0, len(self.positions), some)]
        self.analysis = self.cosines if root is None else self.cosines / root[:, None]
        self.synthesis = self.cosines if root is None else self.cosines * root[:, None]
        if chosen is not None:
            self.analysis, self.synthesis = self.analysis[chosen], self.synthesis[chosen]

    def _pilot(self) -> Tensor:
        """The pilot's coefficients, those that are worth it."""
        pilot = self._transformed(self.made.pilot)
        if len(self.made.pilot) < MANY:
            return pilot
        chosen = self._worth_it(pilot)
        if len(chosen) == PATCH**2:
            return pilot
        self._take(Kept(self.kept.mixtures, chosen))
        del pilot
        return self._transformed(self.made.pilot)  # quicker than taking them out

    def _worth_it(self, pilot: Tensor) -> Tensor:
        """Coefficients that hold signal: those of some groups tell."""
        some = sampled(self.positions)
        signal = pilot.new_zeros(PATCH**2)
        for start in range(0, len(some), self.chunks[0].stop):
            turned, _ = self._turned(pilot, some[start : start + self.chunks[0].stop])
            gain = self._gain(turned)
            signal += turned.square_().mul_(gain).sum((0, 1, 2))
        signal /= len(some)
        if self.made.threshold is None:
            return coefficients_of_estimate(signal, pilot)
        return coefficients_of_noisy(signal, pilot, self.members, self.made.threshold * self.made.level)

    def _at(self, groups: int) -> Tensor:
        """Memory for some groups: their coefficients, what they become, their gains."""
        chosen = self.kept.coefficients
        kept = PATCH**2 if chosen is None else len(chosen)
        shape = (groups, self.count, self.members, kept)
        return self.memory[:, : math.prod(shape)].view(3, *shape)

    def _turned(self, transformed: Tensor, positions: Tensor, axes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Some groups on their axes, and these: their own if not given."""
        group, spare, _ = self._at(len(positions))
        kept = group.shape[3]
        torch.index_select(transformed.view(-1, kept), 0, _here(transformed, positions), out=group.view(-1, kept))
        axes = principal_axes(group) if axes is None else axes
        torch.bmm(axes.mT, group.flatten(2), out=spare.flatten(2))
        return torch.matmul(self.haar, spare, out=group), axes

    def _put_back(self, sums: Tensor, group: Tensor, positions: Tensor, axes: Tensor) -> None:
        """Add some groups, turned back from their weighed axes, in their places."""
        spare, kept = self._at(len(positions))[1], group.shape[3]
        torch.matmul(self.haar.mT, group, out=spare)
        torch.bmm(axes, spare.flatten(2), out=group.flatten(2))
        sums.view(-1, kept).index_add_(0, _here(sums, positions), group.view(-1, kept))

    def _gain(self, pilot: Tensor) -> Tensor:
        """Gains of some groups of the pilot's coefficients, in their memory."""
        memory, made = self._at(len(pilot)), self.made
        spare, gain = memory[1], memory[2]
        if made.threshold is None:
            torch.mul(pilot, pilot, out=gain)
            torch.add(gain, made.level**2, out=spare)
            gain.div_(spare).clamp_(max=LARGEST_GAIN)
            return gain
        torch.abs(pilot, out=gain)
        gain[:, :, 0, 0] = torch.inf  # the mean stays
        torch.gt(gain, made.threshold * made.level, out=gain).mul_(LARGEST_GAIN)
        return gain

    def _weight(self, gain: Tensor) -> Tensor:
        """What groups weigh (group,): the inverse of the noise that they keep, the mean of all images."""
        kept = torch.linalg.vector_norm(gain.flatten(1), dim=1).square() / len(self.made.pilot)
        weight: Tensor = 1 / kept.clamp(min=LEAST_KEPT)
        return weight

    def _transformed(self, images: Tensor) -> Tensor:
        images, mixtures = images[:, self.rows, self.cols], self.kept.mixtures
        if mixtures is not None:
            images = _mixed(mixtures.mT, images)
        return coefficients(images, self.analysis)

    def _laid_out(self, sums: Tensor, images: Tensor) -> Tensor:
        rows, cols = images[0, self.rows, self.cols].shape
        found = laid_out(sums, self.synthesis, torch.Size((self.count, rows, cols)))
        return found if self.kept.mixtures is None else _mixed(self.kept.mixtures, found)


def _mixed(matrix: Tensor, images: Tensor) -> Tensor:
    mixed: Tensor = (matrix @ images.flatten(1)).view(-1, *images.shape[1:])
    return mixed


def _here(transformed: Tensor, positions: Tensor) -> Tensor:
    """Rows of the coefficients (image, corner, coefficient) that some groups consist of."""
    count, corners, _ = transformed.shape
    first = corners * torch.arange(count, device=transformed.device)
    return (positions[:, None] + first[:, None]).flatten()
