"""Looks at the objects of an HDF5 file before the HDF5 library does, which can be led in circles by them.

The library follows two structures of older layouts without asking whether they end: the list of free places in the heap
of the names in a group, and the trees of a group's members and an array's chunks. Damaged, the first makes it take all
memory and the second all time. Source: "HDF5 File Format Specification 3.0", The HDF Group, II.A, III.A.1, III.D, IV.A.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.hdf5_heaps import TextHeaps

SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: Where the file may begin, behind a block of the user's own (MATLAB's has 512 bytes).
OFFSETS = (0, 512, 1024, 2048)
#: Free places in one heap; earnest files stay far below this and the next two.
_MOST_FREE = 10_000
#: Parts of one tree.
_MOST_NODES = 100_000
#: Parts of one object's header.
_MOST_PARTS = 1_000
#: Type of an object's message "goes on elsewhere".
_CONTINUED = 0x10
#: "Has this tree and this heap".
_GROUP = 0x11
#: "Has values at this place".
_LAYOUT = 0x08
#: "Has this attribute".
_ATTRIBUTE = 0x0C
#: The attribute by which a dimension lists the axes it is attached to.
_REFERENCES = b"REFERENCE_LIST"
#: The message that tells where attributes lie that are not in the header.
_INFO = 0x15
#: In the layout of an array: its values lie in one piece.
_CONTIGUOUS = 1
#: Its values lie in chunks.
_CHUNKED = 2
#: The message that tells the type of an array's values.
_TYPE = 0x03
#: The class of types of variable length.
_OF_ANY_LENGTH = 9
#: Bytes of a text of variable length, or of some: where it lies, and how long it is.
_FEW = 256
#: Bytes of an array of such texts.
TEXTS = 1 << 16
#: In a heap, the free place after the last one.
_END = 1
_WORDS = {2: "H", 4: "I", 8: "Q"}


class GroupCheck:
    """Checks objects of an open HDF5 file by their addresses. What is damaged otherwise is left to the library."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._base, version, address, length = self._sizes()
        self._address, self._length = _WORDS.get(address, ""), _WORDS.get(length, "")
        self._widths = address, length
        self._heaps = TextHeaps(file, self._base) if self._widths == (8, 8) else None
        if self._address and self._length:
            self._check_root(version)

    def check(self, address: int) -> None:
        """Raise FileFormatError if the object has a heap or a tree of the older layouts which has no end."""
        if not (self._address and self._length):
            return
        messages = list(self._messages(address))
        types = [content[0] & 15 for kind, content in messages if kind == _TYPE and content]
        holds_texts = _OF_ANY_LENGTH in types
        for kind, content in messages:
            if kind == _GROUP and (places := self._unpacked(content, 0, 2 * self._address)):
                self._check_group(*places)
            elif kind == _LAYOUT:
                self._check_chunks(content)
            self._check_texts(kind, content, TEXTS if holds_texts else _FEW)

    def axes_of_scale(self, address: int) -> list[tuple[int, int]]:
        """The axes of which the array at ``address`` is the dimension: (address of an array, number of its axis).

        They are read from the header of the object as it lies in the file: the library follows the references to
        them, and those from an array to its dimensions, without asking whether they lead anywhere. A long list, which
        lies elsewhere, is not looked for.
        """
        if not (self._address and self._length):
            return []
        for kind, content in self._messages(address):
            if kind == _ATTRIBUTE and (entries := _reference_list(content)):
                entry, raw = entries
                found = [self._unpacked(raw, start, f"{self._address}I") for start in range(0, len(raw), entry)]
                return [(place[0], place[1]) for place in found if place is not None and place[0]]
        return []

    def _sizes(self) -> tuple[int, int, int, int]:
        """Where the file begins, the version of its first block, how long addresses and lengths are."""
        for base in OFFSETS:
            self._file.seek(base)
            head = self._file.read(16)
            if head.startswith(SIGNATURE) and len(head) == 16:
                place = 13 if head[8] < 2 else 9
                return base, head[8], head[place], head[place + 1]
        return 0, 0, 0, 0

    def _check_root(self, version: int) -> None:
        # older first blocks name the root's header, tree and heap; the library may use either
        width = self._widths[0]
        place = 24 + 4 * version + 5 * width if version < 2 else 12 + 3 * width
        entry = self._unpacked(self._at(place, 64), 0, f"{self._address}II{2 * self._address}")
        if entry is not None:
            self.check(entry[0])
            if version < 2 and entry[1] == 1:
                self._check_group(*entry[3:])

    def _check_group(self, tree: int, heap: int) -> None:
        self._check_tree(tree, self._widths[1])
        self._check_heap(heap)

    def _check_chunks(self, layout: bytes) -> None:
        version, second, third = layout[:3].ljust(3, b"\0")
        dimensions, kind, start = (third, second, 3) if version == 3 else (second, third, 8)
        if version <= 3 and kind == _CHUNKED and (place := self._unpacked(layout, start, self._address)):
            # size and filters of a chunk, and where it begins along each axis
            self._check_tree(place[0], 8 + 8 * dimensions)

    def _check_texts(self, kind: int, content: bytes, most: int) -> None:
        """Look at the heaps that attributes, and the first bytes of arrays, point to."""
        if self._heaps is None or kind not in (_ATTRIBUTE, _LAYOUT, _INFO):
            return
        pieces = [content, self._few_values(content, most)] if kind == _LAYOUT else [content]
        pieces += self._heaps.blocks(content) if kind == _INFO else []
        if not all(self._heaps.are_sound(piece) for piece in pieces):
            self._stop("its texts run in a circle, or are longer than their room")

    def _few_values(self, layout: bytes, most: int) -> bytes:
        version, second, third = layout[:3].ljust(3, b"\0")
        kind, start = (second, 2) if version >= 3 else (third, 8)
        place = self._unpacked(layout, start, self._address)
        return self._at(place[0], most) if kind == _CONTIGUOUS and place else b""

    def _at(self, address: int, size: int) -> bytes:
        # an address of ones means "none"
        if self._base + address >= 1 << 62:
            return b""
        self._file.seek(self._base + address)
        return self._file.read(size)

    def _unpacked(self, raw: bytes, start: int, form: str) -> tuple[int, ...] | None:
        form = f"<{form}"
        return struct.unpack_from(form, raw, start) if len(raw) >= start + struct.calcsize(form) else None

    def _messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        """Type and content of the messages in an object's header, wherever its parts lie."""
        parts, form = self._first_part(address)
        for place, size in parts:  # grows while it is gone through
            raw = self._at(place, min(size, 1 << 20))
            for kind, content in _entries(raw, 4 if raw.startswith(b"OCHK") else 0, form):
                if kind == _CONTINUED and (more := self._unpacked(content, 0, self._address + self._length)):
                    if len(parts) >= _MOST_PARTS:
                        self._stop("the header of one of its objects has no end")
                    parts.append((more[0], more[1]))
                yield kind, content

    def _first_part(self, address: int) -> tuple[list[tuple[int, int]], str]:
        """Place and size of the first part of an object's header, and the form in which its messages begin."""
        head = self._at(address, 64).ljust(64, b"\0")
        if not head.startswith(b"OHDR"):
            return [(address + 16, int.from_bytes(head[8:12], "little"))] if head[0] == 1 else [], "<HHI"
        flags = head[5]
        start = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(head[start : start + width], "little")
        return [(address + start + width, size)], "<BHBH" if flags & 4 else "<BHB"

    def _check_heap(self, address: int) -> None:
        """Follow the list of free places: each says where the next one lies."""
        raw = self._at(address, 8 + 2 * self._widths[1] + self._widths[0])
        head = self._unpacked(raw, 8, 2 * self._length + self._address)
        if not raw.startswith(b"HEAP") or head is None:
            return
        size, free, data = head
        seen = set[int]()
        while free != _END and free < size:
            if free in seen or len(seen) >= _MOST_FREE:
                self._stop("the names in one of its groups run in a circle")
            seen.add(free)
            following = self._unpacked(self._at(data + free, self._widths[1]), 0, self._length)
            if following is None:
                return
            (free,) = following

    def _check_tree(self, address: int, key: int) -> None:
        """Every part of a tree must hang in one place only; before the address of each stand ``key`` bytes."""
        waiting, seen = [address], {address}
        while waiting:
            for child in self._branches(waiting.pop(), key):
                if child in seen or len(seen) >= _MOST_NODES:
                    self._stop("the tree of a group or of an array runs in a circle")
                seen.add(child)
                waiting.append(child)

    def _branches(self, address: int, key: int) -> list[int]:
        """The parts of a tree which hang in this one and are not its leaves."""
        width = self._widths[0]
        head = self._at(address, 8)
        if not head.startswith(b"TREE") or len(head) < 8 or head[5] == 0:
            return []
        pair = f"<{key}x{self._address}"
        raw = self._at(address + 8 + 2 * width, int.from_bytes(head[6:8], "little") * struct.calcsize(pair))
        whole = len(raw) // struct.calcsize(pair) * struct.calcsize(pair)
        return [child for (child,) in struct.iter_unpack(pair, raw[:whole])]

    def _stop(self, reason: str) -> NoReturn:
        raise FileFormatError(f"{self._path}: {reason}; the file is damaged, fetch it or write it again")


def _reference_list(content: bytes) -> tuple[int, bytes] | None:
    """Size of an entry, and the entries, if this is the message of that attribute."""
    if len(content) < 9 or content[0] not in (1, 2, 3):
        return None
    sizes = struct.unpack_from("<HHH", content, 2)
    start = 9 if content[0] == 3 else 8
    if content[start : start + sizes[0]].rstrip(b"\0") != _REFERENCES:
        return None
    name, kind, space = (-(-size // 8) * 8 for size in sizes) if content[0] == 1 else sizes
    entry = int.from_bytes(content[start + name + 4 : start + name + 8], "little")
    raw = content[start + name + kind + space :]
    return (entry, raw[: len(raw) // entry * entry]) if 12 <= entry <= 32 else None


def _entries(raw: bytes, start: int, form: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of the messages in a part of an object's header."""
    width = struct.calcsize(form)
    while start + width <= len(raw):
        kind, size, *_ = struct.unpack_from(form, raw, start)
        yield kind, raw[start + width : start + width + size]
        start += width + size
