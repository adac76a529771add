"""Cubes that files hold as a table of (band, pixel), beside the numbers of rows and cols."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from napari_decsc.hsi.io.formats.variables import Variable

#: Names, in lower case without "_", of the numbers of rows and of cols.
_ROWS = ("nrow", "nrows", "rows", "height", "h", "nline", "nlines", "lines")
_COLS = ("ncol", "ncols", "cols", "width", "w", "nsample", "nsamples", "samples")


def number_of(name: str) -> str | None:
    """What a number of this name counts, "rows" or "cols", or None."""
    word = name.lower().replace("_", "")
    return "rows" if word in _ROWS else "cols" if word in _COLS else None


def tables(planes: Sequence[Variable], singles: Mapping[str, float], *, by_rows: bool = False) -> list[Variable]:
    """The tables that have a row or a col for each pixel, as cubes.

    Pixels are counted down the cols, as in MATLAB, or ``by_rows``, as in other programs.
    """
    known = {number_of(re.split(r"[/.]", name)[-1]): value for name, value in singles.items()}
    rows, cols = known.get("rows", 0), known.get("cols", 0)
    if not (1 < rows < 2**31 and 1 < cols < 2**31 and rows == int(rows) and cols == int(cols)):
        return []
    found = []
    for plane in planes:
        if plane.dtype.kind in "iuf" and not plane.is_logical and int(rows) * int(cols) in plane.shape:
            first = plane.shape[0] != int(rows) * int(cols)
            bands = plane.shape[0] if first else plane.shape[1]
            read = partial(_by_rows if by_rows else _cube, plane, int(rows), int(cols), first)
            found.append(Variable(plane.name, (bands, int(rows), int(cols)), plane.dtype, read, certain=0))
    return found


def _cube(plane: Variable, rows: int, cols: int, bands_first: bool) -> Any:
    # MATLAB's own order: the table runs down its cols, so that turned it lies in the file as NumPy has it
    turned = plane.read().transpose()
    if bands_first:
        return turned.reshape(cols, rows, -1).transpose(2, 1, 0)
    return turned.reshape(-1, cols, rows).transpose(0, 2, 1)


def _by_rows(plane: Variable, rows: int, cols: int, bands_first: bool) -> Any:
    table = plane.read()
    return table.reshape(-1, rows, cols) if bands_first else table.reshape(rows, cols, -1).transpose(2, 0, 1)
