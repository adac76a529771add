"""A noisy cube as the tiles of a solve see it: peak 1, NaN where a voxel carries no information."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.tiles import Span, Tile
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.empty_bands import empty_bands, filled
from napari_decsc.hsi.io import memory_map as mapped
from napari_decsc.hsi.masks import blank_bands, blank_pixels, cut_off, stuck_values, usable
from napari_decsc.hsi.no_data import missing
from napari_decsc.hsi.scaling import peak, sample

#: Noise levels and basis of a larger cube are found on a sample of so many pixels ...
SAMPLE_PIXELS = 256 * 256
#: ... fewer if they have more voxels than this ...
SAMPLE_VOXELS = 1 << 22
#: ... but never fewer than this.
LEAST_PIXELS = 128 * 128
#: Rows that the offset of a column is found on, of a higher cube.
COLUMN_ROWS = 256

Values = NDArray[np.float32]
ALL = slice(None)


@dataclass(frozen=True)
class Source:
    """A cube, and what a sample of it tells.

    Bands that are left out are not among the values; they come back as they came, or filled from the bands beside
    them. The cube may be a memory map of any size: what is read of it is copied, and its pages are given back.

    Parameters
    ----------
    cube : Cube
        Noisy.
    peak : float
        The physical value that counts as 1.
    stuck : tuple of float
        Physical values that voxels are stuck on.
    blank : tuple of int
        Bands in which all voxels are; they are among the values.
    cut : tuple of float
        Those of the stuck values at which the scene was cut off.
    left_out : mapping of int to str
        Bands that hold nothing, from 0, and why.
    fill : bool
        Whether these are filled.
    """

    cube: Cube
    peak: float
    stuck: tuple[float, ...]
    blank: tuple[int, ...] = ()
    cut: tuple[float, ...] = ()
    left_out: Mapping[int, str] = field(default_factory=dict)
    fill: bool = False

    @classmethod
    def of(cls, cube: Cube, bad_bands: str = "keep", least: int = 1) -> "Source":
        """Look at a sample of the cube.

        Parameters
        ----------
        cube : Cube
            Noisy.
        bad_bands : str
            "keep", "fill" or "denoise": what becomes of bands that hold nothing.
        least : int
            Such bands are left out where so many others remain.

        Returns
        -------
        Source
        """
        stuck, part = stuck_values(cube), bad_bands != "denoise"
        left_out = empty_bands(cube, stuck, flagged=part, junk=part)
        if cube.bands - len(left_out) < least:
            left_out = {}
        seen = cube
        if left_out:  # what lies in them tells nothing of the scale either
            seen = Cube(np.delete(sample(cube), list(left_out), axis=0), cube.name)
            stuck = stuck_values(seen)
        blank = () if left_out else blank_bands(cube, stuck)
        return cls(cube, peak(seen), stuck, blank, cut_off(seen, stuck), left_out, bad_bands == "fill")

    @cached_property
    def kept(self) -> NDArray[np.intp]:
        """Bands that are not left out, from 0."""
        return np.setdiff1d(np.arange(self.cube.bands), list(self.left_out))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(bands that are not left out, rows, cols)."""
        return len(self.kept), *self.cube.shape[1:]

    def values(self, rows: slice, cols: slice) -> Values:
        """All bands of a part of the cube that are not left out.

        Parameters
        ----------
        rows, cols : slice
            Of the image.

        Returns
        -------
        float32 array, shape (band, row, col)
            Peak 1; NaN where a voxel carries no information.
        """
        return self._scaled(self._part(rows, cols))

    def tile(self, tile: Tile) -> Values:
        """What is known of what a tile looks at, without its border: reflections are not searched for similar patches.

        Parameters
        ----------
        tile : Tile
            With its margins.

        Returns
        -------
        float32 array, shape (band, row, col)
            Those that are known; peak 1; NaN where a voxel carries no information.
        """
        rows, cols = (span.indices[span.known] for span in (tile.row, tile.col))
        return _picked(_picked(self.values(_reach(rows), _reach(cols)), rows, 1), cols, 2)

    def columns(self, cols: Span) -> Values:
        """The columns that are known of a tile: all of their rows, or `COLUMN_ROWS` of them, in blocks over the height.

        Parameters
        ----------
        cols : Span
            Of a tile.

        Returns
        -------
        float32 array, shape (band, row, col)
            Peak 1; NaN where a voxel carries no information.
        """
        indices = cols.indices[cols.known]
        blocks = tiling.stripes(self.cube.shape[1], COLUMN_ROWS)
        values = np.concatenate([self.values(rows, _reach(indices)) for rows in blocks], axis=1)
        return _picked(values, indices, 2)

    def sample(self, pixels: int = 0) -> Values:
        """The whole cube, or blocks of it side by side if it is large; what noise and subspace are found on.

        Parameters
        ----------
        pixels : int
            About how many; 0 stands for :func:`sample_pixels`.

        Returns
        -------
        float32 array, shape (band, row, col)
            Peak 1; NaN where a voxel carries no information.
        """
        bands, rows, cols = self.shape
        pixels = pixels or sample_pixels(bands)
        if rows * cols <= pixels:
            return self.values(ALL, ALL)
        parts = [self.values(*block) for block in tiling.mosaic(rows, cols, pixels)]
        # a column of voxels without information keeps blocks that were no neighbours apart
        apart = np.full((*parts[0].shape[:2], 1), np.nan, np.float32)
        return np.concatenate([piece for part in parts for piece in (part, apart)], axis=2)[:, :, :-1]

    def sample_columns(self) -> NDArray[np.int64]:
        """Which column of the cube every column of :meth:`sample` comes from.

        Returns
        -------
        int array, shape (col,)
            -1 for one that keeps blocks apart.
        """
        bands, rows, cols = self.shape
        if rows * cols <= sample_pixels(bands):
            return np.arange(cols)
        blocks = tiling.mosaic(rows, cols, sample_pixels(bands))
        return np.concatenate([piece for _, part in blocks for piece in (np.arange(cols)[part], [-1])])[:-1]

    def thinned(self, step: int) -> Values:
        """Every n-th pixel of every n-th row.

        Parameters
        ----------
        step : int
            n.

        Returns
        -------
        float32 array, shape (band, row, col)
            Peak 1; NaN where a voxel carries no information.
        """
        return self.values(slice(None, None, step), slice(None, None, step))

    def raw(self, values: Values, rows: slice, cols: slice) -> Values:
        """Values with peak 1 in the raw units of the cube; bands that were left out as they came, or filled.

        Parameters
        ----------
        values : float array, shape (band, row, col)
            Peak 1; NaN for what stays as it came.
        rows, cols : slice
            Where they belong.

        Returns
        -------
        float32 array
            All bands.
        """
        values = values * np.float32(self.peak * self.cube.scale)
        if not self.left_out and not np.isnan(values).any():
            return values
        return self._whole(values, _single(mapped.read(self.cube.data[:, rows, cols])))

    def restored(self, values: Values, rows: slice, cols: slice) -> Values:
        """Raw units of the cube; what was not measured, and pixels and bands without a usable voxel, as they came.

        Parameters
        ----------
        values : float array, shape (band, row, col)
            Peak 1; NaN for what stays as it came.
        rows, cols : slice
            Where they belong.

        Returns
        -------
        float32 array, shape (band, row, col)
        """
        part = self._part(rows, cols)
        blank = np.isin(np.arange(self.cube.bands), self.blank)[:, None, None]
        blank = blank | blank_pixels(np.isfinite(self._scaled(part)))
        came = _single(part.data)
        gone = ~np.isfinite(came)
        if part.no_data is not None:
            gone |= missing(part.data, part.no_data)
        values = values * np.float32(self.peak * self.cube.scale)
        return np.where(gone | blank, came, self._whole(values, came))

    def _whole(self, values: Values, came: Values) -> Values:
        """All bands of a part of the cube: ``values`` are those that were not left out, ``came`` all of them before."""
        values = np.where(np.isnan(values), came[self.kept] if self.left_out else came, values)
        if not self.left_out:
            return values
        whole = came.copy()
        whole[self.kept] = values
        if self.fill:
            left_out = np.array(list(self.left_out))
            places = np.arange(self.cube.bands) if self.cube.wavelengths is None else self.cube.wavelengths
            whole[left_out] = filled(values, self.kept, places.astype(np.float64), left_out)
        return whole

    def _part(self, rows: slice, cols: slice) -> Cube:
        return self.cube.replace(data=mapped.read(self.cube.data[:, rows, cols]))

    def _scaled(self, part: Cube) -> Values:
        values = part.physical() if not self.left_out else part.physical()[self.kept]
        mask = usable(values, self.stuck, self.cut)
        mask[list(self.blank)] = False
        return np.where(mask, values / np.float32(self.peak), np.float32(np.nan))


def _reach(indices: NDArray[np.int64]) -> slice:
    return slice(int(indices.min()), int(indices.max()) + 1)


def _picked(values: Values, indices: NDArray[np.int64], axis: int) -> Values:
    """Some along an axis, of values that begin at the least of the indices: a copy only where they are not all."""
    indices = indices - indices.min()
    if np.array_equal(indices, np.arange(values.shape[axis])):
        return values
    return np.take(values, indices, axis)


def _single(data: NDArray[Any]) -> Values:
    with np.errstate(over="ignore"):  # beyond float32 lies infinity
        return data.astype(np.float32)


def sample_pixels(bands: int) -> int:
    """Pixels of a cube's sample.

    Parameters
    ----------
    bands : int
        Of the cube.

    Returns
    -------
    int
        Fewer, the more bands there are.
    """
    return min(SAMPLE_PIXELS, max(LEAST_PIXELS, SAMPLE_VOXELS // bands))
