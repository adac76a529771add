"""Cubes that are valid and odd. All are small: they are denoised in a fraction of a second."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube

Values = NDArray[np.float32]
NO_DATA = -9999.0


def scene(bands: int = 6, rows: int = 18, cols: int = 20) -> Values:
    """A smooth scene of two materials with noise of 0.03, values from about 0.1 to 0.9."""
    row, col = np.mgrid[:rows, :cols]
    share = 0.5 + 0.5 * np.sin(row / 5) * np.cos(col / 7)
    one, two = np.linspace(0.2, 0.8, bands), np.linspace(0.7, 0.3, bands)
    clean = share * one[:, None, None] + (1 - share) * two[:, None, None]
    return (clean + np.random.default_rng(3).normal(0, 0.03, clean.shape)).astype(np.float32)


def gaps() -> NDArray[np.bool_]:
    """Some voxels of a scene, some pixels of all its bands, and a border."""
    where = np.random.default_rng(4).random((6, 18, 20)) < 0.05
    where[:, 3:6, 4:9] = True
    where[:, :, -2:] = True
    return where


def with_value(value: float, no_data: float | None = None) -> Cube:
    """A scene with a value in its gaps."""
    data = scene()
    data[gaps()] = value
    return Cube(data, no_data=no_data)


def with_band(value: float | Values) -> Cube:
    """A scene whose third band is this."""
    data = scene()
    data[2] = value
    return Cube(data)


def whole_numbers(dtype: str, scale: float, no_data: float | None = None) -> Cube:
    """A scene in a whole-number type, with gaps if there is a value for them."""
    data = np.rint(scene() * scale).astype(dtype)
    if no_data is not None:
        data[gaps()] = no_data
    return Cube(data, scale=scale, no_data=no_data)


def _negative() -> Cube:
    return Cube(scene() - np.float32(0.5))


def _infinite() -> Cube:
    data = scene()
    data[gaps()] = np.inf
    data[:, 3:5, 4:9] = -np.inf
    return Cube(data)


def _mixed() -> Cube:
    data = scene()
    data[gaps()] = NO_DATA
    data[0, 10], data[1, 11], data[2, 12] = np.nan, np.inf, -np.inf
    return Cube(data, no_data=NO_DATA)


ODD_CUBES: dict[str, Callable[[], Cube]] = {
    "no-data": lambda: with_value(NO_DATA, NO_DATA),
    "no-data zero": lambda: with_value(0, 0),
    "no-data NaN": lambda: with_value(np.nan, np.nan),
    "no-data infinite": lambda: with_value(-np.inf, -np.inf),
    "no-data -3.4e38": lambda: with_value(np.finfo(np.float32).min, float(np.finfo(np.float32).min)),
    "no-data beyond float32": lambda: Cube(np.where(gaps(), -1e300, scene().astype(float)), no_data=-1e300),
    "no-data beyond its own type": lambda: with_value(-np.inf, -1.7976931348623157e308),
    "NaN": lambda: with_value(np.nan),
    "infinite": _infinite,
    "everything missing at once": _mixed,
    "dead band": lambda: with_band(0),
    "constant band": lambda: with_band(0.5),
    "saturated band": lambda: with_band(np.minimum(scene()[2], np.median(scene()[2]))),
    "band of NaN": lambda: with_band(np.nan),
    "band of no-data": lambda: with_band(NO_DATA).replace(no_data=NO_DATA),
    "negative": _negative,
    "all negative": lambda: Cube(scene() - np.float32(1.5)),
    "all zero": lambda: Cube(np.zeros((4, 9, 8), np.float32)),
    "all the same": lambda: Cube(np.full((4, 9, 8), 7, np.float32)),
    "all NaN": lambda: Cube(np.full((4, 9, 8), np.nan, np.float32)),
    "all no-data": lambda: Cube(np.full((4, 9, 8), NO_DATA, np.float32), no_data=NO_DATA),
    "all but one voxel": lambda: Cube(np.where(np.arange(24).reshape(2, 3, 4) == 5, 1, np.nan)),
    "one band": lambda: Cube(scene(1)),
    "two bands": lambda: Cube(scene(2)),
    "one row": lambda: Cube(scene(6, 1, 30)),
    "one column": lambda: Cube(scene(6, 30, 1)),
    "one pixel": lambda: Cube(scene(6, 1, 1)),
    "one voxel": lambda: Cube(scene(1, 1, 1)),
    "two by two": lambda: Cube(scene(6, 2, 2)),
    "three by three": lambda: Cube(scene(6, 3, 3)),
    "many bands, few pixels": lambda: Cube(scene(60, 4, 4)),
    "uint8": lambda: whole_numbers("uint8", 200),
    "int16": lambda: whole_numbers("int16", 10000, -32768),
    "uint16": lambda: whole_numbers("uint16", 10000, 65535),
    "int32": lambda: whole_numbers("int32", 1e6, -(2**31)),
    "uint64": lambda: whole_numbers("uint64", 1e6),
    "big-endian float64": lambda: Cube(scene().astype(">f8")),
    "huge scale": lambda: Cube(scene() * np.float32(1e6), scale=1e6),
    "tiny scale": lambda: Cube(scene() * np.float32(1e-6), scale=1e-6),
    "huge values": lambda: Cube(scene() * np.float32(1e30)),
    "tiny values": lambda: Cube(scene() * np.float32(1e-30)),
    "beyond float32": lambda: Cube(np.where(gaps(), 1e300, scene().astype(np.float64))),
    "outlier": lambda: Cube(np.where(np.arange(2160).reshape(6, 18, 20) == 700, np.float32(1e20), scene())),
}


def missing(cube: Cube) -> NDArray[np.bool_]:
    """Voxels that were not measured: not finite in float32, or the no-data value."""
    with np.errstate(over="ignore"):
        where = ~np.isfinite(np.asarray(cube.data, np.float32))
    if cube.no_data is not None:
        with np.errstate(over="ignore"):
            where |= np.asarray(cube.data) == cube.data.dtype.type(cube.no_data)
    return where
