"""What the pages of a TIFF count, where its description tells: OME-XML, ImageJ's hyperstacks, tifffile's JSON.

Sources: "The OME-TIFF format" and the OME schema 2016-06 (`Pixels`, `Channel`), Open Microscopy Environment; the
documentation of tifffile (`axes`).
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from napari_decsc.hsi.io.formats.gdal import LONGEST, GdalFacts

#: Letters of axes, and how this package spells what they count.
_NAMES = {"X": "col", "Y": "row", "C": "channel", "E": "channel", "T": "time", "Z": "depth", "A": "angle"}
#: Orders of planes in OME-XML, the fastest axis first.
_ORDERS = ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")


@dataclass(frozen=True)
class Axes:
    """The shape of a stack, and the names of its axes."""

    shape: tuple[int, ...]
    names: tuple[str, ...]


def told_axes(series: Any, description: str) -> Axes | None:
    """The axes of a stack of pages that its description tells; None where it tells no more than there is to be seen.

    A stack whose pages count one thing alone is left to what is known of stacks: programs write cubes whose rows they
    took for pages.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
        The stack.
    description : str
        Of its first page.

    Returns
    -------
    Axes or None
    """
    if "S" in series.axes:
        return None
    found = _of_json(description) or _of_ome(description)
    if found is None and len(series.axes) > 3 and "I" not in series.axes and "Q" not in series.axes:
        found = _axes(series.shape, series.axes)  # ImageJ's
    return found if found is not None and math.prod(found.shape) == math.prod(series.shape) else None


def _axes(shape: Sequence[int], letters: str) -> Axes:
    return Axes(tuple(shape), tuple(_NAMES.get(letter, "") for letter in letters))


def _of_json(description: str) -> Axes | None:
    if not description.lstrip().startswith("{") or len(description) > LONGEST:
        return None
    try:
        said = json.loads(description)
    except (ValueError, RecursionError):
        return None
    shape, letters = said.get("shape"), said.get("axes")
    are_sizes = isinstance(shape, list) and all(type(size) is int and size > 0 for size in shape)
    if not are_sizes or not isinstance(letters, str) or len(letters) != len(shape) or not {"X", "Y"} <= set(letters):
        return None
    return _axes(shape, letters)


def _of_ome(description: str) -> Axes | None:
    pixels = _pixels(description)
    order = "" if pixels is None else pixels.get("DimensionOrder", "")
    if pixels is None or order not in _ORDERS or not _is_in_order(pixels):
        return None
    sizes = [_size(pixels, letter) for letter in order[::-1]]
    return _axes(sizes, order[::-1]) if min(sizes) > 0 and sum(size > 1 for size in sizes[:3]) > 1 else None


def _is_in_order(pixels: Any) -> bool:
    """Whether the planes lie in the file in the order of their axes, as far as the text tells."""
    places = [one for one in _children(pixels, "TiffData") if "IFD" in one.attrib and _size(one, "PlaneCount", "") == 1]
    order = pixels.get("DimensionOrder", "")[2:]
    steps = {order[0]: 1, order[1]: _size(pixels, order[0])}
    steps[order[2]] = steps[order[1]] * _size(pixels, order[1])
    return all(
        int(one.get("IFD", 0)) == sum(step * int(one.get(f"First{letter}", 0)) for letter, step in steps.items())
        for one in places
    )


def with_channels(facts: GdalFacts, description: str) -> GdalFacts:
    """The facts with wavelengths of emission, and names, of the channels of an OME-TIFF, where every one has some.

    Parameters
    ----------
    facts : GdalFacts
        Of the file; added to.
    description : str
        Of its first page.

    Returns
    -------
    GdalFacts
    """
    pixels = _pixels(description)
    channels = [] if pixels is None else _children(pixels, "Channel")
    if len(channels) < 2 or pixels is None or len(channels) != _size(pixels, "C"):
        return facts
    lengths = [one.get("EmissionWavelength") for one in channels]
    if all(lengths):
        for band, one in enumerate(channels):
            facts.add(band, "", "wavelength", f"{lengths[band]} {one.get('EmissionWavelengthUnit', 'nm')}")
    names = [" ".join(one.get("Name", "").split()) for one in channels]
    if all(names) and not facts.names:
        facts.names = dict(enumerate(names))
    return facts


def _pixels(description: str) -> Any | None:
    """The pixels of the first image that OME-XML tells of; None for other texts, or damaged ones."""
    text = description.strip("\0 \ufeff\r\n\t")
    if len(text) > LONGEST or not text.startswith("<") or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ElementTree.fromstring(text.encode())
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    images = _children(root, "Image") if _own(root) == "OME" else []
    return next((pixels for image in images[:1] for pixels in _children(image, "Pixels")), None)


def _children(element: Any, name: str) -> list[Any]:
    return [one for one in element if _own(one) == name]


def _own(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _size(element: Any, letter: str, before: str = "Size") -> int:
    text = element.get(before + letter, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
