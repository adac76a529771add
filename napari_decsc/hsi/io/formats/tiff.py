"""TIFF stacks and GeoTIFF: bands as pages, or as samples of each pixel."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.formats import metadata
from napari_decsc.hsi.io.formats.attributes import scaled
from napari_decsc.hsi.io.formats.cf import numbers
from napari_decsc.hsi.io.formats.contents import cube_from
from napari_decsc.hsi.io.formats.gdal import (
    LONGEST,
    GdalFacts,
    facts_beside,
    facts_of_tag,
    merged,
    real,
)
from napari_decsc.hsi.io.formats.gdal_cubes import with_facts, with_georeference
from napari_decsc.hsi.io.formats.guards import readable
from napari_decsc.hsi.io.formats.json_texts import lists_in_json
from napari_decsc.hsi.io.formats.snap import DIMAP, facts_of_dimap
from napari_decsc.hsi.io.formats.tiff_axes import told_axes, with_channels
from napari_decsc.hsi.io.formats.tiff_files import images, opened, values_of
from napari_decsc.hsi.io.formats.tiff_masks import has_alpha, mask_of
from napari_decsc.hsi.io.formats.variables import Contents, Variable
from napari_decsc.hsi.no_data import as_meant

#: GDAL's tag of what is known of the file and its bands.
GDAL_METADATA = 42112
#: GDAL's tag of the no-data value.
GDAL_NODATA = 42113
#: The tag in which this package tells of its own files; GDAL copies it into no other file.
OWN = 65123
#: TIFF's tag for the name of a page.
PAGE_NAME = 285
#: Pages that are asked for their names.
_MOST_PAGES = 2_000
#: Letters of such a name.
_LONGEST_NAME = 200
#: GeoTIFF's tags (OGC 19-008r4) and GDAL's for rational polynomials that are kept, with the type they are written in.
GEO = {33550: "d", 33922: "d", 34264: "d", 34735: "H", 34736: "d", 34737: "s", 50844: "d"}


def holds_cube(path: Path) -> bool:
    """True for a file of this package and for a plain stack of at least 4 bands; microscopes' stacks are napari's."""
    with path.open("rb") as file:
        if file.read(4) not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return False
    with opened(path) as file:
        page = file.pages[0]
        if _own_text(page):
            return True
        if page.is_imagej or page.description.lstrip().startswith("<?xml") or file.is_lsm or file.is_stk:
            return False
        return any(one.is_cube and min(one.cube_shape) >= 4 for one in _variables(file, path))


def read_tiff(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a TIFF file: memory-mapped where it lies in one piece uncompressed, else in memory.

    One that would take more than half of the free memory stays in the file, a lazy (dask) array of its pieces.
    Pages are bands; so are the samples of a pixel. What GDAL notes of bands is taken, from the file itself, the file
    `.aux.xml` beside it; GeoTIFF's tags are kept. No other file is read, whatever an OME or
    Micro-Manager description says.
    """
    with readable(path, "TIFF"), opened(path) as file:
        page = file.pages[0]
        text = _own_text(page)
        variables = _variables(file, path)
        whole = _ours(variables, text, path, certain=page.tags.get(OWN) is not None)
        if whole is not None:
            return cube_from(Contents(path, [whole], metadata=text), variable, band_axis)
        facts = with_channels(_facts(page, path), page.description)
        facts.names = facts.names or dict(enumerate(_names_of_pages(file)))
        contents = Contents(path, variables, facts.vectors(), _geo(page))
        cube = cube_from(contents, variable, band_axis)
        mask, said = mask_of(cube, file, path)
        cube = with_facts(cube, facts, mask)
        cube = _of_imagej(cube.replace(notes=(*cube.notes, *said)), file)
        return with_georeference(cube, facts)


def _own_text(page: Any) -> str:
    """The text by which this package describes a cube; older versions put it into the description."""
    for text in (_text(page, OWN), page.description):
        if len(text) <= metadata.LONGEST and metadata.is_metadata(text):
            return text
    return ""


def _variables(file: Any, path: Path) -> list[Variable]:
    """The images of the file; those of lower resolution, and masks, are none."""
    return [_with_axes(_variable(series, path, number), series) for number, series in enumerate(images(file))]


def _with_axes(one: Variable, series: Any) -> Variable:
    """The stack with the axes that its description tells."""
    axes = told_axes(series, series.keyframe.description)
    if axes is None:
        return one
    return dataclasses.replace(
        one, shape=axes.shape, axes=axes.names, usual=None, certain=None, read=lambda: one.read().reshape(axes.shape)
    )


def _variable(series: Any, path: Path, number: int) -> Variable:
    page = series.keyframe
    letters = series.axes
    # samples of a pixel are its bands for sure; a stack of pages may also be a cube whose rows were taken for pages
    certain = letters.index("S") if letters.count("S") == 1 and len(letters) == 3 else None
    usual = None if len(letters) != 3 or letters[-2:] != "YX" else 0
    name, shape = series.name or f"series {number}", tuple(series.shape)
    cut: tuple[slice, ...] = ()
    if certain is not None and has_alpha(page):
        cut = tuple(slice(-1 if axis == certain else None) for axis in range(3))
        shape = tuple(size - (axis == certain) for axis, size in enumerate(shape))

    def read() -> Any:
        data = values_of(series, path, number)
        return data[cut] if cut else data

    return Variable(name, shape, np.dtype(series.dtype), read, usual=usual, certain=certain)


def _of_imagej(cube: Cube, file: Any) -> Cube:
    """The cube with ImageJ's straight line between stored numbers and values; so it keeps 16 bits with a sign."""
    told = (file.imagej_metadata or {}) if file.is_imagej else {}
    begin, slope = numbers(told.get("c0")), numbers(told.get("c1"))
    if told.get("cf") != 0 or len(begin) != 1 or len(slope) != 1 or not np.isfinite([*begin, *slope]).all():
        return cube
    if slope[0] == 0 or cube.scale != 1 or cube.calibration is not None:
        return cube
    return scaled(cube, np.full(cube.bands, slope[0]), np.full(cube.bands, begin[0]) if begin[0] else None)


def _ours(variables: list[Variable], text: str, path: Path, *, certain: bool) -> Variable | None:
    """The variable with the shape that its description tells; TIFF drops axes of length 1.

    Other programs copy a description into files that they make of one: of another size, the file is not ours (None).
    """
    shape = metadata.shape_of(text) if text else None
    if shape is not None and variables and math.prod(variables[0].shape) == math.prod(shape):
        first = variables[0]
        return Variable(first.name, shape, first.dtype, lambda: first.read().reshape(shape))
    if certain:
        raise FileFormatError(f"{path}: its bands are not those that its description tells; write the file again")
    return None


def _facts(page: Any, path: Path) -> GdalFacts:
    """What GDAL notes in the file and beside it."""
    facts = facts_of_tag(_text(page, GDAL_METADATA))
    facts.no_data_of_rest = as_meant(real(_text(page, GDAL_NODATA)))
    for name, value in lists_in_json(page.description).items():
        facts.add(None, "", name, value)
    return merged(merged(facts, facts_of_dimap(_text(page, DIMAP))), facts_beside(path))


def _names_of_pages(file: Any) -> list[str]:
    """The names or short descriptions of pages, where each page has one, and ImageJ's labels."""
    if not 1 < len(file.pages) <= _MOST_PAGES:
        return []
    labels = (file.imagej_metadata or {}).get("Labels") if file.is_imagej else None
    if isinstance(labels, list) and len(labels) == len(file.pages):
        return [str(label) for label in labels]
    pages = [one for one in file.pages if hasattr(one, "tags")]
    found = [(_text(one, PAGE_NAME) or one.description).strip() for one in pages]
    is_told = len(found) == len(file.pages) and all(0 < len(name) <= _LONGEST_NAME for name in found)
    return found if is_told and len(set(found)) == len(found) else []


def _text(page: Any, code: int) -> str:
    tag = page.tags.get(code)
    value = "" if tag is None or tag.count > LONGEST else tag.value
    return value if isinstance(value, str) else ""


def _geo(page: Any) -> dict[str, Any]:
    """GeoTIFF's tags as fields of a header, such as `geotiff 34735`."""
    fields: dict[str, Any] = {}
    for code in GEO:
        tag = page.tags.get(code)
        if tag is not None and tag.count <= 10_000:
            value = tag.value
            fields[f"geotiff {code}"] = (
                value if isinstance(value, str) else [repr(item) for item in np.ravel(value).tolist()]
            )
    return fields
