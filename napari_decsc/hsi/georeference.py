"""Where pixels lie on the ground, as headers tell it: in ENVI's `map info` or in GeoTIFF's tags; told anew for a crop.

Both stand among the fields of a cube's header: `map info` with `coordinate system string`, and `geotiff 33550` and so
on for tags. Each writer takes its own where the header has it, else makes it from the other.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_decsc.hsi import crs
from napari_decsc.hsi.crs import UNKNOWN, System

#: ENVI's field of the place of pixels.
MAP_INFO = "map info"
#: ENVI's field of the coordinate system.
SYSTEM = "coordinate system string"
#: Fields of GeoTIFF's tags (OGC 19-008r4): pixel size.
_SIZE = "geotiff 33550"
#: Tie points.
_TIES = "geotiff 33922"
#: The affine map as a matrix.
_MATRIX = "geotiff 34264"
#: Directory of keys.
_KEYS = "geotiff 34735"
#: Rational polynomials.
_RPC = "geotiff 50844"
#: Fields of a header that tell where its pixels lie.
_PLACES = (
    *(MAP_INFO, SYSTEM, "projection info", "geo points", "rpc info", "x start", "y start", "pixel size"),
    *("igm file", "glt file"),
)
#: Keys of GeoTIFF: kind of model.
_MODEL = 1024
#: Whether a pixel is an area or a point.
_RASTER = 1025
#: Code of a geographic system.
_GEOGRAPHIC = 2048
#: Code of a projected system.
_PROJECTED = 3072
_OWN_SYSTEM = 32767


@dataclass(frozen=True)
class Georeference:
    """The affine map from (col, row), (0, 0) the outer corner of the first pixel, to the ground; and what ground.

    Parameters
    ----------
    transform : tuple of six float
        In GDAL's order: x = t0 + col t1 + row t2, y = t3 + col t4 + row t5.
    system : System
        Of x and y.
    """

    transform: tuple[float, ...]
    system: System = UNKNOWN

    @property
    def is_north_up(self) -> bool:
        """Whether rows run along the parallels, from north to south."""
        _, width, skew, _, lean, height = self.transform
        return skew == lean == 0 and width > 0 and height < 0


def of_header(header: Mapping[str, Any]) -> Georeference | None:
    """Where the pixels of a cube lie.

    Parameters
    ----------
    header : mapping of str to object
        The cube's.

    Returns
    -------
    Georeference or None
        None if it does not tell.
    """
    return of_tags(header) or of_map_info(header)


def of_map_info(header: Mapping[str, Any]) -> Georeference | None:
    """What `map info` tells: name, reference pixel from 1, its place, pixel sizes; then words, one the rotation.

    Parameters
    ----------
    header : mapping of str to object
        The cube's.

    Returns
    -------
    Georeference or None
        None without `map info`, or where it has too few numbers.
    """
    items = _items(header.get(MAP_INFO))
    if len(items) < 7:
        return None
    numbers = _numbers(items[1:7])
    if numbers is None:
        return None
    col, row, x, y, width, height = numbers
    words = [str(item).strip() for item in items[7:]]
    turn = math.radians(_said(words, "rotation"))
    cosine, sine = (1.0, 0.0) if turn == 0 else (math.cos(turn), math.sin(turn))
    # one col further, one row further: at right angles, whatever the sizes of a pixel
    steps = (width * cosine, height * sine, width * sine, -height * cosine)
    x -= steps[0] * (col - 1) + steps[1] * (row - 1)
    y -= steps[2] * (col - 1) + steps[3] * (row - 1)
    if not all(map(math.isfinite, (x, y, *steps))):
        return None
    text = str(header.get(SYSTEM) or "").strip()
    system = crs.of_text(text) if text else crs.of_map_info(str(items[0]), words)
    return Georeference((x, steps[0], steps[1], y, steps[2], steps[3]), system)


def map_info(place: Georeference) -> dict[str, Any]:
    """The fields by which ENVI is told; none where `map info` cannot say it (sheared, mirrored).

    Parameters
    ----------
    place : Georeference
        Any.

    Returns
    -------
    dict of str to object
        `map info`, and the system's text.
    """
    x, across, skew, y, lean, down = place.transform
    width, height = math.hypot(across, lean), math.hypot(skew, down)
    turn = math.atan2(lean, across)
    exact = (across, skew, lean, down)
    made = (width * math.cos(turn), height * math.sin(turn), width * math.sin(turn), -height * math.cos(turn))
    if not (width and height) or not np.allclose(exact, made, rtol=0, atol=1e-9 * max(width, height)):
        return {}
    name, words = crs.map_info_words(place.system)
    numbers = [1.0, 1.0, x, y, width, height]
    rotation = [f"rotation={math.degrees(turn)!r}"] if turn else []
    fields: dict[str, Any] = {MAP_INFO: [name, *(_short(number) for number in numbers), *words, *rotation]}
    text = crs.with_text(place.system, "WKT1_ESRI")
    return {**fields, SYSTEM: text} if text.startswith(("PROJCS", "GEOGCS")) else fields


def of_tags(header: Mapping[str, Any]) -> Georeference | None:
    """What the tags of a GeoTIFF tell; None without an affine map.

    Parameters
    ----------
    header : mapping of str to object
        The cube's.

    Returns
    -------
    Georeference or None
    """
    transform = _affine(header)
    keys = _key_values(header)
    if transform is None:
        return None
    if keys.get(_RASTER) == 2:  # the coordinates are those of the pixels' centres
        x, across, skew, y, lean, down = transform
        transform = (x - (across + skew) / 2, across, skew, y - (lean + down) / 2, lean, down)
    if not all(map(math.isfinite, transform)):  # products of very large numbers
        return None
    for key in (_PROJECTED, _GEOGRAPHIC):
        code = keys.get(key, 0)
        if code and code != _OWN_SYSTEM:
            return Georeference(transform, crs.of_code(code, is_geographic=key == _GEOGRAPHIC))
        if code:
            return Georeference(transform, crs.of_geotiff(_full_keys(header)))
    return Georeference(transform)


def tags(place: Georeference) -> dict[str, Any]:
    """The fields of GeoTIFF's tags that tell a place; of a system without a code what PROJ, if it is there, knows.

    Parameters
    ----------
    place : Georeference
        Any.

    Returns
    -------
    dict of str to object
        By names such as "geotiff 33550".
    """
    x, across, skew, y, lean, down = place.transform
    if place.is_north_up:
        fields: dict[str, Any] = {_SIZE: _texts([across, -down, 0]), _TIES: _texts([0, 0, 0, x, y, 0])}
    else:
        fields = {_MATRIX: _texts([across, skew, 0, x, lean, down, 0, y, 0, 0, 0, 0, 0, 0, 0, 1])}
    code, system = place.system.code, place.system
    keys = [1025, 0, 1, 1]
    if code is not None and 0 < code < _OWN_SYSTEM:
        kind, key = (2, _GEOGRAPHIC) if system.is_geographic else (1, _PROJECTED)
        keys = [_MODEL, 0, 1, kind, *keys, key, 0, 1, code]
    elif system.is_known and (made := crs.geotiff_keys(system)):
        told = {f"geotiff {tag}": value if isinstance(value, str) else _texts(value) for tag, value in made.items()}
        return {**fields, **told}
    return {**fields, _KEYS: _texts([1, 1, 0, len(keys) // 4, *keys])}


def moved(header: Mapping[str, Any], row: int, col: int) -> dict[str, Any]:
    """The header of a crop.

    Parameters
    ----------
    header : mapping of str to object
        Of the whole cube.
    row, col : int
        Where the crop begins.

    Returns
    -------
    dict of str to object
        Without what is true of the whole alone.
    """
    # tables of places are of the whole alone
    fields = {key: value for key, value in header.items() if key not in ("igm file", "glt file")}
    place = of_map_info(header)
    if place is not None:
        _, across, skew, _, lean, down = place.transform
        items = _items(fields[MAP_INFO])
        old = _numbers(items[3:5]) or [0.0, 0.0]
        items[3:5] = [_short(old[0] + col * across + row * skew), _short(old[1] + col * lean + row * down)]
        fields[MAP_INFO] = items
    _shift(fields, _TIES, 6, {0: -col, 1: -row})
    _shift(fields, "geo points", 4, {0: -col, 1: -row})
    _shift(fields, "rpc info", 0, {0: -row, 1: -col})
    _shift(fields, _RPC, 0, {2: -row, 3: -col})
    _move_matrix(fields, row, col)
    for key, shift in (("x start", col), ("y start", row)):
        start = _numbers([fields[key]]) if isinstance(fields.get(key), str) else None
        if start is not None:
            fields[key] = _short(start[0] + shift)
    return fields


def without(header: Mapping[str, Any]) -> dict[str, Any]:
    """The header without what tells where pixels lie: for pixels of which nobody knows any more.

    Parameters
    ----------
    header : mapping of str to object
        The cube's.

    Returns
    -------
    dict of str to object
    """
    return {key: value for key, value in header.items() if key not in _PLACES and not key.startswith("geotiff ")}


def for_envi(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with `map info` in place of GeoTIFF's tags, where it says all that the tags say.

    A coordinate system in words that ENVI does not know (WKT2) is said in its own.

    Parameters
    ----------
    fields : mapping of str to object
        Of a cube's header.

    Returns
    -------
    dict of str to object
    """
    place = of_tags(fields)
    said = {} if MAP_INFO in fields or place is None else map_info(place)
    if MAP_INFO in fields:
        said = {MAP_INFO: _items(fields[MAP_INFO])} if isinstance(fields[MAP_INFO], str) else {}
        said |= _in_envis_words(fields)
    elif not said:
        return dict(fields)
    is_whole = place is not None and (SYSTEM in {**fields, **said} or not _has_system(fields)) and _RPC not in fields
    kept = {key: value for key, value in fields.items() if not (is_whole and key.startswith("geotiff "))}
    return {**kept, **said}


def _in_envis_words(fields: Mapping[str, Any]) -> dict[str, Any]:
    text = str(fields.get(SYSTEM) or "").strip()
    if not text or text.startswith(("PROJCS", "GEOGCS")):
        return {}
    system = crs.of_text(text)
    if system.code is not None:
        system = crs.of_code(system.code, system.is_geographic)
    told = crs.with_text(system, "WKT1_ESRI")
    return {SYSTEM: told} if told.startswith(("PROJCS", "GEOGCS")) else {}


def for_tiff(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with GeoTIFF's tags made from `map info`, if there are none.

    Parameters
    ----------
    fields : mapping of str to object
        Of a cube's header.

    Returns
    -------
    dict of str to object
    """
    place = None if any(key.startswith("geotiff ") for key in fields) else of_map_info(fields)
    return dict(fields) if place is None else {**fields, **tags(place)}


def _has_system(fields: Mapping[str, Any]) -> bool:
    return bool({_GEOGRAPHIC, _PROJECTED, _MODEL} & set(_key_values(fields)))


def _affine(header: Mapping[str, Any]) -> tuple[float, ...] | None:
    matrix, size, ties = (_numbers(header.get(key)) for key in (_MATRIX, _SIZE, _TIES))
    if matrix is not None and len(matrix) == 16:
        return matrix[3], matrix[0], matrix[1], matrix[7], matrix[4], matrix[5]
    # several tie points are scattered points on the ground, whose map is no affine one
    if size is None or ties is None or len(size) < 2 or len(ties) != 6:
        return None
    return ties[3] - ties[0] * size[0], size[0], 0.0, ties[4] + ties[1] * size[1], 0.0, -size[1]


def _key_values(header: Mapping[str, Any]) -> dict[int, int]:
    """Keys of the directory whose values stand in it."""
    numbers = [int(number) for number in _numbers(header.get(_KEYS)) or []]
    entries = [numbers[place : place + 4] for place in range(4, len(numbers) - 3, 4)]
    return {key: value for key, place, _, value in entries if place == 0}


def _full_keys(header: Mapping[str, Any]) -> list[tuple[int, str, Any]]:
    """The tags of GeoTIFF's keys with their types and values."""
    tags: list[tuple[int, str, Any]] = []
    for code, kind in ((34735, "H"), (34736, "d"), (34737, "s")):
        value = header.get(f"geotiff {code}")
        numbers = _numbers(value)
        if kind == "s" and isinstance(value, str) and value.isascii():
            tags.append((code, kind, value))
        elif kind != "s" and numbers is not None and (kind == "d" or all(0 <= one < 65536 for one in numbers)):
            tags.append((code, kind, tuple(map(int, numbers)) if kind == "H" else tuple(numbers)))
    return tags


def _shift(fields: dict[str, Any], key: str, step: int, shifts: Mapping[int, float]) -> None:
    """Add to the items of a list at these places, and again at every ``step`` items."""
    numbers = _numbers(fields.get(key))
    if numbers is None or len(numbers) <= max(shifts):
        return
    items = [str(item) for item in fields[key]]
    for start in range(0, len(items) if step else 1, step or 1):
        for place, shift in shifts.items():
            if start + place < len(items):
                items[start + place] = _short(numbers[start + place] + shift)
    fields[key] = items


def _move_matrix(fields: dict[str, Any], row: int, col: int) -> None:
    matrix = _numbers(fields.get(_MATRIX))
    if matrix is not None and len(matrix) == 16:
        for start in (0, 4, 8):
            matrix[start + 3] += col * matrix[start] + row * matrix[start + 1]
        fields[_MATRIX] = _texts(matrix)


def _items(value: Any) -> list[str]:
    """The items of a list, which other formats keep as a text."""
    if isinstance(value, str):
        return [item.strip() for item in value.strip(" {}").split(",")]
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _said(words: list[str], name: str) -> float:
    """The number behind `name=` among the words; 0 if there is none."""
    found = next((re.split(r"\s*=\s*", word)[1] for word in words if re.match(rf"{name}\s*=", word, re.I)), "0")
    return (_numbers([found]) or [0.0])[0]


def _numbers(items: Any) -> list[float] | None:
    """The items as finite numbers, or None if they are no list of such."""
    try:
        numbers = [float(item) for item in items] if isinstance(items, list | tuple) else None
    except (TypeError, ValueError):
        return None
    return numbers if numbers and all(map(math.isfinite, numbers)) else None


def _texts(numbers: Sequence[float]) -> list[str]:
    return [_short(number) for number in numbers]


def _short(number: float) -> str:
    return repr(int(number)) if number == int(number) and abs(number) < 2**53 else repr(float(number))
