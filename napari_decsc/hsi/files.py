"""Opening cubes from files of any known format."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.envi import is_envi, read_envi
from napari_decsc.hsi.envi.pair import ENDS
from napari_decsc.hsi.errors import FileFormatError


@dataclass(frozen=True)
class Format:
    """A file format: its name, the extensions its files usually have, how to recognise and how to open one.

    ``recognises`` is cheap and never raises; ``open`` raises FileFormatError.
    """

    name: str
    extensions: tuple[str, ...]
    recognises: Callable[[Path], bool]
    open: Callable[[Path], Cube]


#: The formats that can be opened, in the order in which they are asked.
FORMATS = (Format("ENVI", (".hdr", *filter(None, ENDS)), is_envi, read_envi),)


def open_cube(path: str | Path) -> Cube:
    """The cube in a file, its data memory-mapped where the format allows it.

    Raises FileFormatError, fit to be shown as it is, if there is no such file or no format fits.
    """
    path = Path(path)
    known = _format_of(path)
    if known is not None:
        return known.open(path)
    if not os.path.exists(path):
        raise FileFormatError(f"{path}: does not exist; check the name and the folder")
    for candidate in FORMATS:
        # no format recognises the file, but its own reader can say best what is wrong with it
        if path.suffix.lower() in candidate.extensions:
            return candidate.open(path)
    names = ", ".join(f"{known.name} ({known.extensions[0]})" for known in FORMATS)
    raise FileFormatError(f"{path}: is of no known format; open one of {names}")


def can_open(path: str | Path) -> bool:
    """True if :func:`open_cube` knows the format of this file. Looks at its first bytes only; never raises."""
    try:
        return _format_of(Path(path)) is not None
    except TypeError:
        return False


def _format_of(path: Path) -> Format | None:
    return next((known for known in FORMATS if known.recognises(path)), None)
