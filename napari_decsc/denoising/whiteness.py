"""Is what was removed white? In space, along the bands, and against the signal, band by band.

Everything is one-sided: noise that a denoiser left in makes what it removed *less* alike than chance, which is no loss;
signal that it removed makes it *more* alike. Under white normal noise that was removed whole, every statistic divided
by its standard deviation is a standard normal number: a sample correlation of n independent pairs has the variance 1/n.
Where noise is correlated in space by rho, the variances are those of Bartlett (*On the theoretical specification and
sampling properties of autocorrelated time-series*, J. Royal Stat. Soc. Suppl. 8, 1946), sums over lags.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.denoising.removed import Part, Removed
from napari_decsc.hsi.noise.measured import MeasuredNoise

Doubles = NDArray[np.float64]

#: Neighbours whose likeness is tested, as (row, col) of one from the other.
LAGS = ((0, 1), (1, 0), (1, 1), (1, -1))
#: Share of the pixels, those with most structure, that is compared with the others.
STRUCTURED = 0.1
#: A correlation that was measured, of a noise that is not white, is known no better than this.
KNOWN_TO = 0.02


@dataclass(frozen=True, eq=False)
class Whiteness:
    """One kind of likeness, band by band.

    Parameters
    ----------
    excess : float array, shape (band,)
        How much more alike than the noise explains: a correlation, or a share of the energy.
    chance : float array, shape (band,)
        Probability that chance alone gives as much, 0 to 1.
    """

    excess: Doubles
    chance: Doubles


@dataclass(frozen=True, eq=False)
class Whitenesses:
    """All kinds, over the judged bands.

    Parameters
    ----------
    space : Whiteness
        Largest correlation of neighbouring pixels.
    bands : Whiteness
        Largest correlation with a neighbouring band.
    signal : Whiteness
        Correlation with the denoised band.
    texture : Whiteness
        How much more energy was removed from a voxel in the tenth of the pixels with most structure.
    energy, scene : float arrays, shape (band,)
        Mean square of what was removed, without outliers, and of the denoised band, in noise levels squared.
    """

    space: Whiteness
    bands: Whiteness
    signal: Whiteness
    texture: Whiteness
    energy: Doubles
    scene: Doubles


class Sums:
    """Sums over tiles, from which the statistics follow.

    Parameters
    ----------
    removed : Removed
        What was removed.
    """

    def __init__(self, removed: Removed) -> None:
        bands = len(removed.bands)
        self.removed, self.n = removed, np.zeros(bands)
        self.z, self.zz, self.x, self.xx, self.zx = (np.zeros(bands) for _ in range(5))
        self.lag_n, self.lag = np.zeros((len(LAGS), bands)), np.zeros((len(LAGS), bands))
        self.next_n, self.next = np.zeros(max(0, bands - 1)), np.zeros(max(0, bands - 1))
        # of pixels without and with much structure: count, energy, energy squared
        self.textured = np.zeros((2, 3, bands))
        self.threshold = _threshold(removed)

    def add(self, part: Part) -> None:
        """Take a tile into account.

        Parameters
        ----------
        part : Part
            A tile of `Removed.parts`.
        """
        rows, cols = part.inside
        z, x = part.z[:, rows, cols], part.signal[:, rows, cols]
        w = None if part.counted is None else part.counted[:, rows, cols]
        self.n += z[0].size if w is None else np.count_nonzero(w, axis=(1, 2))
        self.z += _sum(z)
        self.zz += _dot(z, z)
        self.x += _sum(x)
        self.xx += _dot(x, x)
        self.zx += _dot(z, x)
        for number, lag in enumerate(LAGS):
            here, there = _pair(part.inside, lag, part.z.shape[1:])
            self.lag[number] += _dot(part.z[:, *here], part.z[:, *there])
            self.lag_n[number] += _count(part.counted, here, there, len(z))
        self.next += _dot(z[:-1], z[1:])
        self.next_n += z[0].size if w is None else np.count_nonzero(w[:-1] & w[1:], axis=(1, 2))
        self._add_texture(part, z, w)

    def _add_texture(self, part: Part, z: NDArray[np.float32], w: NDArray[np.bool_] | None) -> None:
        rows, cols = part.inside
        much = _structure(part.signal)[rows, cols] > self.threshold
        energy = z * z
        for kind, where in enumerate((~much, much)):
            some = energy[:, where]
            self.textured[kind, 0] += np.count_nonzero(where) if w is None else np.count_nonzero(w[:, where], axis=1)
            self.textured[kind, 1] += some.sum(axis=1, dtype=np.float64)
            self.textured[kind, 2] += np.einsum("bp,bp->b", some, some)

    def whitenesses(self, noise: MeasuredNoise | None) -> Whitenesses:
        """What the sums say, beside what the measured noise explains.

        Parameters
        ----------
        noise : MeasuredNoise, optional
            Without it, noise counts as white.

        Returns
        -------
        Whitenesses
            Band by band.
        """
        rho = autocorrelation(noise)
        n = np.maximum(self.n, 1)
        middle = self.removed.middle.astype(np.float64) / self.removed.level
        mean, variance = self.z / n, _positive(self.zz / n - (self.z / n) ** 2)
        return Whitenesses(
            self._space(rho, mean, variance),
            self._bands(noise, rho, mean, variance),
            self._signal(rho, mean, variance),
            self._texture(rho),
            self.zz / n,
            (self.xx + 2 * middle * self.x) / n + middle**2,
        )

    def _space(self, rho: Doubles, mean: Doubles, variance: Doubles) -> Whiteness:
        pairs = np.maximum(self.lag_n, 1)
        found = np.clip((self.lag / pairs - mean**2) / variance, -1, 1)
        expected = np.array([_at(rho, lag) for lag in LAGS])[:, None]
        spread = np.array([_bartlett(rho, lag) for lag in LAGS])[:, None] / pairs
        excess = found - expected
        sigma = np.sqrt(spread + _doubt(rho))
        place = np.argmax(excess / sigma, axis=0), np.arange(len(mean))
        return Whiteness(excess[place], _of_many(_upper(excess / sigma).min(axis=0), len(LAGS)))

    def _bands(self, noise: MeasuredNoise | None, rho: Doubles, mean: Doubles, variance: Doubles) -> Whiteness:
        bands = self.removed.bands
        excess, chance = np.zeros(len(bands)), np.ones(len(bands))
        if len(bands) < 2:
            return Whiteness(excess, chance)
        pairs = np.maximum(self.next_n, 1)
        found = np.clip((self.next / pairs - mean[:-1] * mean[1:]) / np.sqrt(variance[:-1] * variance[1:]), -1, 1)
        expected = np.zeros(len(bands) - 1) if noise is None else noise.correlation[bands[:-1], bands[1:]]
        known = KNOWN_TO if np.abs(expected).max() > KNOWN_TO else 0.0
        sigma = np.sqrt((1 - expected**2) ** 2 * (rho**2).sum() / pairs + known**2)
        more, by_chance = found - expected, _upper((found - expected) / sigma)
        for side in (slice(0, -1), slice(1, None)):
            excess[side] = np.where(by_chance < chance[side], more, excess[side])
            chance[side] = np.minimum(by_chance, chance[side])
        return Whiteness(excess, _of_many(chance, 2))

    def _signal(self, rho: Doubles, mean: Doubles, variance: Doubles) -> Whiteness:
        n = np.maximum(self.n, 1)
        signal = _positive(self.xx / n - (self.x / n) ** 2)
        found = (self.zx / n - mean * self.x / n) / np.sqrt(variance * signal)
        # a smooth signal adds noise up over as many pixels as the noise is correlated
        return Whiteness(found, _upper(found / np.sqrt(max(1.0, float(rho.sum())) / n)))

    def _texture(self, rho: Doubles) -> Whiteness:
        n = np.maximum(self.textured[:, 0], 1)
        mean = self.textured[:, 1] / n
        spread = _positive(self.textured[:, 2] / n - mean**2) * (rho**2).sum() / n
        excess = mean[1] / _positive(mean[0]) - 1
        few = (self.textured[:, 0] < 2).any(axis=0)
        chance = _upper((mean[1] - mean[0]) / np.sqrt(spread.sum(axis=0)))
        return Whiteness(np.where(few, 0, excess), np.where(few, 1, chance))


def autocorrelation(noise: MeasuredNoise | None) -> Doubles:
    """Correlation of the noise at lags of -7 to 7 rows and cols, from its spectrum.

    The energy of the cosine coefficient (u, v) of a patch is a sum over lags: of the noise's covariance at the lag,
    times the likeness of each of the two cosines to itself at that lag. The 64 energies are solved for the 8 x 8
    covariances at lags of 0 to 7; to either side of 0 they are taken for alike.

    Parameters
    ----------
    noise : MeasuredNoise, optional
        Without it, noise counts as white.

    Returns
    -------
    float64 array, shape (15, 15)
        1 in the middle.
    """
    size = 8
    found: Doubles = np.zeros((2 * size - 1, 2 * size - 1))
    found[size - 1, size - 1] = 1
    if noise is None or np.allclose(noise.spectrum, 1, atol=KNOWN_TO):
        return found
    place = np.arange(size)
    phi = np.cos(np.pi * (2 * place[None] + 1) * place[:, None] / (2 * size))
    phi /= np.linalg.norm(phi, axis=1, keepdims=True)
    likeness = np.array([np.correlate(row, row, "full")[size - 1 :] for row in phi])
    likeness[:, 1:] *= 2
    inverse = np.linalg.inv(likeness)
    covariance = inverse @ np.asarray(noise.spectrum, np.float64) @ inverse.T
    lags = np.abs(np.arange(1 - size, size))
    found[:] = np.clip(covariance / max(covariance[0, 0], 1e-12), -1, 1)[np.ix_(lags, lags)]
    return found


def _bartlett(rho: Doubles, lag: tuple[int, int]) -> float:
    """The variance of the sample correlation at a lag, for one pair of pixels."""
    ahead, behind = _shifted(rho, lag), _shifted(rho, (-lag[0], -lag[1]))
    at = _at(rho, lag)
    # rho is even: rho(h + k) read at -h is rho(h - k)
    total = rho**2 + ahead * behind + 2 * at**2 * rho**2 - 2 * at * rho * (ahead + behind)
    return float(max(total.sum(), 1e-3))


def _shifted(rho: Doubles, lag: tuple[int, int]) -> Doubles:
    """Values at lags moved by ``lag``; 0 beyond the known ones."""
    padded = np.pad(rho, 1)
    rows, cols = rho.shape
    return padded[1 + lag[0] : 1 + lag[0] + rows, 1 + lag[1] : 1 + lag[1] + cols]


def _at(rho: Doubles, lag: tuple[int, int]) -> float:
    middle = rho.shape[0] // 2
    return float(rho[middle + lag[0], middle + lag[1]])


def _doubt(rho: Doubles) -> float:
    """Variance of what is taken for the noise's correlation: 0 where it is white."""
    return 0.0 if np.count_nonzero(rho) == 1 else KNOWN_TO**2


def _structure(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Energy of the signal's differences over all bands, (row, col), in noise levels squared."""
    energy = np.zeros(signal.shape[1:], np.float32)
    down, right = np.diff(signal, axis=1), np.diff(signal, axis=2)
    energy[:-1] += np.einsum("brc,brc->rc", down, down)
    energy[:, :-1] += np.einsum("brc,brc->rc", right, right)
    return energy


def _threshold(removed: Removed) -> float:
    """Energy of differences that a share `STRUCTURED` of the pixels exceeds, in a sample of tiles."""
    if not len(removed.bands):
        return np.inf
    scale = removed.level[:, None, None]
    found = []
    for _, signal, measured in removed.sample():
        structure = _structure(signal / scale)
        found.append(structure.ravel() if measured is None else structure[measured.any(0)])
    return float(np.quantile(np.concatenate(found), 1 - STRUCTURED))


def _pair(
    inside: tuple[slice, slice], lag: tuple[int, int], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Voxels of a tile whose neighbour at a lag lies in the image, and those neighbours."""
    here, there = [], []
    for span, step, extent in zip(inside, lag, shape, strict=True):
        start, stop = max(span.start, -step), min(span.stop, extent - step)
        here.append(slice(start, stop))
        there.append(slice(start + step, stop + step))
    return (here[0], here[1]), (there[0], there[1])


def _count(
    counted: NDArray[np.bool_] | None, here: tuple[slice, slice], there: tuple[slice, slice], bands: int
) -> Doubles:
    if counted is None:
        return np.full(bands, float((here[0].stop - here[0].start) * (here[1].stop - here[1].start)))
    pairs: Doubles = np.count_nonzero(counted[:, *here] & counted[:, *there], axis=(1, 2)).astype(float)
    return pairs


def _sum(values: NDArray[np.float32]) -> Doubles:
    total: Doubles = values.sum(axis=(1, 2), dtype=np.float64)
    return total


def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> Doubles:
    """Sum of products of every band. Rows are summed one by one, which keeps the digits."""
    found: Doubles = np.einsum("brc,brc->br", a, b).sum(axis=1, dtype=np.float64)
    return found


def _positive(values: Doubles) -> Doubles:
    positive: Doubles = np.where(values > 0, values, np.inf)
    return positive


def _upper(z: Doubles) -> Doubles:
    """Probability that a standard normal number is above."""
    chance: Doubles = np.vectorize(math.erfc, [float])(np.nan_to_num(z) / np.sqrt(2)) / 2
    return chance


def _of_many(chance: Doubles, tests: int) -> Doubles:
    """The smallest of some chances, as one (Bonferroni)."""
    return np.minimum(1, tests * chance)
