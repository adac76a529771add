"""Collaborative filtering of images that share their structure: similar patches are found once, then shrunk together.

The images are the eigen-images of a cube, in units of their noise (variance 1, white). One search in all of them
together sees more than a search in each, and costs less. Everything goes on strip by strip, top to bottom, so that
large images take no more memory than their strips; on the CPU and on a GPU.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.classical.baseline import Floats

#: Side of a patch, in pixels.
PATCH = 8
#: Images that the search for similar patches looks at: the strongest ones.
SEEN = 4
#: Reference patches of a strip, and patches that are transformed at once (these fit into the cache of a processor
#: core; a GPU takes as many as a strip has).
AT_ONCE, IN_CACHE = 6000, 1024


@dataclass(frozen=True, eq=False)
class Groups:
    """Similar patches, shape (reference patch, patch of its group), reference patches row by row.

    A patch counts as the index of its upper left corner in the array of all corners, shape (row, col) = ``corners``.
    """

    positions: Tensor
    corners: tuple[int, int]

    def strips(self) -> Iterator[Tensor]:
        """The groups, some thousand at a time, from top to bottom."""
        for start in range(0, len(self.positions), AT_ONCE):
            yield self.positions[start : start + AT_ONCE]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Thousands of short steps: handing each to several threads costs more than it gains."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.no_grad()
@_one_thread()
def similar_patches(images: Tensor, count: int, search: int, stride: int = 4) -> Groups:
    """For every reference patch the ``count`` patches nearest to it, by the distance over the strongest images.

    Reference patches begin at the multiples of ``stride``, in rows and columns. Equal distances: the first move counts,
    so that the result is the same on any number of threads.

    Parameters
    ----------
    images : tensor, shape (image, row, col)
        Weigh them by how much they are to be trusted.
    count : int
        Patches of a group; the images must offer as many within the search.
    search : int
        How far, in rows and columns, a similar patch may lie.
    stride : int
        Distance of two reference patches in rows and columns, in pixels.
    """
    images = _strongest(images)
    corners = (images.shape[1] - PATCH + 1, images.shape[2] - PATCH + 1)
    # what lies outside is infinitely far away
    around = F.pad(images, (search, search, search, search), value=torch.inf)
    across = -(-corners[1] // stride)
    step = stride * max(1, AT_ONCE // across)
    side = 2 * search + 1
    nearest = []
    for top in range(0, corners[0], step):
        bottom = min(top + step, corners[0]) + PATCH - 1
        distances = _distances(images[:, top:bottom], around[:, top : bottom + 2 * search], side, stride)
        moves = _smallest(distances, count)
        rows = torch.arange(top, bottom - PATCH + 1, stride, device=images.device)[:, None, None]
        cols = torch.arange(0, corners[1], stride, device=images.device)[:, None]
        moves = moves.view(len(rows), across, count)
        found = (rows + moves // side - search) * corners[1] + cols + moves % side - search
        nearest.append(found.flatten(0, 1))
    return Groups(torch.cat(nearest), corners)


def _strongest(images: Tensor) -> Tensor:
    """The `SEEN` images of largest variance."""
    order = images.flatten(1).var(1, correction=0).argsort(descending=True, stable=True)
    return images[order[:SEEN]]


def _distances(strip: Tensor, wide: Tensor, side: int, stride: int) -> Tensor:
    """Squared distance of every reference patch of a strip to the patch at every move: (move, reference row, col).

    Element by element, in a fixed order: equal patches must come out equal whatever the size of the strip.
    """
    _, rows, cols = strip.shape
    down, across = (-(-(extent - PATCH + 1) // stride) for extent in (rows, cols))
    found = strip.new_empty(side * side, down, across)
    gap, total = torch.empty_like(strip[0]), torch.empty_like(strip[0])
    for move in range(side * side):
        row, col = divmod(move, side)
        shifted = wide[:, row : row + rows, col : col + cols]
        for k, image in enumerate(strip):
            torch.sub(shifted[k], image, out=gap)
            total = torch.mul(gap, gap, out=total) if k == 0 else total.add_(gap.square_())
        _patch_sums(_patch_sums(total, stride).mT, stride, out=found[move].mT)
    return found


def _patch_sums(values: Tensor, stride: int, out: Tensor | None = None) -> Tensor:
    """Sums of PATCH consecutive rows, at every ``stride``-th start."""
    last = len(values) - PATCH + 1
    total = torch.add(values[:last:stride], values[1 : last + 1 : stride], out=out)
    for offset in range(2, PATCH):
        total += values[offset : offset + last : stride]
    return total


def _smallest(distances: Tensor, count: int) -> Tensor:
    """The moves of the smallest distances, in rising order; shape (reference, count)."""
    moves = torch.arange(len(distances), device=distances.device)
    # the bits of floats that are not negative rise as the floats do; below them, the move decides between equals
    keys = (distances.flatten(1).view(torch.int32).mT.long() << 32) + moves
    return keys.topk(count, dim=1, largest=False).values & 0xFFFFFFFF


@torch.no_grad()
@_one_thread()
def shrink(images: Tensor, groups: Groups, threshold: float, pilot: Tensor | None = None) -> Tensor:
    """Images (image, row, col), unit noise, with every group of similar patches shrunk in its transform domain.

    Without ``pilot`` coefficients of magnitude up to ``threshold`` are dropped; with it, an estimate of the clean
    images, they are multiplied by the Wiener gain p^2 / (p^2 + 1), p the pilot's coefficients. In every image, groups
    weigh by the inverse of the noise they keep. Pixels at the lower and right border that no group reaches come back
    as they are.

    K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
    filtering", IEEE Transactions on Image Processing 16, 2007.
    """
    total, weight = torch.zeros_like(images), torch.zeros_like(images)
    for positions in groups.strips():
        top = int(positions.min()) // groups.corners[1]
        rows = slice(top, int(positions.max()) // groups.corners[1] + PATCH)
        local = positions - top * groups.corners[1]
        noise = images.new_ones(len(images), len(local))
        work = _Workspace(images[0, rows], local)
        for k, image in enumerate(images):
            if pilot is None or pilot[k, rows].any():  # a pilot of nothing but zeros leaves nothing
                noise[k] = work.shrunk(image[rows], threshold, None if pilot is None else pilot[k, rows])
                total[k, rows] += work.laid_out()
        weight[:, rows] += _weights(noise, local, weight[:, rows].shape)
    return torch.where(weight > 0, total / weight, images)


class _Workspace:
    """The groups of a strip, and memory that is taken once for all images and all chunks of groups in it.

    Fresh memory for every step would cost more time than the arithmetic.
    """

    def __init__(self, image: Tensor, positions: Tensor) -> None:
        self.shape, self.positions = image.shape, positions
        members = positions.shape[1]
        self.transform = _on(haar, members, image.device)
        self.some = max(1, IN_CACHE // members) if image.device.type == "cpu" else len(positions)
        self.chunks = image.new_empty(3, min(self.some, len(positions)) * members, PATCH * PATCH)
        corners = (image.shape[0] - PATCH + 1) * (image.shape[1] - PATCH + 1)
        self.sums = image.new_empty(corners, PATCH * PATCH)
        self.patches = image.new_empty(PATCH * PATCH, corners)

    def shrunk(self, image: Tensor, threshold: float, pilot: Tensor | None) -> Tensor:
        """Leave in ``sums`` the shrunk patches of all groups, weighed, as coefficients; return each group's noise."""
        noisy, guide = _coefficients(image), None if pilot is None else _coefficients(pilot)
        noise = image.new_empty(len(self.positions))
        self.sums.zero_()
        for start in range(0, len(noise), self.some):
            here = self.positions[start : start + self.some].mT.reshape(-1)
            group, other, spare = (chunk[: len(here)] for chunk in self.chunks)
            self._transformed(noisy, here, spare, group)
            if guide is None:
                kept = _threshold(self._by_group(group), threshold, self._by_group(other))
            else:
                self._transformed(guide, here, spare, other)
                kept = _wiener(self._by_group(group), self._by_group(other), self._by_group(spare))
            noise[start : start + self.some] = kept
            self._by_group(group).div_(kept[:, None])
            torch.mm(self.transform.mT, self._flat(group), out=self._flat(spare))
            self.sums.index_add_(0, here, spare)
        return noise

    def laid_out(self) -> Tensor:
        """The image (row, col) of ``sums``: every patch in its place, through the window."""
        pixels = _on(cosines, PATCH, self.sums.device) * _on(_window, PATCH, self.sums.device).flatten()
        torch.mm(pixels.mT, self.sums.mT, out=self.patches)
        return F.fold(self.patches[None], self.shape, PATCH)[0, 0]

    def _transformed(self, coefficients: Tensor, here: Tensor, spare: Tensor, out: Tensor) -> None:
        torch.index_select(coefficients, 0, here, out=spare)
        torch.mm(self.transform, self._flat(spare), out=self._flat(out))

    def _flat(self, chunk: Tensor) -> Tensor:
        return chunk.view(len(self.transform), -1)

    def _by_group(self, chunk: Tensor) -> Tensor:
        return chunk.view(len(self.transform), -1, PATCH * PATCH)


def _coefficients(image: Tensor) -> Tensor:
    """Cosine transform of the patch at every corner: (corner, coefficient)."""
    patches = image.unfold(0, PATCH, 1).unfold(1, PATCH, 1).reshape(-1, PATCH * PATCH)
    return patches @ _on(cosines, PATCH, image.device).mT


def _threshold(group: Tensor, threshold: float, spare: Tensor) -> Tensor:
    """Drop small coefficients (patch, group, coefficient), in place; return how many each group keeps."""
    torch.abs(group, out=spare)
    spare[0, :, 0] = torch.inf  # the mean stays
    torch.gt(spare, threshold, out=spare)
    group *= spare
    return spare.sum(0).sum(1)


def _wiener(group: Tensor, pilot: Tensor, spare: Tensor) -> Tensor:
    """Multiply by the Wiener gain in place; return the noise energy each group keeps."""
    torch.add(pilot.square_(), 1, out=spare)
    gain = torch.div(pilot, spare, out=spare)
    group *= gain
    return gain.square_().sum(0).sum(1).clamp_(min=1e-3)


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


def _on(make: Callable[[int], Floats], size: int, device: torch.device) -> Tensor:
    return torch.from_numpy(make(size)).to(device)


@cache
def cosines(length: int = PATCH) -> Floats:
    """Orthonormal cosine transform of a patch, rows in a row: shape (coefficient, pixel)."""
    sample = np.arange(length)
    one = np.sqrt(2 / length) * np.cos(np.pi * (sample + 0.5) * sample[:, None] / length)
    one[0] /= np.sqrt(2)
    return np.kron(one, one).astype(np.float32)


@cache
def haar(length: int) -> Floats:
    """Orthonormal Haar transform, length a power of two: shape (coefficient, sample); coefficient 0 is the mean's."""
    if length == 1:
        return np.ones((1, 1), np.float32)
    half = length // 2
    coarse, fine = np.kron(haar(half), [1, 1]), np.kron(np.eye(half), [1, -1])
    both: Floats = (np.concatenate([coarse, fine]) / np.sqrt(2)).astype(np.float32)
    return both


@cache
def _window(length: int) -> Floats:
    return np.outer(np.kaiser(length, 2), np.kaiser(length, 2)).astype(np.float32)
