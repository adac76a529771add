"""Where on Earth a cube lies, from the coordinates, grids and corner points of HDF5 and NetCDF files, in ENVI's words.

Sources: CF conventions 1.11, section 5.6 (grid mappings); the attributes `GeoTransform` and `spatial_ref` of GDAL;
ENVI's fields `map info` (reference pixel, its place, size of a pixel) and `geo points` (col, row, latitude, longitude).
"""

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_decsc.errors import FileFormatError

if TYPE_CHECKING:
    from napari_decsc.hsi.io.formats.variables import Contents, Variable

#: Names, in lower case, of vectors that tell where cols and rows lie.
COLS = ("x", "lon", "longitude", "easting", "projection_x_coordinate")
ROWS = ("y", "lat", "latitude", "northing", "projection_y_coordinate")
#: Attributes of a variable that describes a map projection.
GRID = ("crs_wkt", "spatial_ref", "grid_mapping_name", "GeoTransform")
_UTM = re.compile(r"UTM zone (\d{1,2}) ?([NS])", re.IGNORECASE)
#: Longitudes and latitudes that come without a projection.
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]]'
)
_IN_GRID = re.compile(r"HDFEOS/GRIDS/([^/]+)/")
_CORNER = {
    key: re.compile(rf"{key}=\(([-+0-9.eE]+),\s*([-+0-9.eE]+)\)") for key in ("UpperLeftPointMtrs", "LowerRightMtrs")
}
_LONGEST_TEXT = 1 << 20
#: Steps between coordinates may differ by this part of a step.
_EVEN = 1e-3


def geographic_fields(contents: "Contents", chosen: "Variable", shape: tuple[int, ...]) -> dict[str, Any]:
    """Fields of an ENVI header that tell where the cube (band, row, col) lies; empty where the file does not say."""
    if "map info" in contents.header:
        return {}
    return (
        _of_hdfeos(contents, chosen, shape)
        or _of_grid(contents, shape)
        or _of_coordinates(contents, chosen, shape)
        or _of_corners(contents, shape)
    )


def is_bottom_up(contents: "Contents", chosen: "Variable", shape: tuple[int, ...]) -> bool:
    """Whether the rows of a cube (band, row, col) on a known map run from south to north, as GDAL writes NetCDF.

    Latitudes, in degrees north, say where north is. Without them or a map projection nobody knows; such rows are left
    as they are, but for those of GDAL, which writes pictures without a place upside down too.
    """
    rows = _vector(contents, ROWS, shape[1])
    if "GDAL" in contents.facts and chosen.is_stack and not contents.coordinates:
        return True
    if rows is None or rows[1] <= 0 or _vector(contents, COLS, shape[2]) is None:
        return False
    return bool(contents.grids) or contents.has_latitudes


def map_info(east: float, north: float, width: float, height: float, wkt: str) -> dict[str, Any]:
    """`map info` and `coordinate system string` for the outer corner at the upper left and the size of a pixel."""
    place = [repr(value) for value in map(float, (east, north, width, height))]
    zone = _UTM.search(wkt)
    if zone:
        half = "North" if zone[2].upper() == "N" else "South"
        names, end = ["UTM", "1", "1"], [zone[1], half, "WGS-84", "units=Meters"]
    elif re.match(r"\s*(GEOGCS|GEOGCRS|GEODCRS)", wkt):
        names, end = ["Geographic Lat/Lon", "1", "1"], ["WGS-84", "units=Degrees"]
    else:
        names, end = ["Arbitrary", "1", "1"], []
    return {"map info": [*names, *place, *end], **({"coordinate system string": wkt} if wkt else {})}


def _of_hdfeos(contents: "Contents", chosen: "Variable", shape: tuple[int, ...]) -> dict[str, Any]:
    """From the text of HDF-EOS5 that describes the grid an array is in: outer corners, in UTM."""
    name = _IN_GRID.match(chosen.name)
    if name is None or len(contents.grids_text) > _LONGEST_TEXT:
        return {}
    _, _, after = contents.grids_text.partition(f'GridName="{name[1]}"')
    block = after.partition("GridName=")[0]
    corners = [_CORNER[key].search(block) for key in ("UpperLeftPointMtrs", "LowerRightMtrs")]
    zone = re.search(r"ZoneCode=(-?\d{1,2})\b", block)
    if "HE5_GCTP_UTM" not in block or zone is None or corners[0] is None or corners[1] is None:
        return {}
    try:
        west, north, east, south = (float(text) for corner in corners if corner for text in corner.groups())
    except ValueError:
        return {}
    width, height = (east - west) / shape[2], (north - south) / shape[1]
    number = int(zone[1])
    if not (width > 0 and height > 0 and 1 <= abs(number) <= 60):
        return {}
    half = "N" if number > 0 else "S"
    return {"map info": map_info(west, north, width, height, f"UTM zone {abs(number)}{half}")["map info"]}


def _of_grid(contents: "Contents", shape: tuple[int, ...]) -> dict[str, Any]:
    """From a GeoTransform: corner, step along a row, 0, corner, 0, step from row to row."""
    for grid in contents.grids:
        said = grid.get("GeoTransform", grid.get("geotransform"))
        steps = _six(said)
        fits = _fits(contents, shape)
        if steps is not None and steps[1] > 0 and steps[5] < 0 and steps[2] == steps[4] == 0 and fits:
            return map_info(steps[0], steps[3], steps[1], -steps[5], _wkt(grid))
    return {}


def _of_coordinates(contents: "Contents", chosen: "Variable", shape: tuple[int, ...]) -> dict[str, Any]:
    """From the centres of even cols and rows, the rows from north to south."""
    cols, rows = _vector(contents, COLS, shape[2]), _vector(contents, ROWS, shape[1])
    if cols is None or rows is None or cols[1] <= 0:
        return {}
    if is_bottom_up(contents, chosen, shape):
        # the cube is turned: its first row is the last one of the file
        rows = rows[0] + rows[1] * (shape[1] - 1), -rows[1], rows[2]
    if rows[1] >= 0:
        return {}
    wkt = next((_wkt(grid) for grid in contents.grids if _wkt(grid)), "")
    geographic = rows[2].startswith("lat")
    if not wkt and not geographic:
        return {}
    return map_info(cols[0] - cols[1] / 2, rows[0] - rows[1] / 2, cols[1], -rows[1], wkt or _WGS84)


def _of_corners(contents: "Contents", shape: tuple[int, ...]) -> dict[str, Any]:
    """From latitudes and longitudes of every pixel: those of the four corners."""
    found: dict[str, Variable] = {}
    for plane in contents.planes:
        name = plane.name.rpartition("/")[2].lower().split("_")[0]
        kind = {"lat": "lat", "latitude": "lat", "lon": "lon", "longitude": "lon"}.get(name.removesuffix("s"))
        if kind and plane.shape == tuple(shape[1:]) and plane.dtype.kind == "f":
            found.setdefault(kind, plane)
    if len(found) < 2:
        return {}
    try:
        lat, lon = found["lat"].read(), found["lon"].read()
    except (FileFormatError, OSError):  # the cube may be whole, though its places are not
        return {}
    points: list[str] = []
    for row, col in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        here = float(lat[row, col]), float(lon[row, col])
        if not (abs(here[0]) <= 90 and abs(here[1]) <= 360):
            return {}
        points += [repr(col % shape[2] + 1.0), repr(row % shape[1] + 1.0), *map(repr, here)]
    return {"geo points": points}


def _fits(contents: "Contents", shape: tuple[int, ...]) -> bool:
    """Whether no coordinates contradict: those of a swath's map are not those of its cube."""
    sizes = {name.rpartition("/")[2].lower(): len(values) for name, values in contents.coordinates.items()}
    rows, cols = ([sizes[name] for name in names if name in sizes] for names in (ROWS, COLS))
    return bool(rows and cols) and shape[1] in rows and shape[2] in cols


def _vector(contents: "Contents", names: tuple[str, ...], size: int) -> tuple[float, float, str] | None:
    """First value, step and name of the even vector that has one of the names and fits."""
    for name, values in contents.coordinates.items():
        own = name.rpartition("/")[2].lower()
        if own in names and len(values) == size and size > 1 and np.isfinite(values).all():
            step = float(values[-1] - values[0]) / (size - 1)
            if step and np.all(np.abs(np.diff(values) - step) <= _EVEN * abs(step)):
                return float(values[0]), step, own
    return None


def _six(said: Any) -> list[float] | None:
    try:
        steps = [float(item) for item in said.split()] if isinstance(said, str) else [float(item) for item in said]
    except (TypeError, ValueError):
        return None
    return steps if len(steps) == 6 and np.isfinite(steps).all() else None


def _wkt(grid: Any) -> str:
    said = grid.get("crs_wkt", grid.get("spatial_ref", ""))
    return said if isinstance(said, str) and len(said) <= 10_000 else ""
