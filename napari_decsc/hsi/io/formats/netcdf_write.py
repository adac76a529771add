"""Writing NetCDF 4 by the CF conventions, as xarray, GDAL and QGIS expect it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.atomic import replacing
from napari_decsc.hsi.io.conversion import slabs, to_write
from napari_decsc.hsi.io.formats.cf_write import CUBE, Coordinate, DataSet, data_set
from napari_decsc.hsi.io.notes import notes_of

#: NetCDF has no half precision.
_WIDER = {"float16": np.dtype(np.float32)}


def write_netcdf(cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]) -> Path:
    """Write a cube as the variable `cube` of a NetCDF 4 file, uncompressed and in one piece, some rows at a time.

    Its axes are wavelength (or band), y and x (or latitude and longitude), with coordinates where they are known.
    """
    import h5netcdf

    kind = _WIDER.get(kind.name, kind)
    cube = to_write(cube, kind)
    described = data_set(cube, kind, extra)
    with replacing(path, overwrite=overwrite, notes=notes_of(path)) as (part,):
        with h5netcdf.File(part, "w") as file:
            variable = _variables(file, cube, kind, described)
            for start, slab in slabs(cube, kind):
                variable[:, start : start + slab.shape[1]] = slab
        _flush(part)
    return path


def _variables(file: Any, cube: Cube, kind: np.dtype[Any], described: DataSet) -> Any:
    file.dimensions = dict(zip(described.dimensions, cube.shape, strict=True))
    for coordinate in described.coordinates:
        _add(file, coordinate)
    file.attrs.update(described.facts)
    said = dict(described.attributes)
    fill = said.pop("_FillValue", None)
    variable = file.create_variable(CUBE, described.dimensions, kind, fillvalue=fill)
    variable.attrs.update(said)
    return variable


def _add(file: Any, coordinate: Coordinate) -> None:
    values = coordinate.values
    variable = file.create_variable(coordinate.name, coordinate.dimensions, values.dtype, data=values)
    variable.attrs.update(coordinate.attributes)


def _flush(path: Path) -> None:
    """Have the file on the disk before it takes its name."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
