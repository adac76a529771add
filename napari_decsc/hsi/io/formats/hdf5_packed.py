"""Chunks of HDF5 arrays that plugins unpack: held against the size of a chunk before the library hands them on.

The plugins of Blosc and Zstandard believe what a chunk says of itself, see `packed`.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.packed import fault_of

#: Filters whose chunks can be checked, by their numbers in the HDF Group's register.
_CODECS = {32001: "blosc", 32015: "zstd"}
#: The filter that leaves the number of bytes as it is.
_SHUFFLE = 2
#: The filter that adds a checksum.
_CHECKSUM = 3
#: Bytes of that checksum.
_SUM = 4


class Packing:
    """How the chunks of an array are packed.

    ``codec`` is empty if nothing has to be checked.
    """

    def __init__(self, dataset: Any, path: Path) -> None:
        settings = dataset.id.get_create_plist()
        self._filters = [int(settings.get_filter(place)[0]) for place in range(settings.get_nfilters())]
        self._dataset, self._path = dataset, path
        packers = [number for number in self._filters if number in _CODECS]
        self.codec = _CODECS[packers[-1]] if packers else ""
        if len(packers) > 1 or (packers and set(self._after(packers[-1])) - {_CHECKSUM}):
            raise FileFormatError(
                f"{path}: {dataset.name} is packed by several filters in an order that is not unpacked; "
                f"save it with one compression"
            )

    def check_all(self) -> None:
        """Raise FileFormatError if any chunk is damaged."""
        if self.codec:
            places: list[tuple[int, ...]] = []
            self._dataset.id.chunk_iter(lambda chunk: places.append(chunk.chunk_offset))
            self._check(places)

    def check_part(self, key: Any) -> None:
        """Raise FileFormatError if a chunk that a part of the array lies in is damaged."""
        if self.codec:
            self._check(_places(key, self._dataset.shape, self._dataset.chunks))

    def _check(self, places: Iterable[tuple[int, ...]]) -> None:
        number = next(number for number in self._filters if number in _CODECS)
        index, size = self._filters.index(number), math.prod(self._dataset.chunks) * self._dataset.dtype.itemsize
        exact = set(self._filters[:index]) <= {_SHUFFLE}
        behind = _SUM * len(self._after(number))
        for place in places:
            if self._dataset.id.get_chunk_info_by_coord(place).byte_offset is None:
                continue
            skipped, stored = self._dataset.id.read_direct_chunk(place)
            packed = memoryview(stored)[: len(stored) - behind]
            fault = "" if skipped >> index & 1 else fault_of(self.codec, packed, size, exact)
            if fault:
                where = ", ".join(map(str, place))
                raise FileFormatError(
                    f"{self._path}: the chunk of {self._dataset.name} at {where} {fault}; the file is damaged: "
                    f"copy it again from where it came"
                )

    def _after(self, number: int) -> list[int]:
        return self._filters[self._filters.index(number) + 1 :]


class CheckedDataset:
    """An array in chunks whose parts are looked at before they are read: what dask needs of one."""

    def __init__(self, dataset: Any, packing: Packing) -> None:
        self._dataset, self._packing = dataset, packing
        self.shape, self.dtype, self.chunks, self.ndim = dataset.shape, dataset.dtype, dataset.chunks, dataset.ndim

    def __getitem__(self, key: Any) -> NDArray[Any]:
        self._packing.check_part(key)
        return np.asarray(self._dataset[key])


def _places(key: Any, shape: Sequence[int], chunks: Sequence[int]) -> Iterable[tuple[int, ...]]:
    """Where the chunks begin that a part lies in, given by numbers and slices that go forward."""
    keys = list(key) if isinstance(key, tuple) else [key]
    keys += [slice(None)] * (len(shape) - len(keys))
    begins = []
    for one, size, side in zip(keys, shape, chunks, strict=True):
        inside = range(size)[one] if isinstance(one, slice) else [range(size)[int(one)]]
        first, last = (min(inside[0], inside[-1]), max(inside[0], inside[-1])) if len(inside) else (0, -1)
        begins.append(range(first // side * side, last + 1, side))
    return itertools.product(*begins)
