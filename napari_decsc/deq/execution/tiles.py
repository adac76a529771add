"""Tiles of a cube: cores that cover it without overlap, each solved with a margin that is thrown away.

The image is continued by reflection, for a little on every side (at the border the dictionaries' windows overlap less,
and no frame is tight there) and up to a multiple of the model's window. Tiles begin where windows begin, so that a tile
and the whole image see the same windows; a margin of 48 pixels makes the seams vanish.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError

#: Pixels by which the image is continued on every side.
BORDER = 8
#: Pixels of neighbouring cores that a tile looks at.
MARGIN = 48
#: In fewer pixels along one axis there are not enough similar patches to look for.
LEAST = 24
#: No budget makes a tile's core smaller than this: nearly all of its work would be for its margins.
SMALLEST = 32


@dataclass(frozen=True)
class Span:
    """One axis of a tile.

    Parameters
    ----------
    core : slice
        The pixels that are its own.
    start : int
        The first pixel that it looks at; may lie before the image.
    length : int
        How many it looks at; the end may lie behind the image.
    extent : int
        Size of the image.
    """

    core: slice
    start: int
    length: int
    extent: int

    @property
    def inside(self) -> slice:
        """Where the core lies within what the tile looks at."""
        return slice(self.core.start - self.start, self.core.stop - self.start)

    @property
    def indices(self) -> NDArray[np.int64]:
        """The pixels it looks at, as indices of the image."""
        return reflected(np.arange(self.start, self.start + self.length), self.extent)

    @property
    def known(self) -> slice:
        """What it looks at without the border: pixels of the image, continued to a multiple of `BORDER` at most.

        It begins with the image or at a multiple of the model's window. All that it looks at where that is less than
        `LEAST` pixels.
        """
        end = -(-(self.extent - self.start) // BORDER) * BORDER
        part = slice(BORDER, min(self.length, end))
        return part if part.stop - part.start >= LEAST else slice(0, self.length)

    @property
    def continued(self) -> NDArray[np.int64]:
        """What it looks at, as indices of what is known: before that its reflection, as before the image."""
        positions: NDArray[np.int64] = np.abs(self.indices - self.start - self.known.start)
        return positions


@dataclass(frozen=True)
class Tile:
    """One tile, in rows and in cols.

    Parameters
    ----------
    row, col : Span
        Its axes.
    """

    row: Span
    col: Span

    @property
    def is_whole(self) -> bool:
        """Whether its core is the whole image."""
        return all(span.core == slice(0, span.extent) for span in (self.row, self.col))

    @property
    def knows_the_image_alone(self) -> bool:
        """Whether what it looks at without the border is the whole image, not continued."""
        return self.is_whole and all(span.known.stop - span.known.start == span.extent for span in (self.row, self.col))


def plan(rows: int, cols: int, side: int, multiple: int) -> list[Tile]:
    """Tiles of about one size, row by row.

    Parameters
    ----------
    rows, cols : int
        Of the image.
    side : int
        Of a core, pixels; 0, or larger than the image: one tile.
    multiple : int
        Of the model's windows: tiles begin where these do.

    Returns
    -------
    list of Tile
    """
    return [Tile(row, col) for row in spans(rows, side, multiple) for col in spans(cols, side, multiple)]


def spans(extent: int, side: int, multiple: int) -> list[Span]:
    """One axis cut into cores.

    Parameters
    ----------
    extent : int
        Size of the image.
    side : int
        Of a core, pixels; 0, or larger than the image: one.
    multiple : int
        Cores begin at multiples of it.

    Returns
    -------
    list of Span
    """
    side = extent if side <= 0 or side >= extent else max(multiple, side // multiple * multiple)
    return [_span(start, min(start + side, extent), extent, multiple) for start in range(0, extent, side)]


def split(tile: Tile, side: int, multiple: int) -> list[Tile]:
    """The tile's core cut into tiles, which see the same windows as it.

    Parameters
    ----------
    tile : Tile
        Too large.
    side : int
        Of the cores, pixels; 0 leaves it whole.
    multiple : int
        Of the model's windows.

    Returns
    -------
    list of Tile
    """
    return [Tile(row, col) for row in _parts(tile.row, side, multiple) for col in _parts(tile.col, side, multiple)]


def side_of(tile: Tile) -> int:
    """The longer side of the tile's core.

    Parameters
    ----------
    tile : Tile
        Any.

    Returns
    -------
    int
        Pixels.
    """
    return max(int(span.core.stop - span.core.start) for span in (tile.row, tile.col))


def reflected(position: NDArray[np.int64], extent: int) -> NDArray[np.int64]:
    """Indices of an image that is continued by reflection without repeating its edge.

    Parameters
    ----------
    position : int array
        Of pixels, before, in or behind the image.
    extent : int
        Size of the image.

    Returns
    -------
    int array
        Of the same shape, in the image.
    """
    period = max(1, 2 * (extent - 1))
    position = position % period
    indices: NDArray[np.int64] = np.minimum(position, period - position) * (extent > 1)
    return indices


def side_within(memory: int, bytes_per_pixel: int, multiple: int, fixed: int = 0) -> int:
    """Side of the largest square tile, margins included, whose solution fits into the memory.

    Parameters
    ----------
    memory : int
        Bytes.
    bytes_per_pixel : int
        Of a solve.
    multiple : int
        Of the model's windows.
    fixed : int
        Bytes that are taken whatever the size.

    Returns
    -------
    int
        Of the core, pixels.

    Raises
    ------
    SettingsError
        With how much the smallest tile needs, if it does not fit.
    """
    outer = int((max(0, memory - fixed) / bytes_per_pixel) ** 0.5) // multiple * multiple
    around = _around(multiple)
    side = outer - around
    smallest = max(multiple, SMALLEST)
    if side < smallest:
        # rounded up, so that it is enough
        least = math.ceil((fixed + bytes_per_pixel * (smallest + around) ** 2) / 1e7) / 100
        raise SettingsError(
            f"memory: {memory / 1e9:.2g} GB is too little for the smallest tile; give {least:g} GB or more"
        )
    return side


def mosaic(rows: int, cols: int, pixels: int, block: int = 32) -> list[tuple[slice, slice]]:
    """Blocks spread evenly over an image: a sample that keeps neighbours together.

    Parameters
    ----------
    rows, cols : int
        Of the image.
    pixels : int
        About how many in all.
    block : int
        Side of a block, pixels.

    Returns
    -------
    list of pairs of slices
        Rows and columns of each.
    """
    count = max(1, int((pixels / block**2) ** 0.5))
    tops = np.unique(np.linspace(0, max(0, rows - block), min(count, -(-rows // block))).astype(int))
    lefts = np.unique(np.linspace(0, max(0, cols - block), min(count, -(-cols // block))).astype(int))
    return [(slice(top, top + block), slice(left, left + block)) for top in tops for left in lefts]


def stripes(rows: int, count: int, block: int = 32) -> list[slice]:
    """Blocks of rows spread evenly over an image; all rows where there are no more.

    Parameters
    ----------
    rows : int
        Of the image.
    count : int
        How many in all.
    block : int
        Rows of a block.

    Returns
    -------
    list of slice
    """
    if rows <= count:
        return [slice(0, rows)]
    return [slice(int(top), int(top) + block) for top in np.linspace(0, rows - block, count // block)]


def band_windows(bands: int, width: int) -> list[slice]:
    """Windows that cover all bands and overlap by a third or more.

    Parameters
    ----------
    bands : int
        Of the cube.
    width : int
        Of a window.

    Returns
    -------
    list of slice
    """
    count = 1 if bands <= width else 1 + -(-(bands - width) // max(1, 2 * width // 3))
    starts = np.linspace(0, bands - width, count).round().astype(int)
    return [slice(int(start), int(start) + width) for start in starts]


def blend(window: slice, bands: int) -> NDArray[np.float32]:
    """Weight of each band of a window where windows overlap: a raised cosine, flat towards the ends of the spectrum.

    Parameters
    ----------
    window : slice
        Of bands.
    bands : int
        Of the cube.

    Returns
    -------
    float32 array, shape (band of the window,)
        From 0 to 1; results are divided by the sum over all windows.
    """
    width = window.stop - window.start
    ramp = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(width) + 0.5) / width)
    if window.start == 0:
        ramp[: width // 2] = 1
    if window.stop == bands:
        ramp[width // 2 :] = 1
    weights: NDArray[np.float32] = ramp.astype(np.float32)
    return weights


def _parts(span: Span, side: int, multiple: int) -> list[Span]:
    core, extent = span.core, span.extent
    if side <= 0 or side >= core.stop - core.start:
        return [span]
    return [
        _span(start, min(start + side, core.stop), extent, multiple) for start in range(core.start, core.stop, side)
    ]


def _around(multiple: int) -> int:
    """By how much a tile is longer than its core, at most."""
    return -(-(MARGIN // multiple * multiple + BORDER + MARGIN) // multiple) * multiple


def _span(first: int, last: int, extent: int, multiple: int) -> Span:
    # what lies beyond the image is not looked at: the whole image does not see it either
    start = max(first - MARGIN // multiple * multiple, 0) - BORDER
    stop = min(last + MARGIN, extent + BORDER)
    return Span(slice(first, last), start, -(-(stop - start) // multiple) * multiple, extent)
