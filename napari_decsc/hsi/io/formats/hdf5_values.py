"""The values of an array in an HDF5 file: what has to be looked at before the library unpacks them."""

import contextlib
import math
import zlib
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.guards import (
    INFLATES,
    STEP,
    check_memory,
    fits_in_memory,
    lazily,
    mapped,
    overflows,
)
from napari_decsc.hsi.io.formats.hdf5_filters import check_filters
from napari_decsc.hsi.io.formats.hdf5_packed import CheckedDataset, Packing

#: What the format is called in messages.
KIND = "HDF5"


def is_inside(dataset: Any) -> bool:
    """Whether the values lie in this file; the others would be read from files which that file names.

    Parameters
    ----------
    dataset : h5py.Dataset
        Open.

    Returns
    -------
    bool
    """
    return not dataset.is_virtual and not dataset.external


def small_values(dataset: Any, path: Path) -> Any:
    """The values of a vector or a text, in memory.

    Parameters
    ----------
    dataset : h5py.Dataset
        Open, and inside this file.
    path : Path
        The file.

    Returns
    -------
    array

    Raises
    ------
    FileFormatError
        If a filter is missing, or chunks are damaged or beyond the memory.
    """
    check_filters(dataset, path)
    _check_chunks(dataset, path)
    Packing(dataset, path).check_all()
    return dataset[()]


def array_of(path: Path, name: str) -> Any:
    """The values of an array: a memory map, in memory, or a lazy (dask) array that keeps the file open.

    Parameters
    ----------
    path : Path
        The file, whose objects were looked at before.
    name : str
        The array's full name.

    Returns
    -------
    array

    Raises
    ------
    FileFormatError
        If the values lie in other files, are missing or damaged, or come in chunks beyond the memory.
    """
    import h5py

    with contextlib.ExitStack() as stack:
        file = stack.enter_context(h5py.File(path, "r"))
        dataset = file[name]
        _check_values(dataset, path)
        offset = dataset.id.get_offset()
        if dataset.chunks is None and offset is not None:
            return mapped(path, dataset.dtype, dataset.shape, offset)
        packing = Packing(dataset, path)
        if fits_in_memory(dataset.size * dataset.dtype.itemsize):
            packing.check_all()
            return dataset[()]
        # the array outlives this look at the file
        stack.pop_all()
        checked = CheckedDataset(dataset, packing) if packing.codec else dataset
        return lazily(checked, path, KIND, dataset.chunks or "auto")


def _check_values(dataset: Any, path: Path) -> None:
    """Raise FileFormatError if the values lie in other files, are missing, or come in chunks beyond the memory."""
    if not is_inside(dataset):
        raise FileFormatError(
            f"{path}: {dataset.name} lies in other files, which are not read; open the one it lies in"
        )
    check_filters(dataset, path)
    if dataset.id.get_storage_size() == 0:
        sizes = " × ".join(map(str, dataset.shape))
        raise FileFormatError(f"{path}: {dataset.name} describes {sizes} values but holds none; fill it first")
    _check_chunks(dataset, path)


def _check_chunks(dataset: Any, path: Path) -> None:
    if dataset.chunks is not None:
        check_memory(_chunk_size(dataset), path, f"a chunk of {dataset.name}")
        _check_unpacked(dataset, path)


def _chunk_size(dataset: Any) -> int:
    return math.prod(map(int, dataset.chunks)) * int(dataset.dtype.itemsize)


def _check_unpacked(dataset: Any, path: Path) -> None:
    """Raise FileFormatError if a chunk that could fill the memory unpacks to more than a chunk has room for.

    The library unpacks a chunk as a whole, however long it becomes; this looks at it some bytes at a time.
    """
    import h5py

    settings = dataset.id.get_create_plist()
    filters = [settings.get_filter(number)[0] for number in range(settings.get_nfilters())]
    if h5py.h5z.FILTER_DEFLATE not in filters:
        return
    if filters.count(h5py.h5z.FILTER_DEFLATE) > 1:
        raise FileFormatError(f"{path}: {dataset.name} is compressed twice; save it compressed once")
    if fits_in_memory(dataset.id.get_storage_size() * INFLATES):
        return
    suspects: list[tuple[int, ...]] = []

    def look(chunk: Any) -> None:
        if not fits_in_memory(chunk.size * INFLATES):
            suspects.append(chunk.chunk_offset)

    dataset.id.chunk_iter(look)
    # filters before the compression may add to a chunk, a checksum for one
    room = 2 * _chunk_size(dataset) + STEP
    for place in suspects:
        skipped, stored = dataset.id.read_direct_chunk(place)
        is_packed = not skipped >> filters.index(h5py.h5z.FILTER_DEFLATE) & 1
        if is_packed and overflows([stored], zlib.decompressobj(), room):
            raise FileFormatError(
                f"{path}: a chunk of {dataset.name} unpacks to more than it has room for; the file is damaged"
            )
