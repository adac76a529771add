"""Looks at the heaps of texts and lists of variable length in an HDF5 file before the HDF5 library does.

The library goes through such a heap from object to object and never comes back from one of size 0. Where heaps lie is
known from attributes and small arrays only: whatever in them points to a heap is followed. Source: "HDF5 File Format
Specification 3.0", The HDF Group, III.E (global heap), III.G (fractal heap), IV.A.2.v (attribute info).
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

#: Bytes of a heap that are looked at, at most.
_LARGEST_HEAP = 16 << 20
#: Bytes of the blocks of a list of attributes, at most.
_MOST_BYTES = 4 << 20
#: Bytes of all heaps: earnest attributes point to far less.
_MOST_HEAPS = 256 << 20
#: Objects in one heap.
_MOST_OBJECTS = 500_000
#: How often the texts of a heap may be pointed to from one place: what was moved leaves copies of pointers behind.
_MOST_COPIES = 16
#: Pointers from one place that are followed.
_MOST_POINTERS = 10_000


class TextHeaps:
    """The heaps of a file with addresses and lengths of 8 bytes, as usual ones have; ``base`` is where it begins."""

    def __init__(self, file: BinaryIO, base: int) -> None:
        self._file, self._base = file, base
        self._size = max(0, file.seek(0, 2) - base)
        self._sound: dict[int, int] = {}
        self._looked_at = 0

    def are_sound(self, raw: bytes) -> bool:
        """False if one of the heaps that these bytes point to, if any, has no end, or is shorter than a text in it.

        Before the place of a text stands its length, for which the library makes room without another look, for each
        of many pointers to one and the same text too.
        """
        for address in self._pointers(raw):
            if address not in self._sound and self._at(address, 4) == b"GCOL":
                if not self._ends(address):
                    return False
                self._sound[address] = int.from_bytes(self._at(address, 16)[8:], "little")
            if address in self._sound:
                lengths = _lengths(raw, address)
                if max(lengths) > self._sound[address] or sum(lengths) > _MOST_COPIES * self._sound[address]:
                    return False
        return True

    def blocks(self, message: bytes) -> Iterator[bytes]:
        """The bytes of the attributes that lie outside of an object's header, by its message that tells where."""
        start = 4 if len(message) > 1 and message[1] & 1 else 2
        heap = self._at(int.from_bytes(message[start : start + 8], "little"), 144)
        if not heap.startswith(b"FRHP") or len(heap) < 142:
            return
        (width,), (size, largest) = struct.unpack_from("<H", heap, 110), struct.unpack_from("<QQ", heap, 112)
        (bits,), (root, rows) = struct.unpack_from("<H", heap, 128), struct.unpack_from("<QH", heap, 132)
        if rows == 0:
            yield self._at(root, min(size, _MOST_BYTES))
            return
        start = 13 + (bits + 7) // 8
        taken = 0
        for number in range(min(rows * width, _MOST_POINTERS)):
            # the first two rows have blocks of one size, each further row has blocks twice as large
            block = size << max(0, number // width - 1)
            place = self._at(root + start + 8 * number, 8)
            if block > largest or taken >= _MOST_BYTES or len(place) < 8:
                return
            yield self._at(int.from_bytes(place, "little"), min(block, _MOST_BYTES - taken))
            taken += block

    def _pointers(self, raw: bytes) -> list[int]:
        """Numbers of 8 bytes, at any place, that may be addresses in the file."""
        found: list[int] = []
        for phase in range(8):
            if len(raw) < phase + 8:
                break
            words = np.frombuffer(raw, "<u8", count=(len(raw) - phase) // 8, offset=phase)
            inside = words[(words > 0) & (words < self._size)]
            found += np.unique(inside)[:_MOST_POINTERS].tolist()
        return found

    def _ends(self, address: int) -> bool:
        """Go through a heap as the library does; each object must end behind the place where it begins.

        A heap that is longer than any earnest one counts as endless.
        """
        head = self._at(address, 16)
        size = min(int.from_bytes(head[8:16], "little"), self._size - address)
        self._looked_at += size
        if size > _LARGEST_HEAP or self._looked_at > _MOST_HEAPS:
            return False
        raw = self._at(address, size)
        place, objects = 16, 0
        while place + 16 <= len(raw):
            objects += 1
            number, length = struct.unpack_from("<H6xQ", raw, place)
            # the object of number 0 is the free place at the end, whose length counts its head
            taken = 16 + -(-length // 8) * 8 if number else length
            if taken == 0 or place + taken > size or objects > _MOST_OBJECTS:
                return False
            place += taken
        return True

    def _at(self, address: int, size: int) -> bytes:
        if not 0 < address < self._size:
            return b""
        self._file.seek(self._base + address)
        return self._file.read(size)


def _lengths(raw: bytes, address: int) -> list[int]:
    """The numbers of 4 bytes that stand before an address of a heap, wherever it is in these bytes."""
    lengths, place = [0], raw.find(address.to_bytes(8, "little"))
    while place >= 0:
        lengths.append(int.from_bytes(raw[max(0, place - 4) : place], "little"))
        place = raw.find(address.to_bytes(8, "little"), place + 1)
    return lengths
