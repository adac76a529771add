"""The elements of a MATLAB file of version 5 to 7: where arrays lie in it, those in structures and cells among them.

Nothing but heads is read; of a compressed variable, what lies between them is unpacked and thrown away.
Source: "MAT-File Format", The MathWorks.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.guards import INFLATES, STEP
from napari_decsc.hsi.io.roles import role

_ORDERS = {b"IM": "<", b"MI": ">"}
#: Types of numbers by their codes in tags.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
#: Type of an element that is an array.
_MATRIX = 14
#: Type of one that holds another, compressed.
_COMPRESSED = 15
#: Class of arrays of cells.
_CELL = 1
#: Of structures.
_STRUCTURE = 2
#: Of letters.
_TEXT = 4
#: Of numbers: double, single and whole numbers.
_NUMERIC = range(6, 16)
_CLASSES = {_CELL: "a cell", _STRUCTURE: "a structure", 3: "an object", _TEXT: "a text", 5: "a sparse matrix"}
_OCTAVE = b"Octave-1-"
_OPAQUE = 17
#: Flag of an array of complex numbers.
_COMPLEX = 0x0800
#: Flag of one of truth values.
_LOGICAL = 0x0200
#: Letters of the longest name of a MATLAB variable.
_NAME = 63
#: Bytes of the names of all fields of a structure.
_NAMES = 1 << 20
#: How letters are coded, by the types of their elements; else one byte each.
_LETTERS = {4: "utf-16-{}", 16: "utf-8", 17: "utf-16-{}", 18: "utf-32-{}"}
#: Letters of a text that are looked at.
_LONGEST = 1 << 20
#: Arrays looked at in a file.
_MOST = 10_000
#: Structures and cells within each other.
_DEEPEST = 8
#: Axes that an array may have.
_AXES = 32
#: Bytes of a small element.
_HEAD = 256


@dataclass(frozen=True)
class Numbers:
    """An array of real numbers: ``skip`` bytes into an element of the file, which may be compressed.

    The type is the one in the file: MATLAB keeps doubles that are small whole numbers in a byte. Those in structures
    and cells are named as MATLAB would: `scene.cube`, `scene(2).cube`, `scenes{1}`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    length: int
    skip: int
    packed: bool
    is_logical: bool = False


@dataclass(frozen=True)
class Text:
    """A text, or the rows of an array of letters, of a name that tells what it lists."""

    name: str
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Other:
    """A variable, or a part of one, that holds something else than real numbers."""

    name: str
    kind: str


def elements(path: Path) -> list[Numbers | Text | Other]:
    """What the variables of a file hold. Raises FileFormatError, or whatever damaged bytes lead to."""
    size = path.stat().st_size
    with path.open("rb") as file:
        order = _ORDERS.get(file.read(128)[126:])
        if order is None:
            raise FileFormatError(f"{path}: {_what(path)}; save it again with -v7")
        found: list[Numbers | Text | Other] = []
        for kind, start, length in _variables(file, path, size, order):
            found += _Variable(path, order, _Bytes(file, start, length, kind == _COMPRESSED)).arrays(kind)
            if len(found) > _MOST:
                break
    return found


def _what(path: Path) -> str:
    """What a file is that is none of version 5 to 7."""
    with path.open("rb") as file:
        start = file.read(20)
    if start.startswith(_OCTAVE):
        return "is of Octave's own binary format (save -binary), which is not read"
    kinds = (struct.unpack(order, start) for order in ("<5I", ">5I") if len(start) == 20)
    # kind of numbers, rows, cols, whether they are complex, letters of the name
    if any(
        kind < 5000 and rows and cols and imaginary < 2 and 1 < letters <= _NAME + 1
        for kind, rows, cols, imaginary, letters in kinds
    ):
        return "is a MATLAB file of version 4, which knows tables alone and no cubes"
    return "is no MATLAB file of version 5 or later"


def values_at(path: Path, array: Numbers) -> bytes:
    """The bytes of a compressed array."""
    size = math.prod(array.shape) * array.dtype.itemsize
    with path.open("rb") as file:
        raw = _Bytes(file, array.start, array.length, is_packed=True).at(array.skip, size)
    if len(raw) < size:
        raise FileFormatError(f"{path}: {array.name} ends too early; the file is cut short")
    return raw


def _variables(file: BinaryIO, path: Path, size: int, order: str) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of the element of each variable."""
    place = 128
    for _ in range(_MOST):
        file.seek(place)
        tag = file.read(8)
        if not tag:
            return
        kind, length = struct.unpack(f"{order}II", tag)
        place += 8
        if place + length > size:
            raise FileFormatError(f"{path}: holds {size} bytes but describes {place + length}; the file is cut short")
        yield kind, place, length
        place += length


@dataclass
class _Bytes:
    """The bytes of an element, unpacked where it is compressed; asked for from front to back."""

    file: BinaryIO
    start: int
    length: int
    is_packed: bool
    _taken: int = 0
    _begin: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _waiting: bytes = b""
    _unpacker: Any = field(default_factory=zlib.decompressobj)

    @property
    def most(self) -> int:
        """Bytes that the element may have, unpacked."""
        return self.length * INFLATES if self.is_packed else self.length

    def at(self, place: int, size: int) -> bytes:
        """So many bytes, or fewer where the element ends; what lies before them may not be asked for again."""
        if not self.is_packed:
            self.file.seek(self.start + place)
            return self.file.read(max(0, min(size, self.length - place)))
        while self._begin + len(self._held) < place + size and self._unpack(place):
            pass
        self._drop(place)
        return bytes(self._held[:size])

    def _unpack(self, place: int) -> bool:
        """Unpack some more; False at the end."""
        self._drop(place)
        if not self._waiting:
            self.file.seek(self.start + self._taken)
            self._waiting = self.file.read(min(STEP, self.length - self._taken))
            self._taken += len(self._waiting)
        if self._unpacker.eof or not self._waiting:
            return False
        self._held += self._unpacker.decompress(self._waiting, STEP)
        self._waiting = self._unpacker.unconsumed_tail
        return True

    def _drop(self, place: int) -> None:
        gone = min(max(0, place - self._begin), len(self._held))
        del self._held[:gone]
        self._begin += gone


@dataclass
class _Variable:
    """A variable of a file, gone through from front to back."""

    path: Path
    order: str
    bytes: _Bytes

    def arrays(self, kind: int) -> list[Numbers | Text | Other]:
        """The arrays in it; none for what is no variable, such as the workspace of a function handle."""
        place = 0
        if self.bytes.is_packed:
            # the tag of the matrix is within the compressed bytes
            kind, place, _, _ = self._tag(0)
        return self._matrix(place, None, 0)[:_MOST] if kind == _MATRIX else []

    def _tag(self, place: int) -> tuple[int, int, int, int]:
        """Type, place and size of the element at ``place``, and the place of the next one."""
        kind, size = struct.unpack(f"{self.order}II", self.bytes.at(place, 8))
        if kind >> 16:  # up to 4 bytes lie in the tag itself
            return kind & 0xFFFF, place + 4, kind >> 16, place + 8
        return kind, place + 8, size, place + 8 + -(-size // 8) * 8

    def _matrix(self, place: int, named: str | None, depth: int) -> list[Numbers | Text | Other]:
        """What the matrix whose content is at ``place`` holds; ``named`` as it is called where it lies in another."""
        _, place, _, after = self._tag(place)
        (flags,) = struct.unpack(f"{self.order}I", self.bytes.at(place, 4))
        _, place, size, after = self._tag(after)
        if flags & 0xFF == _OPAQUE:  # objects have no shape: their name comes next
            own = self.bytes.at(place, min(size, _HEAD)).decode("latin-1") if named is None else named
            return [Other(own if own.isidentifier() else "it", "an object")] if own else []
        shape = struct.unpack(f"{self.order}{size // 4}i", self.bytes.at(place, size)) if size <= 4 * _AXES else (-1,)
        _, place, size, after = self._tag(after)
        name = self.bytes.at(place, min(size, _HEAD)).decode("latin-1") if named is None else named
        if not name:  # MATLAB's own
            return []
        if named is None and not (name.isascii() and name.isidentifier() and len(name) <= _NAME):
            raise FileFormatError(f"{self.path}: the name of an array is no MATLAB name; the file is damaged")
        kind = flags & 0xFF
        if kind in (_CELL, _STRUCTURE) and depth < _DEEPEST:
            return self._parts(name, kind, math.prod(shape) if min(shape, default=-1) > 0 else 0, after, depth)
        if kind == _TEXT and len(shape) == 2 and role(name.partition("{")[0]) and math.prod(shape) <= _LONGEST:
            return [self._text(name, shape, after)]
        if kind not in _NUMERIC or flags & _COMPLEX:
            return [Other(name, "complex numbers" if flags & _COMPLEX else _CLASSES.get(kind, "an object"))]
        return [self._numbers(name, shape, bool(flags & _LOGICAL), after)]

    def _numbers(self, name: str, shape: tuple[int, ...], is_logical: bool, place: int) -> Numbers:
        code, place, size, _ = self._tag(place)
        dtype = np.dtype(_TYPES[code]).newbyteorder(self.order)  # type: ignore[arg-type]
        if min(shape, default=-1) < 0 or math.prod(shape) * dtype.itemsize != size:
            raise FileFormatError(f"{self.path}: {name} does not hold as many values as it describes; it is damaged")
        if place + size > self.bytes.most:
            raise FileFormatError(f"{self.path}: describes more values in {name} than it can hold; the file is damaged")
        element = self.bytes
        return Numbers(name, shape, dtype, element.start, element.length, place, element.is_packed, is_logical)

    def _text(self, name: str, shape: tuple[int, ...], place: int) -> Text:
        code, place, size, _ = self._tag(place)
        raw = self.bytes.at(place, min(size, 4 * _LONGEST))
        said = raw.decode(_LETTERS.get(code, "latin-1").format("le" if self.order == "<" else "be"), "replace")
        # the letters run down the cols
        rows = tuple(said[row :: shape[0]] for row in range(shape[0]))
        return Text(name, rows)

    def _parts(self, name: str, kind: int, count: int, place: int, depth: int) -> list[Numbers | Text | Other]:
        """What a structure or a cell of ``count`` elements holds; itself, if there is nothing in it."""
        keys, place = self._keys(place) if kind == _STRUCTURE else ([""], place)
        found: list[Numbers | Text | Other] = []
        for number in range(count * len(keys)):
            key = keys[number % len(keys)]
            which = number // len(keys) + 1
            inner = f"{name}{{{which}}}" if kind == _CELL else f"{name}{f'({which})' if count > 1 else ''}.{key}"
            element, content, size, place = self._tag(place)
            if element != _MATRIX or len(found) >= _MOST:
                break
            if size:  # a field that was never set has none
                found += self._matrix(content, inner, depth + 1)
        arrays = [one for one in found if not isinstance(one, Other)]
        return found if arrays else [Other(name, _CLASSES[kind])]

    def _keys(self, place: int) -> tuple[list[str], int]:
        """The names of a structure's fields, and what is behind them."""
        _, start, size, after = self._tag(place)
        (width,) = struct.unpack(f"{self.order}i", self.bytes.at(start, 4)) if size == 4 else (0,)
        _, start, size, after = self._tag(after)
        if not 0 < width <= _NAME + 1 or size > _NAMES:
            return [], after
        raw = self.bytes.at(start, size)
        names = (raw[begin : begin + width] for begin in range(0, len(raw), width))
        texts = [name.partition(b"\0")[0].decode("latin-1") for name in names]
        # what is shown of a damaged one stays one line
        return ["".join(letter if letter.isprintable() else "?" for letter in text) for text in texts], after
