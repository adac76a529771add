"""HDF5 and everything that is HDF5 inside: NetCDF 4 and MATLAB 7.3."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.formats.cf import says_no_data
from napari_decsc.hsi.io.formats.contents import cube_from, looks_like_a_cube
from napari_decsc.hsi.io.formats.findings import Findings, rows_of
from napari_decsc.hsi.io.formats.guards import readable
from napari_decsc.hsi.io.formats.hdf5_check import OFFSETS, SIGNATURE, TEXTS, GroupCheck
from napari_decsc.hsi.io.formats.hdf5_values import KIND, array_of, is_inside, small_values
from napari_decsc.hsi.io.formats.products import recognised
from napari_decsc.hsi.io.formats.variables import Contents
from napari_decsc.hsi.io.roles import role

#: How a file of the older HDF 4 begins, which is another format.
_HDF4 = b"\x0e\x03\x13\x01"
#: What the netCDF library calls a dimension that has a length and no values.
_NO_VALUES = "This is a netCDF dimension but not a netCDF variable"
#: Objects looked at in a file.
_MOST_OBJECTS = 20_000
#: Groups within groups.
_DEEPEST = 32
#: Members of a group, or attributes of an object, above which their list is not asked for: it is made as a whole.
_MOST_LISTED = 1_000_000
#: Bytes of a number, or of the text of one.
_LONGEST_ITEM = 64
#: Bytes that tell where a text of variable length lies.
_TEXT = 16
#: Attributes looked at of an object.
_MOST_ATTRIBUTES = 500
#: Bytes of one attribute.
_LARGEST_ATTRIBUTE = 1 << 20


def is_hdf5(path: Path) -> bool:
    """True if the file is HDF5, with or without a block of the user's own (MATLAB's has 512 bytes) before it."""
    with path.open("rb") as file:
        for offset in OFFSETS:
            file.seek(offset)
            if file.read(8) == SIGNATURE:
                return True
    return False


def holds_cube(path: Path) -> bool:
    """True if the file is HDF5 and an array in it could be a cube of at least 4 bands."""
    if not is_hdf5(path):
        return False
    with _opened(path) as (file, check):
        return looks_like_a_cube(_contents(file, check, path))


def read_hdf5(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in an HDF5 or NetCDF 4 file.

    An array that lies in the file as it is becomes a memory map; one in compressed chunks is read if it takes no more
    than half of the free memory, else it stays a lazy (dask) array. Links to other files and virtual arrays are not
    followed. Attributes give no-data value and scale, see `attributes`. Arrays that MATLAB or Octave wrote have their
    axes in the opposite order; the file says so, or the array's own attributes.
    """
    return _read(path, variable, band_axis, matlab=False)


def read_matlab_73(path: Path, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a MATLAB 7.3 file, which is HDF5 with the axes in the opposite order."""
    return _read(path, variable, band_axis, matlab=True)


def _read(path: Path, variable: str | None, band_axis: int | str | None, matlab: bool) -> Cube:
    with readable(path, KIND), _opened(path) as (file, check):
        return cube_from(_contents(file, check, path, matlab), variable, band_axis)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, GroupCheck]]:
    import h5py

    with path.open("rb") as raw:
        if raw.read(4) == _HDF4:
            raise FileFormatError(f"{path}: is HDF4, which is not read; convert it to HDF5 (h4toh5) or ENVI")
        check = GroupCheck(raw, path)
        with h5py.File(path, "r") as file:
            yield file, check


def _contents(file: Any, check: GroupCheck, path: Path, matlab: bool = False) -> Contents:
    groups, datasets = _objects(file, check, path)
    found = Findings(path, _attributes(file, path), matlab or is_matlab(path))
    for group in groups:
        found.add_group(group.name, _attributes(group, path))
    for dataset, address in datasets:
        _look_at(dataset, address, found, path)
        for place, axis in check.axes_of_scale(address):
            found.add_axis(place, axis, dataset.name)
    return recognised(found.contents())


def is_matlab(path: Path) -> bool:
    """Whether the block before the HDF5 file says that MATLAB wrote it, whatever its name is."""
    with path.open("rb") as file:
        return file.read(10) == b"MATLAB 7.3"


def _look_at(dataset: Any, address: int, found: Findings, path: Path) -> None:
    """Note what an array is for: only vectors and texts of certain names are read."""
    attributes, kind = _attributes(dataset, path), _type_of(dataset)
    if kind is None or dataset.shape is None:
        return
    if kind.kind in "iuf" and len(dataset.shape) > 1 and not found.is_netcdf:
        attributes |= _fill_value(dataset, attributes)
    long = [size for size in dataset.shape if size != 1]
    if kind == "S1" and found.is_letters(dataset.name, dataset.shape, attributes):
        if is_inside(dataset):
            found.add_texts(dataset.name, rows_of(small_values(dataset, path)), attributes)
    elif kind.kind == "S" and len(dataset.shape) == 1 and found.is_vector(dataset.name, dataset.size, attributes):
        _add_vector(dataset, found, attributes, path)
    elif attributes.get("MATLAB_class") == "char":
        _add_letters(dataset, kind, found, attributes, path)
    elif _are_texts(dataset, kind) and found.is_vector(dataset.name, dataset.size, attributes):
        texts = [bytes(text)[:_LONGEST_ITEM] for text in dataset[()]]
        found.add_vector(dataset.name, np.array(texts, "S"), attributes)
    elif _is_table_of_bands(dataset, kind):
        _add_table(dataset, found, path)
    elif kind.names or kind.kind not in "iufb" or not dataset.shape:
        is_small = dataset.size == 1 and kind.itemsize <= _LARGEST_ATTRIBUTE and is_inside(dataset)
        value = dataset[()] if is_small and _is_plain(kind) and found.reads(dataset.name, kind) else None
        found.add_single(dataset.name, value, attributes)
        if dataset.size > 1:
            found.add_other(dataset.name, kind)
    elif str(attributes.get("NAME", "")).startswith(_NO_VALUES):
        found.add_dimension(dataset.name, dataset.size)
    elif len(long) <= 1 and found.is_vector(dataset.name, dataset.size, attributes):
        _add_vector(dataset, found, attributes, path)
    elif len(dataset.shape) > 1:
        read = partial(array_of, path, dataset.name)
        found.add_array(dataset.name, dataset.shape, kind, attributes, read, _labels(dataset, attributes), address)


def _fill_value(dataset: Any, attributes: dict[str, Any]) -> dict[str, Any]:
    """What cells hold that were never written, where the writer chose a value, and names no other for such cells."""
    import h5py

    chosen = dataset.id.get_create_plist().fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED
    if not chosen or says_no_data(attributes) or not np.isfinite(dataset.fillvalue) or dataset.fillvalue == 0:
        return {}
    return {"_FillValue": dataset.fillvalue}


def _are_texts(dataset: Any, kind: np.dtype[Any]) -> bool:
    """Whether these are texts of variable length in one piece, all of which were looked at before."""
    import h5py

    is_small = len(dataset.shape) == 1 and 0 < dataset.size * _TEXT <= TEXTS and is_inside(dataset)
    return is_small and h5py.check_string_dtype(kind) is not None and dataset.id.get_offset() is not None


def _is_table_of_bands(dataset: Any, kind: np.dtype[Any]) -> bool:
    """Whether this is a small table with a row for each band: fields of numbers and of texts of a fixed length."""
    is_small = len(dataset.shape) == 1 and 0 < dataset.size * kind.itemsize <= _LARGEST_ATTRIBUTE
    is_told = kind.names is not None and any(role(name) for name in kind.names)
    return is_small and is_told and _is_plain(kind) and is_inside(dataset)


def _add_table(dataset: Any, found: Findings, path: Path) -> None:
    table = small_values(dataset, path)
    for name in table.dtype.names:
        if role(name) and table.dtype[name].kind in "iufS":
            found.add_vector(f"{dataset.name}/{name}", table[name], {})


def _labels(dataset: Any, attributes: dict[str, Any]) -> tuple[str, ...]:
    """The names of the axes, where the array has them as labels."""
    said = attributes.get("DIMENSION_LABELS")
    told = isinstance(said, list) and len(said) == len(dataset.shape) and any(said)
    return tuple(str(label) for label in said) if told and isinstance(said, list) else ()


def _add_vector(dataset: Any, found: Findings, attributes: dict[str, Any], path: Path) -> None:
    if is_inside(dataset) and dataset.dtype.itemsize <= _LONGEST_ITEM:
        found.add_vector(dataset.name, small_values(dataset, path), attributes)


def _add_letters(dataset: Any, kind: np.dtype[Any], found: Findings, attributes: dict[str, Any], path: Path) -> None:
    """A text of MATLAB's, a number for each letter: no numbers of its own."""
    is_small = kind == np.uint16 and 0 < dataset.size <= _LARGEST_ATTRIBUTE and len(dataset.shape) == 2
    if not (is_small and role(dataset.name) and is_inside(dataset)):
        return
    letters = np.asarray(small_values(dataset, path)).T
    rows = [bytes(row.astype("<u2")).decode("utf-16-le", "replace").strip() for row in letters]
    found.add_texts(dataset.name, rows, attributes)


def _objects(file: Any, check: GroupCheck, path: Path) -> tuple[list[Any], list[tuple[Any, int]]]:
    """All groups, and arrays with their addresses, in the file itself; this walk follows no soft or external links.

    An object is opened after its check: the library itself may not come back from a damaged one.
    """
    import h5py

    groups: list[Any] = []
    found: list[tuple[Any, int]] = []
    known = {h5py.h5o.get_info(file.id).addr}
    # the members of each group on the way down
    way = [iter(_members(file, path))]
    while way and len(known) <= _MOST_OBJECTS:
        group, name, address = next(way[-1], (None, b"", 0))
        if group is None:
            way.pop()
        # MATLAB keeps the parts of its cells and objects under names with "#"
        elif address not in known and not (len(way) == 1 and name.startswith(b"#")):
            known.add(address)
            check.check(address)
            item = group[name]
            if isinstance(item, h5py.Group) and len(way) < _DEEPEST:
                groups.append(item)
                way.append(iter(_members(item, path)))
            elif isinstance(item, h5py.Dataset):
                found.append((item, address))
    return groups, found


def _members(group: Any, path: Path) -> list[tuple[Any, bytes, int]]:
    """The group with name and address of each of its members, by name."""
    import h5py

    _check_count(len(group), path, group.name)
    links: list[tuple[bytes, int | None]] = []

    def look(name: bytes, link: Any) -> None:
        links.append((name, link.u if link.type == h5py.h5l.TYPE_HARD else None))

    group.id.links.iterate(look, info=True)
    # a name that is there twice may lead elsewhere than to what was checked
    times = Counter(name for name, _ in links)
    return [(group, name, address) for name, address in links if address is not None and times[name] == 1]


def _type_of(dataset: Any) -> "np.dtype[Any] | None":
    # a type without a name in NumPy raises
    with contextlib.suppress(TypeError, ValueError):
        kind: np.dtype[Any] = np.dtype(dataset.dtype)
        return kind
    return None


def _is_plain(kind: np.dtype[Any]) -> bool:
    """Whether values are numbers or texts, or some of those side by side: no lists of any length, no references.

    The library writes behind its memory, or reads what is none of it, where the type of a list is damaged.
    """
    import h5py

    if kind.hasobject:
        return h5py.check_string_dtype(kind) is not None
    return kind.kind in "biufSUV"


def _check_count(count: int, path: Path, name: str) -> None:
    if count > _MOST_LISTED:
        raise FileFormatError(
            f"{path}: lists {count} things in {name}, more than are looked at; copy the cube to a file of its own"
        )


def _attributes(item: Any, path: Path) -> dict[str, Any]:
    _check_count(len(item.attrs), path, item.name)
    found = {}
    for name in list(item.attrs)[:_MOST_ATTRIBUTES]:
        attribute = item.attrs.get_id(name)
        # text of variable length lies outside the attribute and is small in earnest files
        is_small = attribute.get_storage_size() <= _LARGEST_ATTRIBUTE
        if is_small and attribute.dtype.kind in "biufSUO" and _is_plain(attribute.dtype):
            value = item.attrs[name]
            if not isinstance(value, np.ndarray) or value.dtype.kind in "iuf":
                found[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            elif all(isinstance(one, str | bytes) for one in value.flat):
                found[name] = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in value.flat]
    return found
