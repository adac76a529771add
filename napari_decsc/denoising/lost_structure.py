"""Where structure may have gone: a local test of what was removed, over the bands together.

In the noise's whitened space (its level in every band, its correlation between bands) a spectrum of pure noise is a
standard normal vector, and its energy follows a chi-square law. Four energies are looked at around every pixel: of its
own spectrum (a single-pixel target), of the mean spectrum of 5 x 5 and of 15 x 15 pixels (a patch, a plume), and of the
25 spectra one by one (texture, an edge). What a pixel scores is how improbable the most improbable one is.

The Reed-Xiaoli test does the first of them: Reed, Yu, *Adaptive multiple-band CFAR detection of an optical pattern with
unknown spectral distribution*, IEEE Trans. Acoustics, Speech, Signal Processing 38 (1990).
"""

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_decsc.denoising.removed import MARGIN, OUTLIER, Part, Removed, thinned
from napari_decsc.hsi.noise.measured import MeasuredNoise

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

#: Side of the window, and whether the mean spectrum or the single spectra count.
WINDOWS = ((1, True), (5, True), (2 * MARGIN + 1, True), (5, False))
#: Probability that a cube of pure noise that was removed whole has any place at all.
FALSE_ALARM = 0.01
#: Noise levels at which a voxel is clipped.
CLIP = 5.0
#: Noise levels that an outlier counts: one wild band says nothing of the others.
OUTLIERS_COUNT = 2.5
#: The noise of no combination of bands is taken to be less than this share of the mean variance.
LEAST_VARIANCE = 0.05
#: Spectra of a tile, for each band, that the correlation of bands is taken from.
SPECTRA_PER_BAND = 100
#: Entries of the table of chances.
GRID = 4096
#: Places that are listed at most.
MOST_PLACES = 20


@dataclass(frozen=True)
class Place:
    """A place where structure may have gone.

    Parameters
    ----------
    row, col : int
        Its most improbable pixel.
    pixels : int
        How many pixels belong to it.
    score : float
        Powers of ten by which chance is against it there.
    """

    row: int
    col: int
    pixels: int
    score: float


class Energies:
    """The four energies of every pixel, gathered tile by tile.

    Parameters
    ----------
    removed : Removed
        What was removed.
    noise : MeasuredNoise, optional
        Without it, noise counts as uncorrelated between bands.
    """

    def __init__(self, removed: Removed, noise: MeasuredNoise | None) -> None:
        _, rows, cols = removed.noisy.shape
        self.bands, self.shape = len(removed.bands), (rows, cols)
        self.whitener = _whitener(removed, noise)
        self.found: Floats = np.zeros((len(WINDOWS), rows, cols), np.float32)
        self.pixels: Floats = np.zeros((len(WINDOWS), rows, cols), np.float32)

    def add(self, part: Part) -> None:
        """Take a tile into account.

        Parameters
        ----------
        part : Part
            A tile of `Removed.parts`.
        """
        clipped = np.clip(part.raw, -CLIP, CLIP)
        if part.counted is not part.measured:
            wild = np.abs(part.raw) > OUTLIER
            clipped[wild] = np.sign(clipped[wild]) * OUTLIERS_COUNT
        y = clipped if self.whitener is None else _mixed(self.whitener, clipped)
        there: Floats = np.ones(y.shape[1:], np.float32)
        if part.measured is not None:
            there[:] = part.measured.any(axis=0)
        energy = _energy(y, 1)
        for number, (side, coherent) in enumerate(WINDOWS):
            count = _box(there, side)
            if coherent and side > 1:
                summed = _energy(y, side)
            else:
                summed = _box(energy, side)
            self.found[number, part.rows, part.cols] = (summed / np.maximum(count, 1))[part.inside]
            self.pixels[number, part.rows, part.cols] = np.round(count)[part.inside]

    def scores(self) -> Floats:
        """Minus the logarithm (base 10) of the chance that noise alone gives as much at a pixel.

        Returns
        -------
        float32 array, shape (row, col)
            0 or more; 0 where nothing was measured.
        """
        if not self.bands:
            return np.zeros(self.shape, np.float32)
        best = np.zeros(self.shape, np.float32)
        for found, pixels, (side, coherent) in zip(self.found, self.pixels, WINDOWS, strict=True):
            spectra = np.ones_like(pixels) if coherent else pixels
            score = _score(found, spectra, 1 if coherent else side**2, self.bands)
            best = np.maximum(best, score)
        best[self.pixels[0] == 0] = 0
        # the most improbable of several is less improbable
        less: Floats = np.maximum(best - np.float32(np.log10(len(WINDOWS))), 0)
        return less


def places(scores: Floats) -> tuple[tuple[Place, ...], int]:
    """Places whose scores chance alone reaches in a share `FALSE_ALARM` of the cubes.

    Parameters
    ----------
    scores : float array, shape (row, col)
        Of `Energies.scores`.

    Returns
    -------
    tuple of Place, int
        The worst first, no more than `MOST_PLACES`; how many there are in all.
    """
    there = scores > np.log10(scores.size / FALSE_ALARM)
    if not there.any():
        return (), 0
    # what lies within one window belongs together
    near, count = _labelled(_box(there.astype(np.float32), 2 * MARGIN + 1) > 0.5)
    row, col = np.nonzero(there)
    number = near[row, col] - 1
    found: list[Place | None] = [None] * count
    # the most improbable pixel of each comes last, the first of equal ones
    for at in np.argsort(-scores[row, col], kind="stable")[::-1]:
        found[number[at]] = Place(int(row[at]), int(col[at]), 0, float(scores[row[at], col[at]]))
    sizes = np.bincount(number, minlength=count).tolist()
    listed = [replace(place, pixels=size) for place, size in zip(found, sizes, strict=True) if place is not None]
    return tuple(sorted(listed, key=lambda place: (-place.score, -place.pixels))[:MOST_PLACES]), count


def _labelled(where: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Numbers from 1 of the regions whose pixels touch by their sides, 0 elsewhere; and how many there are.

    Row by row, run by run: what SciPy's ``label`` does, without its import.
    """
    edges = np.diff(np.pad(where, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, first = np.nonzero(edges == 1)
    last = np.nonzero(edges == -1)[1]
    parent = list(range(len(row)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = run = parent[parent[run]]
        return run

    before = 0
    for run in range(len(row)):
        while row[before] < row[run] - 1 or (row[before] == row[run] - 1 and last[before] <= first[run]):
            before += 1
        above = before
        while row[above] < row[run] and first[above] < last[run]:
            one, other = sorted((root(above), root(run)))
            parent[other] = one
            above += 1
    roots = np.array([root(run) for run in range(len(row))], np.int64)
    names, number = np.unique(roots, return_inverse=True)
    change = np.zeros((where.shape[0], where.shape[1] + 1), np.int64)
    change[row, first] += number + 1
    np.subtract.at(change, (row, last), number + 1)
    return change.cumsum(1)[:, :-1], len(names)


def _score(found: Floats, spectra: Floats, most: int, bands: int) -> Floats:
    """-log10 of the tail of the law of the energies, whose mean is the number of bands where all is as it should be.

    The law is a scaled chi-square one, with as many degrees of freedom as bands times ``spectra`` (row, col), ``most``
    at most. Its freedom and scale are fitted to the lower half of the energies, where no structure is; it is never
    taken for narrower than the exact law, nor for fainter than the noise.
    """
    whole = found[spectra == most].astype(np.float64)
    if not whole.size:
        whole = found.ravel().astype(np.float64)
    low, middle = np.quantile(whole[:: max(1, whole.size // 100_000)], (0.25, 0.5))
    exact = bands * most
    freedom = min(exact, _freedom(low / middle)) if middle > 0 else exact
    scale = max(1.0, middle / (_quantile(freedom, 0.5) * bands / freedom))
    score: Floats = np.zeros_like(found)
    for count in np.unique(spectra[spectra > 0]):
        here = spectra == count
        score[here] = _tail(found[here], freedom * count / most, scale * bands)
    return score


def _tail(values: Floats, freedom: float, mean: float) -> NDArray[np.float64]:
    """-log10 of the chance of so much or more, under a scaled chi-square law."""
    top = max(float(values.max()), 1e-6)
    grid = np.linspace(0, top, GRID)
    table = -np.log10(np.maximum(_upper_gamma(freedom / 2, grid * freedom / (2 * mean)), 1e-300))
    # as numpy.interp, which need not be told that the grid is even, and searches it
    place = values * np.float32((GRID - 1) / top)
    below = np.minimum(place.astype(np.int32), GRID - 2)
    tail: NDArray[np.float64] = table[below] + (place - below) * np.diff(table)[below]
    return tail


def _freedom(ratio: float) -> float:
    """Degrees of freedom of the chi-square law whose lower quartile has this ratio to its median."""
    candidates, ratios = _ratios()
    return float(np.interp(ratio, ratios, candidates))


@cache
def _ratios() -> tuple[Doubles, Doubles]:
    """Degrees of freedom, and the ratio of the lower quartile to the median under each law, which rises."""
    candidates = np.geomspace(0.5, 1e5, 400)
    return candidates, _quantile(candidates, 0.25) / _quantile(candidates, 0.5)


def _quantile(freedom: float | Doubles, share: float) -> Doubles:
    """Quantile of the chi-square law, by Newton's steps for its logarithm."""
    shape = np.asarray(freedom, np.float64) / 2
    scale = np.vectorize(math.lgamma, [float])(shape)
    # the lower tail is a power, else the cube root is nearly normal (E. B. Wilson, M. M. Hilferty, 1931)
    power = (math.log(share) + scale + np.log(shape)) / shape
    normal = {0.25: -0.6744897501960817, 0.5: 0.0}[share]
    root = 1 - 1 / (9 * shape) + normal / (3 * np.sqrt(shape))
    place = np.where((shape < 1) | (root <= 0.1), power, np.log(shape) + 3 * np.log(np.maximum(root, 0.1)))
    for _ in range(6):
        density = np.exp(shape * place - np.exp(place) - scale)  # for the logarithm
        place = place - np.clip((1 - _upper_gamma(shape, np.asarray(np.exp(place))) - share) / density, -1, 1)
    found: Doubles = 2 * np.exp(place)
    return found


def _upper_gamma(shape: float | Doubles, values: Doubles) -> Doubles:
    """The regularized upper incomplete gamma function; PyTorch is there already when a cube was denoised."""
    import torch

    shapes = torch.from_numpy(np.broadcast_to(np.asarray(shape, np.float64), values.shape).copy())
    found: Doubles = torch.special.gammaincc(shapes, torch.from_numpy(values)).numpy()
    return found


def _whitener(removed: Removed, noise: MeasuredNoise | None) -> Floats | None:
    """The matrix (band, band) that makes the noise of the bands independent; None where it is already."""
    if not len(removed.bands):
        return None
    correlation = (
        _own_correlation(removed) if noise is None else noise.correlation[np.ix_(removed.bands, removed.bands)]
    )
    if np.allclose(correlation, np.eye(len(correlation)), atol=1e-3):
        return None
    values, vectors = np.linalg.eigh(np.asarray(correlation, np.float64))
    whitener: Floats = ((vectors / np.sqrt(np.maximum(values, LEAST_VARIANCE))) @ vectors.T).astype(np.float32)
    return whitener


def _own_correlation(removed: Removed) -> Doubles:
    """Correlation of what was removed between bands, from a sample of tiles."""
    bands = len(removed.bands)
    scale, total, pixels = removed.level[:, None], np.zeros((bands, bands)), 0
    for values, _, _ in removed.sample():
        z = np.clip(thinned(values.reshape(bands, -1), SPECTRA_PER_BAND * bands) / scale, -CLIP, CLIP)
        total += z @ z.T
        pixels += z.shape[1]
    deviation = np.sqrt(np.maximum(np.diagonal(total), 1e-12))
    correlation: Doubles = total / np.outer(deviation, deviation)
    # of few spectra, correlations come out too large
    known = pixels / (pixels + bands)
    return known * correlation + (1 - known) * np.eye(bands)


def _mixed(matrix: Floats, cube: Floats) -> Floats:
    mixed: Floats = (matrix @ cube.reshape(len(cube), -1)).reshape(cube.shape)
    return mixed


def _energy(values: Floats, side: int) -> Floats:
    """Energy (row, col), over all bands, of the sums over a window of ``side`` pixels."""
    found: Floats = np.zeros(values.shape[1:], np.float32)
    for band in values:  # one at a time, in the cache of a core
        found += np.square(_box(band, side))
    return found


def _box(values: Floats, side: int) -> Floats:
    """Sum over a window of ``side`` pixels around every one (row, col); nothing lies outside of the image."""
    if side == 1:
        return values
    half, (rows, cols) = side // 2, values.shape
    around = np.zeros((rows + 2 * half, cols + 2 * half), np.float32)
    around[half : half + rows, half : half + cols] = values
    return _line_sums(_line_sums(around, side).T, side).T


def _line_sums(values: Floats, side: int) -> Floats:
    """Sums of ``side`` neighbours down every column, from those of 1, 2, 4, ...: quick at any side."""
    size, start, length, total = len(values) - side + 1, 0, 1, None
    while side:
        if side & 1:
            part = values[start : start + size]
            total = part if total is None else total + part
            start += length
        side >>= 1
        if side:
            values = values[:-length] + values[length:]
            length *= 2
    assert total is not None
    return total
