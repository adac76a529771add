"""Memory maps of any size in little memory.

The system counts the pages of a mapped file that a process has touched as that process's memory, and it maps whole
groups of pages around each one: reading a small window of every band of a large file may fill the memory with the whole
file. So windows are read in pieces, and after each piece the pages are given back.
"""

import mmap
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError

#: Bytes of a file between two returns of its pages, about.
PIECE_BYTES = 32 << 20


@dataclass(frozen=True)
class Reference:
    """Where an array lies in a file: what another process needs to map it.

    Parameters
    ----------
    path : Path
        Absolute.
    offset : int
        Byte of the first value.
    shape, strides : tuple of int
        As NumPy has them.
    dtype : str
        As NumPy spells it.
    size, changed : int
        Bytes of the file, and when it was changed (ns): they tell whether it still is this one.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    size: int
    changed: int

    def open(self) -> NDArray[Any]:
        """The array, mapped read-only.

        Returns
        -------
        array
            Of the shape.

        Raises
        ------
        FileFormatError
            If the file is not there, or is another one.
        """
        try:
            status = self.path.stat()
        except OSError as error:
            raise FileFormatError(f"{self.path}: cannot be read here ({error.strerror})") from None
        if (status.st_size, status.st_mtime_ns) != (self.size, self.changed):
            raise FileFormatError(f"{self.path}: is not the file that was opened: its size or its date differ")
        whole = np.memmap(self.path, dtype=np.uint8, mode="r")
        return np.ndarray(self.shape, self.dtype, buffer=whole, offset=self.offset, strides=self.strides)


def reference(array: NDArray[Any]) -> Reference | None:
    """Where the array lies in a file, or None if it is not a view of a memory map.

    Parameters
    ----------
    array : array
        Any.

    Returns
    -------
    Reference or None
    """
    root = _root(array)
    if root is None or root.filename is None:
        return None
    offset = int(root.offset) + _address(array) - _address(root)
    path = Path(root.filename).absolute()
    status = path.stat()
    return Reference(
        path, offset, array.shape, array.strides, array.dtype.str, status.st_size, status.st_mtime_ns
    )  # fmt: skip


def read(view: NDArray[Any]) -> NDArray[Any]:
    """A copy of the view; of a memory map's file little more than `PIECE_BYTES` is in memory at any time.

    Parameters
    ----------
    view : array
        Of a memory map, or any other.

    Returns
    -------
    array
    """
    root = _root(view)
    if root is None:
        return np.array(view)
    copy = np.empty(view.shape, view.dtype)
    for index in pieces(view):
        copy[index] = view[index]
        _release(root)
    return copy


def pieces(view: NDArray[Any], most: int = sys.maxsize) -> Iterator[tuple[slice, ...]]:
    """Indices of parts of a view that each span little of the file, cut along the axes of the largest strides.

    Parameters
    ----------
    view : array
        Of a memory map.
    most : int
        Values of a part at most.

    Yields
    ------
    tuple of slice
        One for each axis.
    """
    reach = [abs(stride) * (extent - 1) for stride, extent in zip(view.strides, view.shape, strict=True)]
    span = sum(reach) + view.itemsize
    whole = (slice(None),) * view.ndim
    if (span <= PIECE_BYTES and view.size <= most) or view.size == 0 or max(reach, default=0) == 0:
        yield whole
        return
    outer = max(range(view.ndim), key=lambda axis: (reach[axis] > 0) * abs(view.strides[axis]))
    step = max(1, min(PIECE_BYTES * view.shape[outer] // span, most * view.shape[outer] // view.size))
    for start in range(0, view.shape[outer], step):
        part = (*whole[:outer], slice(start, start + step), *whole[outer + 1 :])
        # a single step of the outer axis may be a large piece of the file itself
        for inner in pieces(view[part], most) if step == 1 else [whole]:
            yield (*inner[:outer], part[outer], *inner[outer + 1 :])


def release(array: Any) -> None:
    """Give the pages of the map that an array is a view of back to the system; nothing else changes.

    Parameters
    ----------
    array : object
        Anything else is left alone.
    """
    root = _root(array)
    if root is not None:
        _release(root)


def _release(root: "np.memmap[Any, Any]") -> None:
    """Give the pages back, if the system can and no change that lives in memory alone would be lost."""
    pages: mmap.mmap = root._mmap  # type: ignore[attr-defined]
    if root.mode != "c" and sys.platform != "win32":
        pages.madvise(mmap.MADV_DONTNEED)


def _root(array: Any) -> "np.memmap[Any, Any] | None":
    """The array that owns the map, among those the given one is a view of."""
    while array is not None:
        if isinstance(array, np.memmap) and array.base is array._mmap:  # type: ignore[attr-defined]
            return array
        array = getattr(array, "base", None)
    return None


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def exists_with_size(path: Path, size: int) -> bool:
    """Whether a file of this size is seen under this name from here.

    Parameters
    ----------
    path : Path
        Of the file.
    size : int
        Bytes.

    Returns
    -------
    bool
    """
    try:
        return os.stat(path).st_size == size
    except OSError:
        return False
