"""Where each number of an ENVI data file lies: what a header says of it, checked before anything is mapped."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi.header import Header, shortened

#: ENVI's codes of the real data types. 6 and 9 are complex.
TYPES = {
    1: "uint8",
    2: "int16",
    3: "int32",
    4: "float32",
    5: "float64",
    12: "uint16",
    13: "uint32",
    14: "int64",
    15: "uint64",
}
COMPLEX = (6, 9)

#: Axes of a (band, row, col) cube in the order in which each interleave stores them, slowest first.
AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}

#: Words of `file type` that tell of files which hold no raw cube.
_OTHER_FILES = ("meta", "tiff", "jpeg", "hdf", "nitf")


@dataclass(frozen=True)
class Layout:
    """Shape, type and order of the numbers in a data file."""

    bands: int
    lines: int
    samples: int
    type_code: int
    interleave: str
    byte_order: int = 0
    offset: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers as they lie in the file."""
        return np.dtype(TYPES[self.type_code]).newbyteorder(">" if self.byte_order else "<")

    @property
    def size(self) -> int:
        """Bytes a data file must have at least (a Python integer: no header can make it overflow)."""
        return self.offset + self.bands * self.lines * self.samples * self.dtype.itemsize

    def fields(self) -> dict[str, int | str]:
        """The fields of a header that describe this layout."""
        return {
            "samples": self.samples,
            "lines": self.lines,
            "bands": self.bands,
            "header offset": self.offset,
            "file type": "ENVI Standard",
            "data type": self.type_code,
            "interleave": self.interleave,
            "byte order": self.byte_order,
        }

    def check_size(self, data: Path, header: Path) -> str:
        """Raise FileFormatError if the data file is smaller than described. Bytes behind the cube are allowed.

        Returns
        -------
        str
            A note where at least a line is left over, else "".
        """
        held = data.stat().st_size
        if held < self.size:
            raise FileFormatError(
                f"{data.name} holds {held} bytes but {header.name} describes {self.size} ({self.bands} bands x "
                f"{self.lines} lines x {self.samples} samples x {self.dtype.itemsize} bytes, header offset "
                f"{self.offset}); the file is cut short or the header belongs to another file"
            )
        if held < self.size + self.samples * self.dtype.itemsize:
            return ""
        return (
            f"{data.name} holds {held} bytes, {held - self.size} more than {header.name} describes; they are left out, "
            f"or the header belongs to another file"
        )


def layout_of(header: Header) -> Layout:
    """The layout a header describes. Raises FileFormatError for a field that is missing, nonsense or unsupported.

    `header offset` and `byte order` may be missing (0: little-endian), as ENVI itself allows.
    """
    _refuse_other_files(header)
    interleave = header.text("interleave").lower().strip("\"'")
    if not interleave:
        raise FileFormatError(
            f"{header.path.name}: interleave is missing; add a line 'interleave = ' with bsq, bil or bip"
        )
    if interleave not in AXES:
        raise header.error("interleave", "bsq, bil or bip")
    byte_order = header.whole("byte order", 0, default=0)
    if byte_order > 1:
        raise header.error("byte order", "0 (little-endian) or 1 (big-endian)")
    return Layout(
        bands=header.whole("bands", 1),
        lines=header.whole("lines", 1),
        samples=header.whole("samples", 1),
        type_code=_type_code(header),
        interleave=interleave,
        byte_order=byte_order,
        offset=header.whole("header offset", 0, default=0),
    )


def _type_code(header: Header) -> int:
    said = header.text("data type").lower()
    # some programs write NumPy's names
    code = next((code for code, name in TYPES.items() if name == said), None) or header.whole("data type", 1)
    if code in COMPLEX:
        raise FileFormatError(
            f"{header.path.name}: data type is {code}, complex numbers, which are not supported; "
            f"save the magnitude or the real part as data type 4 (float32)"
        )
    if code not in TYPES:
        raise header.error("data type", f"one of {', '.join(map(str, TYPES))}")
    return code


def _refuse_other_files(header: Header) -> None:
    name = header.path.name
    kind = header.text("file type")
    if "library" in kind.lower():
        raise FileFormatError(
            f"{name}: file type is {shortened(kind)}, which holds no cube but spectra; "
            f"open it with read_library or `napari-decsc info`"
        )
    if any(word in kind.lower() for word in _OTHER_FILES):
        raise FileFormatError(
            f"{name}: file type is {shortened(kind)}, which holds no cube; open an 'ENVI Standard' file"
        )
    if header.text("file compression", "0") not in ("", "0"):
        raise FileFormatError(f"{name}: file compression is on; save the file uncompressed (file compression = 0)")
    for key in ("major frame offsets", "minor frame offsets"):
        if header.text(key).strip("0, "):
            raise FileFormatError(f"{name}: {key} are not supported; save the file without them")
