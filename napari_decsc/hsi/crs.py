"""Coordinate systems: EPSG codes, well-known text, and the words of ENVI's `map info`.

UTM on the usual datums, latitude and longitude, and whatever carries an EPSG code are known here. The rest is known to
PROJ, which rasterio (the extra `geo`) brings; without it, what is not known is kept as it was told.
"""

import io
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class _Datum:
    """EPSG codes before the first UTM zone north and south (0: none), of latitude and longitude; names; ellipsoid."""

    north: int
    south: int
    geographic: int
    name: str
    ellipsoid: str
    axis: float
    flattening: float
    zones: range


#: By the words of `map info`.
_DATUMS = {
    "WGS-84": _Datum(32600, 32700, 4326, "WGS_1984", "WGS_1984", 6378137.0, 298.257223563, range(1, 61)),
    "North America 1983": _Datum(
        26900, 0, 4269, "North_American_1983", "GRS_1980", 6378137.0, 298.257222101, range(1, 24)
    ),
    "ETRS89": _Datum(25800, 0, 4258, "ETRS_1989", "GRS_1980", 6378137.0, 298.257222101, range(28, 39)),
}
#: Codes of latitude and longitude that are known here.
GEOGRAPHIC = frozenset(datum.geographic for datum in _DATUMS.values())
_SHORT = {"WGS-84": "WGS_1984", "North America 1983": "NAD_1983", "ETRS89": "ETRS_1989"}
_IN_NAME = re.compile(r"(WGS_1984|WGS 84|NAD_1983|NAD83|ETRS_1989|ETRS89)[ /_]+UTM[ _]zone[ _](\d{1,2})([NS])", re.I)
_CODE = re.compile(r'(?:AUTHORITY\["EPSG",\s*"(\d{1,6})"\]|ID\["EPSG",\s*(\d{1,6})\])\s*\]\s*$', re.I)
_FIRST_NAME = re.compile(r'^\s*(\w+)\s*\[\s*"([^"]*)"')
#: Kinds of geographic system that well-known text begins with, in both of its versions.
_GEOGRAPHIC = ("GEOGCS", "GEOGCRS", "GEODCRS")
#: Kinds of projected system.
_PROJECTED = ("PROJCS", "PROJCRS")


@dataclass(frozen=True)
class System:
    """A coordinate system.

    Parameters
    ----------
    code : int, optional
        Its EPSG code.
    text : str
        Its well-known text, "" if unknown.
    is_geographic : bool
        Whether it is latitude and longitude.
    """

    code: int | None = None
    text: str = ""
    is_geographic: bool = False

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return self.code is not None or bool(self.text)


UNKNOWN = System()


def of_code(code: int, is_geographic: bool) -> System:
    """The system of an EPSG code.

    Parameters
    ----------
    code : int
        Of EPSG.
    is_geographic : bool
        Of a code that is not known here.

    Returns
    -------
    System
        Its text in ESRI's dialect, which ENVI and GDAL read.
    """
    if (utm := _utm_of(code)) is not None:
        return System(code, _utm_text(*utm))
    for spelled, datum in _DATUMS.items():
        if datum.geographic == code:
            return System(code, _geographic_text(spelled), is_geographic=True)
    found = _from_proj(f"EPSG:{code}")
    return System(code, "" if found is None else found.to_wkt(version="WKT1_ESRI"), is_geographic)


def of_text(text: str) -> System:
    """The system that well-known text of any version describes.

    Parameters
    ----------
    text : str
        Well-known text.

    Returns
    -------
    System
        Unknown where it is no well-known text.
    """
    kind = _FIRST_NAME.match(text)
    if kind is None:
        return UNKNOWN
    geographic, projected = kind[1].upper() in _GEOGRAPHIC, kind[1].upper() in _PROJECTED
    if not (geographic or projected):
        return System(text=text)
    return System(_code_in(text, kind[2], geographic) or _code_from_proj(text), text, geographic)


def of_map_info(projection: str, words: list[str]) -> System:
    """The system that the words of `map info` name: UTM with zone and hemisphere, or latitude and longitude.

    Parameters
    ----------
    projection : str
        The first item of `map info`.
    words : list of str
        The items behind the pixel sizes.

    Returns
    -------
    System
        Unknown for all other projections.
    """
    datum = next((known for known in _DATUMS if known.lower() in [word.lower() for word in words]), None)
    if datum is None:
        return UNKNOWN
    if "geographic" in projection.lower():
        return of_code(_DATUMS[datum].geographic, is_geographic=True)
    zones = [int(word) for word in words if re.fullmatch(r"\d{1,2}", word)]
    if projection.strip().lower() != "utm" or not zones:
        return UNKNOWN
    code = _utm_code(datum, zones[0], south=any(word.lower() == "south" for word in words))
    return System() if code is None else of_code(code, is_geographic=False)


def map_info_words(system: System) -> tuple[str, list[str]]:
    """The name of the projection, and the words behind the pixel size, by which `map info` tells a system.

    Parameters
    ----------
    system : System
        Any.

    Returns
    -------
    str, list of str
        As `of_map_info` takes them.
    """
    if system.code is not None and (utm := _utm_of(system.code)) is not None:
        datum, zone, south = utm
        return "UTM", [str(zone), "South" if south else "North", datum, "units=Meters"]
    if system.is_geographic:
        datum = next((known for known, facts in _DATUMS.items() if facts.geographic == system.code), "Unknown")
        return "Geographic Lat/Lon", [datum, "units=Degrees"]
    name = re.search(r'PROJECTION\["([^"]+)"', system.text)
    unit = "Feet" if re.search(r'UNIT\["[^"]*foot', system.text.rpartition("PARAMETER")[2], re.I) else "Meters"
    return (name[1].replace("_", " ") if name else "Arbitrary"), ["Unknown", f"units={unit}"] if name else []


def with_text(system: System, version: str) -> str:
    """The text of a system in another version ("WKT1_ESRI", "WKT2_2019"), where PROJ is there; else as it is.

    Parameters
    ----------
    system : System
        Any.
    version : str
        "WKT1_ESRI" or "WKT2_2019".

    Returns
    -------
    str
        "" if unknown.
    """
    told = system.text if system.code is None else f"EPSG:{system.code}"
    found = _from_proj(told) if system.is_known else None
    return system.text if found is None else str(found.to_wkt(version=version))


def cf_parameters(system: System) -> dict[str, Any]:
    """The attributes of a grid mapping (CF conventions 1.11, appendix F), for UTM, and latitude and longitude.

    Parameters
    ----------
    system : System
        Any.

    Returns
    -------
    dict of str to object
        Empty for other systems.
    """
    utm = None if system.code is None else _utm_of(system.code)
    if utm is None:
        return {"grid_mapping_name": "latitude_longitude"} if system.is_geographic else {}
    datum, zone, south = utm
    return {
        "grid_mapping_name": "transverse_mercator",
        "longitude_of_central_meridian": zone * 6.0 - 183.0,
        "latitude_of_projection_origin": 0.0,
        "scale_factor_at_central_meridian": 0.9996,
        "false_easting": 500000.0,
        "false_northing": 10000000.0 if south else 0.0,
        "semi_major_axis": _DATUMS[datum].axis,
        "inverse_flattening": _DATUMS[datum].flattening,
    }


def _utm_code(datum: str, zone: int, *, south: bool) -> int | None:
    first = _DATUMS[datum].south if south else _DATUMS[datum].north
    return first + zone if first and zone in _DATUMS[datum].zones else None


def _utm_of(code: int) -> tuple[str, int, bool] | None:
    """Datum, zone, and whether it is the southern one, of the EPSG code of a UTM zone."""
    for spelled, datum in _DATUMS.items():
        for first, south in ((datum.north, False), (datum.south, True)):
            if first and code - first in datum.zones:
                return spelled, code - first, south
    return None


def _geographic_text(datum: str) -> str:
    found = _DATUMS[datum]
    sphere = f'SPHEROID["{found.ellipsoid}",{found.axis!r},{found.flattening!r}]'
    return (
        f'GEOGCS["GCS_{found.name}",DATUM["D_{found.name}",{sphere}],'
        f'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
    )


def _utm_text(datum: str, zone: int, south: bool) -> str:
    parameters = {
        "False_Easting": 500000.0,
        "False_Northing": 10000000.0 if south else 0.0,
        "Central_Meridian": zone * 6.0 - 183.0,
        "Scale_Factor": 0.9996,
        "Latitude_Of_Origin": 0.0,
    }
    said = "".join(f'PARAMETER["{name}",{value!r}],' for name, value in parameters.items())
    name = f"{_SHORT[datum]}_UTM_Zone_{zone}{'S' if south else 'N'}"
    return f'PROJCS["{name}",{_geographic_text(datum)},PROJECTION["Transverse_Mercator"],{said}UNIT["Meter",1.0]]'


def _code_in(text: str, name: str, is_geographic: bool) -> int | None:
    if (found := _CODE.search(text)) is not None:
        return int(found[1] or found[2])
    if is_geographic:
        names = {"GCS_" + datum.name: datum.geographic for datum in _DATUMS.values()} | {"WGS 84": 4326}
        return {key.lower(): code for key, code in names.items()}.get(name.lower())
    if (found := _IN_NAME.fullmatch(name)) is None:
        return None
    datum = {"W": "WGS-84", "N": "North America 1983", "E": "ETRS89"}[found[1][0].upper()]
    return _utm_code(datum, int(found[2]), south=found[3].upper() == "S")


def _code_from_proj(text: str) -> int | None:
    found = _from_proj(text)
    return None if found is None else found.to_epsg(confidence_threshold=90)


def _from_proj(told: str) -> Any:
    """What rasterio makes of a code or a text; None where it makes nothing of it, or is not installed."""
    with suppress(ImportError):
        from rasterio import Env
        from rasterio.crs import CRS
        from rasterio.errors import RasterioError

        with suppress(RasterioError, ValueError), Env():
            return CRS.from_user_input(told, morph_from_esri_dialect="D_" in told)
    return None


def of_geotiff(tags: list[tuple[int, str, Any]]) -> System:
    """The system that GeoTIFF's keys describe in full; needs PROJ.

    Parameters
    ----------
    tags : list of (int, str, object)
        Code, type and values of a tag.

    Returns
    -------
    System
        Unknown without PROJ.
    """
    with suppress(ImportError):
        import tifffile
        from rasterio import MemoryFile
        from rasterio.errors import RasterioError

        with suppress(RasterioError, ValueError), io.BytesIO() as file:
            # without a place of its own, the image would be warned of
            place = [(33550, "d", (1.0, 1.0, 0.0)), (33922, "d", (0.0,) * 6)]
            extra = [(code, kind, len(values), values, True) for code, kind, values in [*tags, *place]]
            tifffile.imwrite(file, np.zeros((1, 1), np.uint8), metadata=None, extratags=extra)
            with MemoryFile(file.getvalue()) as memory, memory.open() as image:
                if image.crs is not None:
                    return of_text(image.crs.to_wkt(version="WKT1_ESRI"))
    return UNKNOWN


def geotiff_keys(system: System) -> dict[int, Any]:
    """The tags that describe a system in GeoTIFF's keys; needs PROJ.

    Parameters
    ----------
    system : System
        Any.

    Returns
    -------
    dict of int to object
        Tags 34735, 34736 and 34737; empty without PROJ.
    """
    found = _from_proj(system.text)
    if found is None:
        return {}
    import tifffile
    from rasterio import Affine, MemoryFile

    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=1, height=1, count=1, dtype="uint8", crs=found, transform=Affine(1, 0, 1, 0, -1, 1)
        ):
            pass
        with tifffile.TiffFile(io.BytesIO(memory.read())) as file:
            tags = file.pages.first.tags
            return {code: tags[code].value for code in (34735, 34736, 34737) if code in tags}
