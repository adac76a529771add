"""Files written at a person's word; the file dialog has asked before anything is replaced."""

import os
from pathlib import Path

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import FileFormatError


def write_cube(cube: Cube, path: Path) -> Path:
    """Write a cube as ENVI, replacing what is there."""
    from napari_decsc.hsi.envi import write_envi

    return write_envi(cube, path, overwrite=True)


def write_text(text: str, path: Path) -> Path:
    """Write a text file whole or not at all, replacing what is there.

    Raises
    ------
    FileFormatError
        If the folder cannot be written to.
    """
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise FileFormatError(f"{path}: could not be written ({error.strerror}); choose another folder") from error
    return path
