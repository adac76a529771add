"""What GDAL notes of bands: in the tag of a GeoTIFF, or in the file `.aux.xml` beside an image of any format.

Both say the same in two layouts: facts (metadata) of the image and of each band, in domains; names, no-data values,
scales and offsets of bands. Wavelengths stand in several places, which are asked in the order of `GdalFacts.vectors`.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import unescape

from napari_decsc.hsi.io.envi.gains import FIELDS
from napari_decsc.hsi.io.envi.wavelengths import wavelengths_in_names
from napari_decsc.hsi.io.formats import spectral
from napari_decsc.hsi.io.formats.json_texts import lists_in_json
from napari_decsc.hsi.io.roles import WEAK, role, word_of
from napari_decsc.hsi.no_data import as_meant

#: Longest text that is looked at; histograms of many bands take some megabytes.
LONGEST = 16 << 20
#: More bands than this no image has.
_MOST_BANDS = 65_535
_NUMBER = re.compile(r"\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([^\d\s{}(),;]*)\s*")
_NUMBER_IN_NAME = re.compile(r"[0-9]{1,5}")
#: Facts that tell how the file of an ENVI image is laid out, and nothing of the image.
_LAYOUT = {"samples", "lines", "bands", "header_offset", "file_type", "data_type", "interleave", "byte_order"}

Facts = dict[str, str]


@dataclass
class GdalFacts:
    """Facts of an image and of its bands, which count from 0.

    ``image`` has the facts of each domain by their names, ``bands`` those of each band; names and domains in lower
    case. ``no_data_of_rest`` is that of bands that have none of their own. ``transform`` and ``system`` are the affine
    map to the ground, in GDAL's order, and its coordinate system. ``logarithms`` are bands whose scale and offset give
    the logarithm, to the base of ten, of the value.
    """

    image: dict[str, Facts] = field(default_factory=dict)
    bands: dict[int, dict[str, Facts]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    scales: dict[int, float] = field(default_factory=dict)
    offsets: dict[int, float] = field(default_factory=dict)
    no_data: dict[int, float] = field(default_factory=dict)
    no_data_of_rest: float | None = None
    transform: tuple[float, ...] | None = None
    system: str = ""
    logarithms: set[int] = field(default_factory=set)

    def add(self, band: int | None, domain: str, name: str, value: str) -> None:
        """Keep one fact, of a band or (None) of the image."""
        if band is None:
            self.image.setdefault(domain.lower(), {})[name.lower()] = value
        elif 0 <= band < _MOST_BANDS:
            self.bands.setdefault(band, {}).setdefault(domain.lower(), {})[name.lower()] = value

    def vectors(self) -> dict[str, list[spectral.Vector]]:
        """Wavelengths, widths and good bands, those found first in the places that are believed first.

        Facts of each band (`wavelength`, `fwhm`), those of GDAL's domain IMAGERY in micrometres, lists of the image
        (`{400, 500}`, in the domain ENVI or none), wavelengths at the ends of the bands' names.
        """
        vectors: dict[str, list[spectral.Vector]] = {}
        unit = self._said("wavelength_units", "wavelength units", "wavelength_unit")
        for domain in ("", "envi", "imagery"):
            for name, values in self._of_each_band(domain).items():
                _add_band_values(vectors, name, values, "um" if domain == "imagery" else unit)
        for facts in (self.image.get("envi", {}), self.image.get("", {})):
            for name, text in facts.items():
                for key, values_in_json in _in_json(text):
                    spectral.add(vectors, key, values_in_json, unit)
                if role(name) and (numbers := _list(text)) is not None:
                    spectral.add(vectors, name, numbers, unit)
            for stem, texts in _numbered(facts).items():
                _add_band_values(vectors, stem, texts, unit)
        self._add_from_names(vectors, unit)
        return vectors

    def _of_each_band(self, domain: str) -> dict[str, list[str]]:
        """Facts that every band has, from the first to the last that has any."""
        found = [self.bands[band].get(domain, {}) for band in sorted(self.bands)]
        if not found or sorted(self.bands) != list(range(len(found))):
            return {}
        return {name: [facts[name] for facts in found] for name in found[0] if all(name in facts for facts in found)}

    def _said(self, *names: str) -> str:
        """A fact of the image or of the first band, in any domain that tells of wavelengths."""
        first = self.bands.get(0, {})
        places = [facts.get(domain, {}) for domain in ("envi", "") for facts in (self.image, first)]
        return next((facts[name] for name in names for facts in places if facts.get(name)), "")

    def _add_from_names(self, vectors: dict[str, list[spectral.Vector]], unit: str) -> None:
        listed = self.band_names(len(self.names)) or _in_order(self.image.get("", {}))
        values, spelled = wavelengths_in_names(listed, len(listed), unit) if listed else (None, "")
        if values is not None:
            spectral.add(vectors, "wavelength", values, spelled)

    def band_names(self, bands: int) -> list[str]:
        """The names of so many bands, or none if not every one has a name."""
        return [self.names[band] for band in range(bands)] if set(range(bands)) == set(self.names) else []

    def header(self) -> dict[str, Any]:
        """Fields of a header that the image's domain ENVI tells, those aside that a Cube's own fields say."""
        kept = {name: text for name, text in self.image.get("envi", {}).items() if name not in _LAYOUT}
        fields = {name.replace("_", " "): _field(text) for name, text in kept.items() if not role(name)}
        return {
            name: value for name, value in fields.items() if name not in (*FIELDS, "band names", "wavelength units")
        }


def facts_of_tag(text: str) -> GdalFacts:
    """What the tag 42112 (GDAL_METADATA) of a TIFF says; damaged text says nothing."""
    facts = GdalFacts()
    for item in elements(text, "GDALMetadata"):
        # GDAL escapes what it writes twice
        name, value, sample = _unescaped(item.get("name", "")), _unescaped(item.text or ""), item.get("sample")
        band = None if sample is None else _whole(sample)
        if item.tag != "Item" or not name or (sample is not None and band is None):
            continue
        role = item.get("role", "")
        if band is not None and role in ("scale", "offset", "description"):
            _keep(facts, role, band, value)
        else:
            facts.add(band, item.get("domain", ""), name, value)
    return facts


def facts_beside(image: Path) -> GdalFacts:
    """What the file `.aux.xml` beside an image says; nothing if there is none, or it is damaged."""
    path = image.with_name(image.name + ".aux.xml")
    facts = GdalFacts()
    try:
        text = path.read_bytes().decode("utf-8", "replace") if path.stat().st_size <= LONGEST else ""
    except OSError:
        return facts
    for element in elements(text, "PAMDataset"):
        number = _whole(element.get("band", ""))
        if element.tag == "PAMRasterBand" and number:
            _take(facts, element, number - 1)
        elif element.tag == "Metadata":
            _take_metadata(facts, element, None)
        elif element.tag == "GeoTransform":
            transform = tuple(_list(element.text or "") or ())
            facts.transform = transform if len(transform) == 6 else None
        elif element.tag == "SRS":
            facts.system = (element.text or "").strip()
    return facts


def _take(facts: GdalFacts, element: Any, band: int) -> None:
    roles = {"Description": "description", "Scale": "scale", "Offset": "offset", "NoDataValue": "no_data"}
    for part in element:
        if part.tag in roles:
            _keep(facts, roles[part.tag], band, part.text or "")
        elif part.tag == "Metadata":
            _take_metadata(facts, part, band)


def _take_metadata(facts: GdalFacts, element: Any, band: int | None) -> None:
    for item in element:
        if item.tag == "MDI" and item.get("key"):
            facts.add(band, element.get("domain", ""), item.get("key"), item.text or "")


def _keep(facts: GdalFacts, role: str, band: int, text: str) -> None:
    if not 0 <= band < _MOST_BANDS:
        return
    if role == "description":
        facts.names[band] = " ".join(text.split())
        return
    number = real(text)
    if number is not None and (math.isfinite(number) or role == "no_data"):
        kept = {"scale": facts.scales, "offset": facts.offsets, "no_data": facts.no_data}[role]
        kept[band] = as_meant(number) or 0.0 if role == "no_data" else number


def merged(inside: GdalFacts, beside: GdalFacts) -> GdalFacts:
    """What a file and the notes beside it say; where both do, the file counts, but for no-data values, as with GDAL."""
    bands = {
        band: _joined(inside.bands.get(band, {}), beside.bands.get(band, {})) for band in {*inside.bands, *beside.bands}
    }
    return GdalFacts(
        image=_joined(inside.image, beside.image),
        bands=bands,
        names={**beside.names, **inside.names},
        scales={**beside.scales, **inside.scales},
        offsets={**beside.offsets, **inside.offsets},
        no_data={**inside.no_data, **beside.no_data},
        no_data_of_rest=inside.no_data_of_rest,
        transform=beside.transform,
        system=beside.system,
        logarithms=inside.logarithms | beside.logarithms,
    )


def _joined(first: dict[str, Facts], second: dict[str, Facts]) -> dict[str, Facts]:
    return {domain: {**second.get(domain, {}), **first.get(domain, {})} for domain in {**second, **first}}


def _add_band_values(vectors: dict[str, list[spectral.Vector]], name: str, texts: Iterable[str], unit: str) -> None:
    """Keep one value for each band, such as `450` or `0.45 um`."""
    word = name.removesuffix("_um").replace("central", "center")
    matches = [_NUMBER.fullmatch(text) for text in texts]
    if role(word) is None or not all(matches):
        return
    numbers, units = zip(*(match.groups() for match in matches if match), strict=True)
    said = units[0] if len(set(units)) == 1 and units[0] else ("um" if name.endswith("_um") else unit)
    values = [real(number) for number in numbers]
    if None not in values:
        spectral.add(vectors, word, values, said)


def _numbered(facts: Mapping[str, str]) -> dict[str, list[str]]:
    """Facts such as `wavelength_1`, `wavelength_2` or `band_1_wavelength` in the order of their numbers."""
    found: dict[str, dict[int, str]] = {}
    for name, text in facts.items():
        place = _NUMBER_IN_NAME.search(name)
        stem = _NUMBER_IN_NAME.sub("", name, count=1).strip("_ ")
        if place and role(stem) and not WEAK.fullmatch(word_of(stem)):
            found.setdefault(stem, {})[int(place[0])] = text
    return {stem: [texts[number] for number in sorted(texts)] for stem, texts in found.items() if len(texts) > 1}


def _in_order(facts: Mapping[str, str]) -> list[str]:
    """The names that GDAL gives the bands of an ENVI file: `Band_1`, `Band_2` and so on."""
    names: list[str] = []
    while (name := facts.get(f"band_{len(names) + 1}")) is not None:
        names.append(name)
    return names


def elements(text: str, root: str) -> Iterable[Any]:
    """The elements within the root of a text in XML; none if it is long or damaged, or declares entities."""
    if len(text) > LONGEST or root not in text or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return ()
    try:
        tree = ElementTree.fromstring(text.strip("\0 \ufeff\r\n\t"))
    except (ElementTree.ParseError, ValueError):
        return ()
    return tree if tree.tag == root else ()


def _unescaped(text: str) -> str:
    return unescape(text, {"&quot;": '"', "&apos;": "'"})


def _list(text: str) -> list[float] | None:
    """The numbers of a list such as `{1, 2}`, `[1 2]` or `1,2`; None for anything else."""
    values = [real(item) for item in re.split(r"[\s,;]+", text.strip("{}[]() \r\n\t")) if item]
    numbers = [value for value in values if value is not None]
    return numbers if values and len(numbers) == len(values) else None


def _in_json(text: str) -> list[tuple[str, list[float]]]:
    """The lists of numbers in a text in JSON, with their names."""
    found = [(name, _list(one)) for name, one in lists_in_json(text).items()]
    return [(name, numbers) for name, numbers in found if numbers is not None]


def _field(text: str) -> str | list[str]:
    """A value as a header has it: in braces a list."""
    inside = text.strip()
    if not (inside.startswith("{") and inside.endswith("}")):
        return inside
    return [" ".join(item.split()) for item in inside[1:-1].split(",")]


def real(text: str) -> float | None:
    """A number, which may be no finite one (`nan`), or None."""
    try:
        return None if "_" in text else float(text.strip("\0 \r\n\t"))
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else None
