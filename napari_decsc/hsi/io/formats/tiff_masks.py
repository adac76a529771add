"""Pixels that the mask of a TIFF, inside or in a file `.msk` beside it, or its transparency tells were not measured.

Source: "RFC 15: Band Masks", GDAL: 0 stands for what was not measured.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import memory_map
from napari_decsc.hsi.io.formats.guards import fits_in_memory
from napari_decsc.hsi.io.formats.tiff_checks import check_pieces
from napari_decsc.hsi.io.formats.tiff_files import images, opened, unpacked, values_of
from napari_decsc.hsi.no_data import holds, in_type

#: TIFF's numbers of samples that tell how transparent a pixel is (ExtraSamples).
_ALPHA = (1, 2)
#: Bytes of an array in memory up to which gaps are marked at once; of others, where they are looked at.
_AT_ONCE = 1 << 28


def with_mask(cube: Cube, mask: Any) -> Cube:
    """The cube with its no-data value where a mask is 0.

    Without a no-data value it becomes NaN: whole numbers become floating-point ones that hold each of them, so that
    no measured voxel changes.

    Parameters
    ----------
    cube : Cube
        In stored numbers.
    mask : array of shape (row, col) or (band, row, col)
        May be lazy.

    Returns
    -------
    Cube
    """
    from dask.array import from_array

    kind = cube.data.dtype
    no_data = float("nan") if cube.no_data is None or not holds(kind, cube.no_data) else cube.no_data
    if kind.kind != "f" and np.isnan(no_data):
        kind = np.dtype(np.float32 if kind.itemsize < 4 else np.float64)
    masked = _Masked(cube.data, mask, kind, no_data)
    cube = cube.replace(header={**cube.header, "data type": kind.name})  # the type that files are written in again
    if isinstance(cube.data, np.ndarray) and isinstance(mask, np.ndarray) and cube.data.nbytes <= _AT_ONCE:
        return cube.replace(data=masked[...], no_data=no_data)
    meta = np.empty((0, 0, 0), kind)
    lazy = from_array(masked, chunks="auto", name=False, asarray=False, meta=meta)  # type: ignore[no-untyped-call]
    return cube.replace(data=lazy, no_data=no_data)


def mask_of(cube: Cube, file: Any, path: Path) -> tuple[Any | None, tuple[str, ...]]:
    """What tells which pixels of a cube were measured, and what is to be said.

    Parameters
    ----------
    cube : Cube
        The first image of the file, in stored numbers.
    file : tifffile.TiffFile
        Open.
    path : Path
        Its name.

    Returns
    -------
    mask : array of shape (row, col) or (band, row, col), or None
        0 where nothing was measured; None where there is no mask.
    notes : tuple of str
    """
    page = file.pages[0]
    if page.samplesperpixel == 4 and int((page.extrasamples or (0,))[-1]) in _ALPHA and not has_alpha(page):
        note = "its last sample is called the transparency (alpha) of a pixel; it counts as a band"
        return None, (f"{path.name}: {note}",)
    if has_alpha(page):
        mask = _transparency(file, path)
        note = "its last sample is the transparency (alpha) of a pixel and no band; it is left out"
        is_one = _is_of(cube, mask.shape)
        said = f"{note}, and pixels in which it is 0 were not measured" if is_one else note
        return (mask if is_one else None), (f"{path.name}: {said}",)
    found = _inside(file, path)
    if found is None and path.with_name(f"{path.name}.msk").is_file():
        found = _beside(path.with_name(f"{path.name}.msk"))
    if found is None:
        return None, ()
    if _is_of(cube, found.shape):
        return found, ()
    return None, (
        f"{path.name}: its mask of pixels that were not measured does not fit the bands, and is not read; "
        f"gdalwarp -dstnodata -9999 makes a no-data value of it",
    )


def has_alpha(page: Any) -> bool:
    """Whether the last sample of each pixel is its transparency.

    Of four samples of a byte it is said too easily: GDAL says so of any such picture.

    Parameters
    ----------
    page : tifffile.TiffPage
        Of an image.

    Returns
    -------
    bool
    """
    said = tuple(page.extrasamples or ())
    return bool(said) and int(said[-1]) in _ALPHA and not (page.samplesperpixel == 4 and page.bitspersample == 8)


def _is_of(cube: Cube, shape: tuple[int, ...]) -> bool:
    """Whether a mask of this shape is one of the cube, whose type has room for gaps."""
    return shape in (cube.shape, cube.shape[1:]) and (cube.data.dtype.kind == "f" or cube.data.dtype.itemsize < 8)


def _transparency(file: Any, path: Path) -> Any:
    first = images(file)[0]
    values = values_of(first, path, 0)
    place = (slice(None),) * first.axes.index("S") if "S" in first.axes else ()
    return values[(*place, -1)]


def _inside(file: Any, path: Path) -> Any | None:
    """The mask of the first image: that of full resolution, which is the first."""
    masks = [one for one in file.series if one.keyframe.is_mask and not one.keyframe.is_reduced]
    return _read(masks[0], path) if masks else None


def _beside(path: Path) -> Any | None:
    with opened(path) as file:
        first = images(file)
        return _read(first[0], path) if first else None


def _read(series: Any, path: Path) -> Any | None:
    if not fits_in_memory(series.size * np.dtype(series.dtype).itemsize):
        return None
    check_pieces(series, path)
    values = np.asarray(unpacked(series, path))
    if values.all():
        return None
    return values.transpose(2, 0, 1) if series.axes == "YXS" else values


class _Masked:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    ndim = 3

    def __init__(self, source: Any, mask: Any, dtype: np.dtype[Any], no_data: float) -> None:
        self.source, self.mask, self.dtype, self.shape = source, mask, dtype, source.shape
        self.mark = in_type(no_data, dtype) if dtype.kind == "f" else int(no_data)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        values = memory_map.read(np.asarray(self.source[key])).astype(self.dtype)
        inner = key[1:] if isinstance(key, tuple) else ()
        whole = self.mask[key] if len(self.mask.shape) == 3 else self.mask[(..., *inner)]
        gone = np.broadcast_to(np.asarray(whole) == 0, values.shape)
        values[gone] = self.mark
        return values
