"""A noisy cube as the tiles of a solve see it: peak 1, NaN where a voxel carries no information."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.tiles import Span, Tile
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import memory_map as mapped
from napari_decsc.hsi.masks import blank_bands, blank_pixels, cut_off, stuck_values, usable
from napari_decsc.hsi.no_data import missing
from napari_decsc.hsi.scaling import peak

#: Noise levels and basis of a larger cube are found on a sample: this many pixels, fewer if they have more voxels ...
SAMPLE_PIXELS, SAMPLE_VOXELS = 256 * 256, 1 << 22
#: ... but never fewer than this.
LEAST_PIXELS = 128 * 128
#: Rows that the offset of a column is found on, of a higher cube.
COLUMN_ROWS = 256

Values = NDArray[np.float32]
ALL = slice(None)


@dataclass(frozen=True)
class Source:
    """A cube, and what a sample of it tells.

    The cube may be a memory map of any size: what is read of it is copied, and its pages are given back.

    Parameters
    ----------
    cube : Cube
        Noisy.
    peak : float
        The physical value that counts as 1.
    stuck : tuple of float
        Physical values that voxels are stuck on.
    blank : tuple of int
        Bands in which all voxels are.
    cut : tuple of float
        Those of the stuck values at which the scene was cut off.
    """

    cube: Cube
    peak: float
    stuck: tuple[float, ...]
    blank: tuple[int, ...] = ()
    cut: tuple[float, ...] = ()

    @classmethod
    def of(cls, cube: Cube) -> "Source":
        """Look at a sample of the cube.

        Parameters
        ----------
        cube : Cube
            Noisy.

        Returns
        -------
        Source
        """
        stuck = stuck_values(cube)
        return cls(cube, peak(cube), stuck, blank_bands(cube, stuck), cut_off(cube, stuck))

    def values(self, rows: slice, cols: slice) -> Values:
        """All bands of a part of the cube.

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
        """What a tile looks at, continued by reflection.

        Parameters
        ----------
        tile : Tile
            With its margins.

        Returns
        -------
        float32 array, shape (band, tile.row.length, tile.col.length)
            Peak 1; NaN where a voxel carries no information.
        """
        rows, cols = tile.row.indices, tile.col.indices
        top, left = rows.min(), cols.min()
        values = self.values(slice(top, rows.max() + 1), slice(left, cols.max() + 1))
        return values[:, rows - top][:, :, cols - left]

    def columns(self, cols: Span) -> Values:
        """The columns that a tile looks at: all of their rows, or `COLUMN_ROWS` of them, in blocks over the height.

        Parameters
        ----------
        cols : Span
            Of a tile.

        Returns
        -------
        float32 array, shape (band, row, cols.length)
            Peak 1; NaN where a voxel carries no information.
        """
        indices = cols.indices
        left = indices.min()
        part = slice(left, indices.max() + 1)
        blocks = tiling.stripes(self.cube.shape[1], COLUMN_ROWS)
        return np.concatenate([self.values(rows, part) for rows in blocks], axis=1)[:, :, indices - left]

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
        bands, rows, cols = self.cube.shape
        pixels = pixels or sample_pixels(bands)
        if rows * cols <= pixels:
            return self.values(ALL, ALL)
        parts = [self.values(*block) for block in tiling.mosaic(rows, cols, pixels)]
        # a column of voxels without information keeps blocks that were no neighbours apart
        apart = np.full((*parts[0].shape[:2], 1), np.nan, np.float32)
        return np.concatenate([piece for part in parts for piece in (part, apart)], axis=2)[:, :, :-1]

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

    def raw(self, values: Values) -> Values:
        """Values with peak 1 in the raw units of the cube.

        Parameters
        ----------
        values : float array
            Peak 1.

        Returns
        -------
        float32 array
            Of the same shape.
        """
        return values * np.float32(self.peak * self.cube.scale)

    def restored(self, values: Values, rows: slice, cols: slice) -> Values:
        """Raw units of the cube; what was not measured, and pixels and bands without a usable voxel, as they came.

        Parameters
        ----------
        values : float array, shape (band, row, col)
            Peak 1.
        rows, cols : slice
            Where they belong.

        Returns
        -------
        float32 array, shape (band, row, col)
        """
        part = self._part(rows, cols)
        blank = np.isin(np.arange(self.cube.bands), self.blank)[:, None, None]
        blank = blank | blank_pixels(np.isfinite(self._scaled(part)))
        with np.errstate(over="ignore"):  # beyond float32 lies infinity
            came = part.data.astype(np.float32)
        gone = ~np.isfinite(came)
        if part.no_data is not None:
            gone |= missing(part.data, part.no_data)
        return np.where(gone | blank, came, self.raw(values))

    def _part(self, rows: slice, cols: slice) -> Cube:
        return self.cube.replace(data=mapped.read(self.cube.data[:, rows, cols]))

    def _scaled(self, part: Cube) -> Values:
        values = part.physical()
        mask = usable(values, self.stuck, self.cut)
        mask[list(self.blank)] = False
        return np.where(mask, values / np.float32(self.peak), np.float32(np.nan))


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
