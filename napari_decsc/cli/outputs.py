"""Files that a command is about to write: refused before any work, and never left half-written."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_decsc.denoising.protocol import Sink
from napari_decsc.denoising.provenance import fields
from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube


def check_outputs(paths: Iterable[Path], *, overwrite: bool) -> None:
    """Raise FileFormatError if a file is there already (and may not be replaced) or its folder cannot be written."""
    from napari_decsc.hsi.io.zarr_marks import is_zarr

    for path in paths:
        folder = path.parent
        if not folder.is_dir():
            raise FileFormatError(f"{path}: the folder {folder} does not exist; make it or choose another one")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FileFormatError(f"{path}: the folder {folder} may not be written to; choose another one")
        if path.is_dir() and not is_zarr(path):
            raise FileFormatError(f"{path} is a folder; give the name of a file")
        if os.path.lexists(path) and not overwrite:
            raise FileFormatError(f"{path} exists already; add --overwrite to replace it, or choose another name")


def check_not_inputs(outputs: Iterable[Path], inputs: Iterable[Cube | None]) -> None:
    """Raise FileFormatError if a file to be written is one that is read from: nobody wants to lose the original."""
    sources = [file for cube in inputs if cube is not None for file in _files_of(cube)]
    for output in outputs:
        if output.exists() and any(output.samefile(source) for source in sources):
            raise FileFormatError(f"{output} is read by this command; write to another name")


def check_cube_output(path: Path, inputs: Iterable[Cube | None], *, overwrite: bool) -> tuple[Path, ...]:
    """Both checks for the files of a cube that is to be written to ``path``; returns them."""
    from napari_decsc.hsi.io.files import files_of, notes_of

    files = files_of(path)
    check_not_inputs(files, inputs)
    check_outputs((*files, *notes_of(path)), overwrite=overwrite)
    return files


def check_type(cube: Cube, dtype: str) -> None:
    """Raise FileFormatError if a cube like this one could not be written in this type."""
    from napari_decsc.hsi.io.conversion import check_measured, to_write
    from napari_decsc.hsi.io.files import target_dtype

    wanted = target_dtype(cube, dtype)
    to_write(cube, wanted)
    check_measured(cube, wanted)


def _files_of(cube: Cube) -> list[Path]:
    """The file, or the header and the data file, that a cube was read from."""
    from napari_decsc.hsi.io.files import files_of

    if cube.source is None:
        return []
    return [path for path in (cube.source, *files_of(cube.source)) if path.exists()]


def save_cube(cube: Cube, path: Path, *, overwrite: bool, made_by: dict[str, Any], dtype: str = "float32") -> Path:
    """Write a cube whose header says how it was made; returns the file to open again."""
    from napari_decsc.hsi.io import files

    return files.save_cube(cube, path, overwrite=overwrite, dtype=dtype, extra=fields(made_by, cube.header))


@contextmanager
def new_sink(
    noisy: Cube, path: Path, *, overwrite: bool, made_by: dict[str, Any], dtype: str = "float32"
) -> Iterator[Sink]:
    """`save_cube` for a cube that comes tile by tile: a block in which it is written.

    What ``made_by`` says when the block ends is what the file says.
    """
    from napari_decsc.hsi.io import files

    told = fields(made_by, noisy.header)
    with files.new_sink(noisy, path, overwrite=overwrite, dtype=dtype, extra=told) as sink:
        yield sink
        told |= fields(made_by, noisy.header)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is seen whole or not at all; an old one is replaced."""
    from napari_decsc.hsi.io.atomic import flushed, replacing

    with replacing(path, overwrite=True) as (part,), flushed(part) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text in UTF-8."""
    write_bytes(path, text.encode())
