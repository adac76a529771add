"""What keeps a file from harming: sizes checked before anything is mapped or read, and faults told in one sentence."""

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import DecscError, FileFormatError

#: Longest that a byte of a zlib stream can become.
INFLATES = 1032
#: Bytes of a compressed stream, and of what becomes of them, looked at at a time.
STEP = 1 << 20


@contextlib.contextmanager
def readable(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a library raises over a damaged or hostile file into a FileFormatError that names the file."""
    try:
        yield
    except DecscError:
        raise
    except MemoryError:
        raise FileFormatError(f"{path}: needs more memory than there is; {_CURE}") from None
    # parsers of other projects raise nearly anything over bytes they did not expect
    except Exception as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split())
        raise FileFormatError(
            f"{path}: cannot be read as {kind} ({reason[:200]}); the file is damaged, or of another format"
        ) from error


def mapped(
    path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int, order: Literal["C", "F"] = "C"
) -> NDArray[Any]:
    """A read-only memory map of an array that lies in the file as it is. Raises FileFormatError if it cannot."""
    needed = offset + math.prod(shape) * dtype.itemsize
    held = path.stat().st_size
    if held < needed:
        raise FileFormatError(f"{path}: holds {held} bytes but describes {needed}; the file is cut short")
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape, order=order)


def lazily(array: Any, path: Path, kind: str, chunks: Any) -> Any:
    """A lazy (dask) array of one that a library reads from a file; whatever it raises then is told as by `readable`."""
    from dask.array import from_array

    return from_array(_Readable(array, path, kind), chunks=chunks, name=False)  # type: ignore[no-untyped-call]


class _Readable:
    """What dask needs of an array: a shape, a type, how it is cut, and the values of any part."""

    def __init__(self, array: Any, path: Path, kind: str) -> None:
        self._array, self._path, self._kind = array, path, kind
        self.shape, self.dtype, self.ndim = array.shape, np.dtype(array.dtype), len(array.shape)
        self.chunks = getattr(array, "shards", None) or array.chunks

    def __getitem__(self, key: Any) -> NDArray[Any]:
        with readable(self._path, self._kind):
            return np.asarray(self._array[key])


def fits_in_memory(size: int) -> bool:
    """True if so many bytes take no more than half of the free memory."""
    import psutil

    return bool(size <= psutil.virtual_memory().available // 2)


def check_memory(size: int, path: object, name: str) -> None:
    """Raise FileFormatError unless ``size`` bytes, which have to be read as a whole, fit into memory."""
    if not fits_in_memory(size):
        raise FileFormatError(f"{path}: {name} would take {size / 2**30:.1f} GiB of memory, more than is free; {_CURE}")


def overflows(pieces: Iterable[bytes], unpacker: Any, room: int) -> bool:
    """Whether a compressed stream becomes longer than ``room`` bytes, found out without having more than some of them.

    ``unpacker`` is a fresh one of zlib or lzma. What ends the stream is not looked behind.
    """
    unpacked = 0
    for piece in pieces:
        # an lzma stream asks for no input while it has output left; zlib hands what it has not used back
        while piece or not getattr(unpacker, "needs_input", True):
            unpacked += len(unpacker.decompress(piece, STEP))
            piece = getattr(unpacker, "unconsumed_tail", b"")
            if unpacked > room:
                return True
            if unpacker.eof:
                return False
    return False


_CURE = "save it uncompressed, as .npy or ENVI, which are read from the disk piece by piece"
