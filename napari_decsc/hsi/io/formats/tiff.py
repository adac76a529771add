"""TIFF stacks and GeoTIFF: bands as pages, or as samples of each pixel."""

import contextlib
import logging
import lzma
import math
import re
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.atomic import flushed, replacing
from napari_decsc.hsi.io.conversion import to_write, write_bsq
from napari_decsc.hsi.io.formats import metadata, spectral
from napari_decsc.hsi.io.formats.contents import Contents, Variable, cube_from
from napari_decsc.hsi.io.formats.guards import INFLATES, STEP, check_memory, fits_in_memory, mapped, overflows, readable
from napari_decsc.hsi.io.notes import notes_of_tiff

_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
#: GeoTIFF's tags (OGC 19-008r4) that are kept, with the type in which they are written again.
_GEO = {33550: "d", 33922: "d", 34264: "d", 34735: "H", 34736: "d", 34737: "s"}
_ITEM = re.compile(r'<Item name="(\w+)" sample="(\d+)"[^>]*>([^<]{1,40})</Item>')
#: Longest that a byte of a compressed piece is taken to become; even empty pages stay below.
_EXPANDS = 100_000
#: What unpacks a piece, and how much longer it can become, by TIFF's numbers of compressions.
_UNPACKERS: dict[int, tuple[Any, int]] = {
    **dict.fromkeys((8, 32946), (zlib.decompressobj, INFLATES)),
    34925: (lzma.LZMADecompressor, 10_000),
}
#: Longest text of a tag that is searched.
_LONGEST = 16 << 20
#: From here on, a file needs 64-bit offsets; some room is left for the pages' own entries.
_BIG = 2**32 - 2**26


def holds_cube(path: Path) -> bool:
    """True for a file of this package and for a plain stack of at least 4 bands; microscopes' stacks are napari's."""
    with path.open("rb") as file:
        if file.read(4) not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
            return False
    with _opened(path) as file:
        if metadata.is_metadata(file.pages[0].description):
            return True
        page = file.pages[0]
        if page.is_imagej or page.description.lstrip().startswith("<?xml") or file.is_lsm or file.is_stk:
            return False
        found = [_variable(series, path, number) for number, series in enumerate(file.series)]
        return any(one.is_cube and min(one.cube_shape) >= 4 for one in found)


def read_tiff(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a TIFF file: memory-mapped where it lies in one piece uncompressed, else in memory.

    Pages are bands; so are the samples of a pixel. GDAL's no-data value and band wavelengths are taken, GeoTIFF's tags
    kept. No other file is read, whatever an OME or Micro-Manager description says.
    """
    with readable(path, "TIFF"), _opened(path) as file:
        page = file.pages[0]
        text = page.description if len(page.description) <= metadata.LONGEST else ""
        variables = [_variable(series, path, number) for number, series in enumerate(file.series)]
        ours = metadata.shape_of(text) if metadata.is_metadata(text) else None
        if ours is not None:
            variables = [_ours(variables[0], ours, path)]
        contents = Contents(path, variables, _vectors(page), _geo(page), metadata=text if ours else None)
        cube = cube_from(contents, variable, band_axis)
        return cube.replace(no_data=_no_data(page)) if cube.no_data is None else cube


def write_tiff(cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]) -> Path:
    """Write a cube as an uncompressed TIFF, a page for each band; the description of the first is a JSON text.

    GDAL's tag tells the no-data value, GeoTIFF's tags of the source are written again.
    """
    import tifffile

    cube = to_write(cube, kind)
    size = math.prod(cube.shape) * kind.itemsize
    with replacing(path, overwrite=overwrite, notes=notes_of_tiff(path)) as (part,), flushed(part) as file:
        with tifffile.TiffWriter(file, bigtiff=size > _BIG, byteorder="<") as writer:
            place = writer.write(
                shape=cube.shape,
                dtype=kind,
                photometric="minisblack",
                metadata=None,
                description=metadata.as_json(cube, extra),
                extratags=_tags(cube),
                returnoffset=True,
            )
        if place is None:
            raise FileFormatError(f"{path}: cannot be written as TIFF; choose ENVI (.hdr)")
        write_bsq(file, cube, kind.newbyteorder("<"), place[0])
    return path


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, without the series of formats whose description names further files."""
    import tifffile

    _check_pages(path)
    options: dict[str, Any] = {"is_ome": False, "is_mmstack": False, "is_micromanager": False, "is_ndtiff": False}
    with _silent("tifffile"), tifffile.TiffFile(path, _multifile=False, **options) as file:
        yield file


@contextlib.contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keep what a library logs in this thread from the user, who is told of a damaged file in one sentence."""
    here = threading.get_ident()
    drop = lambda record: record.thread != here  # noqa: E731
    logger = logging.getLogger(name)
    logger.addFilter(drop)
    try:
        yield
    finally:
        logger.removeFilter(drop)


def _check_pages(path: Path) -> None:
    """Raise FileFormatError if the directories of the pages run in a circle or overlap: no writer's file does.

    A few hundred bytes of such directories can describe pages that take minutes to read.
    """
    held = path.stat().st_size
    with path.open("rb") as file:

        def number(kind: str, at: int) -> int:
            size = struct.calcsize(kind)
            file.seek(at)
            return int(struct.unpack(kind, file.read(size).ljust(size, b"\0"))[0])

        order = "<" if file.read(2) == b"II" else ">"
        big = number(f"{order}H", 2) == 43
        count, entry, link = (f"{order}Q", 20, f"{order}Q") if big else (f"{order}H", 12, f"{order}I")
        offset, taken = number(link, 8 if big else 4), 0
        while 0 < offset < held:
            entries = struct.calcsize(count) + number(count, offset) * entry
            taken += entries + struct.calcsize(link)
            if taken > held:
                raise FileFormatError(f"{path}: its list of pages is damaged; write the file again")
            offset = number(link, offset + entries)


def _variable(series: Any, path: Path, number: int) -> Variable:
    page = series.keyframe
    letters = series.axes
    # samples of a pixel are its bands for sure; a stack of pages may also be a cube whose rows were taken for pages
    certain = letters.index("S") if letters.count("S") == 1 and len(letters) == 3 else None
    usual = None if len(letters) != 3 or letters[-2:] != "YX" else 0
    name = series.name or f"series {number}"

    def read() -> Any:
        if series.dataoffset is not None and page.compression == 1:
            dtype = np.dtype(series.dtype).newbyteorder(
                series.parent.byteorder if hasattr(series, "parent") else page.parent.byteorder
            )
            return mapped(path, dtype, series.shape, series.dataoffset)
        _check_pieces(series, path)
        check_memory(series.size * series.dtype.itemsize, path, name)
        return _unpacked(series, path)

    return Variable(name, tuple(series.shape), np.dtype(series.dtype), read, usual=usual, certain=certain)


def _unpacked(series: Any, path: Path) -> Any:
    try:
        return series.asarray(maxworkers=1)
    except (ImportError, ValueError) as error:
        # what LZW, JPEG, Zstandard and others need is no part of this package
        if not isinstance(error, ImportError) and "imagecodecs" not in str(error):
            raise
        kind = getattr(series.keyframe.compression, "name", series.keyframe.compression)
        raise FileFormatError(
            f"{path}: its compression, {kind}, needs the package imagecodecs; install it (pip install imagecodecs), "
            f"or save the file uncompressed or with Deflate"
        ) from None


def _ours(variable: Variable, shape: tuple[int, ...], path: Path) -> Variable:
    """The variable with the shape that its description tells; TIFF drops axes of length 1."""
    if math.prod(variable.shape) != math.prod(shape):
        raise FileFormatError(f"{path}: its pages are not as many as its description says; write the file again")
    return Variable(variable.name, shape, variable.dtype, lambda: variable.read().reshape(shape))


def _check_pieces(series: Any, path: Path) -> None:
    """Raise FileFormatError if pieces of the image are missing, or lie behind the end of the file."""
    held = path.stat().st_size
    if series.size * series.dtype.itemsize > held * _EXPANDS:
        raise FileFormatError(f"{path}: describes more values than it can hold; the file is damaged")
    for page in series.pages:
        if page is None:
            raise FileFormatError(f"{path}: lacks some of its pages; the file is cut short")
        if not len(page.dataoffsets) == len(page.databytecounts) == math.prod(series.keyframe.chunked):
            raise FileFormatError(f"{path}: lacks some pieces of a page; the file is damaged")
        for start, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            if start + size > held:
                raise FileFormatError(
                    f"{path}: holds {held} bytes, a page ends at {start + size}; the file is cut short"
                )
            _check_unpacked(path, start, size, page)


def _check_unpacked(path: Path, start: int, size: int, page: Any) -> None:
    """Raise FileFormatError if a piece that could fill the memory unpacks to more than its page has room for.

    Libraries unpack a piece as a whole, however long it becomes; this looks at it some bytes at a time.
    """
    start_unpacker, most = _UNPACKERS.get(int(page.compression), (None, 0))
    if start_unpacker is None or fits_in_memory(size * most):
        return
    # tiles reach beyond the borders of a page
    room = 2 * math.prod(page.chunks) * page.dtype.itemsize + STEP
    with path.open("rb") as file:
        file.seek(start)
        pieces = (file.read(min(STEP, size - place)) for place in range(0, size, STEP))
        if overflows(pieces, start_unpacker(), room):
            raise FileFormatError(f"{path}: a page unpacks to more than it has room for; the file is damaged")


def _vectors(page: Any) -> dict[str, list[spectral.Vector]]:
    """Wavelengths that GDAL keeps of each band."""
    vectors: dict[str, list[spectral.Vector]] = {}
    text = _text(page, _GDAL_METADATA)
    units = re.search(r'<Item name="wavelength_units"[^>]*>([^<]{1,40})<', text)
    found: dict[str, dict[int, float]] = {}
    for name, sample, value in _ITEM.findall(text):
        if spectral.role(name) and re.fullmatch(r"\s*[0-9.eE+-]+\s*", value):
            found.setdefault(name, {})[int(sample)] = float(value)
    for name, values in found.items():
        if sorted(values) == list(range(len(values))):
            spectral.add(vectors, name, [values[band] for band in sorted(values)], units.group(1) if units else "")
    return vectors


def _no_data(page: Any) -> float | None:
    try:
        return float(_text(page, _GDAL_NODATA).strip("\0 "))
    except ValueError:
        return None


def _text(page: Any, code: int) -> str:
    tag = page.tags.get(code)
    value = "" if tag is None or tag.count > _LONGEST else tag.value
    return value if isinstance(value, str) else ""


def _geo(page: Any) -> dict[str, Any]:
    """GeoTIFF's tags as fields of a header, such as `geotiff 34735`."""
    fields: dict[str, Any] = {}
    for code in _GEO:
        tag = page.tags.get(code)
        if tag is not None and tag.count <= 10_000:
            value = tag.value
            fields[f"geotiff {code}"] = (
                value if isinstance(value, str) else [repr(item) for item in np.ravel(value).tolist()]
            )
    return fields


def _tags(cube: Cube) -> list[tuple[Any, ...]]:
    tags: list[tuple[Any, ...]] = []
    for code, kind in _GEO.items():
        value = cube.header.get(f"geotiff {code}")
        if isinstance(value, str) and kind == "s" and value.isascii():
            tags.append((code, kind, 0, value, True))
        elif isinstance(value, list) and kind != "s":
            with contextlib.suppress(ValueError, OverflowError):  # a header may say anything
                numbers = np.array(value, dtype=np.float64 if kind == "d" else np.uint16)
                tags.append((code, kind, numbers.size, tuple(numbers.tolist()), True))
    if cube.no_data is not None:
        tags.append((_GDAL_NODATA, "s", 0, repr(float(cube.no_data)).removesuffix(".0"), True))
    return tags
