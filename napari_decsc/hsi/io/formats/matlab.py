"""MATLAB files: versions 5 to 7 are parsed here; 7.3 is HDF5.

SciPy's reader is not used: damaged files make it end the whole process. Source: "MAT-File Format", The MathWorks.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.formats import hdf5, spectral
from napari_decsc.hsi.io.formats.contents import Contents, Variable, cube_from, looks_like_a_cube
from napari_decsc.hsi.io.formats.guards import INFLATES, check_memory, mapped, readable
from napari_decsc.hsi.io.formats.tables import tables

_KIND = "MATLAB"
_ORDERS = {b"IM": "<", b"MI": ">"}
#: Types of numbers by their codes in tags; of the tags of whole elements.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_MATRIX, _COMPRESSED = 14, 15
#: Classes of arrays of numbers: double, single and whole numbers. Others are text, structures, cells, objects.
_NUMERIC = range(6, 16)
_CLASSES = {1: "a cell", 2: "a structure", 3: "an object", 4: "a text", 5: "a sparse matrix"}
_COMPLEX, _LOGICAL = 0x0800, 0x0200
#: Longest name of a MATLAB variable.
_NAME = 63
#: Bytes in which flags, shape and name of an array lie, with room to spare; variables looked at, at most.
_HEAD, _MOST = 4096, 10_000


@dataclass(frozen=True)
class _Array:
    """An array of real numbers: ``skip`` bytes into an element of the file, which may be compressed.

    The type is the one in the file: MATLAB keeps doubles that are small whole numbers in a byte.
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
class _Other:
    """A variable that holds something else than real numbers."""

    name: str
    kind: str


def holds_cube(path: Path) -> bool:
    """True if this is a MATLAB file and an array in it could be a cube of at least 4 bands."""
    return hdf5.holds_cube(path) if hdf5.is_hdf5(path) else looks_like_a_cube(_contents(path))


def read_matlab(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a MATLAB file: memory-mapped if it was saved uncompressed (-v6), else in memory; 7.3 as HDF5."""
    with readable(path, _KIND):
        if hdf5.is_hdf5(path):
            return hdf5.read_matlab_73(path, variable, band_axis)
        return cube_from(_contents(path), variable, band_axis)


def _contents(path: Path) -> Contents:
    vectors: dict[str, list[spectral.Vector]] = {}
    variables, planes, others = [], [], []
    singles: dict[str, float] = {}
    for array in _arrays(path):
        if isinstance(array, _Other):
            others.append(f"{array.name}, {array.kind}")
            continue
        read = partial(_values, path, array)
        usual = 2 if len(array.shape) > 2 else None
        variable = Variable(array.name, array.shape, array.dtype, read, usual=usual, is_logical=array.is_logical)
        if len(array.shape) > 2:
            variables.append(variable)
        elif math.prod(array.shape) == 1:
            singles[array.name] = float(np.ravel(read())[0])
        elif 1 not in array.shape:
            planes.append(variable)
        elif max(array.shape) <= spectral.LONGEST and spectral.role(array.name):
            spectral.add(vectors, array.name, read())
    if not any(one.is_cube for one in variables):
        variables += tables(planes, singles)
    return Contents(path, variables, vectors, planes=planes, others=others)


def _arrays(path: Path) -> list[_Array | _Other]:
    size = path.stat().st_size
    with path.open("rb") as file:
        order = _ORDERS.get(file.read(128)[126:])
        if order is None:
            raise FileFormatError(f"{path}: is no MATLAB file of version 5 or later; save it again with -v7")
        found = [_array(file, path, order, *place) for place in _elements(file, path, size, order)]
    return [array for array in found if array is not None]


def _elements(file: BinaryIO, path: Path, size: int, order: str) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of each variable."""
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


def _array(file: BinaryIO, path: Path, order: str, kind: int, start: int, length: int) -> _Array | _Other | None:
    """What an element says of its array; None for what is no variable."""
    file.seek(start)
    head = file.read(min(length, _HEAD))
    skip = 0
    if kind == _COMPRESSED:
        # the tag of the matrix is within the compressed bytes
        head, skip = zlib.decompressobj().decompress(head, _HEAD), 8
        kind = struct.unpack_from(f"{order}I", head)[0] if head else 0
    if kind != _MATRIX:
        return None
    _, place, _, after = _tag(head, skip, order)
    (flags,) = struct.unpack_from(f"{order}I", head, place)
    _, place, size, after = _tag(head, after, order)
    shape = struct.unpack_from(f"{order}{size // 4}i", head, place)
    _, place, size, after = _tag(head, after, order)
    name = head[place : place + size].decode("latin-1")
    if not name:  # MATLAB's own, such as the workspace of a function handle
        return None
    if not (name.isascii() and name.isidentifier() and len(name) <= _NAME):
        raise FileFormatError(f"{path}: the name of an array is no MATLAB name; the file is damaged")
    if flags & 0xFF not in _NUMERIC or flags & _COMPLEX:
        return _Other(name, "complex numbers" if flags & _COMPLEX else _CLASSES.get(flags & 0xFF, "an object"))
    code, place, size, _ = _tag(head, after, order)
    dtype = np.dtype(_TYPES[code]).newbyteorder(order)  # type: ignore[arg-type]
    if min(shape, default=-1) < 0 or math.prod(shape) * dtype.itemsize != size:
        raise FileFormatError(f"{path}: {name} does not hold as many values as it describes; the file is damaged")
    packed = skip > 0
    if place + size > (length * INFLATES if packed else length):
        raise FileFormatError(f"{path}: describes more values in {name} than it can hold; the file is damaged")
    return _Array(name, shape, dtype, start, length, place, packed, bool(flags & _LOGICAL))


def _tag(head: bytes, place: int, order: str) -> tuple[int, int, int, int]:
    """Type, place and size of the element at ``place``, and the place of the next one."""
    kind, size = struct.unpack_from(f"{order}II", head, place)
    if kind >> 16:  # up to 4 bytes lie in the tag itself
        return kind & 0xFFFF, place + 4, kind >> 16, place + 8
    return kind, place + 8, size, place + 8 + -(-size // 8) * 8


def _values(path: Path, array: _Array) -> NDArray[Any]:
    if not array.packed:
        return mapped(path, array.dtype, array.shape, array.start + array.skip, "F")
    size = math.prod(array.shape) * array.dtype.itemsize
    check_memory(2 * (size + array.skip), path, array.name)
    with path.open("rb") as file:
        file.seek(array.start)
        raw = zlib.decompressobj().decompress(file.read(array.length), array.skip + size)
    if len(raw) < array.skip + size:
        raise FileFormatError(f"{path}: {array.name} ends too early; the file is cut short")
    return np.frombuffer(raw, array.dtype, offset=array.skip).reshape(array.shape, order="F")
