"""Saving a cube in the format that the path's extension asks for, at once or tile by tile."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.envi.layout import TYPES
from napari_decsc.hsi.io.envi.streaming import EnviSink, envi_sink
from napari_decsc.hsi.io.known_formats import FORMATS, for_writing
from napari_decsc.hsi.io.notes import notes_of as notes_beside
from napari_decsc.hsi.io.notes import notes_of_envi, notes_of_tiff

#: An extension for each format that can be written.
_WRITABLE = (".hdr", *(known.extensions[0] for known in FORMATS if known.write is not None))


def save_cube(
    cube: Cube,
    path: str | Path,
    *,
    overwrite: bool = False,
    dtype: DTypeLike | None = None,
    extra: Mapping[str, str] | None = None,
    cloud_optimized: bool = False,
) -> Path:
    """Write a cube in the format of the path's extension. The file appears complete or not at all.

    Parameters
    ----------
    cube : Cube
        May be a memory map of any size.
    path : str or Path
        `.tif`, `.tiff`, `.nc`, `.zarr`, `.npy` and `.npz` are GeoTIFF, NetCDF, Zarr and NumPy, everything else
        ENVI.
    overwrite : bool
        Whether to replace a file that exists.
    dtype : NumPy type, optional
        The cube's own if left out; "source" is that of the file the cube comes from (raw values keep its scale:
        reflectance x 10000 in int16 stays so). Values that go into a whole-number type are rounded and cut to its
        range.
    extra : mapping of str to str, optional
        Fields that join the header; .npy has no room for them.
    cloud_optimized : bool
        Whether a GeoTIFF is made of tiles and overviews; it needs rasterio, the extra `geo`.

    Returns
    -------
    Path
        The file to open again.

    Raises
    ------
    FileFormatError
        If the file exists and may not be replaced, or cannot be written.
    """
    path = Path(path)
    known = for_writing(path)
    if known is None:
        kind = None if dtype is None else target_dtype(cube, dtype)
        return write_envi(cube, path, overwrite=overwrite, dtype=kind, extra=extra)
    if known.write is None:
        raise FileFormatError(f"{path}: {known.name} files can only be read; choose {', '.join(_WRITABLE)}")
    if not path.name or "\0" in str(path):
        raise FileFormatError(f"{path}: is no file name; give one such as scene.tif")
    if cloud_optimized and known.name == "TIFF":
        from napari_decsc.hsi.io.formats.cog import write_cog

        return write_cog(cube, path, target_dtype(cube, dtype), overwrite=overwrite, extra=extra or {})
    return known.write(cube, path, target_dtype(cube, dtype), overwrite=overwrite, extra=extra or {})


def can_stream(path: str | Path) -> bool:
    """Whether a cube can be written to this path tile by tile, see :func:`new_sink`.

    Parameters
    ----------
    path : str or Path
        Where the result is to go.

    Returns
    -------
    bool
        By the extension alone.
    """
    known = for_writing(Path(path))
    return known is None or known.name == "TIFF"


def new_sink(
    cube: Cube,
    path: str | Path,
    *,
    overwrite: bool = False,
    dtype: DTypeLike | None = None,
    extra: Mapping[str, str] | None = None,
) -> AbstractContextManager[EnviSink]:
    """A block in which the denoised copy of a cube is written tile by tile; the file appears when it ends well.

    Parameters
    ----------
    cube : Cube
        The noisy one: the copy gets its shape and metadata.
    path : str or Path
        One that :func:`can_stream`.
    overwrite : bool
        Whether to replace a file that exists.
    dtype : NumPy type, optional
        As for :func:`save_cube`, of a cube of float32.
    extra : mapping of str to str, optional
        Fields that join the header. They may change until the block ends: how a run went is known then.

    Returns
    -------
    context manager of EnviSink
        Takes the tiles: see `napari_decsc.denoising.protocol.Sink`.

    Raises
    ------
    FileFormatError
        As :func:`save_cube`.
    """
    path, kind = Path(path), target_dtype(cube, np.float32 if dtype is None else dtype)
    if for_writing(path) is None:
        return envi_sink(cube, path, overwrite=overwrite, dtype=kind, extra=extra)
    from napari_decsc.hsi.io.formats.tiff_write import tiff_sink

    return tiff_sink(cube, path, kind, overwrite=overwrite, extra=extra or {})


def files_of(path: str | Path) -> tuple[Path, ...]:
    """The files that :func:`save_cube` writes for a path: a pair for ENVI, else one.

    Parameters
    ----------
    path : str or Path
        As for :func:`save_cube`.

    Returns
    -------
    tuple of Path
        They need not exist.
    """
    from napari_decsc.hsi.io.envi.writer import target_pair

    path = Path(path)
    return target_pair(path) if for_writing(path) is None else (path,)


def notes_of(path: str | Path) -> tuple[Path, ...]:
    """The notes of other programs beside these files, which :func:`save_cube` takes away if it may overwrite.

    Parameters
    ----------
    path : str or Path
        As for :func:`save_cube`.

    Returns
    -------
    tuple of Path
        Those that exist.
    """
    path = Path(path)
    known = for_writing(path)
    if known is None:
        return tuple(notes_of_envi(files_of(path)[1]))
    return tuple(notes_of_tiff(path) if known.name == "TIFF" else notes_beside(path))


def target_dtype(cube: Cube, dtype: DTypeLike | None) -> np.dtype[Any]:
    """The type to write.

    Parameters
    ----------
    cube : Cube
        The one that is written.
    dtype : NumPy type, optional
        None keeps the cube's, "source" is the one of the file it comes from (else the cube's).

    Returns
    -------
    numpy.dtype
        Of real numbers.

    Raises
    ------
    FileFormatError
        For what is no type of real numbers.
    """
    if isinstance(dtype, str) and dtype == "source":
        dtype = _source_dtype(cube)
    try:
        found = cube.data.dtype if dtype is None else np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.kind not in "iuf":
        raise FileFormatError(
            f'{cube.name}: data type is {dtype!r}; choose "source", float32, int16, uint16 or the like'
        )
    return found.newbyteorder("=")


def _source_dtype(cube: Cube) -> str | None:
    """What the header says; in ENVI's headers a number."""
    said = cube.header.get("data type")
    return TYPES.get(int(said)) if isinstance(said, str) and said.isdecimal() else said
