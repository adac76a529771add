"""What a denoising removed, tile by tile and in noise levels, less what the measured noise explains.

The removed is the noisy cube minus the denoised one, divided by the noise's standard deviation, voxel by voxel where it
grows with the signal. Offsets and gains of lines and plane waves that were measured are fitted and taken out: that they
are gone is no loss. Shapes: (band, row, col) of a tile with a margin; only bands that can be judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.denoising.explained import Bools, Explained, Floats, Lines, Plain, Waves
from napari_decsc.errors import CubeError
from napari_decsc.filters.differences import NORMAL_MAD
from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.hsi.io import memory_map as mapped
from napari_decsc.hsi.noise.measured import MeasuredNoise

Doubles = NDArray[np.float64]
#: Voxels in a tile.
TILE_VOXELS = 2_000_000
#: Pixels of margin around it.
MARGIN = 7
#: Side of the windows in which levels are looked for, pixels.
SAMPLE_SIDE = 64
#: How many there are along each axis.
SAMPLE_ACROSS = 4
#: Noise levels from which a voxel is an outlier, which says nothing of the others.
OUTLIER = 6.0


@dataclass(frozen=True, eq=False)
class Part:
    """A tile with its margin.

    Parameters
    ----------
    z : float array, shape (band, row, col)
        What was removed, in noise levels; 0 where it does not count.
    counted : bool array, shape (band, row, col), or None
        Voxels that were measured and are no outliers; None: all.
    measured : bool array, shape (band, row, col), or None
        Voxels that were measured; None: all.
    raw : float array, shape (band, row, col)
        As ``z``, outliers included.
    signal : float array, shape (band, row, col)
        The denoised cube less the middle of every band, in noise levels.
    rows, cols : slice
        Where the tile without its margin lies in the image.
    inside : tuple of slice
        Where it lies in the arrays (row, col).
    """

    z: Floats
    counted: Bools | None
    measured: Bools | None
    raw: Floats
    signal: Floats
    rows: slice
    cols: slice
    inside: tuple[slice, slice]


class Removed:
    """What was removed from a cube.

    Parameters
    ----------
    noisy, denoised : Cube
        Of one shape; may be memory maps.
    noise : MeasuredNoise, optional
        What was measured of the noise; without it, levels are those of what was removed.

    Attributes
    ----------
    bands : int array
        Bands that can be judged: not empty, and something was removed.
    level : float array, shape (band,)
        Standard deviation of the noise in those bands, physical units.
    outliers : int
        Voxels beyond `OUTLIER` levels, once `parts` has gone through.

    Raises
    ------
    CubeError
        If the shapes differ, or the noise is that of other bands.
    """

    def __init__(self, noisy: Cube, denoised: Cube, noise: MeasuredNoise | None) -> None:
        if noisy.shape != denoised.shape:
            raise CubeError(f"{denoised.name} has the shape {denoised.shape}, the noisy cube {noisy.shape}")
        if noise is not None and len(noise.level) != noisy.bands:
            raise CubeError(
                f"the noise was measured in {counted(len(noise.level), 'band')}, {noisy.name} has {noisy.bands}; "
                "give the noise of this cube"
            )
        self.noisy, self.denoised, self.noise = noisy, denoised, noise
        self.outliers, self._explained = 0, list[Explained]()
        self._dead = _dead(noise, noisy.shape)
        self.bands, self.level, self.middle = self._levels()
        self._line_level = np.zeros(len(self.bands), np.float32)
        if noise is None or not len(self.bands):
            return
        self._line_level = np.sqrt(
            sum((lines.level[self.bands] ** 2 for lines in noise.lines), np.zeros(len(self.bands), np.float32))
        )
        for lines in noise.lines:
            self._explained.append(Lines(lines, noisy.shape, self.bands).fitted(self._plain()))
        waves = [fringe for fringe in noise.fringes if fringe.band in self.bands]
        if waves:
            self._explained.append(Waves(waves, self.bands).fitted(self._plain()))

    def parts(self) -> Iterator[Part]:
        """Every tile once.

        Yields
        ------
        Part
            Tiles that cover the image.
        """
        self.outliers = 0
        scale = self.level[:, None, None]
        for rows, cols, inside in self._tiles():
            removed, signal, measured = self._read(rows, cols)
            noise = self._deviation(signal)
            z = self._unexplained(removed, signal, rows, cols) / noise
            signal = (signal - self.middle[:, None, None]) / scale
            if measured is not None:
                z, signal = np.where(measured, z, 0), np.where(measured, signal, 0)
            usual = np.abs(z) <= OUTLIER
            core = usual[:, inside[0], inside[1]]
            self.outliers += core.size - int(np.count_nonzero(core))
            all_usual = bool(usual.all())
            counted = measured if all_usual else usual if measured is None else usual & measured
            row, col = (slice(s.start + i.start, s.start + i.stop) for s, i in zip((rows, cols), inside, strict=True))
            yield Part(z if all_usual else np.where(usual, z, 0), counted, measured, z, signal, row, col, inside)

    def sample(self) -> Iterator[tuple[Floats, Floats, Bools | None]]:
        """Windows spread over the image, or all of a small one.

        Yields
        ------
        three arrays of shape (band, row, col)
            Removed, signal, and what was measured (None: all); physical units.
        """
        _, rows, cols = self.noisy.shape
        if rows * cols <= (SAMPLE_SIDE * SAMPLE_ACROSS) ** 2:
            yield self._read(slice(0, rows), slice(0, cols))
            return
        for row in _starts(rows):
            for col in _starts(cols):
                yield self._read(slice(row, row + SAMPLE_SIDE), slice(col, col + SAMPLE_SIDE))

    def _tiles(self) -> Iterator[tuple[slice, slice, tuple[slice, slice]]]:
        """Rows and cols of every tile with its margin, and where the tile lies in them."""
        bands, rows, cols = self.noisy.shape
        side = max(4 * MARGIN, int(np.sqrt(TILE_VOXELS / bands)))
        for row in range(0, rows, side):
            for col in range(0, cols, side):
                yield (
                    slice(max(0, row - MARGIN), min(rows, row + side + MARGIN)),
                    slice(max(0, col - MARGIN), min(cols, col + side + MARGIN)),
                    (_core(row, side, rows), _core(col, side, cols)),
                )

    def _read(self, rows: slice, cols: slice) -> tuple[Floats, Floats, Bools | None]:
        """Removed and denoised (band, row, col), physical; what was measured in both, None where all was."""
        noisy, denoised = (
            cube.replace(data=mapped.read(cube.data[:, rows, cols])).physical()[self._chosen()]
            for cube in (self.noisy, self.denoised)
        )
        with np.errstate(invalid="ignore", over="ignore"):
            removed = noisy - denoised
        measured = np.isfinite(removed)
        if self._dead is not None:
            measured &= ~self._dead[self._chosen()][:, None, cols]
        if measured.all():
            return removed, denoised, None
        return np.where(measured, removed, 0), np.where(measured, denoised, 0), measured

    def _chosen(self) -> NDArray[np.int64] | slice:
        """The bands that are judged; all while that is being found out."""
        chosen: NDArray[np.int64] | slice = getattr(self, "bands", slice(None))
        all_of_them = not isinstance(chosen, slice) and len(chosen) == self.noisy.bands
        return slice(None) if all_of_them else chosen

    def _levels(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Bands that can be judged, their noise level, and the middle of their signal."""
        found = list(self.sample())
        removed = np.concatenate([part.reshape(len(part), -1) for part, _, _ in found], axis=1)
        signal = np.concatenate([part.reshape(len(part), -1) for _, part, _ in found], axis=1)
        own, spread, middle = _typical(removed, signal, _all_measured(found))
        own = np.where(own > 0, own, spread)
        level = own if self.noise is None else np.asarray(self.noise.level)
        good = np.isfinite(level) & (level > 0) & (spread > 0)
        if self.noise is not None and self.noise.empty:
            good[list(self.noise.empty)] = False
        bands = np.flatnonzero(good)
        return bands, level[bands].astype(np.float32), middle[bands].astype(np.float32)

    def _deviation(self, signal: Floats) -> Floats:
        """Standard deviation of the noise, (band, 1, 1) or, where one grows with the signal, voxel by voxel."""
        flat: Floats = self.level[:, None, None]
        if self.noise is None or not np.any(self.noise.shot[self.bands] > 0):
            return flat
        shot, read = (values[self.bands][:, None, None] for values in (self.noise.shot, self.noise.read))
        grown = np.sqrt(np.maximum(read**2 + shot * np.maximum(signal, 0), 1e-12 * flat**2))
        deviation: Floats = np.where(shot > 0, grown, flat)
        return deviation

    def _unexplained(self, removed: Floats, signal: Floats, rows: slice, cols: slice) -> Floats:
        row, col = np.arange(rows.start, rows.stop)[:, None], np.arange(cols.start, cols.stop)[None]
        for explained in self._explained:
            removed = explained(removed, signal, row, col)
        return removed

    def _plain(self) -> Iterator[Plain]:
        """Tiles without margins for fitting: what earlier fits left, the signal, voxels that count, rows and cols."""
        limit = OUTLIER * np.sqrt(self.level**2 + self._line_level**2)[:, None, None]
        for rows, cols, inside in self._tiles():
            row, col = (slice(s.start + i.start, s.start + i.stop) for s, i in zip((rows, cols), inside, strict=True))
            removed, signal, measured = self._read(row, col)
            removed = self._unexplained(removed, signal, row, col)
            counts = np.abs(removed) <= limit
            if measured is not None:
                counts &= measured
            yield removed, signal, counts, np.arange(row.start, row.stop)[:, None], np.arange(col.start, col.stop)[None]


def _all_measured(found: list[tuple[Floats, Floats, Bools | None]]) -> Bools | None:
    """Which values (band, pixel) of a sample were measured; None: all."""
    if all(measured is None for _, _, measured in found):
        return None
    parts = [np.ones(removed.shape, bool) if there is None else there for removed, _, there in found]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def _typical(removed: Floats, signal: Floats, measured: Bools | None) -> tuple[Doubles, Doubles, Doubles]:
    """Robust and plain deviation of what was removed, and mean signal (band,); 0 of bands without a measured voxel."""
    found = np.zeros((3, len(removed)))
    for band, (out, kept) in enumerate(zip(removed, signal, strict=True)):
        if measured is not None:
            out, kept = out[measured[band]], kept[measured[band]]
        if out.size:
            squares = (out.astype(np.float64) ** 2).mean()
            found[:, band] = np.median(np.abs(out)) / NORMAL_MAD, np.sqrt(squares), kept.mean()
    return found[0], found[1], found[2]


def _dead(noise: MeasuredNoise | None, shape: tuple[int, int, int]) -> Bools | None:
    """Columns (band, col) that carry no information; None where there are none."""
    if noise is None or not noise.dead:
        return None
    dead = np.zeros((shape[0], shape[2]), bool)
    dead[tuple(np.transpose(noise.dead))] = True
    return dead


def _core(start: int, side: int, extent: int) -> slice:
    """Where a tile lies in itself with its margin, along one axis."""
    before = min(start, MARGIN)
    return slice(before, before + min(side, extent - start))


def _starts(extent: int) -> list[int]:
    """Where the windows of the sample begin, along one axis."""
    last = max(0, extent - SAMPLE_SIDE)
    return sorted({round(last * place / (SAMPLE_ACROSS - 1)) for place in range(SAMPLE_ACROSS)})


def thinned(values: Floats, most: int) -> Floats:
    """Every n-th column, so that there are about as many as wanted at most.

    Parameters
    ----------
    values : float array, shape (band, pixel)
        Any.
    most : int
        About how many columns.

    Returns
    -------
    float array, shape (band, pixel)
        A view.
    """
    return values[:, :: max(1, values.shape[1] // most)]
