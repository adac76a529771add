"""Zarr stores, versions 2 and 3: folders of chunks, or one zip file, read lazily and written by the package zarr.

Known on top of plain arrays: xarray's stores, OME-Zarr (its axis of type "channel"), and GeoZarr's conventions as
drafted ("proj:", "spatial:"). Metadata are read here first: an array whose codecs could run code, or are unknown, is
never opened.
"""

import base64
import contextlib
import itertools
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi import crs, georeference
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.atomic import replacing_folder
from napari_decsc.hsi.io.conversion import converted, to_write
from napari_decsc.hsi.io.envi.wavelengths import wavelengths_in_names
from napari_decsc.hsi.io.formats.cf import says_no_data
from napari_decsc.hsi.io.formats.cf_write import CUBE, data_set
from napari_decsc.hsi.io.formats.contents import cube_from, looks_like_a_cube
from napari_decsc.hsi.io.formats.findings import Findings
from napari_decsc.hsi.io.formats.guards import check_memory, lazily, readable
from napari_decsc.hsi.io.formats.variables import Contents
from napari_decsc.hsi.io.formats.zarr_nodes import Folder, all_in, in_zip, metadata
from napari_decsc.hsi.io.zarr_marks import is_zarr

#: Arrays looked at.
_MOST = 10_000
#: Codecs that only unpack bytes; others ("pickle" for one) are refused.
_CODECS = {
    *("blosc", "zstd", "zlib", "gzip", "lz4", "lzma", "bz2", "crc32", "crc32c", "adler32"),
    *("fletcher32", "shuffle", "delta", "fixedscaleoffset", "quantize", "bitround", "packbits", "astype", "bytes"),
    *("transpose", "sharding_indexed"),
}  # fmt: skip
#: Attributes of OME-Zarr, which are looked at on their own.
_OME = ("ome", "multiscales", "omero")
#: Rows and cols of a chunk that is written.
_SIDE = 64
#: About how many bytes it has.
_CHUNK = 4 << 20


def holds_cube(path: Path) -> bool:
    """True if an array in the store could be a cube of at least 4 bands."""
    try:
        return is_zarr(path) and looks_like_a_cube(_contents(path))
    except (FileFormatError, OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


def read_zarr(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a Zarr store, a lazy (dask) array in the store's chunks."""
    if not is_zarr(path):
        raise FileFormatError(f"{path}: is no Zarr store, a folder with zarr.json, .zgroup or .zarray in it")
    with readable(path, "Zarr"):
        return cube_from(_contents(path), variable, band_axis)


def zip_holds_cube(path: Path) -> bool:
    """True if the zip file is a Zarr store, and an array in it could be a cube of at least 4 bands."""
    if not zipfile.is_zipfile(path):
        return False
    folder = in_zip(path)
    return folder is not None and looks_like_a_cube(_contents(path, folder))


def read_zip(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a Zarr store that is one zip file; as `read_zarr`."""
    with readable(path, "a zipped Zarr store"):
        folder = in_zip(path)
        if folder is None:
            raise FileFormatError(f"{path}: is a zip file without a Zarr store in it; unpack it first")
        return cube_from(_contents(path, folder), variable, band_axis)


def write_zarr(cube: Cube, path: Path, kind: np.dtype[Any], *, overwrite: bool, extra: Mapping[str, str]) -> Path:
    """Write a cube as a Zarr store of version 3, some rows at a time: a data set of xarray's, and OME-Zarr 0.5."""
    import zarr

    cube = to_write(cube, kind)
    described = data_set(cube, kind, extra)
    bands, rows, cols = cube.shape
    side = min(_SIDE, rows), min(_SIDE, cols)
    chunk = min(bands, max(1, _CHUNK // (math.prod(side) * kind.itemsize)))
    with replacing_folder(path, overwrite=overwrite, is_ours=is_zarr) as part:
        store = zarr.open_group(part, mode="w-", zarr_format=3)
        store.attrs.update({**described.facts, "ome": _ome(cube, described.dimensions)})
        for one in described.coordinates:
            array = store.create_array(one.name, data=np.asarray(one.values), dimension_names=one.dimensions)
            array.attrs.update(one.attributes)
        said = {key: _plain(value) for key, value in described.attributes.items()}
        values = store.create_array(
            CUBE,
            shape=cube.shape,
            dtype=kind,
            chunks=(chunk, *side),
            dimension_names=described.dimensions,
            fill_value=said.get("_FillValue", 0),
        )
        values.attrs.update(said)
        for start in range(0, rows, side[0]):
            some = slice(start, start + side[0])
            values[:, some] = converted(np.asarray(cube.data[:, some]), kind, cube)
    return path


def _plain(value: Any) -> Any:
    """An attribute as JSON has it, which knows no NaN and no infinity: xarray spells them in words."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def _ome(cube: Cube, dimensions: tuple[str, str, str]) -> dict[str, Any]:
    """One level of resolution, whose first axis counts channels (OME-Zarr 0.5)."""
    axes = [{"name": name, "type": kind} for name, kind in zip(dimensions, ("channel", "space", "space"), strict=True)]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    levels = [{"path": CUBE, "coordinateTransformations": scale}]
    return {"version": "0.5", "multiscales": [{"name": cube.name, "axes": axes, "datasets": levels}]}


def _contents(path: Path, folder: Folder | None = None) -> Contents:
    """What the store ``folder`` in the file ``path`` holds; the folder may be the file itself."""
    folder = path if folder is None else folder
    attributes, _ = metadata(folder)
    found = Findings(path, {key: value for key, value in attributes.items() if key not in _OME})
    _add_place(found, attributes)
    levels = _channels(attributes)
    nodes = list(itertools.islice(all_in(folder, (), 0), _MOST))
    # what groups say of the arrays in them is known first
    for name, place in nodes:
        said, array = metadata(place)
        if name and not array:
            found.add_group("/".join(name), {key: _number(key, value) for key, value in said.items()})
    for name, place in nodes:
        _look_at("/".join(name) or folder.name, place, found, levels.get("/".join(name)))
    _add_labels(found, attributes)
    return found.contents()


def _look_at(name: str, folder: Folder, found: Findings, axes: tuple[str, ...] | None) -> None:
    """Note an array; of OME-Zarr's levels of resolution the first alone counts."""
    attributes, array = metadata(folder)
    shape = tuple(array.get("shape", ()))
    kind = _type(array)
    if kind is None and shape and str(array.get("data_type", array.get("dtype"))).lstrip("<>|").startswith("c"):
        found.add_other(name, np.dtype(np.complex64))
    if kind is None or not all(type(size) is int and size >= 0 for size in shape) or axes == ():
        return
    dimensions = axes or array.get("dimension_names") or attributes.get("_ARRAY_DIMENSIONS") or ()
    named = tuple(str(one or "") for one in dimensions) if len(dimensions) == len(shape) else ()
    said = {key: _number(key, value) for key, value in attributes.items() if key != "_ARRAY_DIMENSIONS"}
    said |= _fill_value(array, said, kind, is_xarray="_ARRAY_DIMENSIONS" in attributes)
    long = [size for size in shape if size != 1]
    if not shape:
        found.add_single(name, None, said)
    elif len(long) <= 1 and len(shape) == 1 and found.is_vector(name, shape[0], said):
        found.add_vector(name, np.asarray(_opened(folder, name, shape, kind)), said)
    elif len(shape) > 1:
        read = partial(_opened, folder, name, shape, kind)
        found.add_array(name, shape, kind, said, read, named)


def _fill_value(
    array: Mapping[str, Any], said: Mapping[str, Any], kind: np.dtype[Any], *, is_xarray: bool
) -> dict[str, Any]:
    """What stands for chunks that are not there, as an attribute that tells what was not measured.

    xarray keeps its value of "not measured" in version 2 there, whatever it is. Of others one counts that somebody
    chose, and where no other is named: 0 is what a store has by itself.
    """
    value = _number("_FillValue", array.get("fill_value"))
    if value is None or "_FillValue" in said:
        return {}
    is_chosen = kind.kind in "iuf" and isinstance(value, int | float) and math.isfinite(value) and value != 0
    return {"_FillValue": value} if is_xarray or (is_chosen and not says_no_data(said)) else {}


def _opened(folder: Folder, name: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> Any:
    """The array as a lazy one, after a look at its codecs."""
    import zarr

    from napari_decsc.hsi.io.formats.zarr_packing import CheckedStore, chunks_of

    _check_codecs(folder, name)
    store, path = _place(folder)
    array = zarr.open_array(store=store, path=path, mode="r")
    chunks = array.shards or array.chunks
    if any(size < 1 for size in chunks):
        raise FileFormatError(f"{folder}: has chunks without values; the store is damaged")
    check_memory(math.prod(chunks) * kind.itemsize, folder, f"a chunk of {name}")
    if array.shape != shape or array.dtype != kind:
        raise FileFormatError(f"{folder}: is not what its metadata say; the store is damaged")
    known = chunks_of(str(folder), metadata(folder)[1], chunks, kind.itemsize)
    array = zarr.open_array(store=CheckedStore(store, known), path=path, mode="r")
    return lazily(array, _file_of(folder), "Zarr", chunks)


def _file_of(folder: Folder) -> Path:
    return folder if isinstance(folder, Path) else Path(str(folder.root.filename))


def _place(folder: Folder) -> tuple[Any, str]:
    """Where zarr finds an array: a store, and a path in it."""
    from zarr.storage import LocalStore, ZipStore

    if isinstance(folder, Path):
        return LocalStore(folder, read_only=True), ""
    return ZipStore(_file_of(folder), mode="r"), folder.at.strip("/")


def _check_codecs(folder: Folder, name: str) -> None:
    for codec in _codecs(metadata(folder)[1]):
        if codec.removeprefix("numcodecs.") not in _CODECS:
            raise FileFormatError(
                f"{folder}: {name} is packed by {codec!r}, which is not unpacked here; save it with blosc, zstd or gzip"
            )


def _codecs(array: Mapping[str, Any]) -> Iterator[str]:
    """The names of all codecs that unpacking would call."""
    listed = [*(array.get("codecs") or []), *(array.get("filters") or []), array.get("compressor")]
    for codec in filter(None, listed):
        yield str(codec.get("name") or codec.get("id")) if isinstance(codec, dict) else str(codec)
        inner = codec.get("configuration") if isinstance(codec, dict) else None
        if isinstance(inner, dict):
            yield from _codecs({"codecs": inner.get("codecs"), "filters": inner.get("index_codecs")})


def _type(array: Mapping[str, Any]) -> "np.dtype[Any] | None":
    said = array.get("data_type", array.get("dtype"))
    try:
        found = np.dtype(said) if isinstance(said, str) else None
    except TypeError:
        return None
    return found if found is not None and found.kind in "iufb" else None


def _number(key: str, value: Any) -> Any:
    """An attribute; numbers that JSON cannot say are spelled, and xarray spells a `_FillValue` in base 64."""
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value.replace("Infinity", "inf"))
    if key == "_FillValue" and isinstance(value, str):
        with contextlib.suppress(ValueError, struct.error):
            return struct.unpack("<d", base64.b64decode(value, validate=True))[0]
    are_numbers = isinstance(value, list) and value and all(type(one) in (int, float) for one in value)
    return np.asarray(value) if are_numbers else value


def _channels(attributes: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """By the name of an array, the names of its axes as OME-Zarr tells them; none for levels of lower resolution."""
    ome = attributes.get("ome")
    listed = (ome if isinstance(ome, dict) else attributes).get("multiscales")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    axes = [axis for axis in first.get("axes") or [] if isinstance(axis, dict)]
    names = tuple("channel" if axis.get("type") == "channel" else str(axis.get("name", "")) for axis in axes)
    paths = [str(one.get("path")) for one in first.get("datasets") or [] if isinstance(one, dict)]
    return {path: names if place == 0 else () for place, path in enumerate(paths)} if names else {}


def _add_labels(found: Findings, attributes: Mapping[str, Any]) -> None:
    """Wavelengths among the labels of OME-Zarr's channels."""
    ome = attributes.get("ome")
    omero = (ome if isinstance(ome, dict) else attributes).get("omero")
    channels = omero.get("channels") if isinstance(omero, dict) else None
    labels = [str(one.get("label", "")) for one in channels or [] if isinstance(one, dict)]
    values, unit = wavelengths_in_names(labels, len(labels), "") if labels else (None, "")
    if values is not None:
        found.add_vector("wavelength", values, {"units": unit})


def _add_place(found: Findings, attributes: Mapping[str, Any]) -> None:
    """The place on the ground by GeoZarr's conventions as drafted: an affine map, and a code or a text."""
    steps, code, text = (attributes.get(key) for key in ("spatial:transform", "proj:code", "proj:wkt2"))
    if not (isinstance(steps, list) and len(steps) >= 6):
        return
    a, b, c, d, e, f = map(float, steps[:6])
    number = str(code).rpartition(":")[2]
    if isinstance(text, str):
        system = crs.of_text(text)
    else:
        system = crs.of_code(int(number), int(number) in crs.GEOGRAPHIC) if number.isdecimal() else crs.UNKNOWN
    found.header.update(georeference.map_info(georeference.Georeference((c, a, b, f, d, e), system)))
