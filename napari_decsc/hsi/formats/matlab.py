"""MATLAB files: up to version 7 through SciPy; 7.3 is HDF5."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import FileFormatError
from napari_decsc.hsi.formats import hdf5, spectral
from napari_decsc.hsi.formats.contents import Contents, Variable, cube_from, looks_like_a_cube
from napari_decsc.hsi.formats.guards import check_memory, readable

_KIND = "MATLAB"
#: MATLAB's name of a type -> NumPy's.
_TYPES = {"double": "float64", "single": "float32"} | {
    name: name for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
}
#: How much longer than itself what a byte of a zlib stream expands to can be.
_INFLATES = 1032


def holds_cube(path: Path) -> bool:
    """True if this is a MATLAB file and an array in it could be a cube of at least 4 bands."""
    if hdf5.is_hdf5(path):
        return hdf5.holds_cube(path)
    with path.open("rb") as file:
        # SciPy would take nearly anything for a file of MATLAB 4
        if file.read(128)[126:128] not in (b"IM", b"MI"):
            return False
    return looks_like_a_cube(_contents(path))


def read_matlab(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a MATLAB file of version 5, 6, 7 (in memory: none is larger than 4 GiB) or 7.3 (as HDF5)."""
    with readable(path, _KIND):
        if hdf5.is_hdf5(path):
            return hdf5.read_matlab_73(path, variable, band_axis)
        return cube_from(_contents(path), variable, band_axis)


def _contents(path: Path) -> Contents:
    from scipy.io import whosmat

    vectors: dict[str, list[spectral.Vector]] = {}
    variables = []
    for name, shape, kind in whosmat(str(path), appendmat=False):
        dtype = np.dtype(_TYPES.get(kind, "O"))
        if len(shape) > 2:
            variables.append(Variable(name, shape, dtype, partial(_load, path, name), usual=2))
        elif dtype != "O" and 1 in shape and max(shape) <= spectral.LONGEST and spectral.role(name):
            spectral.add(vectors, name, _load(path, name))
    return Contents(path, variables, vectors)


def _load(path: Path, name: str) -> NDArray[Any]:
    """One array, in memory; its size is held against the file's before SciPy makes room for it."""
    from scipy.io import loadmat, whosmat

    shape, kind = next((shape, kind) for found, shape, kind in whosmat(str(path), appendmat=False) if found == name)
    values = math.prod(shape)
    # doubles that are small whole numbers lie in the file as bytes
    if values > path.stat().st_size * _INFLATES:
        raise FileFormatError(f"{path}: describes more values in {name} than it can hold; the file is damaged")
    check_memory(values * np.dtype(_TYPES[kind]).itemsize, path, name)
    array: NDArray[Any] = loadmat(str(path), appendmat=False, variable_names=[name])[name]
    return array
