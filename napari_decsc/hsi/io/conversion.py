"""Values of a cube in another type: rounded, cut, and written some rows at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.no_data import holds, in_type, spared

#: Bytes in memory at a time, about: a memory map of any size can be written.
SLAB_BYTES = 64 << 20


def write_bsq(file: BinaryIO, cube: Cube, dtype: np.dtype[Any], offset: int = 0) -> None:
    """Write all values band after band; one pass through the source, whatever its order.

    Parameters
    ----------
    file : binary file
        That can seek.
    cube : Cube
        Its values.
    dtype : numpy dtype
        Of the numbers in the file.
    offset : int
        Byte at which they begin.
    """
    _, rows, cols = cube.shape
    for start, slab in slabs(cube, dtype):
        for band, values in enumerate(slab):
            file.seek(offset + (band * rows + start) * cols * dtype.itemsize)
            file.write(values.data)


def slabs(cube: Cube, dtype: np.dtype[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """The values in a type, some rows at a time.

    Parameters
    ----------
    cube : Cube
        Of any size.
    dtype : numpy dtype
        Of the slabs.

    Yields
    ------
    int, array of shape (band, row, col)
        The number of its first row; a slab.
    """
    for some in _rows(cube, dtype):
        yield some.start, converted(np.asarray(cube.data[:, some]), dtype, cube)


def _rows(cube: Cube, dtype: np.dtype[Any]) -> Iterator[slice]:
    """Rows of a cube, as many at a time as memory is set aside for."""
    bands, rows, cols = cube.shape
    step = max(1, SLAB_BYTES // (bands * cols * max(8, dtype.itemsize)))
    for start in range(0, rows, step):
        yield slice(start, start + step)


def to_write(cube: Cube, dtype: np.dtype[Any]) -> Cube:
    """The cube whose values are to be written.

    Whole numbers are the numbers of the source's file, without its calibration, which would leave little of them.

    Parameters
    ----------
    cube : Cube
        Any.
    dtype : numpy dtype
        Of the numbers in the file.

    Returns
    -------
    Cube

    Raises
    ------
    FileFormatError
        For a type that cannot say "not measured" though the cube's own type can.
    """
    value = cube.no_data
    if value is not None and holds(cube.data.dtype, value) and not holds(dtype, value):
        raise FileFormatError(
            f"{cube.name}: the no-data value {value:g} does not fit into {dtype.name}; "
            f"choose a data type that holds it, such as float32"
        )
    if dtype.kind != "f":
        return cube.as_stored()
    # beyond float32's range its voxels become infinite, and so does what the header says of them
    held = None if value is None else float(in_type(value, dtype))
    return cube if held is None or np.isfinite(held) else cube.replace(no_data=held)


def check_measured(cube: Cube, dtype: np.dtype[Any]) -> None:
    """That all values of a cube can be told in a type, found out before hours are spent on what is to be written.

    Parameters
    ----------
    cube : Cube
        Read once, some rows at a time, where the answer lies in its values.
    dtype : numpy dtype
        Of the numbers in the file.

    Raises
    ------
    FileFormatError
        For NaN or infinities, whole numbers and no no-data value.
    """
    if dtype.kind == "f" or cube.data.dtype.kind != "f" or cube.no_data is not None:
        return
    if not all(np.isfinite(np.asarray(cube.data[:, some])).all() for some in _rows(cube, dtype)):
        raise _not_told(cube, dtype)


def converted(slab: NDArray[Any], dtype: np.dtype[Any], cube: Cube) -> NDArray[Any]:
    """A slab in a type and its byte order, contiguous; what was measured never becomes "no data".

    Parameters
    ----------
    slab : array of shape (band, row, col)
        Of the cube.
    dtype : numpy dtype
        Of the numbers in the file.
    cube : Cube
        Says what no data is, and of what type its file was.

    Returns
    -------
    array of shape (band, row, col)
    """
    if slab.dtype.name == dtype.name:
        return np.ascontiguousarray(slab, dtype=dtype)
    values = slab if dtype.kind == "f" else _whole_numbers(slab, dtype, cube)
    with np.errstate(over="ignore"):  # beyond float32 lies infinity
        values = np.asarray(values, dtype=dtype.newbyteorder("="))
    return np.ascontiguousarray(spared(values, slab, cube.no_data), dtype=dtype)


def _not_told(cube: Cube, dtype: np.dtype[Any]) -> FileFormatError:
    return FileFormatError(
        f"{cube.name}: holds NaN or an infinity, which {dtype.name} cannot express; "
        f"set a no-data value or choose float32"
    )


def _whole_numbers(slab: NDArray[Any], dtype: np.dtype[Any], cube: Cube) -> NDArray[Any]:
    """Rounded, cut to the range of ``dtype``; NaN and infinities, which are no measurements, as the no-data value."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    if slab.dtype.kind != "f":
        own = np.iinfo(slab.dtype)
        return np.asarray(slab.clip(max(low, own.min), min(high, own.max)))
    values = np.rint(slab.astype(np.float64))
    gone = ~np.isfinite(values)
    if gone.any():
        if cube.no_data is None:
            raise _not_told(cube, dtype)
        values[gone] = cube.no_data
    top = float(high)
    # the largest 64-bit numbers lie between two floats: the next one below is the last that can be converted
    top = top if int(top) <= high else np.nextafter(top, 0)
    return np.asarray(values.clip(low, top))
