"""Similar patches: one search in all images together sees more than a search in each, and costs less."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.parallel import one_thread
from napari_decsc.filters.patches import PATCH

#: Images that the search for similar patches looks at: the strongest ones.
SEEN = 4
#: Reference patches of a block, in each direction.
BLOCK = 16


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
