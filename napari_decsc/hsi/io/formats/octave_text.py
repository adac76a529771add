"""Octave's text files, which its `save` writes if it is told no format: where the arrays lie in them.

Nothing but the lines before values is looked at; values are parsed when they are read. Those in structures and cells
have the names of their fields alone. Source: what Octave 7.3 writes.
"""

import math
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.guards import STEP
from napari_decsc.hsi.io.formats.matlab_elements import Numbers, Other, Text
from napari_decsc.hsi.io.formats.spectral import LONGEST
from napari_decsc.hsi.io.roles import role

#: How these files begin, those without the first comment too.
BEGINNINGS = (b"# Created by Octave", b"# name: ")
_HEAD = re.compile(rb"^# name: ([^\r\n]{1,200})\r?\n# type: ([^\r\n]{1,60})\r?\n", re.MULTILINE)
_SIZES = re.compile(
    rb"# ndims: (\d{1,2})\r?\n((?: \d{1,18}){1,32})\s*?\n|# rows: (\d{1,18})\r?\n# columns: (\d{1,18})\r?\n"
)
_RANGE = re.compile(rb"# base, limit, increment\r?\n(\S{1,40}) (\S{1,40}) (\S{1,40})\s")
_TEXT = re.compile(rb"# length: \d{1,9}\r?\n([^\r\n]*)")
_ELEMENTS = re.compile(rb"# elements: (\d{1,9})\r?\n")
#: Arrays looked at.
_MOST = 10_000
#: Letters of a text that are looked at.
_LETTERS = 1 << 16
#: Bytes of the shortest number: a digit and what is before it.
_SHORTEST = 2
#: How Octave spells the types of arrays and of single numbers.
_TYPES = {
    "": "f8",
    "float ": "f4",
    "bool ": "u1",
    **{f"{kind}int{n} ": f"{kind or 'i'}{n // 8}" for kind in ("", "u") for n in (8, 16, 32, 64)},
}


def elements(path: Path) -> list[Numbers | Text | Other]:
    """What the variables of a file hold; of numbers the place where they begin."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        found: list[Numbers | Text | Other] = []
        for head in _HEAD.finditer(text):
            name, kind = (part.decode("utf-8", "replace").strip() for part in head.groups())
            found += _element(text, head.end(), name, kind)
            if len(found) > _MOST:
                break
    return found


def _element(text: Any, start: int, name: str, kind: str) -> Iterator[Numbers | Text | Other]:
    if kind in ("string", "sq_string"):
        rows = _rows(text, start) if role(name) else ()
        yield from [Text(name, rows)] if rows else []
    elif kind.startswith("complex"):
        yield Other(name, "complex numbers")
    elif "range" in kind and (match := _RANGE.match(text, start)):
        yield from _range(name, start, *map(float, match.groups()))
    elif kind.removesuffix("matrix") in _TYPES and (match := _SIZES.match(text, start)):
        yield _numbers(name, kind.removesuffix("matrix"), match)
    elif kind.removesuffix("scalar") in _TYPES or kind == "bool":
        dtype = np.dtype(_TYPES.get(kind.removesuffix("scalar"), "u1"))
        yield Numbers(name, (1, 1), dtype, start, 0, 0, packed=True, is_logical=kind == "bool")


def _numbers(name: str, kind: str, sizes: re.Match[bytes]) -> Numbers:
    shape = tuple(map(int, sizes[2].split() if sizes[2] else (sizes[3], sizes[4])))
    return Numbers(name, shape, np.dtype(_TYPES[kind]), sizes.end(), 0, 0, packed=True, is_logical=kind == "bool ")


def _range(name: str, start: int, base: float, limit: float, step: float) -> Iterator[Numbers]:
    """A range as a vector: its length is that of the type's array, base and step are found again where it is read."""
    count = math.floor((limit - base) / step * (1 + 1e-10)) + 1 if step and math.isfinite(limit - base) else 0
    if 1 < count <= LONGEST:
        yield Numbers(name, (1, count), np.dtype("f8"), start, 1, 0, packed=True)


def _rows(text: Any, start: int) -> tuple[str, ...]:
    elements = _ELEMENTS.match(text, start)
    if elements is None:
        return ()
    found = _TEXT.finditer(text, elements.end(), min(len(text), elements.end() + _LETTERS))
    rows = [match[1].decode("utf-8", "replace") for _, match in zip(range(int(elements[1])), found, strict=False)]
    return tuple(rows)


def values_of(path: Path, array: Numbers) -> NDArray[Any]:
    """The values of an array, as Octave shows it.

    Parameters
    ----------
    path : Path
        The file.
    array : Numbers
        As `elements` found it.

    Returns
    -------
    array

    Raises
    ------
    FileFormatError
        If it holds fewer values than it describes.
    """
    count = math.prod(array.shape)
    with path.open("rb") as file:
        file.seek(array.start)
        if array.length:
            base, _, step = map(float, _RANGE.match(file.read(200)).groups())  # type: ignore[union-attr]
            return (base + step * np.arange(count)).reshape(array.shape)
        # before room is made for them
        if count > (path.stat().st_size - array.start) // _SHORTEST + 1:
            raise _cut_short(path, array)
        values = _parsed(file, count, array.dtype)
    if values.size < count:
        raise _cut_short(path, array)
    # tables are written row by row, arrays of more axes down their cols
    return values.reshape(array.shape, order="C" if len(array.shape) == 2 else "F")


def _parsed(file: Any, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """So many numbers, or as many as there are, some at a time."""
    parts, left, rest = [np.empty(0, dtype)], count, b""
    while left:
        block = file.read(STEP)
        rest += block
        end = max(rest.rfind(b" "), rest.rfind(b"\n")) + 1 if block else len(rest)
        if not end and len(rest) > STEP:
            break
        # Octave's own kind of "not measured"
        items = re.sub(rb"\bNA\b", b"NaN", rest[:end]).split()[:left]
        parts.append(np.array(items, "S").astype(dtype))
        left, rest = left - len(items), rest[end:]
        if not block:
            break
    return np.concatenate(parts)


def _cut_short(path: Path, array: Numbers) -> FileFormatError:
    return FileFormatError(f"{path}: {array.name} ends too early; the file is cut short")
