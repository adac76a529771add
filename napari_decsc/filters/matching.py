"""Similar patches: one search in all images together sees more than a search in each, and costs less."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.parallel import one_thread
from napari_decsc.filters.patches import PATCH

#: Images that the search for similar patches looks at: the strongest ones.
SEEN = 4
#: Side of the blocks in which groups are filtered: the references of one lie in so many pixels at most.
BLOCK = 100
#: Rows of reference patches whose groups are looked for at once.
AT_ONCE = 16


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
        down, across = (
            min(-(-extent // BLOCK), most) for extent, most in zip(self.corners, grid.shape[:2], strict=True)
        )
        for rows in torch.tensor_split(grid, down):
            for some in torch.tensor_split(rows, across, 1):
                yield self._block(some.flatten(0, 1))

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
    images: Tensor, count: int, search: int, steps: tuple[int, ...] = (4,), near: int | None = None
) -> Groups:
    """For every reference patch the ``count`` patches nearest to it, by the distance over the strongest images.

    Reference patches begin at the same rows and columns wherever the images begin at a multiple of the sum of the
    steps; the last one ends with the images. Equal distances: the first move counts, so that the result is the same on
    any number of threads.

    Parameters
    ----------
    images : tensor of shape (image, row, col)
        Weigh them by how much they are to be trusted.
    count : int
        Patches of a group; the images must offer as many within the search.
    search : int
        How far, in rows and columns, a similar patch may lie.
    steps : tuple of int
        From one reference patch to the next, in rows and in columns, in pixels, in turn; none larger than a patch.
    near : int, optional
        How far every place is looked at; beyond, every second one in rows and columns. All of them if not given.

    Returns
    -------
    Groups
        One group for each reference patch, itself among them.
    """
    images = _strongest(images)
    corners = (images.shape[1] - PATCH + 1, images.shape[2] - PATCH + 1)
    # what lies outside is infinitely far away
    around = F.pad(images, (search, search, search, search), value=torch.inf)
    rows, cols = (_starts(extent, steps).to(images.device) for extent in corners)
    moves = _moves(search, search if near is None else near)
    down, right = moves.to(images.device).unbind(1)

    def nearest(some: Tensor) -> Tensor:
        top, bottom = int(some[0]), int(some[-1]) + PATCH
        part, wide = images[:, top:bottom], around[:, top : bottom + 2 * search]
        chosen = _smallest(_distances(part, wide, moves + search, some - top, cols), count)
        chosen = chosen.view(len(some), len(cols), count)
        found = (some[:, None, None] + down[chosen]) * corners[1] + cols[:, None] + right[chosen]
        return found.flatten(0, 1)

    with one_thread():
        found = torch.cat([nearest(some) for some in torch.split(rows, AT_ONCE)])
    return Groups(found, corners, len(cols))


def _starts(corners: int, steps: tuple[int, ...]) -> Tensor:
    """Where reference patches begin along an axis of so many corners; at the last one too."""
    every = [0]
    for step in itertools.cycle(steps):
        if every[-1] == corners - 1:
            return torch.tensor(every)
        every.append(min(every[-1] + step, corners - 1))
    raise AssertionError("steps is empty")


def _strongest(images: Tensor) -> Tensor:
    """The `SEEN` images of largest variance."""
    order = images.flatten(1).var(1, correction=0).argsort(descending=True, stable=True)
    return images[order[:SEEN]]


def _moves(search: int, near: int) -> Tensor:
    """Where similar patches are looked for: (move, 2), in rows and columns, row by row."""
    place = torch.arange(-search, search + 1)
    moves = torch.cartesian_prod(place, place)
    return moves[(moves.abs() <= near).all(1) | (moves % 2 == 0).all(1)]


def _distances(strip: Tensor, wide: Tensor, places: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Squared distance of every reference patch of a strip to the patch at every place: (place, row, col).

    Places are counted from the upper left of what lies around, rows and cols of the references in the strip.

    Element by element, in a fixed order: equal patches must come out equal whatever the size of the strip.
    """
    _, height, width = strip.shape
    found = strip.new_empty(len(places), len(rows), len(cols))
    gap, total = torch.empty_like(strip[0]), torch.empty_like(strip[0])
    for place, (row, col) in enumerate(places.tolist()):
        shifted = wide[:, row : row + height, col : col + width]
        for k, image in enumerate(strip):
            torch.sub(shifted[k], image, out=gap)
            total = torch.mul(gap, gap, out=total) if k == 0 else total.addcmul_(gap, gap)
        across = _patch_sums(total, 0).index_select(0, rows)
        torch.index_select(_patch_sums(across, 1), 1, cols, out=found[place])
    return found


def _patch_sums(values: Tensor, axis: int) -> Tensor:
    """Sums of PATCH consecutive values along an axis, a power of two."""
    reach = 1
    while reach < PATCH:
        left = values.shape[axis] - reach
        values = values.narrow(axis, 0, left) + values.narrow(axis, reach, left)
        reach *= 2
    return values


def _smallest(distances: Tensor, count: int) -> Tensor:
    """The moves of the smallest distances, in rising order; shape (reference, count)."""
    moves = torch.arange(len(distances), device=distances.device)
    # the bits of floats that are not negative rise as the floats do; below them, the move decides between equals
    keys = (distances.flatten(1).view(torch.int32).mT.long() << 32) + moves
    return keys.topk(count, dim=1, largest=False).values & 0xFFFFFFFF
