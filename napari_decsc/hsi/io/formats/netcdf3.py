"""NetCDF files: the classic format (versions 1, 2 and 5) is parsed here and memory-mapped; NetCDF 4 is HDF5.

SciPy's reader is not used: it cannot close a file while views of its map live. Source: "NetCDF Classic Format
Specification", Unidata.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.formats import hdf5
from napari_decsc.hsi.io.formats.contents import cube_from, looks_like_a_cube
from napari_decsc.hsi.io.formats.findings import Findings, rows_of
from napari_decsc.hsi.io.formats.guards import mapped, readable
from napari_decsc.hsi.io.formats.products import recognised
from napari_decsc.hsi.io.formats.variables import Contents

_TYPES = dict(enumerate(("i1", "S1", ">i2", ">i4", ">f4", ">f8", "u1", ">u2", ">u4", ">i8", ">u8"), start=1))
#: Tag of the list of dimensions.
_DIMENSION = 10
#: Of the list of variables.
_VARIABLE = 11
#: Of a list of attributes.
_ATTRIBUTE = 12


@dataclass(frozen=True)
class _Array:
    """Where an array lies: its records (``strides``) may be apart from each other, between those of other arrays."""

    name: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    attributes: dict[str, Any]
    grows: bool

    @property
    def record(self) -> int:
        """Bytes of one record, with the padding to a multiple of 4."""
        return -(-math.prod(self.shape[1:]) * self.dtype.itemsize // 4) * 4


def holds_cube(path: Path) -> bool:
    """True if this is a NetCDF file of any version and an array in it could be a cube of at least 4 bands."""
    return looks_like_a_cube(_contents(path)) if _is_classic(path) else hdf5.holds_cube(path)


def read_netcdf(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a NetCDF file: the classic format memory-mapped, NetCDF 4 as :func:`~hdf5.read_hdf5` does."""
    with readable(path, "NetCDF"):
        if _is_classic(path):
            return cube_from(_contents(path), variable, band_axis)
        return hdf5.read_hdf5(path, variable, band_axis)


def _is_classic(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"CDF\x01", b"CDF\x02", b"CDF\x05")


def _contents(path: Path) -> Contents:
    with path.open("rb") as file:
        facts, arrays = _Parser(file, path.stat().st_size).parse()
    found = Findings(path, _decoded(facts))
    growing = [array for array in arrays if array.grows]
    # a single array with records has no padding between them
    step = sum(array.record for array in growing) if len(growing) > 1 else None
    for array in arrays:
        read, attributes = partial(_values, path, array, step), _decoded(array.attributes)
        if array.dtype == "S1" and found.is_letters(array.name, array.shape, attributes):
            found.add_texts(array.name, rows_of(read()), attributes)
        elif len(array.shape) == 1 and found.is_vector(array.name, array.shape[0], attributes):
            found.add_vector(array.name, read(), attributes)
        elif len(array.shape) < 2:
            found.add_single(array.name, None, attributes)
        else:
            found.add_array(array.name, array.shape, array.dtype, attributes, read, array.axes)
    return recognised(found.contents())


def _decoded(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.decode("utf-8", "replace").rstrip("\0") if isinstance(value, bytes) else value
        for key, value in attributes.items()
    }


def _values(path: Path, array: _Array, step: int | None) -> NDArray[Any]:
    if not array.grows or step is None:
        return mapped(path, array.dtype, array.shape, array.start)
    inner = [math.prod(array.shape[place + 1 :]) * array.dtype.itemsize for place in range(1, len(array.shape))]
    size = step * (array.shape[0] - 1) + array.record
    whole = mapped(path, np.dtype("u1"), (min(size, path.stat().st_size - array.start),), array.start)
    return np.ndarray(array.shape, array.dtype, buffer=whole, strides=(step, *inner))


class _Parser:
    """Reads the header from front to back; no count in it is believed beyond the size of the file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.version = file.read(4)[3]
        self.count = self.long if self.version == 5 else self.whole
        self.place = self.whole if self.version == 1 else self.long

    def parse(self) -> tuple[dict[str, Any], list[_Array]]:
        """Attributes of the file, and its arrays."""
        records = self.count()
        dimensions = self.items(_DIMENSION, lambda: (self.name(), self.count()))
        facts = dict(self.items(_ATTRIBUTE, self.attribute))
        return facts, self.items(_VARIABLE, lambda: self.array(dimensions, records))

    def items(self, tag: int, read: Callable[[], Any]) -> list[Any]:
        """A list: its tag, how many items, the items; both numbers are 0 for an empty one."""
        found, number = self.whole(), self.count()
        if found not in (0, tag) or (found == 0 and number != 0):
            raise FileFormatError(f"{self.file.name}: its header is damaged; get the file again")
        return [read() for _ in range(number)]

    def array(self, dimensions: list[tuple[str, int]], records: int) -> _Array:
        name = self.name()
        axes = [dimensions[self.count()] for _ in range(self.count())]
        attributes = dict(self.items(_ATTRIBUTE, self.attribute))
        dtype = np.dtype(_TYPES[self.whole()])
        self.count()  # the size, which overflows for large arrays and follows from the shape
        grows = bool(axes) and axes[0][1] == 0
        shape = tuple(size or records for _, size in axes)
        return _Array(name, tuple(axis for axis, _ in axes), shape, dtype, self.place(), attributes, grows)

    def attribute(self) -> tuple[str, Any]:
        name, dtype = self.name(), np.dtype(_TYPES[self.whole()])
        raw = self.padded(self.count() * dtype.itemsize)
        return name, raw if dtype.kind == "S" else np.frombuffer(raw, dtype)

    def name(self) -> str:
        return self.padded(self.count()).decode("utf-8", "replace")

    def padded(self, size: int) -> bytes:
        return self.take(-(-size // 4) * 4)[:size]

    def whole(self) -> int:
        return self.positive(int.from_bytes(self.take(4), "big", signed=True))

    def long(self) -> int:
        return self.positive(int.from_bytes(self.take(8), "big", signed=True))

    def positive(self, number: int) -> int:
        if number < 0:
            raise FileFormatError(f"{self.file.name}: its header is damaged or unfinished; get the file again")
        return number

    def take(self, size: int) -> bytes:
        raw = self.file.read(size) if size <= self.size else b""
        if len(raw) < size:
            raise FileFormatError(f"{self.file.name}: its header ends too early; the file is cut short")
        return raw
