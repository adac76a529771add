"""Arrays of NumPy, dask and xarray as cubes, and results as arrays of the same kind again.

Nothing but NumPy is imported here: an array of another library brings its library along.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.formats import attributes, spectral
from napari_decsc.hsi.io.roles import role

#: Dimensions of these names count the bands, whatever coordinates they have.
BAND_NAMES = ("band", "bands", "channel", "channels", "c", "spectral")

#: From a cube that was made of another to an array of the kind that other came from.
Back = Callable[[Cube], Any]


def to_cube(array: Any, band_axis: int | str | None = None) -> tuple[Cube, Back]:
    """The array as a cube, and the function that brings a result into the array's own kind and order of axes.

    Parameters
    ----------
    array : Cube, or array of three axes
        A NumPy array (masked voxels count as not measured), a dask array, an xarray DataArray, or whatever NumPy can
        read. Of a DataArray the wavelengths, widths and good bands are taken from coordinates along its bands, their
        unit from the coordinate's ``units``, the no-data value from ``_FillValue``.
    band_axis : int or str, optional
        The axis that counts the bands, or its name in a DataArray. By default the first; in a DataArray the one that
        is named so, or has such a coordinate.

    Returns
    -------
    cube : Cube
        A view of the array where that can be.
    back : callable
        Takes a cube of the same shape, gives the array.

    Raises
    ------
    CubeError
        If the array has other than three axes, no such axis, or numbers that are not real.
    """
    if isinstance(array, Cube):
        return array, lambda result: result
    if _is(array, "xarray", "DataArray"):
        return _from_xarray(array, band_axis)
    if isinstance(array, str | bytes) or hasattr(array, "__fspath__"):
        raise CubeError(f"{array!r} is a name, not an array; open the file first: open_cube({array!r})")
    if _is(array, "xarray", "Dataset"):
        raise CubeError(f"a Dataset holds several arrays; give one of them: {', '.join(map(str, array.data_vars))}")
    if not (isinstance(array, np.ndarray) or _is_dask(array)):
        array = np.asarray(array)
    axis = _axis(array, band_axis)
    plain = _plain(np.moveaxis(array, axis, 0))
    return Cube(plain), lambda result: _like(array, np.moveaxis(result.data, 0, axis))


def _from_xarray(array: Any, band_axis: int | str | None) -> tuple[Cube, Back]:
    dims = tuple(map(str, array.dims))
    axis = _named_axis(array, dims) if band_axis is None else _axis(array, band_axis, dims)
    vectors: dict[str, list[spectral.Vector]] = {}
    for name, coordinate in array.coords.items():
        if coordinate.dims == (array.dims[axis],):
            unit = coordinate.attrs.get("units", coordinate.attrs.get("unit", ""))
            spectral.add(vectors, str(name), coordinate.values, unit)
    cube, back = to_cube(array.data, axis)
    fields = spectral.spectral_fields(vectors, cube.bands)
    # its values are unpacked already; what speaks of packed ones would be taken for them
    packed = ("scale_factor", "add_offset", "_Unsigned", "valid_range", "valid_min", "valid_max")
    known = {key: value for key, value in array.attrs.items() if key not in packed}
    cube = attributes.from_attributes(cube.replace(name=str(array.name or cube.name), **fields), known)
    return cube, lambda result: array.copy(data=back(result))


def _named_axis(array: Any, dims: tuple[str, ...]) -> int:
    """The dimension that is named after bands or wavelengths, or has a coordinate that is."""
    described = {str(c.dims[0]) for name, c in array.coords.items() if c.ndim == 1 and role(str(name))}
    for fits in (lambda dim: role(dim) is not None or dim.lower() in BAND_NAMES, described.__contains__):
        found = [place for place, dim in enumerate(dims) if fits(dim)]
        if len(found) == 1:
            return found[0]
    raise CubeError(f"none of the dimensions {', '.join(dims)} is surely that of the bands; give band_axis=...")


def _axis(array: Any, band_axis: int | str | None, names: tuple[str, ...] = ()) -> int:
    """Which axis counts the bands, from 0."""
    if array.ndim != 3:
        sizes = " × ".join(map(str, array.shape))
        raise CubeError(f"a cube has three axes, (band, row, col); this array has {len(array.shape)} ({sizes})")
    if isinstance(band_axis, str):
        if band_axis not in names:
            raise CubeError(f"band_axis is {band_axis!r}; choose {', '.join(names) or '0, 1 or 2'}")
        return names.index(band_axis)
    if band_axis is None:
        _warn_of_last_axis(array.shape)
        return 0
    if not isinstance(band_axis, int | np.integer) or not -3 <= band_axis <= 2:
        raise CubeError(f"band_axis is {band_axis!r}; choose 0, 1 or 2")
    return int(band_axis) % 3


def _warn_of_last_axis(shape: tuple[int, ...]) -> None:
    """A square image with another number behind it has its bands last, most probably."""
    if shape[0] == shape[1] != shape[2]:
        warnings.warn(
            f"an array of the shape {tuple(shape)} is taken as (band, row, col); if its bands are the last axis, "
            f"give band_axis=-1, else band_axis=0",
            stacklevel=5,  # whoever called the function of `napari_decsc.api`
        )


def _plain(array: Any) -> Any:
    """Masked voxels as NaN, which everyone takes for "not measured"."""
    if not isinstance(array, np.ma.MaskedArray):
        return array
    if array.dtype.kind not in "iuf":
        return array.data
    return np.ma.filled(array.astype(np.result_type(array.dtype, np.float32)), np.nan)


def _like(array: Any, result: NDArray[Any]) -> Any:
    """The result as an array of the same library, in the same chunks, with the same mask."""
    if isinstance(array, np.ma.MaskedArray):
        return np.ma.MaskedArray(result, mask=np.ma.getmaskarray(array))
    if _is_dask(array):
        import dask.array

        # without a name dask would read the whole array to make one
        return dask.array.from_array(result, chunks=array.chunks, name=False)  # type: ignore[no-untyped-call]
    return result


def _is_dask(array: Any) -> bool:
    return _is(array, "dask.array.core", "Array")


def _is(array: Any, module: str, name: str) -> bool:
    """Whether it is an object of this class of a library that need not be installed."""
    library = sys.modules.get(module)
    return library is not None and isinstance(array, getattr(library, name))
