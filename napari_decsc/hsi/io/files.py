"""Opening cubes from files of any known format, and saving them."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.beginnings import foreign, told_extension
from napari_decsc.hsi.io.companions import described, is_described_tiff, with_companions
from napari_decsc.hsi.io.envi import is_envi, read_envi, write_envi
from napari_decsc.hsi.io.envi.layout import TYPES
from napari_decsc.hsi.io.envi.pair import ENDS
from napari_decsc.hsi.io.envi.streaming import EnviSink, envi_sink
from napari_decsc.hsi.io.notes import notes_of as notes_beside
from napari_decsc.hsi.io.notes import notes_of_envi, notes_of_tiff
from napari_decsc.hsi.io.zarr_marks import is_zarr


@dataclass(frozen=True)
class Format:
    """A file format: its name, and how to recognise, open and write one.

    Parameters
    ----------
    name : str
        For a person.
    extensions : tuple of str
        Those that its files usually have, with the dot.
    recognises : callable
        Takes a path; cheap, and never raises.
    open : callable
        Takes a path, gives a Cube; raises FileFormatError.
    asks : bool
        Whether ``open`` takes ``variable`` and ``band_axis`` too.
    write : callable, optional
        None for what can only be read.
    """

    name: str
    extensions: tuple[str, ...]
    recognises: Callable[[Path], bool]
    open: Callable[..., Cube]
    asks: bool = False
    write: Callable[..., Path] | None = None


def _format(name: str, extensions: tuple[str, ...], module: str, *functions: str) -> Format:
    """A format of the package `formats`, whose module is imported when the first such file is met."""

    def late(function: str) -> Callable[..., Any]:
        other, _, name = function.rpartition(".")
        return lambda *given, **named: getattr(import_module(f"napari_decsc.hsi.io.formats.{other or module}"), name)(
            *given, **named
        )

    def recognises(path: Path) -> bool:
        try:
            usual = path.suffix.lower() in extensions and path.is_file()
            return (usual or (name == "Zarr" and is_zarr(path))) and bool(late(functions[0])(path))
        # whatever is wrong with the file, it is not for us; opening it tells what is
        except Exception:
            return False

    write = late(functions[2]) if len(functions) > 2 else None
    return Format(name, extensions, recognises, late(functions[1]), asks=True, write=write)


def _is_raw_envi(path: Path) -> bool:
    return is_envi(path) and not is_described_tiff(path)


#: The formats that can be opened, in the order in which they are asked.
FORMATS = (
    Format("ENVI", (".hdr", *filter(None, ENDS)), _is_raw_envi, read_envi),
    _format("MATLAB", (".mat",), "matlab", "holds_cube", "read_matlab"),
    _format("TIFF", (".tif", ".tiff"), "tiff", "holds_cube", "read_tiff", "tiff_write.write_tiff"),
    _format("NumPy", (".npy",), "numpy_files", "holds_npy_cube", "read_npy", "write_npy"),
    _format("NumPy", (".npz",), "numpy_files", "holds_npz_cube", "read_npz", "write_npz"),
    _format("HDF5", (".h5", ".hdf5", ".he5", ".hdf"), "hdf5", "holds_cube", "read_hdf5"),
    _format("NetCDF", (".nc", ".nc4", ".cdf"), "netcdf3", "holds_cube", "read_netcdf", "netcdf_write.write_netcdf"),
    _format("Zarr", (".zarr",), "zarr_store", "holds_cube", "read_zarr", "write_zarr"),
    _format("zipped Zarr", (".zip",), "zarr_store", "zip_holds_cube", "read_zip"),
)


def open_cube(path: str | Path, *, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a file, its data memory-mapped where the format allows it.

    Parameters
    ----------
    path : str or Path
        The file; of an ENVI pair either one.
    variable : str, optional
        The array to take from a file that holds several.
    band_axis : int or str, optional
        The axis of that array that counts the bands: 0, 1, 2, or its name. ENVI files, which say both, take no notice
        of the two.

    Returns
    -------
    Cube
        ``notes`` says what of the file could not be used.

    Raises
    ------
    AmbiguousFileError
        If one of the two is needed; it carries the choices.
    FileFormatError
        If there is no such file, no format fits, or the file cannot be read; fit to be shown as it is.
    """
    path = described(Path(path))
    asked = {key: value for key, value in (("variable", variable), ("band_axis", band_axis)) if value is not None}
    known = _format_of(path) or _by_content(path) or _by_extension(path)
    return with_companions(known.open(path, **asked) if known.asks else known.open(path), path)


def can_open(path: str | Path) -> bool:
    """True if the file holds what is surely a cube, so that this package should open it; never raises, reads little.

    Of formats that hold all sorts of things, only files of this package and those with an array of three axes, none
    shorter than 4, count: pictures and small stacks are left to others, though :func:`open_cube` opens stacks too.

    Parameters
    ----------
    path : str or Path
        Of a file or folder.

    Returns
    -------
    bool
        False for what does not exist.
    """
    try:
        return _format_of(described(Path(path))) is not None
    except (TypeError, ValueError, FileFormatError):
        return False


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
    known = _for_writing(path)
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
    known = _for_writing(Path(path))
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
    if _for_writing(path) is None:
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
    return target_pair(path) if _for_writing(path) is None else (path,)


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
    known = _for_writing(path)
    if known is None:
        return tuple(notes_of_envi(files_of(path)[1]))
    return tuple(notes_of_tiff(path) if known.name == "TIFF" else notes_beside(path))


#: An extension for each format that can be written.
_WRITABLE = (".hdr", *(known.extensions[0] for known in FORMATS if known.write is not None))


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


def _for_writing(path: Path) -> Format | None:
    """The format of the path's extension; None for ENVI, whose data files have any extension or none."""
    suffix = path.suffix.lower()
    return next((known for known in FORMATS if known.asks and suffix in known.extensions), None)


def _format_of(path: Path) -> Format | None:
    return next((known for known in FORMATS if known.recognises(path)), None)


def _by_content(path: Path) -> Format | None:
    """The format of a file whose extension is of another one, or of none, by its first bytes; None for the others."""
    named = {known.name for known in FORMATS if path.suffix.lower() in known.extensions}
    extension = told_extension(path, named)
    return next((known for known in FORMATS if extension in known.extensions), None)


def _by_extension(path: Path) -> Format:
    """The format that can say best what is wrong with a file that none recognises."""
    if not os.path.exists(path):
        raise FileFormatError(f"{path}: does not exist; check the name and the folder")
    other = foreign(path)
    if other:
        data = path.with_suffix(".bil").name if path.suffix.lower() == ".hdr" else path.name
        raise FileFormatError(
            f"{path}: is {other}, which is not read; convert it with GDAL (gdal_translate {data} {path.stem}.tif)"
        )
    for candidate in FORMATS:
        if path.suffix.lower() in candidate.extensions or (candidate.name == "Zarr" and is_zarr(path)):
            return candidate
    names = ", ".join(f"{known.name} ({known.extensions[0]})" for known in FORMATS)
    header = next((one for one in (path.with_suffix(".hdr"), path.with_suffix(".HDR")) if one.is_file()), None)
    if header is not None:
        raise FileFormatError(f"{path}: is of no known format; to open it as ENVI open its header {header.name}")
    raise FileFormatError(f"{path}: is of no known format; open one of {names}")
