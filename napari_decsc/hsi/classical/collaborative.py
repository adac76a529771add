"""Collaborative filtering of images that share their structure: similar patches are found once, then shrunk together.

The images are the eigen-images of a cube, in units of their noise (variance 1, white). One search in all of them
together sees more than a search in each, and costs less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.classical.baseline import Floats

#: Side of a patch, and the distance between two patches that look for similar ones, in pixels.
PATCH, STRIDE = 8, 3
#: Reference patches that are treated at once: bounds the memory, whatever the size of the images.
AT_ONCE = 6000

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """Similar patches, shape (reference patch, patch of its group).

    A patch counts as the index of its upper left corner in the array of all corners, shape (row, col) = ``corners``.
    """

    positions: Positions
    corners: tuple[int, int]

    def chunks(self) -> Iterator[Positions]:
        """The groups, some thousand at a time, from top to bottom."""
        for start in range(0, len(self.positions), AT_ONCE):
            yield self.positions[start : start + AT_ONCE]


def similar_patches(images: Floats, count: int, search: int) -> Groups:
    """For every reference patch the ``count`` patches nearest to it, by the distance over all images.

    Parameters
    ----------
    images : array, shape (image, row, col)
        Weigh them by how much they are to be trusted.
    count : int
        Patches of a group; the images must offer as many within the search.
    search : int
        How far, in rows and columns, a similar patch may lie.
    """
    corners = (images.shape[1] - PATCH + 1, images.shape[2] - PATCH + 1)
    ref_rows, ref_cols = (np.arange(0, extent, STRIDE) for extent in corners)
    reach = np.arange(-search, search + 1)
    moves = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2)
    # what lies outside is infinitely far away
    around = np.pad(images, ((0, 0), (search, search), (search, search)), constant_values=np.inf)
    rows_at_once = max(1, AT_ONCE // len(ref_cols))
    nearest = []
    for start in range(0, len(ref_rows), rows_at_once):
        rows = ref_rows[start : start + rows_at_once]
        strip = slice(rows[0], rows[-1] + PATCH)
        wide = around[:, strip.start : strip.stop + 2 * search]
        choice = moves[_smallest(_distances(images[:, strip], wide, moves + search), count)]
        corner = np.stack(np.broadcast_arrays(rows[:, None], ref_cols), axis=-1).reshape(-1, 1, 2)
        nearest.append((corner + choice) @ np.array([corners[1], 1]))
    return Groups(np.concatenate(nearest), corners)


def _distances(strip: Floats, wide: Floats, moves: NDArray[np.int64]) -> Floats:
    """Squared distance of every reference patch of a strip to the patch at every move; shape (move, reference)."""
    _, rows, cols = strip.shape
    found = []
    for row, col in moves:
        gap = wide[:, row : row + rows, col : col + cols] - strip
        squared = np.einsum("irc,irc->rc", gap, gap)
        found.append(_patch_sums(_patch_sums(squared).T).T.ravel())
    return np.stack(found)


def _patch_sums(values: Floats) -> Floats:
    """Sums of PATCH consecutive rows, at every STRIDE-th start."""
    last = len(values) - PATCH + 1
    total = values[:last:STRIDE].copy()
    for offset in range(1, PATCH):
        total += values[offset : offset + last : STRIDE]
    return total


def _smallest(distances: Floats, count: int) -> NDArray[np.int64]:
    """The moves of the smallest distances, in rising order; shape (reference, count)."""
    chosen = np.argpartition(distances, count - 1, axis=0)[:count]
    order = np.argsort(np.take_along_axis(distances, chosen, 0), axis=0)
    return np.take_along_axis(chosen, order, 0).T


def shrink(image: Floats, groups: Groups, threshold: float, pilot: Floats | None = None) -> Floats:
    """One image (row, col), unit noise, with every group of similar patches shrunk in its transform domain.

    Without ``pilot`` coefficients of magnitude below ``threshold`` are dropped; with it, an estimate of the clean
    image, they are multiplied by the Wiener gain p^2 / (p^2 + 1), p the pilot's coefficients. Groups weigh by the
    inverse of the noise they keep. Pixels at the lower and right border that no group reaches come back as they are.

    K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
    filtering", IEEE Transactions on Image Processing 16, 2007.
    """
    total, weight = np.zeros_like(image), np.zeros_like(image)
    for positions in groups.chunks():
        top = int(positions.min()) // groups.corners[1]
        rows = slice(top, int(positions.max()) // groups.corners[1] + PATCH)
        local = positions - top * groups.corners[1]
        patches = _transformed(image[rows], local)
        if pilot is None:
            kept = np.abs(patches) >= np.float32(threshold)
            kept[:, 0, 0] = True  # the group's mean
            noise = np.count_nonzero(kept, axis=(1, 2)).astype(np.float32)
            patches *= kept
        else:
            noise = _wiener(patches, _transformed(pilot[rows], local))
        _lay_back(patches, 1 / noise, local, total[rows], weight[rows])
    return np.divide(total, weight, out=image.copy(), where=weight > 0)


def _transformed(image: Floats, positions: Positions) -> Floats:
    """Coefficients of the groups' patches: cosine transform in the patch, Haar across; (group, patch, coefficient)."""
    every = np.lib.stride_tricks.sliding_window_view(image, (PATCH, PATCH)).reshape(-1, PATCH * PATCH)
    coefficients: Floats = haar(positions.shape[1]) @ (every @ cosines().T)[positions]
    return coefficients


def _wiener(patches: Floats, pilot: Floats) -> Floats:
    """Multiply by the Wiener gain, in place; return the noise energy each group keeps."""
    gain = np.square(pilot, out=pilot)
    gain /= gain + 1
    patches *= gain
    kept: Floats = np.maximum(np.einsum("gpc,gpc->g", gain, gain), np.float32(1e-3))
    return kept


def _lay_back(patches: Floats, group_weight: Floats, positions: Positions, total: Floats, weight: Floats) -> None:
    """Add the groups' patches, back in pixels and weighted, to ``total``, and their weights to ``weight``."""
    from scipy.sparse import csr_array

    members = positions.shape[1]
    corners = (total.shape[0] - PATCH + 1, total.shape[1] - PATCH + 1)
    back = (haar(members).T @ patches).reshape(-1, PATCH * PATCH)
    columns = np.arange(positions.size)
    gather = csr_array(
        (np.repeat(group_weight, members), (positions.ravel(), columns)), shape=(corners[0] * corners[1], len(columns))
    )
    sums = ((gather @ back) @ cosines()).reshape(*corners, PATCH, PATCH)
    weights = np.asarray(gather.sum(axis=1), dtype=np.float32).reshape(corners)
    window = np.outer(np.kaiser(PATCH, 2), np.kaiser(PATCH, 2)).astype(np.float32)
    for row in range(PATCH):
        for col in range(PATCH):
            here = slice(row, row + corners[0]), slice(col, col + corners[1])
            total[here] += window[row, col] * sums[:, :, row, col]
            weight[here] += window[row, col] * weights


@cache
def cosines() -> Floats:
    """Orthonormal cosine transform of a patch, rows in a row: shape (coefficient, pixel)."""
    from scipy.fft import dct

    one = dct(np.eye(PATCH), norm="ortho", axis=0)
    both: Floats = np.kron(one, one).astype(np.float32)
    return both


@cache
def haar(length: int) -> Floats:
    """Orthonormal Haar transform, length a power of two: shape (coefficient, sample); coefficient 0 is the mean's."""
    if length == 1:
        return np.ones((1, 1), np.float32)
    half = length // 2
    coarse, fine = np.kron(haar(half), [1, 1]), np.kron(np.eye(half), [1, -1])
    both: Floats = (np.concatenate([coarse, fine]) / np.sqrt(2)).astype(np.float32)
    return both
