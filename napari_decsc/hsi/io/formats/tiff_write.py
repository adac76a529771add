"""Writing GeoTIFF: bands as bands of one image, with what GDAL, QGIS and R ask for."""

import contextlib
import dataclasses
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi import georeference
from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.cube import NANOMETRES, Cube
from napari_decsc.hsi.io.atomic import flushed, replacing
from napari_decsc.hsi.io.conversion import to_write, write_bsq
from napari_decsc.hsi.io.envi.gains import calibration_of
from napari_decsc.hsi.io.envi.header import Header
from napari_decsc.hsi.io.envi.streaming import EnviSink, check_room
from napari_decsc.hsi.io.envi.wavelengths import ENVI_UNITS
from napari_decsc.hsi.io.envi.writer import kept_fields, new_layout
from napari_decsc.hsi.io.formats import metadata
from napari_decsc.hsi.io.formats.tiff import GDAL_METADATA, GDAL_NODATA, GEO, OWN
from napari_decsc.hsi.io.notes import notes_of_tiff

#: From here on, a file needs 64-bit offsets; some room is left for its directory.
_BIG = 2**32 - 2**26
#: A TIFF counts the samples of a pixel in 16 bits.
_MOST_BANDS = 65_535


def write_tiff(cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]) -> Path:
    """Write a cube as an uncompressed GeoTIFF: one image whose samples are the bands, each in one piece.

    Wavelengths, fwhm, names, scale and offset of bands, the no-data value and the place on the ground are said as GDAL
    says them; a tag of this package's own keeps everything.
    """
    with new_tiff(cube, path, kind, overwrite=overwrite, extra=extra) as (file, place):
        write_bsq(file, to_write(cube, kind), kind.newbyteorder("<"), place)
    return path


@contextlib.contextmanager
def new_tiff(
    cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]
) -> Iterator[tuple[BinaryIO, int]]:
    """Yield the file to fill, band after band, and the byte at which to begin; it takes its name at the end.

    ``extra`` may change until the block ends.
    """
    import tifffile

    cube = to_write(cube, kind)
    told = metadata.as_json(cube, extra)
    if cube.bands > _MOST_BANDS:
        raise FileFormatError(f"{path}: a TIFF has room for {_MOST_BANDS} bands; choose ENVI (.hdr)")
    size = math.prod(cube.shape) * kind.itemsize
    with replacing(path, overwrite=overwrite, notes=notes_of_tiff(path)) as (part,), flushed(part) as file:
        with tifffile.TiffWriter(file, bigtiff=size > _BIG, byteorder="<") as writer:
            place = writer.write(
                shape=cube.shape if cube.bands > 1 else cube.shape[1:],
                dtype=kind,
                photometric="minisblack",
                planarconfig="separate" if cube.bands > 1 else None,
                metadata=None,
                extratags=[*_tags(cube), (OWN, "s", 0, told, True)],
                returnoffset=True,
            )
        if place is None:
            raise FileFormatError(f"{path}: cannot be written as TIFF; choose ENVI (.hdr)")
        yield file, place[0]
        if told != metadata.as_json(cube, extra):
            _tell_anew(file, metadata.as_json(cube, extra))


def _tell_anew(file: BinaryIO, text: str) -> None:
    """Put another text into the tag of this package; a longer one comes behind the values."""
    import tifffile

    file.flush()
    with tifffile.TiffFile(file.name, mode="r+") as whole:
        whole.pages.first.tags[OWN].overwrite(text)


@contextlib.contextmanager
def tiff_sink(
    cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]
) -> Iterator[EnviSink]:
    """Yield a sink for a cube like this one, of float32; the file appears when the block ends without an error.

    ``extra`` may change until then.     Raises FileFormatError, before anything is computed, if the disk has no room.
    """
    like = cube.replace(data=np.broadcast_to(np.float32(0), cube.shape))
    layout = new_layout(like, "bsq", kind, 0)
    check_room(path, layout.size)
    with new_tiff(like, path, layout.dtype.newbyteorder("="), overwrite=overwrite, extra=extra) as (file, place):
        layout = dataclasses.replace(layout, offset=place)
        file.truncate(max(file.seek(0, os.SEEK_END), layout.size))
        yield EnviSink(Path(file.name).absolute(), layout, cube.name, cube.no_data, cube.calibration)


def _tags(cube: Cube) -> list[tuple[Any, ...]]:
    fields = georeference.for_tiff(kept_fields(cube))
    tags: list[tuple[Any, ...]] = []
    for code, kind in GEO.items():
        value = fields.get(f"geotiff {code}")
        if isinstance(value, str) and kind == "s" and value.isascii():
            tags.append((code, kind, 0, value, True))
        elif isinstance(value, list) and kind != "s":
            with contextlib.suppress(ValueError, OverflowError):  # a header may say anything
                numbers = _numbers(value, kind)
                tags.append((code, kind, len(numbers), numbers, True))
    tags.append((GDAL_METADATA, "s", 0, gdal_metadata(cube, fields), True))
    if cube.no_data is not None:
        tags.append((GDAL_NODATA, "s", 0, repr(float(cube.no_data)).removesuffix(".0"), True))
    return tags


def _numbers(texts: list[Any], kind: str) -> tuple[float, ...]:
    """The numbers of a tag. Raises ValueError for what is none, or is out of range (NumPy 1 would wrap it)."""
    if kind == "d":
        return tuple(float(text) for text in texts)
    whole = tuple(int(text) for text in texts)
    if not all(0 <= number <= np.iinfo(np.uint16).max for number in whole):
        raise ValueError("out of range")
    return whole


def gdal_metadata(cube: Cube, fields: Mapping[str, Any]) -> str:
    """What GDAL notes of bands (docs of its GTiff driver; domain IMAGERY since 3.10), as its text in XML; ASCII."""
    items = [*_image_items(cube), *(item for band in range(cube.bands) for item in _band_items(cube, fields, band))]
    text = "".join(_item(*item) for item in items)
    return f"<GDALMetadata>{text}</GDALMetadata>".encode("ascii", "xmlcharrefreplace").decode()


def _image_items(cube: Cube) -> Iterator[tuple[str, str, int | None, str, str]]:
    """The lists of the domain ENVI, as GDAL's driver of that format shows them."""
    lists = {"wavelength": cube.wavelengths, "fwhm": cube.fwhm}
    if cube.good_bands is not None:
        lists["bbl"] = cube.good_bands.astype(int)
    for name, values in lists.items():
        if values is not None:
            yield name, f"{{{', '.join(map(repr, values.tolist()))}}}", None, "ENVI", ""
    if cube.wavelength_unit in ENVI_UNITS and cube.wavelengths is not None:
        yield "wavelength_units", ENVI_UNITS[cube.wavelength_unit], None, "ENVI", ""


def _band_items(cube: Cube, fields: Mapping[str, Any], band: int) -> Iterator[tuple[str, str, int | None, str, str]]:
    """Name, value, band, domain and role of each fact of a band."""
    gains = _scales(cube)
    scale, offset = float(gains.gains[band]), float(gains.offsets[band])
    if scale != 1 or offset != 0:
        yield "SCALE", repr(scale), band, "", "scale"
        yield "OFFSET", repr(offset), band, "", "offset"
    names = fields.get("band names")
    if isinstance(names, list) and len(names) == cube.bands:
        yield "DESCRIPTION", str(names[band]), band, "", "description"
    micrometres = NANOMETRES.get(cube.wavelength_unit, 0.0) / 1e3
    for name, imagery, values in (
        ("wavelength", "CENTRAL_WAVELENGTH_UM", cube.wavelengths),
        ("fwhm", "FWHM_UM", cube.fwhm),
    ):
        if values is not None:
            yield name, repr(float(values[band])), band, "", ""
            if micrometres:
                yield imagery, f"{values[band] * micrometres:.12g}", band, "IMAGERY", ""
    if cube.wavelengths is not None and cube.wavelength_unit in ENVI_UNITS:
        yield "wavelength_units", ENVI_UNITS[cube.wavelength_unit], band, "", ""
    if cube.good_bands is not None:
        # GDAL copies facts of bands from file to file, and lists of the image not
        yield "bbl", str(int(cube.good_bands[band])), band, "", ""


def _scales(cube: Cube) -> Calibration:
    """The map from the numbers of the file to physical values."""
    if cube.scale == 1:
        found = None
        with contextlib.suppress(FileFormatError):  # kept, but never of use
            found = calibration_of(Header(Path(cube.name), cube.header), cube.bands)
        if found is not None:
            return found
    return Calibration(np.full(cube.bands, 1 / cube.scale), np.zeros(cube.bands))


def _item(name: str, value: str, band: int | None, domain: str, role: str) -> str:
    sample = "" if band is None else f' sample="{band}"'
    said = "".join(f" {key}={quoteattr(text)}" for key, text in (("role", role), ("domain", domain)) if text)
    # GDAL unescapes what it reads twice
    return f"<Item name={quoteattr(name)}{sample}{said}>{escape(escape(_legal(value)))}</Item>"


def _legal(text: str) -> str:
    """The text without what XML cannot hold."""
    return re.sub("[^\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
