"""Bands that are stored as logarithms, as SNAP does to save room: their values are powers of ten."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import memory_map
from napari_decsc.hsi.no_data import missing


def with_powers(cube: Cube, calibration: Calibration, logarithms: Collection[int]) -> Cube:
    """The cube of values 10 ** (number * gain + offset), computed where they are looked at; NaN is not measured.

    Parameters
    ----------
    cube : Cube
        Of stored numbers.
    calibration : Calibration
        Gain and offset of each band.
    logarithms : collection of int
        The bands that are logarithms, from 0; those of others are number * gain + offset.

    Returns
    -------
    Cube
        Lazy, of float32 or float64.
    """
    from dask.array import from_array

    powers = _Powers(cube.data, cube.no_data, calibration, [band in logarithms for band in range(cube.bands)])
    meta = np.empty((0, 0, 0), powers.dtype)
    data = from_array(powers, chunks="auto", name=False, asarray=False, meta=meta)  # type: ignore[no-untyped-call]
    # the type that files are written in again
    header = {**cube.header, "data type": powers.dtype.name}
    return cube.replace(data=data, no_data=None, header=header)


class _Powers:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    ndim = 3

    def __init__(self, source: Any, no_data: float | None, calibration: Calibration, is_power: list[bool]) -> None:
        self.source, self.no_data, self.shape = source, no_data, source.shape
        self.dtype = np.dtype(np.float64 if source.dtype.itemsize > 4 else np.float32)
        # views without a size of their own: what picks a part of the cube picks its gains too
        of_bands = (calibration.gains, calibration.offsets, np.array(is_power))
        self.of_bands = [np.broadcast_to(one[:, None, None], self.shape) for one in of_bands]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        stored = memory_map.read(np.asarray(self.source[key]))
        gains, offsets, is_power = (one[key] for one in self.of_bands)
        # a power beyond all numbers is infinite
        with np.errstate(over="ignore", invalid="ignore"):
            values = stored * gains + offsets
            np.power(10.0, values, out=values, where=is_power)
            if self.no_data is not None:
                values[missing(stored, self.no_data)] = np.nan
            return np.asarray(values, self.dtype)
