"""The file formats that are known: how each is recognised, opened and written, and which one a path is of."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.beginnings import told_extension, told_fault
from napari_decsc.hsi.io.companions import is_described_tiff
from napari_decsc.hsi.io.envi import is_envi, read_envi
from napari_decsc.hsi.io.envi.pair import ENDS
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


def for_writing(path: Path) -> Format | None:
    """The format in which a file of this name is written.

    Parameters
    ----------
    path : Path
        Only its extension counts.

    Returns
    -------
    Format or None
        None for ENVI, whose data files have any extension or none.
    """
    suffix = path.suffix.lower()
    return next((known for known in FORMATS if known.asks and suffix in known.extensions), None)


def recognised(path: Path) -> Format | None:
    """The format that surely holds a cube.

    Parameters
    ----------
    path : Path
        Of a file or folder.

    Returns
    -------
    Format or None
    """
    return next((known for known in FORMATS if known.recognises(path)), None)


def by_content(path: Path) -> Format | None:
    """The format of a file whose extension is of another one, or of none, by its first bytes.

    Parameters
    ----------
    path : Path
        Of a file; it need not exist.

    Returns
    -------
    Format or None
        None where the extension tells the format.
    """
    named = {known.name for known in FORMATS if path.suffix.lower() in known.extensions}
    extension = told_extension(path, named)
    return next((known for known in FORMATS if extension in known.extensions), None)


def by_extension(path: Path) -> Format:
    """The format that can say best what is wrong with a file that none recognises.

    Parameters
    ----------
    path : Path
        Of a file or folder.

    Returns
    -------
    Format

    Raises
    ------
    FileFormatError
        If there is no such file, or no format has its extension.
    """
    if not os.path.exists(path):
        raise FileFormatError(f"{path}: does not exist; check the name and the folder")
    fault = told_fault(path)
    if fault:
        raise FileFormatError(f"{path}: {fault}")
    for candidate in FORMATS:
        if path.suffix.lower() in candidate.extensions or (candidate.name == "Zarr" and is_zarr(path)):
            return candidate
    if path.is_dir():
        raise FileFormatError(
            f"{path}: is a folder; open one of the files in it (napari-decsc info {path.name} lists them)"
        )
    names = ", ".join(f"{known.name} ({known.extensions[0]})" for known in FORMATS)
    header = next((one for one in (path.with_suffix(".hdr"), path.with_suffix(".HDR")) if one.is_file()), None)
    if header is not None:
        raise FileFormatError(f"{path}: is of no known format; to open it as ENVI open its header {header.name}")
    raise FileFormatError(f"{path}: is of no known format; open one of {names}")
