"""Collaborative filtering of images that share their structure: similar patches are found once, then shrunk together.

The images are the eigen-images of a cube, in units of their noise (variance 1, white). One search in all of them
together sees more than a search in each, and costs less. Everything goes on block by block, so that large images take
no more memory than their blocks; on a GPU, and on the cores of a CPU side by side.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.arrays import Floats
from napari_decsc.filters.parallel import one_thread, side_by_side

#: Side of a patch, in pixels.
PATCH = 8
#: Images that the search for similar patches looks at: the strongest ones.
SEEN = 4
#: Reference patches of a block, in each direction.
BLOCK = 16
#: Patches of all images that are transformed at once on a CPU: they fit into the cache of a core. A GPU takes a block.
IN_CACHE = 4096


@dataclass(frozen=True, eq=False)
class Groups:
    """Similar patches.

    A patch counts as the index of its upper left corner in the array of all corners.

    Parameters
    ----------
    positions : int tensor, shape (reference patch, patch of its group)
        Corners; reference patches row by row.
    corners : tuple of int
        Shape (row, col) of the array of all corners.
    across : int
        Reference patches in a row.
    """

    positions: Tensor
    corners: tuple[int, int]
    across: int

    def blocks(self) -> Iterator["Block"]:
        """The groups of neighbouring references, with the part of the images that they lie in.

        Yields
        ------
        Block
            One after the other, in the order of the references.
        """
        grid = self.positions.view(-1, self.across, self.positions.shape[1])
        for top in range(0, len(grid), BLOCK):
            for left in range(0, self.across, BLOCK):
                yield self._block(grid[top : top + BLOCK, left : left + BLOCK].flatten(0, 1))

    def _block(self, positions: Tensor) -> "Block":
        row, col = positions // self.corners[1], positions % self.corners[1]
        (top, bottom), (left, right) = ((int(place.min()), int(place.max())) for place in (row, col))
        local = (row - top) * (right - left + 1) + col - left
        return Block(local, slice(top, bottom + PATCH), slice(left, right + PATCH))


@dataclass(frozen=True, eq=False)
class Block:
    """Some groups, and the part of the images that they lie in.

    Parameters
    ----------
    positions : int tensor, shape (reference patch, patch of its group)
        Counted in the corners of the part alone.
    rows, cols : slice
        The part.
    """

    positions: Tensor
    rows: slice
    cols: slice


@torch.no_grad()
def similar_patches(
    images: Tensor, count: int, search: int, stride: int = 4, near: int | None = None, *, staggered: bool = False
) -> Groups:
    """For every reference patch the ``count`` patches nearest to it, by the distance over the strongest images.

    Reference patches begin at the multiples of ``stride``, in rows and columns. Equal distances: the first move counts,
    so that the result is the same on any number of threads.

    Parameters
    ----------
    images : tensor of shape (image, row, col)
        Weigh them by how much they are to be trusted.
    count : int
        Patches of a group; the images must offer as many within the search.
    search : int
        How far, in rows and columns, a similar patch may lie.
    stride : int
        Distance of two reference patches in rows and columns, in pixels.
    near : int, optional
        How far every place is looked at; beyond, every second one in rows and columns. All of them if not given.
    staggered : bool
        Every second reference patch is left out, as the black squares of a chessboard, but for some of the first and
        the last column.

    Returns
    -------
    Groups
        One group for each reference patch, itself among them.
    """
    images = _strongest(images)
    corners = (images.shape[1] - PATCH + 1, images.shape[2] - PATCH + 1)
    # what lies outside is infinitely far away
    around = F.pad(images, (search, search, search, search), value=torch.inf)
    across = -(-corners[1] // stride)
    moves = _moves(search, search if near is None else near)
    down, right = moves.to(images.device).unbind(1)

    def nearest(top: int) -> Tensor:
        bottom = min(top + stride * BLOCK, corners[0]) + PATCH - 1
        distances = _distances(images[:, top:bottom], around[:, top : bottom + 2 * search], moves + search, stride)
        rows = torch.arange(top, bottom - PATCH + 1, stride, device=images.device)[:, None, None]
        cols = _columns(distances.shape[1], across, staggered=staggered).to(images.device)
        distances = distances.gather(2, cols.expand(len(distances), -1, -1)) if staggered else distances
        chosen = _smallest(distances, count).view(len(rows), -1, count)
        found = (rows + down[chosen]) * corners[1] + stride * cols[:, :, None] + right[chosen]
        return found.flatten(0, 1)

    tops = range(0, corners[0], stride * BLOCK)
    with one_thread():
        found = torch.cat([nearest(top) for top in tops])
    return Groups(found, corners, len(found) // -(-corners[0] // stride))


def _columns(down: int, across: int, *, staggered: bool) -> Tensor:
    """Columns of the reference patches in each of some rows (row, patch), an even number of rows after the first."""
    if not staggered:
        return torch.arange(across).expand(down, -1)
    odd = torch.arange(down)[:, None] % 2
    return (2 * torch.arange((across + 3) // 2) - odd).clamp(0, across - 1)


def _strongest(images: Tensor) -> Tensor:
    """The `SEEN` images of largest variance."""
    order = images.flatten(1).var(1, correction=0).argsort(descending=True, stable=True)
    return images[order[:SEEN]]


def _moves(search: int, near: int) -> Tensor:
    """Where similar patches are looked for: (move, 2), in rows and columns, row by row."""
    place = torch.arange(-search, search + 1)
    moves = torch.cartesian_prod(place, place)
    return moves[(moves.abs() <= near).all(1) | (moves % 2 == 0).all(1)]


def _distances(strip: Tensor, wide: Tensor, places: Tensor, stride: int) -> Tensor:
    """Squared distance of every reference patch of a strip to the patch at every place: (place, reference row, col).

    Places are counted from the upper left of what lies around.

    Element by element, in a fixed order: equal patches must come out equal whatever the size of the strip.
    """
    _, rows, cols = strip.shape
    down, across = (-(-(extent - PATCH + 1) // stride) for extent in (rows, cols))
    found = strip.new_empty(len(places), down, across)
    gap, total = torch.empty_like(strip[0]), torch.empty_like(strip[0])
    for place, (row, col) in enumerate(places.tolist()):
        shifted = wide[:, row : row + rows, col : col + cols]
        for k, image in enumerate(strip):
            torch.sub(shifted[k], image, out=gap)
            total = torch.mul(gap, gap, out=total) if k == 0 else total.addcmul_(gap, gap)
        _patch_sums(_patch_sums(total, stride).mT, stride, out=found[place].mT)
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


def coefficients(images: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cosine transform of the patch at every corner of (image, row, col): (image, corner, coefficient).

    ``weights`` (64,) multiply the coefficients.

    Parameters
    ----------
    images : tensor of shape (image, row, col)
        At least a patch wide.
    weights : tensor of shape (64,), optional
        Multiply the coefficients.

    Returns
    -------
    tensor of shape (image, corner, coefficient)
        Corners row by row.
    """
    kernels = on_device(cosines, PATCH, images.device)
    kernels = kernels if weights is None else weights[:, None] * kernels
    # one image in, its coefficients side by side: strides of a single channel say so
    kernels = kernels.view(PATCH**2, 1, PATCH, PATCH).as_strided((PATCH**2, 1, PATCH, PATCH), (PATCH**2, 1, PATCH, 1))
    found = F.conv2d(images[:, None], kernels).permute(0, 2, 3, 1)
    return found.reshape(len(images), -1, PATCH**2)


def _laid_out(sums: Tensor, shape: torch.Size) -> Tensor:
    """The images (image, row, col) of coefficients added up: every patch in its place, through the window."""
    return laid_out(
        sums, on_device(cosines, PATCH, sums.device) * on_device(_window, PATCH, sums.device).flatten(), shape
    )


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


@cache
def _window(length: int) -> Floats:
    return np.outer(np.kaiser(length, 2), np.kaiser(length, 2)).astype(np.float32)
