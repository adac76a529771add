"""What a packed chunk says of itself, held against what it has to become before a library unpacks it.

Libraries in C believe the lengths in a chunk's header: a damaged one leads them beyond the chunk's end. Each check
returns what is wrong with a chunk, for a message, or "".
"""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from napari_decsc.hsi.io.formats.guards import INFLATES, STEP, fits_in_memory, overflows

#: Bytes of a Blosc header.
_HEADER = 16
#: The version of its format that is known.
_VERSION = 2
#: The flag of a chunk that is only copied.
_COPIED = 0x02
#: The flag that no version sets.
_UNKNOWN = 0x08
#: Compressors within Blosc: BloscLZ, LZ4, Snappy, zlib, Zstandard.
_INNER = 5
#: What a Zstandard frame begins with.
_FRAME = 0xFD2FB528
#: What a frame to be passed over begins with; its last four bits are free.
_PASSED_OVER = 0x184D2A50
#: Bytes that a block of Zstandard becomes, at most.
_BLOCK = 128 << 10
#: Blocks that are looked at.
_MOST_BLOCKS = 1_000_000


def fault_of(codec: str, packed: memoryview, size: int, exact: bool) -> str:
    """What is wrong with a chunk.

    Parameters
    ----------
    codec : str
        The name of its compression; of one that is not known here nothing is wrong.
    packed : memoryview
        Its bytes.
    size : int
        Bytes that it has to become.
    exact : bool
        Whether it has to become just as many, or no more.

    Returns
    -------
    str
        Such as "says that it holds 7 bytes, not 8"; empty if nothing is wrong.
    """
    check = _CHECKS.get(codec)
    return check(packed, size, exact) if check else ""


def _blosc(packed: memoryview, size: int, exact: bool) -> str:
    """By the chunk format of Blosc 1: a header, a table of where each block begins, the blocks."""
    if len(packed) < _HEADER:
        return f"has {len(packed)} bytes, fewer than a Blosc header"
    version, _, flags, item, unpacked, block, length = struct.unpack_from("<4B3I", packed)
    if version != _VERSION or flags & _UNKNOWN or flags >> 5 >= _INNER or not item:
        return "has no Blosc header"
    if length != len(packed):
        return f"says that it has {length} bytes, but has {len(packed)}"
    if _differs(unpacked, size, exact):
        return _claims(unpacked, size)
    if flags & _COPIED:
        return "" if length == _HEADER + unpacked else f"is a copy of {unpacked} bytes that has {length - _HEADER}"
    return _blocks(packed, unpacked, block)


def _blocks(packed: memoryview, unpacked: int, block: int) -> str:
    """The table of a Blosc chunk: each block begins behind the table, and leaves room for its own length."""
    if not 0 < block <= max(unpacked, 1):
        return f"has blocks of {block} bytes"
    ends = _HEADER + 4 * -(-unpacked // block)
    if ends > len(packed):
        return "ends within its table of blocks"
    begins = np.frombuffer(packed[_HEADER:ends], "<u4")
    if begins.size and not ends <= begins.min() <= begins.max() <= len(packed) - 4:
        return "has blocks outside itself"
    return ""


def _lz4(packed: memoryview, size: int, exact: bool) -> str:
    """A length, and one block of LZ4."""
    if len(packed) < 4:
        return f"has {len(packed)} bytes, fewer than a length"
    unpacked = int.from_bytes(packed[:4], "little")
    return _claims(unpacked, size) if _differs(unpacked, size, exact) else ""


def _zstd(packed: memoryview, size: int, exact: bool) -> str:
    """By RFC 8878: frames of blocks, followed without unpacking; some say what they become, the others are summed."""
    try:
        known, most = _zstd_sizes(packed)
    except (struct.error, IndexError, ValueError):
        return "is no whole Zstandard frame"
    if known is not None and _differs(known, size, exact):
        return _claims(known, size)
    # the last block may be shorter than it could be
    return _claims(most, size) if known is None and most > size + _BLOCK else ""


def _zstd_sizes(packed: memoryview) -> tuple[int | None, int]:
    """What all frames say that they become, None if one does not say, and the most that their blocks could become."""
    at, known, most, left = 0, 0, 0, _MOST_BLOCKS
    says = True
    while at < len(packed):
        (magic,) = struct.unpack_from("<I", packed, at)
        if magic & ~0xF == _PASSED_OVER:
            at += 8 + struct.unpack_from("<I", packed, at + 4)[0]
            continue
        if magic != _FRAME:
            raise ValueError
        at, said, has_sum = _frame_header(packed, at + 4)
        at, room, left = _frame_blocks(packed, at, left)
        at += 4 * has_sum
        says, known, most = says and said is not None, known + (said or 0), most + room
    if at != len(packed):
        raise ValueError
    return known if says else None, most


def _frame_header(packed: memoryview, at: int) -> tuple[int, int | None, bool]:
    """Where a frame's blocks begin, what it says that it becomes, and whether a checksum follows the blocks."""
    described = packed[at]
    is_single, field = bool(described & 0x20), described >> 6
    at += 1 + (not is_single) + (0, 1, 2, 4)[described & 3]
    length = (int(is_single), 2, 4, 8)[field]
    if at + length > len(packed):
        raise ValueError
    said = int.from_bytes(packed[at : at + length], "little") + (256 if field == 1 else 0)
    return at + length, said if length else None, bool(described & 4)


def _frame_blocks(packed: memoryview, at: int, left: int) -> tuple[int, int, int]:
    """Where a frame's blocks end, the most that they become, and how many blocks more may be looked at."""
    most, is_last = 0, False
    while not is_last:
        if at + 3 > len(packed) or not left:
            raise ValueError
        told = int.from_bytes(packed[at : at + 3], "little")
        is_last, kind, length = bool(told & 1), told >> 1 & 3, told >> 3
        # stored, one byte repeated, packed
        most += _BLOCK if kind == 2 else length
        at += 3 + (1 if kind == 1 else length)
        left -= 1
    return at, most, left


def _streamed(unpacker: Callable[[], Any], grows: int) -> Callable[[memoryview, int, bool], str]:
    """The check of a compression without lengths: what could fill the memory is unpacked bit by bit first."""

    def check(packed: memoryview, size: int, exact: bool) -> str:
        if fits_in_memory(len(packed) * grows):
            return ""
        stream = unpacker()
        if overflows([bytes(packed)], stream, size + STEP):
            return f"unpacks to more than {size} bytes"
        return "has something behind its end" if stream.unused_data else ""

    return check


def _differs(claimed: int, size: int, exact: bool) -> bool:
    return claimed != size if exact else claimed > size


def _claims(claimed: int, size: int) -> str:
    return f"says that it unpacks to {claimed} bytes, not {size}"


_CHECKS: dict[str, Callable[[memoryview, int, bool], str]] = {
    "blosc": _blosc,
    "lz4": _lz4,
    "zstd": _zstd,
    "zlib": _streamed(zlib.decompressobj, INFLATES),
    "gzip": _streamed(lambda: zlib.decompressobj(wbits=31), INFLATES),
    # what these can become has no bound worth the name
    "bz2": _streamed(bz2.BZ2Decompressor, 1 << 16),
    "lzma": _streamed(lzma.LZMADecompressor, 1 << 14),
}
#: The compressions that are known here.
UNPACKED = frozenset(_CHECKS)
