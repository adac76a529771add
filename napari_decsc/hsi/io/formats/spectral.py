"""Wavelengths, widths and good bands among the vectors of a file, found by their names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.envi.wavelengths import guess_unit, unit_of

#: What names of vectors, in lower case and without "_", tell; asked in this order, as `good_wavelengths` are none.
_NAMES = {
    "good_bands": re.compile(r"good(bands?|wavelengths?|channels?)|bbl"),
    "fwhm": re.compile(r".*fwhm.*|bandwidths?"),
    "wavelengths": re.compile(
        r"(center|centre)?wave(length)?s?(nm|um)?|wls?|wvls?|lambdas?|bandcent(er|re)s?|cent(er|re)s"
    ),
}
#: Vectors longer than this are no spectral axis, and are not read.
LONGEST = 100_000


@dataclass(frozen=True, eq=False)
class Vector:
    """One value for each of some axis's places, and the unit as the file spells it."""

    values: NDArray[Any]
    unit: str = ""


def role(name: str) -> str | None:
    """The field of a Cube ("wavelengths", "fwhm" or "good_bands") that a vector of this name fills, or None."""
    word = re.split(r"[/.]", name)[-1].lower().replace("_", "").replace(" ", "")
    return next((field for field, names in _NAMES.items() if names.fullmatch(word)), None)


def add(vectors: dict[str, list[Vector]], name: str, values: Any, unit: Any = "") -> None:
    """Keep a vector that may describe the bands; anything else is passed over."""
    field = role(name)
    values = np.asarray(values).squeeze()
    if field is None or values.ndim != 1 or values.dtype.kind not in "iufb" or not np.isfinite(values).all():
        return
    unit = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else unit
    vectors.setdefault(field, []).append(Vector(values.astype(np.float64), unit if isinstance(unit, str) else ""))


def lengths(vectors: Mapping[str, list[Vector]]) -> set[int]:
    """How many bands the vectors found would fit."""
    return {vector.values.size for found in vectors.values() for vector in found}


def spectral_fields(vectors: Mapping[str, list[Vector]], bands: int) -> dict[str, Any]:
    """The fields of a Cube that the vectors of the right length fill; of several, the first."""
    fitting = {
        field: next((vector for vector in found if vector.values.size == bands), None)
        for field, found in vectors.items()
    }
    fields: dict[str, Any] = {}
    wavelengths, fwhm, good = (fitting.get(name) for name in ("wavelengths", "fwhm", "good_bands"))
    if wavelengths is not None:
        unit, factor = unit_of(wavelengths.unit)
        fields["wavelengths"] = wavelengths.values * factor
        fields["wavelength_unit"] = unit or guess_unit(fields["wavelengths"])
        if fwhm is not None:
            # without a unit of its own, a width has that of the wavelengths
            fields["fwhm"] = fwhm.values * factor
    if good is not None:
        fields["good_bands"] = good.values != 0
    return fields
