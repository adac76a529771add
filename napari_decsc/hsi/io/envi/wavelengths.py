"""The spectral axis of an ENVI header: wavelengths, their unit in its many spellings, and where they hide."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.envi.header import Header

#: Spelling, in lower case without plural -> (unit of a Cube, factor to it).
_UNITS = {
    "nm": ("nm", 1.0),
    "nanometer": ("nm", 1.0),
    "um": ("um", 1.0),
    "µm": ("um", 1.0),
    "micrometer": ("um", 1.0),
    "micron": ("um", 1.0),
    "mm": ("mm", 1.0),
    "millimeter": ("mm", 1.0),
    "m": ("m", 1.0),
    "meter": ("m", 1.0),
    "cm": ("mm", 10.0),
    "centimeter": ("mm", 10.0),
    "angstrom": ("nm", 0.1),
    "ångström": ("nm", 0.1),
    "wavenumber": ("1/cm", 1.0),
    "1/cm": ("1/cm", 1.0),
    "cm-1": ("1/cm", 1.0),
    "cm^-1": ("1/cm", 1.0),
    "index": ("index", 1.0),
}
_UNSAID = ("", "unknown", "none")

#: How ENVI spells the units of a Cube.
ENVI_UNITS = {
    "nm": "Nanometers",
    "um": "Micrometers",
    "mm": "Millimeters",
    "m": "Meters",
    "1/cm": "Wavenumber",
    "index": "Index",
}

#: A number at the end of a band's name, in parentheses or not, with a unit or not: "Band 10 (426.8 Nanometers)".
_IN_NAME = re.compile(r"(?:^|[\s(:=_])(\d+(?:\.\d*)?)\s*([^\W\d_]*)\s*\)?$")


def spectral_axis(header: Header, bands: int) -> tuple[NDArray[np.float64] | None, str, NDArray[np.float64] | None]:
    """Wavelengths (band,), their unit as a Cube spells it, and fwhm (band,), the last in the same unit.

    Without `wavelength`, wavelengths inside `band names` count. Where `wavelength units` is missing or "Unknown",
    values that all lie in 200..20000 are taken as nanometres and in 0.2..20 as micrometres: the optical range, in which
    the two cannot be confused. Centimetres and Angstroms, which a Cube does not know, become mm and nm.
    Raises FileFormatError for values that are no numbers or not one for each band.
    """
    values = header.numbers("wavelength", bands)
    fwhm = header.numbers("fwhm", bands)
    spelled = header.text("wavelength units")
    if values is None:
        values, spelled = _from_band_names(header.fields.get("band names", []), bands, spelled)
    if values is None:
        return None, unit_of(spelled)[0], fwhm
    unit, factor = unit_of(spelled)
    if not unit and spelled.lower() in _UNSAID:
        unit = guess_unit(values)
    if factor != 1:
        values, fwhm = values * factor, None if fwhm is None else fwhm * factor
    return values, unit, fwhm


def unit_of(spelled: str) -> tuple[str, float]:
    """A unit as a Cube spells it and the factor to it; ("", 1) for one that is unsaid or unknown here."""
    word = re.sub(r"[(\[{].*", "", spelled.lower()).replace("μ", "µ").strip()
    word = word.replace("metre", "meter").replace("⁻¹", "-1")
    return _UNITS.get(word) or _UNITS.get(word.removesuffix("s")) or ("", 1.0)


def guess_unit(values: NDArray[np.float64]) -> str:
    """The unit, "nm" or "um", in which all values lie in the optical range; "" if there is none."""
    for unit, low in (("nm", 200.0), ("um", 0.2)):
        if np.all((values >= low) & (values <= 100 * low)):
            return unit
    return ""


def _from_band_names(names: str | Sequence[str], bands: int, spelled: str) -> tuple[NDArray[np.float64] | None, str]:
    """Wavelengths at the ends of all band names, and their unit's spelling; (None, ``spelled``) if they are not there.

    A number without unit counts only if it has a decimal point and lies in the optical range: years and band numbers
    are no wavelengths.
    """
    found = [_IN_NAME.search(name) for name in names]
    if isinstance(names, str) or len(names) != bands or not all(found):
        return None, spelled
    numbers, units = zip(*(match.groups() for match in found if match), strict=True)
    values = np.array(numbers, dtype=np.float64)
    if len(set(units)) != 1:
        return None, spelled
    if units[0]:
        return (values, units[0]) if unit_of(units[0])[0] in ("nm", "um") else (None, spelled)
    plausible = all("." in number for number in numbers) and guess_unit(values)
    return (values, spelled) if plausible else (None, spelled)
