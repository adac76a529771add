"""MATLAB files: versions 5 to 7 are parsed by `matlab_elements`, Octave's text by `octave_text`; 7.3 is HDF5.

SciPy's reader is not used: damaged files make it end the whole process.
"""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.formats import hdf5, octave_text, spectral
from napari_decsc.hsi.io.formats.contents import cube_from, looks_like_a_cube
from napari_decsc.hsi.io.formats.guards import check_memory, mapped, readable
from napari_decsc.hsi.io.formats.matlab_elements import Numbers, Other, Text, elements, values_at
from napari_decsc.hsi.io.formats.tables import tables
from napari_decsc.hsi.io.formats.variables import Contents, Variable, with_singles
from napari_decsc.hsi.io.roles import role

_KIND = "MATLAB"


def holds_cube(path: Path) -> bool:
    """True if this is a MATLAB file and an array in it could be a cube of at least 4 bands."""
    return hdf5.holds_cube(path) if hdf5.is_hdf5(path) else looks_like_a_cube(_contents(path))


def read_matlab(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a MATLAB file: memory-mapped if it was saved uncompressed (-v6), else in memory; 7.3 as HDF5."""
    with readable(path, _KIND):
        if hdf5.is_hdf5(path):
            return hdf5.read_matlab_73(path, variable, band_axis)
        return cube_from(_contents(path), variable, band_axis)


def _contents(path: Path) -> Contents:
    vectors: dict[str, list[spectral.Vector]] = {}
    variables, planes, others = [], [], []
    singles: dict[str, float] = {}
    texts: dict[str, list[str]] = {}
    is_text = _is_octave_text(path)
    for array in octave_text.elements(path) if is_text else elements(path):
        if isinstance(array, Other):
            others.append(f"{array.name}, {array.kind}")
            continue
        if isinstance(array, Text):
            texts.setdefault(array.name.partition("{")[0], []).extend(array.rows)
            continue
        read = partial(octave_text.values_of if is_text else _values, path, array)
        usual = 2 if len(array.shape) == 3 else None
        variable = Variable(
            array.name, array.shape, array.dtype, read, usual=usual, is_logical=array.is_logical, is_matlab=True
        )
        if len(array.shape) > 2:
            variables.append(variable)
        elif math.prod(array.shape) == 1:
            singles[array.name] = float(np.ravel(read())[0])
        elif 1 not in array.shape:
            planes.append(variable)
        elif max(array.shape) <= spectral.LONGEST and role(array.name):
            spectral.add(vectors, array.name, read())
    for name, rows in texts.items():
        spectral.add(vectors, name, rows[0] if len(rows) == 1 else [row.strip() for row in rows])
    if not any(one.is_cube for one in variables):
        variables += tables(planes, singles)
    return with_singles(Contents(path, variables, vectors, planes=planes, others=others), singles)


def _is_octave_text(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(32).startswith(octave_text.BEGINNINGS)


def _values(path: Path, array: Numbers) -> NDArray[Any]:
    if not array.packed:
        return mapped(path, array.dtype, array.shape, array.start + array.skip, "F")
    check_memory(2 * math.prod(array.shape) * array.dtype.itemsize, path, array.name)
    return np.frombuffer(values_at(path, array), array.dtype).reshape(array.shape, order="F")
