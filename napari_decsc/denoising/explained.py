"""What measured lines and waves explain of what was removed, by least squares, so that it can be taken out.

Their going is no loss. Shapes: (band, row, col) of a tile; only bands that are judged.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.noise.measured import Fringe, LineOffsets

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
#: Takes out what something explains: (bands, row, col) of what was removed, signal, rows, cols -> what is left.
Explained = Callable[[Floats, Floats, NDArray[np.int64], NDArray[np.int64]], Floats]
#: A tile to fit to: what was removed, the signal, voxels that count, (band, row, col); its rows and cols.
Plain = tuple[Floats, Floats, Bools, NDArray[np.int64], NDArray[np.int64]]

#: Standard errors from which a mean is surely none of chance.
SURELY = 4.0
#: Knots in a pixel, of what is added along oblique lines.
FINE = 3


class Lines:
    """Offset of every line of pixels, and its gain where lines are columns or rows, by least squares.

    Pixels between two oblique lines get a mixture of both, as resampling does it: the normal equations are tridiagonal.

    Parameters
    ----------
    lines : LineOffsets
        As they were measured.
    shape : tuple of int
        Of the cube.
    bands : int array
        That are judged.
    """

    def __init__(self, lines: LineOffsets, shape: tuple[int, int, int], bands: NDArray[np.int64]) -> None:
        # lines of a detector have gains, whether they rose above the noise enough to be measured or not
        self.turn, self.gains = np.radians(lines.angle), lines.angle % 90 == 0
        # nobody knows where between two pixels an oblique line runs
        self.fine = 1 if self.gains else FINE
        self.hit = np.asarray(lines.level)[bands] > 0
        _, rows, cols = shape
        corners = [self._place(row, col) for row in (0, rows - 1) for col in (0, cols - 1)]
        self.first = int(np.floor(min(corners)))
        self.count = int(np.floor(max(corners))) - self.first + 2

    def fitted(self, parts: Iterator[Plain]) -> Explained:
        """The function that takes the lines out.

        Parameters
        ----------
        parts : iterator of Plain
            Tiles that cover the image.

        Returns
        -------
        callable
            See `Explained`.
        """
        bands = len(self.hit)
        diagonal, beside, right = (np.zeros((bands, self.count)) for _ in range(3))
        slopes = np.zeros((3, bands, self.count))
        for removed, signal, counts, row, col in parts:
            line, between = self._line(row, col, removed.shape[1:])
            for band in np.flatnonzero(self.hit):
                here = counts[band]
                k, f, y, x = line[here], between[here], removed[band][here], signal[band][here]
                diagonal[band] += self._total(k, (1 - f) ** 2) + self._total(k + 1, f**2)
                beside[band] += self._total(k, f * (1 - f))
                right[band] += self._total(k, (1 - f) * y) + self._total(k + 1, f * y)
                if self.gains:
                    slopes[:, band] += [self._total(k, one) for one in (x, x.astype(np.float64) ** 2, x * y)]
        gain = np.zeros((bands, self.count))
        if self.gains:
            gain = _slopes(slopes, right, diagonal)
            right -= gain * slopes[0]
        offset = _solved(diagonal, beside, right).astype(np.float32)
        slope = gain.astype(np.float32)

        def explained(removed: Floats, signal: Floats, row: NDArray[np.int64], col: NDArray[np.int64]) -> Floats:
            line, between = self._line(row, col, removed.shape[1:])
            out: Floats = removed - offset[:, line] * (1 - between) - offset[:, line + 1] * between
            if self.gains:
                out -= slope[:, line] * signal
            return out

        return explained

    def _total(self, line: NDArray[np.int64], values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(line, values, self.count).astype(np.float64)

    def _place(self, row: NDArray[np.int64] | int, col: NDArray[np.int64] | int) -> NDArray[np.float64]:
        place: NDArray[np.float64] = np.round((col * np.cos(self.turn) + row * np.sin(self.turn)) * self.fine, 9)
        return place

    def _line(
        self, row: NDArray[np.int64], col: NDArray[np.int64], shape: tuple[int, ...]
    ) -> tuple[NDArray[np.int64], Floats]:
        """The line before each pixel, and how far it lies behind it, 0 to 1; where gains are, its own line alone."""
        place = self._place(row, col) - self.first
        line = np.floor(place + 0.5 * self.gains).astype(np.int64)
        between = np.zeros_like(place) if self.gains else place - line
        return np.broadcast_to(line, shape), np.broadcast_to(between.astype(np.float32), shape)


def _in_common(gain: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean gain of the lines of a band (band, 1), 0 where it may be chance: gains scatter about 1.

    What all lines lost alike is signal, and no gain explains it.
    """
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    lines = np.maximum(np.count_nonzero(counts, axis=1, keepdims=True), 1)
    mean = (gain * counts).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((counts * (gain - mean) ** 2).sum(axis=1, keepdims=True) / total / lines)
    common: NDArray[np.float64] = np.where(np.abs(mean) > SURELY * spread, mean, 0)
    return common


def _slopes(sums: NDArray[np.float64], right: NDArray[np.float64], pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain of every line (band, line) by least squares; ``sums`` of x, x^2 and x y, ``right`` of y."""
    n = np.maximum(pixels, 1)
    x, xx, xy = sums / n
    spread = xx - x**2
    gain = np.where(spread > 0, (xy - x * right / n) / np.where(spread > 0, spread, 1), 0)
    return gain - _in_common(gain, pixels)


def _solved(
    diagonal: NDArray[np.float64], beside: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solutions (band, line) of tridiagonal normal equations, all bands at once, by elimination along the lines.

    A touch of ridge for lines that hardly any pixel knows keeps them positive definite: no pivots are needed.
    """
    pivot, found = diagonal + 1e-3, right.copy()
    for line in range(1, pivot.shape[1]):
        factor = beside[:, line - 1] / pivot[:, line - 1]
        pivot[:, line] -= factor * beside[:, line - 1]
        found[:, line] -= factor * found[:, line - 1]
    found[:, -1] /= pivot[:, -1]
    for line in range(pivot.shape[1] - 2, -1, -1):
        found[:, line] = (found[:, line] - beside[:, line] * found[:, line + 1]) / pivot[:, line]
    return found


class Waves:
    """Plane waves, each in its band, by least squares.

    Parameters
    ----------
    waves : list of Fringe
        As they were measured.
    bands : int array
        That are judged.
    """

    def __init__(self, waves: list[Fringe], bands: NDArray[np.int64]) -> None:
        self.waves = [(int(np.flatnonzero(bands == wave.band)[0]), wave) for wave in waves]

    def fitted(self, parts: Iterator[Plain]) -> Explained:
        """The function that takes the waves out.

        Parameters
        ----------
        parts : iterator of Plain
            Tiles that cover the image.

        Returns
        -------
        callable
            See `Explained`.
        """
        normal, right = np.zeros((len(self.waves), 2, 2)), np.zeros((len(self.waves), 2))
        for removed, _, counts, row, col in parts:
            for number, (band, wave) in enumerate(self.waves):
                both = _wave(wave, row, col)[:, counts[band]]
                normal[number] += both @ both.T
                right[number] += both @ removed[band][counts[band]]
        found = [np.linalg.lstsq(a, b)[0] for a, b in zip(normal, right, strict=True)]

        def explained(removed: Floats, signal: Floats, row: NDArray[np.int64], col: NDArray[np.int64]) -> Floats:
            out = removed.copy()
            for (band, wave), amplitude in zip(self.waves, found, strict=True):
                out[band] -= np.tensordot(amplitude, _wave(wave, row, col), 1).astype(np.float32)
            return out

        return explained


def _wave(wave: Fringe, row: NDArray[np.int64], col: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosine and sine, (2, row, col)."""
    turn = np.radians(wave.angle)
    phase = 2 * np.pi * (col * np.cos(turn) + row * np.sin(turn)) / wave.period
    return np.stack([np.cos(phase), np.sin(phase)])
