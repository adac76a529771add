"""The images in a TIFF file: opened without the files that its description names, mapped, read, or lazy."""

import contextlib
import logging
import math
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.guards import check_memory, fits_in_memory, lazily, mapped
from napari_decsc.hsi.io.formats.tiff_checks import check_pages, check_pieces

#: How tifffile is asked not to look for further files.
ALONE: dict[str, Any] = {
    "_multifile": False,
    **dict.fromkeys(("is_ome", "is_shaped", "is_mmstack", "is_micromanager", "is_ndtiff"), False),
}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file, without the series of formats whose description names further files."""
    import tifffile

    check_pages(path)
    with _silent("tifffile"), tifffile.TiffFile(path, **ALONE) as file:
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


def images(file: Any) -> list[Any]:
    """The images of the file; those of lower resolution, and masks, are none."""
    return [series for series in file.series if not (series.keyframe.is_reduced or series.keyframe.is_mask)]


def values_of(series: Any, path: Path, number: int) -> Any:
    """The values of the image that has this number among `images`: a memory map, in memory, or a lazy (dask) array."""
    page = series.keyframe
    if series.dataoffset is not None and page.compression == 1:
        byteorder = (series if hasattr(series, "parent") else page).parent.byteorder
        return mapped(path, np.dtype(series.dtype).newbyteorder(byteorder), series.shape, series.dataoffset)
    check_pieces(series, path)
    if not fits_in_memory(series.size * series.dtype.itemsize):
        return _lazy(path, number, series.name or f"series {number}")
    return unpacked(series, path)


def _lazy(path: Path, number: int, name: str) -> Any:
    """The image as an array whose strips or tiles are unpacked where they are looked at; the file stays open."""
    import tifffile
    import zarr

    file = tifffile.TiffFile(path, **ALONE)
    store = images(file)[number].aszarr(maxworkers=1)
    weakref.finalize(store, file.close)
    array = zarr.open_array(store=store, mode="r")
    check_memory(math.prod(array.chunks) * array.dtype.itemsize, path, f"a piece of {name}")
    return lazily(array, path, "TIFF", "auto")


def unpacked(series: Any, path: Path) -> Any:
    """The values of an image, in memory. Raises FileFormatError if what unpacks them is not installed."""
    try:
        return series.asarray(maxworkers=1)
    except (ImportError, ValueError) as error:
        # imagecodecs comes with this package, and may still be missing or built without a codec
        if not isinstance(error, ImportError) and "imagecodecs" not in str(error):
            raise
        kind = getattr(series.keyframe.compression, "name", series.keyframe.compression)
        raise FileFormatError(
            f"{path}: its compression, {kind}, needs the package imagecodecs; install it (pip install imagecodecs), "
            f"or save the file uncompressed or with Deflate"
        ) from None
