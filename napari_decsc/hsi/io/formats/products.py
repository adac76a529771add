"""Science products in HDF5 and NetCDF whose cubes lie in several arrays, or which say things in ways of their own.

Sources: "PRISMA Products Specification Document", ASI, issue 2.3; "PACE OCI Level-1B data product format", NASA OBPG.
EMIT, Tanager, AVIRIS-3 and NEON's reflectance need nothing of their own: names of arrays and attributes tell all.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.formats.cf import numbers
from napari_decsc.hsi.io.formats.geolocation import map_info
from napari_decsc.hsi.io.formats.joined import joined, shared
from napari_decsc.hsi.io.formats.neon import with_split_radiance
from napari_decsc.hsi.io.formats.spectral import Vector
from napari_decsc.hsi.io.formats.variables import Contents, Variable

_PRISMA = re.compile(r"HDFEOS/SWATHS/PRS_L(\w+)_(HCO|HRC)/Data Fields/(VNIR|SWIR)_Cube", re.IGNORECASE)
_OCI = re.compile(r"observation_data/(rhot|Lt)_(blue|red|SWIR)", re.IGNORECASE)
#: Side of a pixel of PRISMA on the ground, metres.
_PRISMA_PIXEL = 30.0


@dataclasses.dataclass(frozen=True)
class _Detector:
    """An array of one detector, and what is known of its bands."""

    variable: Variable
    axis: int
    wavelengths: NDArray[np.float64]
    fwhm: NDArray[np.float64] | None


def recognised(contents: Contents) -> Contents:
    """The contents with what is known of the product that the file is; unchanged for others."""
    for recognise in (_prisma, _oci, with_split_radiance):
        known = recognise(contents)
        if known is not None:
            return known
    return contents


def _prisma(contents: Contents) -> Contents | None:
    """PRISMA L1 and L2: (row, band, col); wavelengths in attributes of the file, 0 where a band is not delivered."""
    matches = [(one, _PRISMA.fullmatch(one.name)) for one in contents.variables]
    found = {(match[1], match[2], match[3].upper()): one for one, match in matches if match}
    if not found:
        return None
    variables = [_prisma_cube(contents, one) for one in contents.variables]
    named = {one.name: one for one in variables}
    made = []
    for level, kind in dict.fromkeys(key[:2] for key in found):
        detectors = []
        for place in ("VNIR", "SWIR"):
            if (level, kind, place) in found:
                detectors.append(_prisma_detector(contents, named[found[level, kind, place].name], place.title()))
        made.append(_merged(f"PRS_L{level}_{kind}/VNIR and SWIR", [one for one in detectors if one is not None]))
    whole = [one for one in made if one is not None]
    # L1 has the cube twice: with VNIR and SWIR registered to each other (HCO), and not
    best = [one for one in whole if "_HCO" in one.name] or whole
    others = [dataclasses.replace(one, is_preferred=False) for one in whole if one not in best]
    header = {**contents.header, **_prisma_place(contents)}
    return dataclasses.replace(contents, variables=[*best, *others, *variables], header=header)


def _prisma_cube(contents: Contents, one: Variable) -> Variable:
    """The array with its axis of bands and its scale."""
    match = _PRISMA.fullmatch(one.name)
    if match is None:
        return one
    scale = _prisma_scale(contents.facts, match[1], match[3].title())
    return dataclasses.replace(one, certain=1, attributes={**one.attributes, **scale})


def _prisma_scale(facts: Mapping[str, Any], level: str, place: str) -> dict[str, float]:
    """Reflectance from the range that 16 bits span (L2), radiance from factor and offset (L1)."""
    low, high = _told(facts, f"L2Scale{place}Min"), _told(facts, f"L2Scale{place}Max")
    if level.startswith("2") and len(low) == len(high) == 1 and low[0] < high[0]:
        return {"scale_factor": (high[0] - low[0]) / 65535, "add_offset": low[0]}
    factor, offset = _told(facts, f"ScaleFactor_{place}"), _told(facts, f"Offset_{place}")
    if level.startswith("1") and len(factor) == 1 and factor[0] > 0:
        return {"scale_factor": 1 / factor[0], "add_offset": -offset[0] if offset else 0.0}
    return {}


def _told(facts: Mapping[str, Any], key: str) -> list[float]:
    """The numbers of an attribute of the file, whose name is spelled in upper or lower case."""
    return numbers(next((value for name, value in facts.items() if name.lower() == key.lower()), None))


def _prisma_detector(contents: Contents, one: Variable, place: str) -> _Detector | None:
    lengths = _told(contents.facts, f"List_Cw_{place}")
    widths = _told(contents.facts, f"List_Fwhm_{place}")
    flags = _told(contents.facts, f"List_Cw_{place}_Flags")
    if not one.is_cube or len(one.shape) != 3 or len(lengths) != one.shape[1]:
        return None
    if len(flags) == len(lengths):
        lengths = [length if flag else 0.0 for length, flag in zip(lengths, flags, strict=True)]
    return _Detector(one, 1, np.array(lengths), np.array(widths) if len(widths) == len(lengths) else None)


def _prisma_place(contents: Contents) -> dict[str, Any]:
    """Where an L2D cube lies: the centre of its upper left pixel, in UTM."""
    said = [
        _told(contents.facts, key) for key in ("Epsg_Code", "Product_ULcorner_easting", "Product_ULcorner_northing")
    ]
    if any(len(one) != 1 for one in said) or "map info" in contents.header:
        return {}
    code, east, north = (one[0] for one in said)
    half, zone = ("N" if code // 100 == 326 else "S"), int(code % 100)
    if code // 100 not in (326, 327) or not 1 <= zone <= 60:
        return {}
    corner = east - _PRISMA_PIXEL / 2, north + _PRISMA_PIXEL / 2
    fields = map_info(*corner, _PRISMA_PIXEL, _PRISMA_PIXEL, f"UTM zone {zone}{half}")
    return {"map info": fields["map info"]}


def _oci(contents: Contents) -> Contents | None:
    """PACE OCI L1B: a cube for each of three spectrographs, whose ranges overlap."""
    matches = [(one, _OCI.fullmatch(one.name)) for one in contents.variables if one.is_cube]
    found = {(match[1], match[2].lower()): one for one, match in matches if match}
    made = []
    for quantity in dict.fromkeys(key[0] for key in found):
        parts = [
            _oci_detector(contents, found[quantity, place], place)
            for place in ("blue", "red", "swir")
            if (quantity, place) in found
        ]
        made.append(_merged(f"observation_data/{quantity}", [part for part in parts if part is not None]))
    whole = [one for one in made if one is not None]
    return dataclasses.replace(contents, variables=[*whole, *contents.variables]) if whole else None


def _oci_detector(contents: Contents, one: Variable, place: str) -> _Detector | None:
    def vector(field: str, name: str) -> Vector | None:
        known = contents.vectors.get(field, [])
        return next((one for one in known if one.name.rpartition("/")[2].lower() == f"{place}_{name}".lower()), None)

    lengths, widths = vector("wavelengths", "wavelength"), vector("fwhm", "bandpass")
    if lengths is None or lengths.values.size != one.shape[0]:
        return None
    fits = widths is not None and widths.values.size == lengths.values.size
    return _Detector(one, 0, lengths.values, widths.values if fits and widths is not None else None)


def _merged(name: str, detectors: Sequence[_Detector]) -> Variable | None:
    """One cube of all bands that have a wavelength, in the order of their wavelengths (nm); None if they do not fit."""
    if not detectors:
        return None
    sizes = {tuple(np.delete(one.variable.cube_shape, one.axis).tolist()) for one in detectors}
    if len(sizes) > 1 or len({one.variable.dtype for one in detectors}) > 1:
        return None
    lengths = np.concatenate([one.wavelengths for one in detectors])
    places = [(part, band) for part, one in enumerate(detectors) for band in range(one.wavelengths.size)]
    delivered = [index for index in np.argsort(lengths, kind="stable") if lengths[index] > 0]
    if not delivered:
        return None
    counts = [one.wavelengths.size for one in detectors]
    attributes = shared([one.variable.attributes for one in detectors], counts)
    attributes = {key: _picked(value, delivered, len(places)) for key, value in attributes.items()}
    fields: dict[str, Any] = {"wavelengths": lengths[delivered], "wavelength_unit": "nm"}
    if all(one.fwhm is not None for one in detectors):
        fields["fwhm"] = np.concatenate([one.fwhm for one in detectors if one.fwhm is not None])[delivered]
    parts = [(one.variable, one.axis) for one in detectors]
    return joined(name, parts, [places[index] for index in delivered], attributes, fields)


def _picked(value: Any, delivered: Sequence[Any], count: int) -> Any:
    return value[delivered] if isinstance(value, np.ndarray) and value.shape == (count,) else value
