"""Wavelengths, widths and good bands among the vectors of a file, found by their names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.envi.wavelengths import (
    guess_unit,
    is_counting,
    meant_unit,
    meant_widths,
    tells_energy,
    unit_of,
)
from napari_decsc.hsi.io.roles import OTHER, WEAK, role, word_of

#: A number, perhaps with a unit behind it.
_WITH_UNIT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?)\s*([a-zA-Zµμ]*)\s*")
#: Descriptions of vectors of widths.
_TELLS_WIDTH = re.compile(r"full[ _-]?width|fwhm|\bband[ _-]?(width|pass)")
#: Metres below which a wavelength is light, which is told in nanometres.
_LIGHT_IN_METRES = 1e-3
#: Words in names of vectors that tell a place, in whatever unit.
_PLACES = {
    *("x", "y", "z", "lat", "lon", "latitude", "longitude", "easting", "northing", "row", "rows", "col", "cols"),
    *("depth", "height", "width", "distance", "position", "stage", "focus", "size", "pixel", "thickness"),
}
#: Vectors longer than this are no spectral axis, and are not read.
LONGEST = 100_000
#: Longest text that is read as a list of numbers.
_LONGEST_TEXT = 1 << 20


@dataclass(frozen=True, eq=False)
class Vector:
    """One value for each of some axis's places (NaN: unknown), the unit as the file spells it, and its name.

    ``note`` is what is to be said where it is taken.
    """

    values: NDArray[Any]
    unit: str = ""
    name: str = ""
    note: str = ""


def told_role(name: str, attributes: Mapping[str, Any]) -> str | None:
    """As `role`, asking the attributes of the vector where its name tells nothing: what it is, and in which unit."""
    found = role(name)
    if found is not None or OTHER.search(word_of(name)):
        return found
    lower = {key.lower(): value for key, value in attributes.items() if isinstance(value, str)}
    said = " ".join(lower.get(key, "").lower() for key in ("standard_name", "long_name"))
    if _TELLS_WIDTH.search(said):
        return "fwhm"
    if re.search(r"wavelength|wavenumber", said):
        return None if OTHER.search(said) else "wavelengths"
    # stages of microscopes count in micrometres too
    is_place = bool(words_of(name.rpartition("/")[2]) & _PLACES)
    return "wavelengths" if not is_place and unit_of(lower.get("units", ""))[0] in ("nm", "um", "1/cm") else None


def add(
    vectors: dict[str, list[Vector]],
    name: str,
    values: Any,
    unit: Any = "",
    *,
    note: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Keep a vector that may describe the bands; anything else is passed over. A text may list its numbers.

    ``attributes`` are asked where the name does not tell; what they tell has to rise or fall steadily.
    """
    own = role(name)
    field = own or told_role(name, attributes or {})
    if field is None:
        return
    values, unit = _without_units(values, unit)
    values = np.asarray(_listed(values)).squeeze()
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        return
    values = values.astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    if own is None and field == "wavelengths" and not _is_spectral_axis(values, unit):
        return
    if np.isnan(values).all() or (WEAK.fullmatch(word_of(name)) and not _look_like_wavelengths(values)):
        return
    unit = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else unit
    vectors.setdefault(field, []).append(Vector(values, unit if isinstance(unit, str) else "", name, note))


def lengths(vectors: Mapping[str, list[Vector]]) -> set[int]:
    """How many bands the vectors found would fit."""
    return {vector.values.size for found in vectors.values() for vector in found}


def spectral_fields(vectors: Mapping[str, list[Vector]], bands: int, name: str = "", axis: str = "") -> dict[str, Any]:
    """The fields of a Cube that the vectors of the right length fill.

    Of several one counts that is called as the ``axis`` of the bands is (CF's coordinate variables), else the nearest
    to the array ``name``.
    """
    fitting = {field: _nearest(found, bands, name, axis) for field, found in vectors.items()}
    fields: dict[str, Any] = {}
    wavelengths, fwhm, good = (fitting.get(field) for field in ("wavelengths", "fwhm", "good_bands"))
    if wavelengths is not None:
        unit, factor = unit_of(wavelengths.unit)
        if unit == "m" and np.nanmax(wavelengths.values) < _LIGHT_IN_METRES:
            unit, factor = "nm", 1e9
        fields["wavelengths"] = wavelengths.values * factor
        is_other = tells_energy(wavelengths.unit)
        guessed = "" if is_other else unit_in(wavelengths.name) or guess_unit(fields["wavelengths"])
        fields["wavelength_unit"] = unit or guessed
        if fwhm is not None:
            fields["fwhm"] = fwhm.values * _factor(fwhm, fields["wavelength_unit"], factor)
        fields["wavelength_unit"], note = meant_unit(fields["wavelength_unit"], fields["wavelengths"])
        widths, of_widths = meant_widths(fields.get("fwhm"), fields["wavelengths"], fields["wavelength_unit"])
        fields |= {} if widths is None else {"fwhm": widths}
        fields |= {"notes": tuple(filter(None, (note, of_widths)))} if note or of_widths else {}
        if is_other:
            note = f"{wavelengths.name} is in {wavelengths.unit}, which is not turned into wavelengths"
            fields["notes"] = (*fields.get("notes", ()), note)
    said = [vector.note for vector in (wavelengths, fwhm) if vector is not None and vector.note]
    if said:
        fields["notes"] = (*fields.get("notes", ()), *said)
    if good is not None:
        fields["good_bands"] = good.values == 1 if np.isin(good.values, (0, 1)).all() else good.values > 0
    return fields


def unit_in(name: str) -> str:
    """The unit that a name such as `wavelength_nm` or `wavenumber` tells, or ""."""
    if "wavenumber" in name.lower().replace("_", ""):
        return "1/cm"
    end = re.split(r"[^a-zA-Zµμ]+|(?<=[a-z])(?=[A-Z])", name)[-1]
    return unit_of(end)[0] if end.lower() in ("nm", "um", "µm", "μm", "nanometers", "micrometers") else ""


def words_of(name: str) -> set[str]:
    """The words in a name, in lower case: "VNIR_Cube", "rhotBlue" and "a/vnir" have their parts."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)}


def _factor(fwhm: Vector, unit: str, factor: float) -> float:
    """What brings widths into the unit of the wavelengths; without a unit of their own they have that one."""
    from napari_decsc.hsi.cube import NANOMETRES

    own, own_factor = unit_of(fwhm.unit)
    if own in NANOMETRES and unit in NANOMETRES:
        return own_factor * NANOMETRES[own] / NANOMETRES[unit]
    return factor


def _nearest(found: Iterable[Vector], bands: int, name: str, axis: str) -> Vector | None:
    """The vector that is called as an axis is, shares most groups, then most words, with an array; else the first."""
    fitting = [vector for vector in found if vector.values.size == bands]
    groups, words = name.strip("/").split("/")[:-1], words_of(name)

    def nearness(vector: Vector) -> tuple[bool, int, int]:
        own = vector.name.strip("/").split("/")[:-1]
        shared = next(
            (n for n, (a, b) in enumerate(zip(own, groups, strict=False)) if a != b), min(len(own), len(groups))
        )
        is_axis = bool(axis) and vector.name.rpartition("/")[2] == axis
        return is_axis, shared, len(words & words_of(vector.name))

    return max(fitting, key=nearness, default=None)


def _is_spectral_axis(values: NDArray[np.float64], unit: Any) -> bool:
    """Whether numbers rise or fall steadily, and are light in their unit, if that is one of length."""
    spelled = unit_of(unit)[0] if isinstance(unit, str) else ""
    is_light = spelled not in ("nm", "um") or meant_unit(spelled, values)[0] == spelled == guess_unit(values)
    return is_light and bool(np.all(np.diff(values) > 0) or np.all(np.diff(values) < 0))


def _look_like_wavelengths(values: NDArray[np.float64]) -> bool:
    return guess_unit(values) in ("nm", "um") and not is_counting(values)


def _without_units(values: Any, unit: Any) -> tuple[Any, Any]:
    """A list of texts such as "400.5 nm" or "400.5" as numbers, and the unit that all of them have; others as given."""
    texts = values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind in "SU" else values
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str | bytes) for text in texts):
        return values, unit
    said = [text.decode("utf-8", "replace") if isinstance(text, bytes) else text for text in texts]
    found = [_WITH_UNIT.fullmatch(text) for text in said]
    units = {match[2] for match in found if match}
    if not all(found) or len(units) != 1:
        return None, unit
    return [float(match[1]) for match in found if match], units.pop() or unit


def _listed(values: Any) -> Any:
    """The numbers that a text lists, as some programs keep them; anything else as it is."""
    if isinstance(values, bytes):
        values = values.decode("utf-8", "replace")
    if not isinstance(values, str) or len(values) > _LONGEST_TEXT:
        return values
    items = re.findall(r"[^\s,;\[\]{}()]+", values)
    try:
        return [float(item) for item in items] if len(items) > 1 else None
    except ValueError:
        return None
