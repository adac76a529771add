"""Tiles of a cube: cores that cover it without overlap, each solved with a margin that is thrown away.

Tiles begin at multiples of the model's window, so that a tile and the whole image see the same windows; a margin of 32
pixels makes the seams vanish.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.errors import SettingsError

MARGIN = 32


@dataclass(frozen=True)
class Tile:
    """One tile: the ``rows`` and ``cols`` it is responsible for, and the wider ones it looks at."""

    rows: slice
    cols: slice
    outer_rows: slice
    outer_cols: slice

    @property
    def inside(self) -> tuple[slice, slice]:
        """Where the core lies within the outer part."""
        top, left = self.rows.start - self.outer_rows.start, self.cols.start - self.outer_cols.start
        height, width = self.rows.stop - self.rows.start, self.cols.stop - self.cols.start
        return slice(top, top + height), slice(left, left + width)


def plan(rows: int, cols: int, side: int, multiple: int) -> list[Tile]:
    """Tiles of about ``side`` x ``side`` pixels, row by row; side 0 or larger than the image: one tile."""
    return [Tile(*pair) for pair in _pairs(_spans(rows, side, multiple), _spans(cols, side, multiple))]


def side_within(memory: int, bytes_per_pixel: int, multiple: int) -> int:
    """Side of the largest square tile, margins included, whose solution fits into ``memory`` bytes."""
    outer = int((memory / bytes_per_pixel) ** 0.5) // multiple * multiple
    side = outer - 2 * MARGIN
    if side < multiple:
        least = bytes_per_pixel * (multiple + 2 * MARGIN) ** 2
        raise SettingsError(
            f"memory: {memory / 1e9:.2g} GB is too little for the smallest tile; give {least / 1e9:.2g} GB or more"
        )
    return side


def pad(data: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
    """(band, row, col) continued by reflection below and to the right, up to multiples of ``multiple``."""
    rows, cols = (_reflected(extent, multiple) for extent in data.shape[1:])
    padded: NDArray[np.float32] = data[:, rows][:, :, cols]
    return padded


def mosaic(rows: int, cols: int, pixels: int, block: int = 32) -> list[tuple[slice, slice]]:
    """Blocks spread evenly over an image, about ``pixels`` in all: a sample that keeps neighbours together."""
    count = max(1, int((pixels / block**2) ** 0.5))
    tops = np.unique(np.linspace(0, max(0, rows - block), min(count, -(-rows // block))).astype(int))
    lefts = np.unique(np.linspace(0, max(0, cols - block), min(count, -(-cols // block))).astype(int))
    return [(slice(top, top + block), slice(left, left + block)) for top in tops for left in lefts]


def band_windows(bands: int, width: int) -> list[slice]:
    """Windows of ``width`` bands that cover all bands and overlap by a third or more."""
    count = 1 if bands <= width else 1 + -(-(bands - width) // max(1, 2 * width // 3))
    starts = np.linspace(0, bands - width, count).round().astype(int)
    return [slice(int(start), int(start) + width) for start in starts]


def blend(window: slice, bands: int) -> NDArray[np.float32]:
    """Weight of each band of a window where windows overlap: a raised cosine, flat towards the ends of the spectrum."""
    width = window.stop - window.start
    ramp = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(width) + 0.5) / width)
    if window.start == 0:
        ramp[: width // 2] = 1
    if window.stop == bands:
        ramp[width // 2 :] = 1
    weights: NDArray[np.float32] = ramp.astype(np.float32)
    return weights


def _spans(extent: int, side: int, multiple: int) -> list[tuple[slice, slice]]:
    if side <= 0 or side >= extent:
        return [(slice(0, extent), slice(0, extent))]
    side = max(multiple, side // multiple * multiple)
    starts = range(0, extent, side)
    cores = [slice(start, min(start + side, extent)) for start in starts]
    margin = -(-MARGIN // multiple) * multiple
    return [(core, slice(max(0, core.start - margin), min(extent, core.stop + margin))) for core in cores]


def _pairs(rows: list[tuple[slice, slice]], cols: list[tuple[slice, slice]]) -> list[tuple[slice, slice, slice, slice]]:
    return [(row, col, outer_row, outer_col) for row, outer_row in rows for col, outer_col in cols]


def _reflected(extent: int, multiple: int) -> NDArray[np.int64]:
    """Indices 0 .. n - 1, n - 2 .. 1, 0, 1 ..., up to a multiple: reflection that does not repeat the edge."""
    length = -(-extent // multiple) * multiple
    period = max(1, 2 * (extent - 1))
    position = np.arange(length, dtype=np.int64) % period
    indices: NDArray[np.int64] = np.minimum(position, period - position) * (extent > 1)
    return indices
