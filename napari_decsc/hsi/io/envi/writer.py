"""Writing ENVI files: complete or not at all."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.georeference import for_envi
from napari_decsc.hsi.io.atomic import flushed, replacing
from napari_decsc.hsi.io.conversion import slabs, to_write, write_bsq
from napari_decsc.hsi.io.envi import gains
from napari_decsc.hsi.io.envi.header import Header, read_header
from napari_decsc.hsi.io.envi.layout import AXES, TYPES, Layout, layout_of
from napari_decsc.hsi.io.envi.optional import SCALE, multiplies
from napari_decsc.hsi.io.envi.pair import find_data, find_header
from napari_decsc.hsi.io.envi.text import header_text, key_of
from napari_decsc.hsi.io.envi.wavelengths import ENVI_UNITS, unit_of
from napari_decsc.hsi.io.notes import notes_of_envi

_CODES = {name: code for code, name in TYPES.items()}
#: Types that ENVI does not know and the smallest of its types that hold them.
_WIDER = {"int8": "int16", "float16": "float32"}

#: Fields that describe how the source was stored, or that a Cube's own fields replace.
_NOT_KEPT = (
    "samples",
    "lines",
    "bands",
    "header offset",
    "file type",
    "data type",
    "interleave",
    "byte order",
    "file compression",
    "major frame offsets",
    "minor frame offsets",
    "wavelength",
    "wavelength units",
    "fwhm",
    "bbl",
    "data ignore value",
    "reflectance scale factor",
)


def write_envi(
    cube: Cube,
    path: str | Path,
    *,
    overwrite: bool = False,
    interleave: str = "bsq",
    dtype: DTypeLike | None = None,
    byte_order: int = 0,
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Write a cube as a pair of files; the header says what the cube's fields say and keeps the others of its header.

    Both files are written under temporary names beside the target, flushed to the disk, and renamed, the header last.
    On any error nothing under the target's names has changed and no temporary file is left. Writing onto the very file
    the cube is mapped from is safe: the map keeps its old data.

    Parameters
    ----------
    cube : Cube
        Any.
    path : str or Path
        May end in .hdr, .img or neither; a pair that is replaced keeps the name of its data file.
    overwrite : bool
        Whether to replace files that exist.
    interleave : str
        "bsq", "bil" or "bip".
    dtype : numpy type, optional
        The cube's if left out; int8 and float16, which ENVI does not know, become int16 and float32. Values that go
        into a whole-number type are rounded and cut to its range, NaN becomes the no-data value.
    byte_order : int
        0 little-endian, 1 big-endian.
    extra : mapping of str to str, optional
        Fields that join the header.

    Returns
    -------
    Path
        The header's.

    Raises
    ------
    FileFormatError
        If a file of the pair exists and may not be replaced, if the type or the interleave is none of ENVI's, if NaN or
        no-data values have no place in the type, or if the disk refuses.
    """
    header = target_pair(Path(path))[0]
    layout = new_layout(cube, interleave, dtype, byte_order)
    cube = to_write(cube, layout.dtype)
    with new_pair(cube, Path(path), layout, overwrite=overwrite, extra=extra or {}) as file:
        _write_values(file, cube, layout)
    return header


@contextlib.contextmanager
def new_pair(
    cube: Cube, path: Path, layout: Layout, *, overwrite: bool, extra: Mapping[str, str]
) -> Iterator[BinaryIO]:
    """Yield the data file to fill, under a temporary name; the pair takes its names when the block ends well.

    Parameters
    ----------
    cube : Cube
        Its header is written; its data need not be what is.
    path : Path
        As that of :func:`write_envi`.
    layout : Layout
        Of the data file.
    overwrite : bool
        Whether to replace files that exist.
    extra : mapping of str to str
        Fields that join the header; may change until the block ends.

    Yields
    ------
    binary file
        For writing.

    Raises
    ------
    FileFormatError
        As of :func:`write_envi`.
    """
    header, data = target_pair(path)
    cube = to_write(cube, layout.dtype)
    # while data and header are exchanged one after the other, an old header must not describe new data in a wrong way
    hide = not _holds(header, _header(cube, layout, extra))
    notes = notes_of_envi(data)
    with replacing(data, header, overwrite=overwrite, hide_last=hide, notes=notes) as (new_data, new_header):
        with flushed(new_data) as file:
            yield file
        with flushed(new_header) as file:
            file.write(_header(cube, layout, extra))


def _header(cube: Cube, layout: Layout, extra: Mapping[str, str]) -> bytes:
    return header_text(_fields(cube, layout, extra)).encode("utf-8", errors="replace")


def target_pair(path: Path) -> tuple[Path, Path]:
    """Header and data file that :func:`write_envi` makes for a path: `x.hdr` and `x.img` (or `x.img.hdr` and `x.img`).

    A header that is already there keeps the name of its data file, lest an old data file stay beside a new header.

    Parameters
    ----------
    path : Path
        With or without an ending.

    Returns
    -------
    two Path
        Header; data file.

    Raises
    ------
    FileFormatError
        For a path without a name.
    """
    suffix = path.suffix.lower()
    base = path.with_suffix("") if suffix in (".hdr", ".img") else path
    if not base.name or "\0" in str(path):
        raise FileFormatError(f"{path}: is no file name; give one such as scene.hdr")
    header = path if suffix == ".hdr" else _header_of(base)
    try:
        return header, find_data(header, layout_of(read_header(header)).size)
    except (FileFormatError, OSError):
        return header, base if base.suffix.lower() == ".img" else base.with_name(base.name + ".img")


def _header_of(base: Path) -> Path:
    try:
        return find_header(base.with_name(base.name + ".img"))
    except (FileFormatError, OSError):
        return base.with_name(base.name + ".hdr")


def new_layout(cube: Cube, interleave: str, dtype: DTypeLike | None, byte_order: int) -> Layout:
    """The layout of a file for this cube.

    Parameters
    ----------
    cube : Cube
        Its shape, and its type where none is given.
    interleave : str
        "bsq", "bil" or "bip".
    dtype : numpy type, optional
        That of the cube if left out.
    byte_order : int
        0 little-endian, 1 big-endian.

    Returns
    -------
    Layout

    Raises
    ------
    FileFormatError
        For what ENVI does not know.
    """
    if interleave.lower() not in AXES:
        raise FileFormatError(f"{cube.name}: interleave is {interleave!r}; choose bsq, bil or bip")
    if byte_order not in (0, 1):
        raise FileFormatError(f"{cube.name}: byte order is {byte_order!r}; choose 0 (little-endian) or 1 (big-endian)")
    try:
        name = np.dtype(cube.data.dtype if dtype is None else dtype).name
    except TypeError:
        name = str(dtype)
    name = _WIDER.get(name, name)
    if name not in _CODES:
        raise FileFormatError(f"{cube.name}: ENVI has no data type {name}; choose one of {', '.join(_CODES)}")
    bands, lines, samples = cube.shape
    return Layout(bands, lines, samples, _CODES[name], interleave.lower(), int(byte_order))


def _holds(header: Path, text: bytes) -> bool:
    try:
        return header.stat().st_size == len(text) and header.read_bytes() == text
    except OSError:
        return False


def _fields(cube: Cube, layout: Layout, extra: Mapping[str, str]) -> dict[str, Any]:
    """All fields of the header, in the order in which they are written; None for those to be left out."""
    spelled = next((value for key, value in cube.header.items() if key_of(key) == "wavelength units"), None)
    fields = for_envi(kept_fields(cube)) | {
        "wavelength units": _unit(cube, spelled),
        "wavelength": _list(cube.wavelengths),
        "fwhm": _list(cube.fwhm),
        "bbl": None if cube.good_bands is None else cube.good_bands.astype(int).tolist(),
        "data ignore value": None if cube.no_data is None else repr(float(cube.no_data)).removesuffix(".0"),
        **_scale(cube),
    }
    fields |= {key_of(key): value for key, value in extra.items()}
    fields |= layout.fields()
    return {key: fields.get(key) for key in ("description", *layout.fields())} | fields


def _scale(cube: Cube) -> dict[str, Any]:
    """The field that tells the scale: one that would be taken for its own inverse is told as a gain."""
    if gains.tell_scale(cube):
        return {SCALE: None}
    if multiplies(cube.scale):
        return {SCALE: None, gains.GAINS: [repr(1 / float(cube.scale))] * cube.bands, gains.OFFSETS: None}
    return {SCALE: repr(float(cube.scale)).removesuffix(".0")}


def kept_fields(cube: Cube) -> dict[str, Any]:
    """The fields of a cube's header that stay true in any other file; what the cube's own fields say is left out.

    Parameters
    ----------
    cube : Cube
        Any.

    Returns
    -------
    dict of str to object
        By lower-case names.
    """
    fields = {key_of(key): value for key, value in cube.header.items()}
    return {key: value for key, value in fields.items() if _is_kept(key, value, cube)}


def _list(values: NDArray[np.float64] | None) -> list[float] | None:
    return None if values is None else values.tolist()


def _is_kept(key: str, value: Any, cube: Cube) -> bool:
    # fields with one value for each band are wrong once the number of bands has changed
    counted = str(cube.header.get("bands", "")).strip()
    if key == "band names":
        return counted == str(cube.bands) or (not isinstance(value, str) and len(value) == cube.bands)
    if key in gains.FIELDS:
        return Header(Path(), {key: value}).count(key) in (1, cube.bands)
    if key == "default bands":
        numbers = [str(number) for number in ([value] if isinstance(value, str) else value)]
        return all(number.isdecimal() and int(number) <= cube.bands for number in numbers)
    if counted != str(cube.bands) and isinstance(value, list | tuple) and str(len(value)) == counted:
        return False
    return key not in _NOT_KEPT


def _unit(cube: Cube, spelled: Any) -> str | None:
    """The producer's own spelling of the unit while it is still true, else ENVI's."""
    if isinstance(spelled, str) and unit_of(spelled) == (cube.wavelength_unit, 1.0):
        return spelled
    return ENVI_UNITS.get(cube.wavelength_unit)


def _write_values(file: BinaryIO, cube: Cube, layout: Layout) -> None:
    if layout.interleave == "bsq":
        write_bsq(file, cube, layout.dtype)
        return
    for _, slab in slabs(cube, layout.dtype):
        file.write(np.ascontiguousarray(slab.transpose(AXES[layout.interleave])).data)
