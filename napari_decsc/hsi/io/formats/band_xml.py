"""Wavelengths, widths, gains and offsets of bands from the METADATA.XML of EnMAP and DESIS.

Sources: "EnMAP Ground Segment, HSI Product Specification Level 1 / Level 2", DLR, EN-PCV-ICD-2009; "DESIS Data
Products", DLR: `specific/bandCharacterisation` has an element for each band.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.formats.attributes import scaled

#: Bytes of the largest file that is looked into; real ones have a few megabytes at most.
_LARGEST = 64 << 20
#: What both call the centre of a band, in lower case.
_CENTRES = ("wavelengthcenterofband",)
#: Its width at half of the maximum.
_WIDTHS = ("fwhmofband", "wavelengthwidthofband")
#: Its factor.
_GAINS = ("gainofband",)
#: What is added to it.
_OFFSETS = ("offsetofband",)
_NO_DATA = ("backgroundvalue", "nodatavalue")


def with_band_xml(cube: Cube, path: Path, detector: str) -> Cube:
    """The cube with what the metadata say of its bands; ``detector`` is "VNIR" or "SWIR" if it has those bands alone.

    Value = number * gain + offset. What the file cannot tell is left out, and noted.
    """
    root = _parsed(path)
    if root is None:
        return _noted(cube, f"{path.name}: cannot be read as XML; wavelengths and gains are left out")
    bands = list(_bands(root))
    bands = bands[: cube.bands] if detector == "VNIR" else bands[-cube.bands :] if detector == "SWIR" else bands
    if len(bands) != cube.bands:
        return _noted(cube, f"{path.name}: describes {len(bands)} bands for {cube.bands}; they are left out")
    centres, widths, gains, offsets = (_values(bands, names) for names in (_CENTRES, _WIDTHS, _GAINS, _OFFSETS))
    no_data = _number(next((root.find(f".//{name}") for name in _NO_DATA if root.find(f".//{name}") is not None), None))
    if centres is not None:
        cube = cube.replace(wavelengths=centres, wavelength_unit="nm", fwhm=widths)
    if cube.no_data is None and no_data is not None:
        cube = cube.replace(no_data=no_data)
    if cube.scale != 1 or cube.calibration is not None or gains is None or not gains.all():
        return cube
    return scaled(cube, gains, None if offsets is None or not offsets.any() else offsets)


def _parsed(path: Path) -> Any | None:
    from xml.etree import ElementTree

    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        # these files declare no entities; what does may grow without end
        if len(raw) > _LARGEST or re.search(rb"<!\s*(DOCTYPE|ENTITY)", raw) or b"\0" in raw:
            return None
        root = ElementTree.fromstring(raw)
    except (ElementTree.ParseError, OSError, ValueError, LookupError):
        return None
    # versions differ in cases of letters, and in whether their names belong to a schema
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2].lower()
    return root


def _bands(root: Any) -> Iterator[Any]:
    """The elements of the bands, in the order of their numbers."""
    place = root.find(".//bandcharacterisation")
    found = [] if place is None else [one for one in place if any(one.find(name) is not None for name in _CENTRES)]
    numbers = [_number(one.find("bandnumber")) or _as_number(one.get("number")) for one in found]
    if None not in numbers:
        found = [one for _, one in sorted(zip(numbers, found, strict=True), key=lambda pair: float(pair[0] or 0))]
    yield from found


def _values(bands: list[Any], names: tuple[str, ...]) -> NDArray[np.float64] | None:
    found = [next((_number(band.find(name)) for name in names if band.find(name) is not None), None) for band in bands]
    values = np.array([np.nan if value is None else value for value in found], np.float64)
    return values if np.isfinite(values).all() else None


def _number(element: Any) -> float | None:
    return None if element is None else _as_number(element.text)


def _as_number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _noted(cube: Cube, note: str) -> Cube:
    return cube.replace(notes=(*cube.notes, note))
