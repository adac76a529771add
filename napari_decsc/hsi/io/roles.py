"""What the name of a vector tells: whether it holds wavelengths, widths, or which bands are good."""

import re

#: What names of vectors, in lower case and without "_", tell; asked in this order, as `good_wavelengths` are none.
_NAMES = {
    "good_bands": re.compile(r"good(bands?|wavelengths?|channels?)(list)?|bbl"),
    "fwhm": re.compile(r".*fwhm.*|(band|spectral)widths?|(.*)bandpass|fullwidth(at)?halfmax(imum)?"),
    "wavelengths": re.compile(
        r".*wavelengths?.*|waves?(len)?s?(nm|um)?|wl(en)?s?(nm|um)?|cwls?|.*wavenumbers?(cm1?)?|wavs?|wvls?|lambdas?(nm|um)?|lam|"
        r"(.*)bandcent(er|re)s?|cent(er|re)s?(ofbands?|wls?|wvls?|waves?)?|(list)?cw(vnir|swir|pan)?|"
        # as it is misspelled
        r".*(wavelenght|wavelenth|wavlength|wavelegnth)s?|wlengths?"
    ),
}
#: A unit at the end of a name: `band_centers_nm`.
_UNIT = re.compile(r"[(\[]?(nm|um|µm|nanometers?|micrometers?|microns?)[)\]]?$")
#: Names that hold wavelengths only where the numbers look like some.
WEAK = re.compile(
    r"(bands?|channels?)(nm|um)?|nms?|nmlist|spectral(axis|bands?|grid|coord(inate)?s?)?(nm|um)?|spectrum|bandlist|"
    r"wvs?|wvlns?|(band|ch|channel)wls?|lamdas?|lambdac|lambdalist"
)
#: Parts of names that tell of something about wavelengths which are none.
OTHER = re.compile(r"unit|uncert|ind(ex|ices)|shift|flag|mask|err|name|(?<!wave)number|count|resol")


def role(name: str) -> str | None:
    """The field of a Cube that a vector of this name may fill.

    Parameters
    ----------
    name : str
        Of an array, an attribute, or a field of a header; groups before it, divided by "/" or ".", do not count.

    Returns
    -------
    str or None
        "wavelengths", "fwhm" or "good_bands".
    """
    word = word_of(name)
    spelled = (word, _UNIT.sub("", word))
    found = next((field for field, names in _NAMES.items() if any(map(names.fullmatch, spelled))), None)
    if found is None and WEAK.fullmatch(word):
        return "wavelengths"
    return None if found == "wavelengths" and OTHER.search(word) else found


def word_of(name: str) -> str:
    """The last part of a name, as the patterns of this module spell it.

    Parameters
    ----------
    name : str
        As for :func:`role`.

    Returns
    -------
    str
        In lower case, without blanks, "_" and "-".
    """
    return re.sub(r"[_\s-]", "", re.split(r"[/.]", name)[-1].lower())
