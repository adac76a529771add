"""What SNAP writes of the bands of a GeoTIFF: a DIMAP document in a tag of its own, scales and wavelengths in it.

The numbers in the file are the stored ones. Source: "BEAM-DIMAP format", Brockmann Consult: `Spectral_Band_Info`.
"""

from typing import Any

from napari_decsc.hsi.io.formats.gdal import GdalFacts, elements, real

#: The tag.
DIMAP = 65000
#: The element around everything.
_ROOT = "Dimap_Document"


def facts_of_dimap(text: str) -> GdalFacts:
    """Names, wavelengths, widths, scales, offsets and no-data values of the bands; damaged text says nothing.

    Parameters
    ----------
    text : str
        Of the tag.

    Returns
    -------
    GdalFacts
        Bands that SNAP computes are none of the file.
    """
    facts = GdalFacts()
    listed = [one for part in elements(text, _ROOT) for one in part if one.tag == "Spectral_Band_Info"]
    written = [one for one in listed if not _is_said(one, "VIRTUAL_BAND")]
    for band, one in enumerate(sorted(written, key=lambda one: _number(one, "BAND_INDEX") or 0.0)):
        _take(facts, one, band)
    return facts


def _take(facts: GdalFacts, element: Any, band: int) -> None:
    for tag, name in (("BAND_WAVELEN", "wavelength"), ("BANDWIDTH", "fwhm")):
        if _number(element, tag):
            facts.add(band, "", name, f"{_number(element, tag)} nm")
    if name := (element.findtext("BAND_NAME") or "").strip():
        facts.names[band] = name
    for tag, kept in (("SCALING_FACTOR", facts.scales), ("SCALING_OFFSET", facts.offsets)):
        if (value := _number(element, tag)) is not None:
            kept[band] = value
    if _is_said(element, "LOG10_SCALED"):
        facts.logarithms.add(band)
    no_data = _number(element, "NO_DATA_VALUE")
    if no_data is not None and _is_said(element, "NO_DATA_VALUE_USED"):
        facts.no_data[band] = no_data


def _number(element: Any, tag: str) -> float | None:
    return real(element.findtext(tag) or "")


def _is_said(element: Any, tag: str) -> bool:
    return (element.findtext(tag) or "").strip().lower() == "true"
