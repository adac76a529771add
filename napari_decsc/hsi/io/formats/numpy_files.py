"""NumPy files: one array (.npy), or several in a zip archive (.npz). Nothing is ever unpickled."""

import math
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.atomic import flushed, replacing
from napari_decsc.hsi.io.conversion import converted, to_write, write_bsq
from napari_decsc.hsi.io.formats import metadata, spectral
from napari_decsc.hsi.io.formats.cf import is_told_alone
from napari_decsc.hsi.io.formats.contents import cube_from, looks_like_a_cube
from napari_decsc.hsi.io.formats.guards import check_memory, mapped, readable
from napari_decsc.hsi.io.formats.variables import Contents, Variable, with_singles
from napari_decsc.hsi.io.roles import role

_KIND = "NumPy"
#: Name of the data in the .npz files of this package.
_CUBE = "cube"
#: Name of what is known of them.
_METADATA = "metadata"
#: Bytes of a vector that is read, which may be of texts such as "400 nm".
_LONGEST_VECTOR = 16 * spectral.LONGEST
#: Arrays in an archive that are looked at, at most.
_MOST_ARRAYS = 10_000


@dataclass(frozen=True)
class _Header:
    """What the first bytes of an array in NumPy's format say; ``start`` is where its values begin."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Literal["C", "F"]
    start: int

    @property
    def size(self) -> int:
        """Bytes of header and values (a Python integer: no header can make it overflow)."""
        return self.start + math.prod(self.shape) * self.dtype.itemsize


def holds_npy_cube(path: Path) -> bool:
    """True for an array that could be a cube of at least 4 bands."""
    return looks_like_a_cube(_npy_contents(path))


def read_npy(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a .npy file, memory-mapped."""
    with readable(path, _KIND):
        return cube_from(_npy_contents(path), variable, band_axis)


def write_npy(cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]) -> Path:
    """Write the values of a cube, (band, row, col), as .npy; the format has no room for anything else."""
    cube = to_write(cube, kind)
    with replacing(path, overwrite=overwrite) as (part,), flushed(part) as file:
        _write_header(file, cube, kind)
        write_bsq(file, cube, kind, file.tell())
    return path


def holds_npz_cube(path: Path) -> bool:
    """True for a file of this package, and for an archive with an array that could be a cube of at least 4 bands."""
    with zipfile.ZipFile(path) as archive:
        return looks_like_a_cube(_npz_contents(archive, path))


def read_npz(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a .npz file: memory-mapped where it is stored as it is, else in memory."""
    with readable(path, _KIND), zipfile.ZipFile(path) as archive:
        return cube_from(_npz_contents(archive, path), variable, band_axis)


def write_npz(cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]) -> Path:
    """Write a cube as .npz, uncompressed: ``cube`` (band, row, col), ``wavelengths``, ``fwhm``, ``good_bands`` and,
    in the JSON text ``metadata``, everything.
    """
    cube = to_write(cube, kind)
    arrays = {"wavelengths": cube.wavelengths, "fwhm": cube.fwhm, "good_bands": cube.good_bands}
    arrays[_METADATA] = np.array(metadata.as_json(cube, extra))
    with (
        replacing(path, overwrite=overwrite) as (part,),
        flushed(part) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        for name, values in arrays.items():
            if values is not None:
                with archive.open(f"{name}.npy", "w") as member:
                    npy.write_array(member, values, allow_pickle=False)
        with archive.open(f"{_CUBE}.npy", "w", force_zip64=True) as member:
            _write_header(member, cube, kind)
            for band in range(cube.bands):
                member.write(converted(np.asarray(cube.data[band]), kind, cube).data)
    return path


def _npy_contents(path: Path) -> Contents:
    with path.open("rb") as file:
        header = _header(file, path)
    if header.dtype.hasobject:
        raise _no_numbers(path)
    read = partial(mapped, path, header.dtype, header.shape, header.start, header.order)
    return Contents(path, [Variable(path.stem, header.shape, header.dtype, read)])


def _npz_contents(archive: zipfile.ZipFile, path: Path) -> Contents:
    vectors: dict[str, list[spectral.Vector]] = {}
    variables, text = [], None
    singles: dict[str, Any] = {}
    others: list[str] = []
    for info in archive.infolist()[:_MOST_ARRAYS]:
        name = info.filename.removesuffix(".npy")
        if name == info.filename or info.flag_bits & 1:  # no array, or encrypted
            continue
        with archive.open(info) as member:
            header = _header(member, path)
        if header.dtype.hasobject:  # a dictionary, say; the cube beside it may still be an array
            others.append(f"{name}, Python objects")
            continue
        if header.size != info.file_size:
            raise FileFormatError(f"{path}: {name} is not as long as it says; the file is damaged")
        if name == _METADATA and header.dtype.kind == "U" and header.size <= 4 * metadata.LONGEST:
            text = str(_load(archive, info, path, header))
        elif len(header.shape) > 2:
            read = partial(_member, archive, info, path, header)
            variables.append(Variable(name, header.shape, header.dtype, read))
        elif header.dtype.kind in "iufbSU" and role(name) and header.size <= _LONGEST_VECTOR:
            spectral.add(vectors, name, _load(archive, info, path, header))
        elif header.dtype.kind in "iuf" and math.prod(header.shape) == 1 and is_told_alone(name):
            singles[name] = np.ravel(_load(archive, info, path, header))[0]
    if others and not variables:
        raise _no_numbers(path)
    ours = metadata.is_metadata(text) and [found.name for found in variables] == [_CUBE]
    return with_singles(Contents(path, variables, vectors, metadata=text if ours else None), singles)


def _header(file: Any, path: Path) -> _Header:
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(file)
    else:
        raise FileFormatError(f"{path}: is NumPy's format {version[0]}.{version[1]}; save plain arrays of numbers")
    return _Header(shape, dtype, "F" if fortran else "C", file.tell())


def _no_numbers(path: Path) -> FileFormatError:
    return FileFormatError(f"{path}: holds Python objects, which could run code and are not read; save plain numbers")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, header: _Header) -> NDArray[Any]:
    if info.compress_type != zipfile.ZIP_STORED:
        return _load(archive, info, path, header)
    with path.open("rb") as file:
        file.seek(info.header_offset)
        local = file.read(30)
    # the lengths of name and extra field may differ from those in the archive's directory
    name, extra = struct.unpack("<HH", local[26:30])
    start = info.header_offset + len(local) + name + extra
    return mapped(path, header.dtype, header.shape, start + header.start, header.order)


def _load(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, header: _Header) -> NDArray[Any]:
    check_memory(header.size, path, info.filename)
    with archive.open(info) as member:
        array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return array


def _write_header(file: BinaryIO | Any, cube: Cube, dtype: np.dtype[Any]) -> None:
    fields = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": cube.shape}
    npy.write_array_header_1_0(file, fields)
