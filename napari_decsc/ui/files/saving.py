"""Files written at a person's word; the file dialog has asked before anything is replaced."""

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.parts.printed import SAVED_DPI
from napari_decsc.ui.parts.theme import PAPER

#: Formats that a plot can be saved in.
PICTURES = ("png", "svg", "pdf")


@dataclass(frozen=True)
class Target:
    """A file that a person chose, and whether what is there may be replaced."""

    path: Path
    overwrite: bool


def ask_for_cube(parent: Any, suggested: Path, formats: str) -> Target | None:
    """Ask for the name of a cube's file; None where the person goes back.

    The dialog asks before it takes a name that exists; the other file of an ENVI pair, and a name that only gets its
    ending here, are asked about here.
    """
    from qtpy.QtWidgets import QFileDialog

    from napari_decsc.hsi.io.files import files_of, notes_of

    name, chosen = QFileDialog.getSaveFileName(parent, "Save the cube", str(suggested), formats)
    if not name:
        return None
    path = Path(name)
    if not path.suffix:
        ending = chosen.partition("*")[2].partition(" ")[0].rstrip(")") or ".hdr"
        path = path.with_name(path.name + ending)
    existing = [one for one in (*files_of(path), *notes_of(path)) if one.exists()]
    unasked = [one for one in existing if one != Path(name)]
    if unasked and not agrees(parent, unasked):
        return None
    return Target(path, bool(existing))


def agrees(parent: Any, files: Sequence[Path]) -> bool:
    """Whether a person wants files to be replaced."""
    from qtpy.QtWidgets import QMessageBox

    names = " and ".join(one.name for one in files)
    text = f"{names} in {files[0].parent} exists. Replace it?"
    return bool(QMessageBox.question(parent, "Save the cube", text) == QMessageBox.StandardButton.Yes)


def write_cube(cube: Cube, target: Target, kind: str = "float32", made_by: Mapping[str, Any] | None = None) -> Path:
    """Write a cube in the format of the name's ending; its header says how it was made.

    ``kind`` is a data type, or "source" for that of the file the cube comes from; see `napari_decsc.hsi.io.files`.
    """
    from napari_decsc.denoising.provenance import fields
    from napari_decsc.hsi.io.files import save_cube

    extra = fields(made_by or {}, cube.header)
    return save_cube(cube, target.path, overwrite=target.overwrite, dtype=kind, extra=extra)


def file_name(name: str) -> str:
    """A cube's name as a file name that every system takes; what stands between words is one line below."""
    words = "".join(letter if letter.isalnum() or letter in "-_" else " " for letter in name).split()
    return "_".join(words) or "cube"


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
