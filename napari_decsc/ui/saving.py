"""Files written at a person's word; the file dialog has asked before anything is replaced."""

import io
import os
from pathlib import Path
from typing import Any

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import FileFormatError
from napari_decsc.ui.plot import SAVED_DPI
from napari_decsc.ui.theme import PAPER

#: Formats that a plot can be saved in.
PICTURES = ("png", "svg", "pdf")


def write_cube(cube: Cube, path: Path) -> Path:
    """Write a cube as ENVI, replacing what is there."""
    from napari_decsc.hsi.envi import write_envi

    return write_envi(cube, path, overwrite=True)


def write_text(text: str, path: Path) -> Path:
    """Write a text file whole or not at all, replacing what is there. Raises FileFormatError as `write_bytes` does."""
    return write_bytes(text.encode(), path)


def write_bytes(content: bytes, path: Path) -> Path:
    """Write a file whole or not at all, replacing what is there.

    Raises
    ------
    FileFormatError
        If the folder cannot be written to.
    """
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise FileFormatError(f"{path}: could not be written ({error.strerror}); choose another folder") from error
    return path


def picture_bytes(figure: Any, path: Path) -> bytes:
    """A figure in the format that the name ends in, on white, at a size to print.

    Raises
    ------
    FileFormatError
        If the ending names no format of pictures.
    """
    kind = path.suffix[1:].lower()
    if kind not in PICTURES:
        raise FileFormatError(f"{path.name}: choose a name that ends in {', '.join('.' + one for one in PICTURES)}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=SAVED_DPI, facecolor=PAPER.background)
    return buffer.getvalue()
