"""An HDF5 file that looks at what the HDF5 library is about to read, and stops it before it is led in a circle.

The library follows two structures of the file without asking whether they end: the list of free places in the heap in
which a group keeps its names, and the tree of a group's members. Damaged, the first makes it take all memory and the
second all time. Source: "HDF5 File Format Specification 3.0", The HDF Group, sections III.A.1 and III.D.
"""

import io
import struct
from pathlib import Path
from typing import Any

from napari_decsc.hsi.errors import FileFormatError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: Where the file may begin, behind a block of the user's own (MATLAB's has 512 bytes).
OFFSETS = (0, 512, 1024, 2048)
_HEAP, _TREE = b"HEAP", b"TREE"
#: Free places in one heap; earnest files have a handful.
_MOST_FREE = 10_000
#: In a heap, the free place after the last one; type of a tree that holds members of a group.
_END, _MEMBERS = 1, 0
_WORDS = {2: "H", 4: "I", 8: "Q"}


class CheckedFile(io.FileIO):
    """A file opened for reading by `h5py.File`, in which no list of a group runs in a circle.

    What it finds is raised, and kept in ``fault`` as the library puts its own words in place of an exception.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self.path = path
        self.fault: FileFormatError | None = None
        self._base, self._address, self._length = self._sizes()
        self._parents: dict[int, int] = {}

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, with zeros behind the end of the file. Raises FileFormatError."""
        start, view = self.tell(), memoryview(buffer).cast("B")
        count = super().readinto(view) or 0
        view[count:] = bytes(len(view) - count)
        if self._address:
            # a signature may have been read in parts
            self._look(self._at(max(start - 3, 0), count + 6), max(start - 3, 0))
        return count

    def _sizes(self) -> tuple[int, str, str]:
        """Where the file begins, and how it writes addresses and lengths."""
        for base in OFFSETS:
            head = self._at(base, 16)
            if head.startswith(SIGNATURE) and len(head) == 16:
                place = 13 if head[8] < 2 else 9
                return base, _WORDS.get(head[place], ""), _WORDS.get(head[place + 1], "")
        return 0, "", ""

    def _at(self, place: int, size: int) -> bytes:
        self.seek(place)
        return self.read(size)

    def _look(self, raw: bytes, start: int) -> None:
        for signature, check in ((_HEAP, self._check_heap), (_TREE, self._check_tree)):
            place = raw.find(signature)
            while place >= 0:
                check(start + place)
                place = raw.find(signature, place + 1)

    def _check_heap(self, place: int) -> None:
        """Follow the list of free places: each says where the next one lies."""
        form = f"<{self._length}{self._length}{self._address}"
        head = self._at(place + 8, struct.calcsize(form))
        if len(head) < struct.calcsize(form):
            return
        size, free, data = struct.unpack(form, head)
        width, seen = struct.calcsize(self._length), set[int]()
        while free != _END and free < size:
            if free in seen or len(seen) > _MOST_FREE:
                self._stop("the names in one of its groups run in a circle")
            seen.add(free)
            raw = self._at(self._base + data + free, width)
            if len(raw) < width:
                return
            (free,) = struct.unpack(f"<{self._length}", raw)

    def _check_tree(self, place: int) -> None:
        """Every part of a tree hangs in one place only."""
        kind, _, count = struct.unpack("<BBH", self._at(place + 4, 4).ljust(4, b"\xff"))
        if kind != _MEMBERS:
            return
        address, length = struct.calcsize(self._address), struct.calcsize(self._length)
        raw = self._at(place + 8 + 2 * address, count * (address + length) + length)
        for start in range(length, len(raw) - address + 1, address + length):
            (child,) = struct.unpack_from(f"<{self._address}", raw, start)
            key = place * 65536 + start // (address + length)
            if child == place - self._base or self._parents.setdefault(child, key) != key:
                self._stop("a member of one of its groups hangs in several places of its tree")

    def _stop(self, reason: str) -> None:
        self.fault = FileFormatError(f"{self.path}: {reason}; the file is damaged, ask for it again or write it again")
        raise self.fault
