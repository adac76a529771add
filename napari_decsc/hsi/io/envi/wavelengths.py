"""The spectral axis of an ENVI header: wavelengths, their unit in its many spellings, and where they hide."""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.envi.header import UNSAID, shortened
from napari_decsc.hsi.io.envi.optional import OptionalFields
from napari_decsc.hsi.io.roles import role

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
    "å": ("nm", 0.1),
    "wavenumber": ("1/cm", 1.0),
    "1/cm": ("1/cm", 1.0),
    "cm-1": ("1/cm", 1.0),
    "cm^-1": ("1/cm", 1.0),
    "cm**-1": ("1/cm", 1.0),
    "index": ("index", 1.0),
    "band": ("index", 1.0),
    "layer": ("index", 1.0),
    "level": ("index", 1.0),
}

#: Bands from which on 1, 2, 3 ... are numbers of bands, whatever unit is said.
_FEWEST_LAYERS = 4
#: Units, in lower case, of what is no wavelength: they are not guessed from its numbers.
_OF_ENERGY = {"ev", "mev", "kev", "hz", "khz", "mhz", "ghz", "thz", "j", "k"}

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
#: R puts an X before a number, and dots in place of blanks and parentheses: "X426.8.nm".
_IN_NAME = re.compile(r"(?:^(?:X|nm)?|[\s(:=_]|\.\.)(\d+(?:\.\d*)?)[\s.]*([^\W\d_]*)[\s.]*\)?$")
#: A number with its unit behind it, anywhere in a name: "450nm band", "B3 (450.5 nm) mean", "b450_5nm".
_UNIT_IN_NAME = re.compile(
    r"(?<![\d.])(\d{3,4}_\d(?=_?nm)|\d+(?:\.\d*)?)[\s_]*[(\[]?(nm|um|µm|μm|nanomet(?:er|re)s?|micromet(?:er|re)s?|microns?|cm\^?-1|1/cm)"
    r"(?![a-z])",
    re.IGNORECASE,
)
#: A whole number at the end of a name, "Rrs_443", "B2_wl450", "560", and the words that may be in such a name: the
#: numbers of other names, of years, levels or samples, are those of wavelengths only by chance.
_WHOLE_IN_NAME = re.compile(r"(?:.*[^\d])?(\d{3,5})\)?")
_SPECTRAL_WORDS = {
    *("b", "band", "bands", "ch", "channel", "w", "wl", "wave", "wavelength", "wvl", "wav", "lambda", "λ", "l", "cw"),
    *("r", "rrs", "rho", "rhos", "rhot", "refl", "reflectance", "rfl", "rad", "radiance", "lt", "la", "es", "sr"),
    *("toa", "boa", "surface", "sur", "spectral", "vnir", "swir", "nir", "vis", "mean", "abs", "absorbance", "i"),
    "nm",
}
_WITH_UNIT = re.compile(r"([0-9.]+)\s*([^\W\d_]+)")


def spectral_axis(
    optional: OptionalFields, bands: int
) -> tuple[NDArray[np.float64] | None, str, NDArray[np.float64] | None]:
    """Wavelengths (band,), their unit as a Cube spells it, and fwhm (band,), the last in the same unit.

    Without `wavelength`, wavelengths inside `band names` count. Where `wavelength units` is missing or "Unknown",
    `guess_unit` does. Centimetres and Angstroms, which a Cube does not know, become mm and nm. One width holds for all
    bands. What is no number, or not one for each band, is left out; NaN stands where a single value is not known.
    """
    header = optional.header
    optional, spelled = _without_units(_under_their_names(optional))
    values = optional.told("wavelength", bands, gaps=True)
    fwhm = optional.told("fwhm", bands, gaps=True, one_for_all=True)
    spelled = header.text("wavelength units") or spelled
    if values is None:
        values, spelled = wavelengths_in_names(header.fields.get("band names", []), bands, spelled)
    if values is None:
        return None, unit_of(spelled)[0], fwhm
    unit, factor = unit_of(spelled)
    if not unit and spelled.lower() in UNSAID:
        unit = guess_unit(values)
    elif not unit:
        note = f"wavelength units is {shortened(spelled)}, which is not known; the wavelengths have no unit"
        optional.notes.append(f"{header.path.name}: {note}")
    # micrometres that are called Angstroms are taken for what they are, as below
    is_misnamed = unit == "nm" and factor != 1 and guess_unit(values * factor) == guess_unit(values) == "um"
    if factor != 1 and not is_misnamed:
        values, fwhm = values * factor, None if fwhm is None else fwhm * factor
    meant, note = meant_unit(unit, values)
    fwhm, of_widths = meant_widths(fwhm, values, meant)
    optional.notes.extend(f"{header.path.name}: {one}" for one in (note, of_widths) if one)
    return values, meant, fwhm


def meant_unit(unit: str, values: NDArray[np.float64]) -> tuple[str, str]:
    """The unit, nm or um, in which these wavelengths are light, and a note where that is not the given one.

    Headers of some producers say Micrometers and list nanometres. Others number layers, and say so too.
    """
    if unit in ("nm", "um") and values.size >= _FEWEST_LAYERS and is_counting(values):
        listed = ", ".join(f"{value:g}" for value in values[:3])
        return "index", f"wavelengths {listed} ... {unit} are numbers of the bands, and taken for that"
    meant = guess_unit(values)
    if {unit, meant} != {"nm", "um"}:
        return unit, ""
    low, high = np.nanmin(values), np.nanmax(values)
    return meant, f"wavelengths of {low:g} to {high:g} {unit} are no light; {meant} is taken for their unit"


def meant_widths(
    fwhm: NDArray[np.float64] | None, wavelengths: NDArray[np.float64], unit: str
) -> tuple[NDArray[np.float64] | None, str]:
    """The widths in the unit of the wavelengths, and a note where they were given as nanometres beside micrometres.

    Widths of hundreds of bands are none, nor are those of less than a hundredth: micrometres beside nanometres.
    """
    other = {"um": "nm", "nm": "um"}.get(unit)
    if fwhm is None or other is None or wavelengths.size < 2:
        return fwhm, ""
    factor = 1e-3 if other == "nm" else 1e3
    step, width = np.nanmedian(np.abs(np.diff(wavelengths))), np.nanmedian(fwhm)
    is_odd = width > 200 * step if other == "nm" else width < step / 200
    if not (step > 0 and is_odd and 0.05 * step < width * factor < 50 * step):
        return fwhm, ""
    note = f"fwhm of {width:g} {unit} beside bands {step:g} {unit} apart is none; {other} is taken for its unit"
    return fwhm * factor, note


def _under_their_names(optional: OptionalFields) -> OptionalFields:
    """The fields with lists such as `wavelengths` or `band centers` under the names that ENVI has for them."""
    fields = dict(optional.header.fields)
    for key, value in optional.header.fields.items():
        usual = {"wavelengths": "wavelength", "fwhm": "fwhm"}.get(role(key) or "")
        if usual and isinstance(value, list) and not fields.get(usual):
            fields[usual] = value
    header = dataclasses.replace(optional.header, fields=fields)
    return dataclasses.replace(optional, header=header)


def _without_units(optional: OptionalFields) -> tuple[OptionalFields, str]:
    """The fields without the one unit that stands behind every wavelength, as in {400 nm, 410 nm}; and that unit."""
    items = [item.strip(" {}[]") for item in optional.header.text("wavelength").split(",")]
    found = [_WITH_UNIT.fullmatch(item) for item in items]
    units = {match[2] for match in found if match}
    if not all(found) or len(units) != 1 or unit_of(next(iter(units))) not in (("nm", 1.0), ("um", 1.0)):
        return optional, ""
    fields = {**optional.header.fields, "wavelength": [match[1] for match in found if match]}
    header = dataclasses.replace(optional.header, fields=fields)
    return dataclasses.replace(optional, header=header), next(iter(units))


def unit_of(spelled: str) -> tuple[str, float]:
    """A unit as a Cube spells it and the factor to it; ("", 1) for one that is unsaid or unknown here."""
    word = spelled.lower().strip("\"'()[]{}.,; ").replace("μ", "µ").replace("metre", "meter").replace("⁻¹", "-1")
    # "Nanometers (nm)", "Wavelength (nm)"
    for part in filter(None, map(str.strip, re.split(r"[(\[{]", word))):
        found = _UNITS.get(part) or _UNITS.get(part.removesuffix("s"))
        if found:
            return found
    return "", 1.0


def tells_energy(spelled: str) -> bool:
    """Whether a unit is one of energy or frequency, which a Cube does not know."""
    return spelled.strip("\"'()[]{} ").lower() in _OF_ENERGY


def guess_unit(values: NDArray[np.float64]) -> str:
    """The unit of wavelengths that come without one: "nm", "um", "index" for numbers of bands, or "".

    Values that all lie in 200..20000 are nanometres and in 0.2..20 micrometres: the optical range, in which the two
    cannot be confused. Whole numbers of that size are no micrometres: they number layers, for certain where they count
    up by one.
    """
    # 0 stands for bands that were not delivered
    known = values[np.isfinite(values) & (values != 0)]
    if known.size == 0:
        return ""
    if np.all(known == np.rint(known)) and known.max() < 200:
        return "index" if values.size > 1 and np.all(np.diff(values) == 1) else ""
    for unit, low in (("nm", 200.0), ("um", 0.2)):
        if np.all((known >= low) & (known <= 100 * low)):
            return unit
    # 1, 2, 3 ... of very many bands end among the nanometres
    return "index" if is_counting(values) else ""


def is_counting(values: NDArray[np.float64]) -> bool:
    """Whether these are the numbers of bands: 0, 1, 2, ... or 1, 2, 3, ..."""
    return values.size > 1 and values[0] in (0, 1) and bool(np.all(np.diff(values) == 1))


def wavelengths_in_names(
    names: str | Sequence[str], bands: int, spelled: str
) -> tuple[NDArray[np.float64] | None, str]:
    """Wavelengths in all band names, and their unit's spelling; (None, ``spelled``) if they are not there.

    A number at the end of a name or with a unit behind it. One without unit counts only if it has a decimal point and
    lies in the optical range: years and band numbers are no wavelengths; whole numbers count where all of them are in
    the steady order of a spectrum that begins in the visible or near infrared.
    """
    if isinstance(names, str) or len(names) != bands or not names:
        return None, spelled
    found = [_numbers_in(names, pattern) for pattern in (_IN_NAME, _UNIT_IN_NAME)]
    told = [(values, unit or spelled) for values, unit in found if values is not None]
    # of a wavelength and a width in one name, the one that is light counts
    light = [(values, unit) for values, unit in told if not meant_unit(unit_of(unit)[0], values)[1]]
    return next(iter([*light, *told]), (_whole_numbers(names), spelled))


def _numbers_in(names: Sequence[str], pattern: re.Pattern[str]) -> tuple[NDArray[np.float64] | None, str]:
    """The numbers that a pattern finds in all names, and the unit behind them, if that makes wavelengths of them."""
    found = [pattern.search(name) for name in names]
    if not all(found):
        return None, ""
    numbers, units = zip(*(match.groups() for match in found if match), strict=True)
    values = np.array([number.replace("_", ".") for number in numbers], dtype=np.float64)
    # widths of bands are all the same
    if len({unit.lower() for unit in units}) != 1 or (values.size > 1 and np.all(values == values[0])):
        return None, ""
    if units[0]:
        return (values, units[0]) if unit_of(units[0])[0] in ("nm", "um", "1/cm") else (None, "")
    is_told = all("." in number for number in numbers) and guess_unit(values) in ("nm", "um")
    return (values if is_told else None), ""


def _whole_numbers(names: Sequence[str]) -> NDArray[np.float64] | None:
    """Nanometres at the ends of names as whole numbers, where they can hardly be anything else."""
    found = [_WHOLE_IN_NAME.fullmatch(name.strip()) for name in names]
    words = {word.lower() for name in names for word in re.findall(r"[^\W\d_]+", name)}
    if not all(found) or len(names) < 4 or not words <= _SPECTRAL_WORDS:
        return None
    values = np.array([match[1] for match in found if match], np.float64)
    steps = np.diff(values)
    is_steady = np.all(steps > 0) or np.all(steps < 0)
    is_spectrum = 300 <= values.min() <= 1000 and 400 < values.max() <= 15_000 and not np.all(np.abs(steps) == 1)
    return values if is_steady and is_spectrum else None
