"""A cube as a data set by the CF conventions: dimensions, coordinates and attributes, for NetCDF and Zarr.

Source: "NetCDF Climate and Forecast Conventions 1.11", sections 2.5.1 (missing data), 4 (coordinates), 5.6 (grid
mappings), 8.1 (packed data); the attributes `GeoTransform` and `spatial_ref` are GDAL's, for which QGIS looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi import crs, georeference
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import FIELDS, calibration_of
from napari_decsc.hsi.io.envi.header import Header
from napari_decsc.hsi.io.envi.text import LOOSE
from napari_decsc.hsi.io.envi.writer import kept_fields
from napari_decsc.hsi.io.formats.field_names import attributes_of
from napari_decsc.hsi.no_data import holds, in_type

#: Name of the variable that holds the values.
CUBE = "cube"
#: Attributes of a data set that was read, which are said anew.
_OWN = ("conventions", "title", "long_name", "units", "coordinates", "grid_mapping")
_UNITS = {"nm": "nm", "um": "um", "mm": "mm", "m": "m", "1/cm": "cm-1"}


@dataclass(frozen=True)
class Coordinate:
    """A small array beside the cube; without dimensions a single value, which only carries attributes."""

    name: str
    dimensions: tuple[str, ...]
    values: NDArray[Any]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataSet:
    """Names of the axes (band, row, col), coordinates, and attributes of the cube and of the whole."""

    dimensions: tuple[str, str, str]
    coordinates: list[Coordinate]
    attributes: dict[str, Any]
    facts: dict[str, Any]


def data_set(cube: Cube, kind: np.dtype[Any], extra: Mapping[str, str]) -> DataSet:
    """How a cube, whose values are written in the type ``kind``, is described.

    Raises
    ------
    FileFormatError
        If each band has a gain of its own, for which CF has no words.
    """
    bands, spectral = _spectral(cube)
    rows, cols, places, grid = _places(cube)
    attributes: dict[str, Any] = {"long_name": cube.name, **_packing(cube)}
    beside = [one.name for one in spectral if one.name != bands]
    attributes |= {"coordinates": " ".join(beside)} if beside else {}
    attributes |= {"grid_mapping": "crs"} if grid else {}
    if cube.no_data is not None and holds(kind, cube.no_data):
        attributes["_FillValue"] = in_type(cube.no_data, kind) if kind.kind == "f" else kind.type(int(cube.no_data))
    return DataSet((bands, rows, cols), [*spectral, *places, *grid], attributes, _facts(cube, extra, bool(grid)))


def _spectral(cube: Cube) -> tuple[str, list[Coordinate]]:
    """Name of the axis of bands, and what is known of each of them. CF wants a coordinate's values to rise or fall."""
    lengths = cube.wavelengths
    is_axis = lengths is not None and bool(np.all(np.diff(lengths) > 0) or np.all(np.diff(lengths) < 0))
    axis = "wavelength" if is_axis else "band"
    unit = {"units": _UNITS[cube.wavelength_unit]} if cube.wavelength_unit in _UNITS else {}
    found = []
    if lengths is not None:
        name = {"standard_name": "radiation_wavenumber" if cube.wavelength_unit == "1/cm" else "radiation_wavelength"}
        said = {"long_name": "centre of the band", **(name if unit else {}), **unit}
        found.append(Coordinate("wavelength", (axis,), lengths, said))
    if cube.fwhm is not None:
        said = {"long_name": "full width of the band at half its maximum", **unit}
        found.append(Coordinate("fwhm", (axis,), cube.fwhm, said))
    if cube.good_bands is not None:
        said = {"long_name": "1: the band is of use, 0: it is not", "units": "1"}
        found.append(Coordinate("good_bands", (axis,), cube.good_bands.astype(np.int8), said))
    return axis, found


def _places(cube: Cube) -> tuple[str, str, list[Coordinate], list[Coordinate]]:
    """Names of the axes of rows and cols, coordinates of the pixels' centres, and the map projection."""
    place = georeference.of_header(cube.header)
    if place is None or not place.is_north_up:
        return "y", "x", [], []
    x, width, _, y, _, height = place.transform
    geographic = place.system.is_geographic
    rows, cols = ("latitude", "longitude") if geographic else ("y", "x")
    units = ("degrees_north", "degrees_east") if geographic else ("m", "m")
    names = ("latitude", "longitude") if geographic else ("projection_y_coordinate", "projection_x_coordinate")
    centres = (y + (np.arange(cube.shape[1]) + 0.5) * height, x + (np.arange(cube.shape[2]) + 0.5) * width)
    places = [
        Coordinate(axis, (axis,), values, {"standard_name": name, "units": unit})
        for axis, values, name, unit in zip((rows, cols), centres, names, units, strict=True)
    ]
    text = crs.with_text(place.system, "WKT2_2019")
    grid = {**crs.cf_parameters(place.system), "GeoTransform": " ".join(map(repr, map(float, place.transform)))}
    if text:
        grid |= {"crs_wkt": text, "spatial_ref": crs.with_text(place.system, "WKT1_GDAL")}
    return rows, cols, places, [Coordinate("crs", (), np.array(0, np.int32), grid)]


def _packing(cube: Cube) -> dict[str, Any]:
    """Scale and offset: physical value = stored number * scale_factor + add_offset."""
    if cube.scale != 1:
        return {"scale_factor": 1 / cube.scale, "units": "1"}
    found = calibration_of(Header(Path(cube.name), cube.header), cube.bands)
    if found is None:
        return {}
    gains, offsets = found.gains, found.offsets
    if not (np.all(gains == gains[0]) and np.all(offsets == offsets[0])):
        raise FileFormatError(
            f"{cube.name}: its bands have gains of their own, which NetCDF and Zarr cannot say; choose float32, or ENVI"
        )
    return {"scale_factor": float(gains[0]), "add_offset": float(offsets[0])}


def _facts(cube: Cube, extra: Mapping[str, str], is_placed: bool) -> dict[str, Any]:
    """The fields of the header as attributes; those of the place only where no coordinates tell it."""
    fields = kept_fields(cube)
    if is_placed:
        fields = georeference.without(fields)
    told = {key: value for key, value in {**fields, **extra}.items() if key not in (LOOSE, *FIELDS, *_OWN)}
    return {**attributes_of(told), "Conventions": "CF-1.11", "title": cube.name}
