"""What is looked at in a TIFF before anything is unpacked: where pages and their pieces lie, how long they get."""

import lzma
import math
import struct
import zlib
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.guards import INFLATES, STEP, fits_in_memory, overflows

#: Longest that a byte of a compressed piece is taken to become; even empty pages stay below.
_EXPANDS = 100_000
#: What unpacks a piece, and how much longer it can become, by TIFF's numbers of compressions.
_UNPACKERS: dict[int, tuple[Any, int]] = {
    **dict.fromkeys((8, 32946), (zlib.decompressobj, INFLATES)),
    34925: (lzma.LZMADecompressor, 10_000),
}
#: Compressions whose pieces tell their own size, which has to be that of the page.
_JPEG = 7
_LERC = 34887
_WEBP = 50001
#: The tag that tells how LERC's pieces are packed once more.
_LERC_PARAMETERS = 50674
#: Its number for that: zlib.
_DEFLATE = 1
#: Its number for Zstandard.
_ZSTD = 2
#: How a frame of Zstandard begins (RFC 8878, 3.1.1).
_ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
#: How many bytes tell its length, by two bits of its descriptor.
_LENGTHS = (0, 2, 4, 8)
_PICTURES = (_JPEG, _LERC, _WEBP)
#: What is read. LZW, PackBits and Zstandard are unpacked into as much room as the page has, and no more.
_KNOWN = {1, 5, 32773, 50000, *_UNPACKERS, *_PICTURES}


def check_pages(path: Path) -> None:
    """Raise FileFormatError if the directories of the pages run in a circle or overlap: no writer's file does.

    A few hundred bytes of such directories can describe pages that take minutes to read.
    """
    held = path.stat().st_size
    with path.open("rb") as file:

        def number(kind: str, at: int) -> int:
            size = struct.calcsize(kind)
            file.seek(at)
            return int(struct.unpack(kind, file.read(size).ljust(size, b"\0"))[0])

        order = "<" if file.read(2) == b"II" else ">"
        big = number(f"{order}H", 2) == 43
        count, entry, link = (f"{order}Q", 20, f"{order}Q") if big else (f"{order}H", 12, f"{order}I")
        offset, taken = number(link, 8 if big else 4), 0
        while 0 < offset < held:
            entries = struct.calcsize(count) + number(count, offset) * entry
            taken += entries + struct.calcsize(link)
            if taken > held:
                raise FileFormatError(f"{path}: its list of pages is damaged; write the file again")
            offset = number(link, offset + entries)


def check_pieces(series: Any, path: Path) -> None:
    """Raise FileFormatError if pieces of the image are missing, or lie behind the end of the file."""
    kind = series.keyframe.compression
    if int(kind) not in _KNOWN:
        raise FileFormatError(
            f"{path}: its compression, {getattr(kind, 'name', kind)}, is not read; save it with Deflate, LZW or "
            f"Zstandard, or uncompressed (gdal_translate -co COMPRESS=DEFLATE)"
        )
    held = path.stat().st_size
    if series.size * series.dtype.itemsize > held * _EXPANDS:
        raise FileFormatError(f"{path}: describes more values than it can hold; the file is damaged")
    for page in series.pages:
        if page is None:
            raise FileFormatError(f"{path}: lacks some of its pages; the file is cut short")
        if not len(page.dataoffsets) == len(page.databytecounts) == math.prod(series.keyframe.chunked):
            raise FileFormatError(f"{path}: lacks some pieces of a page; the file is damaged")
        for start, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            if start + size > held:
                raise FileFormatError(
                    f"{path}: holds {held} bytes, a page ends at {start + size}; the file is cut short"
                )
            _check_unpacked(path, start, size, page)


def _check_unpacked(path: Path, start: int, size: int, page: Any) -> None:
    """Raise FileFormatError if a piece that could fill the memory unpacks to more than its page has room for.

    Libraries unpack a piece as a whole, however long it becomes; this looks at it some bytes at a time.
    """
    if int(page.compression) in _PICTURES:
        _check_picture(path, start, size, page)
        return
    start_unpacker, most = _UNPACKERS.get(int(page.compression), (None, 0))
    if start_unpacker is None or fits_in_memory(size * most):
        return
    # tiles reach beyond the borders of a page
    room = 2 * math.prod(page.chunks) * page.dtype.itemsize + STEP
    with path.open("rb") as file:
        file.seek(start)
        pieces = (file.read(min(STEP, size - place)) for place in range(0, size, STEP))
        if overflows(pieces, start_unpacker(), room):
            raise FileFormatError(f"{path}: a page unpacks to more than it has room for; the file is damaged")


def _check_picture(path: Path, start: int, size: int, page: Any) -> None:
    """Raise FileFormatError if a piece, a picture of its own (JPEG, LERC, WebP), is larger than its page.

    Such a piece tells its size itself, and libraries make room for what it tells.
    """
    if size == 0:
        return
    packing = int(page.tags.valueof(_LERC_PARAMETERS, (0, 0))[1]) if int(page.compression) == _LERC else 0
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(size if packing == _ZSTD else min(size, STEP))
    if packing == _ZSTD:
        content = _out_of_zstandard(content, path, 2 * math.prod(page.chunks) * page.dtype.itemsize + STEP)
    rows, cols = {_JPEG: _size_of_jpeg, _LERC: _size_of_lerc, _WEBP: _size_of_webp}[int(page.compression)](
        content, packing
    )
    room = (page.tilelength, page.tilewidth) if page.is_tiled else (page.imagelength, page.imagewidth)
    if not (0 < rows <= room[0] and 0 < cols <= room[1]):
        raise FileFormatError(
            f"{path}: a piece of {rows} x {cols} pixels has no place in its page; the file is damaged"
        )


def _out_of_zstandard(content: bytes, path: Path, room: int) -> bytes:
    """A piece out of its packing, which has to tell how long it is and not to be longer than ``room``."""
    import imagecodecs

    head = content[4:5].ljust(1, b"\0")[0]
    is_single, width = head >> 5 & 1, _LENGTHS[head >> 6]
    begin = 5 + (not is_single) + (0, 1, 2, 4)[head & 3]
    length = int.from_bytes(content[begin : begin + (width or is_single)], "little") + 256 * (width == 2)
    if not content.startswith(_ZSTD_FRAME) or not (width or is_single) or length > room:
        raise FileFormatError(f"{path}: a piece of a page has no place in it; the file is damaged")
    return bytes(imagecodecs.zstd_decode(content, out=length))


def _size_of_jpeg(content: bytes, _: int) -> tuple[int, int]:
    """Rows and cols in the frame's header (ISO 10918-1, B.2.2)."""
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            rows, cols = struct.unpack(">HH", content[place + 5 : place + 9])
            return rows, cols
        place += 2 + length
    return 0, 0


def _size_of_lerc(content: bytes, packing: int) -> tuple[int, int]:
    """Rows and cols of the first blob, whose own packing may be Deflate."""
    if packing == _DEFLATE:
        content = zlib.decompressobj().decompress(content, 64)
    if not content.startswith(b"Lerc2 ") or len(content) < 22:
        return 0, 0
    (version,) = struct.unpack("<i", content[6:10])
    rows, cols = struct.unpack("<ii", content[14:22] if version >= 3 else content[10:18])
    return rows, cols


def _size_of_webp(content: bytes, _: int) -> tuple[int, int]:
    """Rows and cols of the canvas (RFC 9649, section 2)."""
    kind = content[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[27:30], "little"), 1 + int.from_bytes(content[24:27], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if kind == b"VP8 ":
        cols, rows = struct.unpack("<HH", content[26:30].ljust(4, b"\0"))
        return rows & 0x3FFF, cols & 0x3FFF
    return 0, 0
