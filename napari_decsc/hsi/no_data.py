"""The raw value that means "not measured": where it stands, which types can say it, what must not become it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The greatest float32.
_LARGEST = float(np.finfo(np.float32).max)


def missing(raw: NDArray[Any], no_data: float) -> NDArray[np.bool_]:
    """True where raw values are the no-data value, as their own type says it.

    Parameters
    ----------
    raw : array
        Of any shape.
    no_data : float
        May be NaN.

    Returns
    -------
    bool array
        Of the same shape.
    """
    if raw.dtype.kind == "f":
        return np.asarray(raw == in_type(no_data, raw.dtype))
    return np.asarray(raw == no_data)


def as_meant(no_data: float | None) -> float | None:
    """A no-data value that was written with too few digits to be the least (or greatest) float32, as that number.

    Parameters
    ----------
    no_data : float or None
        As a text says it: -3.40282e+38 for -3.4028234663852886e+38.

    Returns
    -------
    float or None
        As it was, if it is any other.
    """
    if no_data is None or not np.isfinite(no_data) or abs(no_data) > 2 * _LARGEST:
        return no_data
    is_near = abs(abs(no_data) - _LARGEST) < 1e-5 * _LARGEST
    with np.errstate(over="ignore"):
        is_exact = abs(float(np.float32(no_data)) - no_data) < 1e-9 * _LARGEST
    return math.copysign(_LARGEST, no_data) if is_near and not is_exact else no_data


def in_type(no_data: float, dtype: np.dtype[Any]) -> Any:
    """The no-data value as a type of floating-point numbers says it; infinite where it lies beyond the type.

    Parameters
    ----------
    no_data : float
        As it was read.
    dtype : numpy.dtype
        A type of floating-point numbers.

    Returns
    -------
    NumPy scalar
        Of that type.
    """
    with np.errstate(over="ignore"):
        return dtype.type(no_data)


def holds(dtype: np.dtype[Any], no_data: float) -> bool:
    """Whether a type can say the no-data value; types of floating-point numbers do so as `in_type`.

    Parameters
    ----------
    dtype : numpy.dtype
        Of any kind of number.
    no_data : float
        As it was read.

    Returns
    -------
    bool
        Whether it comes back as it went in.
    """
    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype)
    return bool(np.isfinite(no_data)) and no_data == int(no_data) and limits.min <= int(no_data) <= limits.max


def spared(values: NDArray[Any], raw: NDArray[Any], no_data: float | None) -> NDArray[Any]:
    """``values``, made from ``raw`` by a change of type, with measured ones moved off the no-data value.

    Rounding and cutting may put them on it: they take the nearest other value, on the side where they came from.

    Parameters
    ----------
    values : array
        After the change of type.
    raw : array
        Before it, of the same shape.
    no_data : float, optional
        In raw values.

    Returns
    -------
    array
        ``values`` itself where nothing has to be moved.
    """
    if no_data is None or not np.isfinite(no_data) or not holds(values.dtype, no_data):
        return values
    mark = values.dtype.type(no_data) if values.dtype.kind != "f" else in_type(no_data, values.dtype)
    hit = (values == mark) & ~missing(raw, no_data)
    if raw.dtype.kind == "f":
        hit &= np.isfinite(raw)
    if not hit.any():
        return values
    below, above = _beside(mark, values.dtype)
    values = values.copy()
    values[hit] = np.where(raw[hit] < no_data, below, above)
    return values


def _beside(mark: Any, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The nearest values below and above; at an end of the type's range the same one twice."""
    if dtype.kind == "f":
        infinity = dtype.type(np.inf)
        return np.nextafter(mark, -infinity), np.nextafter(mark, infinity)
    limits, here = np.iinfo(dtype), int(mark)
    below = here - 1 if here > limits.min else here + 1
    above = here + 1 if here < limits.max else here - 1
    return dtype.type(below), dtype.type(above)


def unified(data: Any, marks: Sequence[Sequence[float]]) -> tuple[Any, float | None]:
    """The data (band, row, col) with one no-data value in place of several, and that value; None if there are none.

    ``marks`` are the no-data values of each band. NaN takes their place in types that know it, else the first of them
    that the type holds, which no measured voxel becomes. Lazy (a dask array) unless nothing has to change.

    Parameters
    ----------
    data : array of shape (band, row, col)
        Raw values; may be lazy.
    marks : sequence of sequences of float
        The no-data values of each band.

    Returns
    -------
    data : array of shape (band, row, col)
        Lazy (a dask array) unless nothing has to change.
    no_data : float or None
        The one value that stands for all.
    """
    usable = [[value for value in values if holds(data.dtype, value)] for values in marks]
    said = [value for values in usable for value in values]
    if not said or all(values == [said[0]] for values in usable):
        return data, said[0] if said else None
    from dask.array import from_array

    value = float("nan") if data.dtype.kind == "f" else said[0]
    chosen = _Unified(data, usable, value)
    lazy = from_array(chosen, chunks="auto", name=False, asarray=False, meta=np.empty((0, 0, 0), data.dtype))  # type: ignore[no-untyped-call]
    return lazy, value


class _Unified:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    ndim = 3

    def __init__(self, source: Any, marks: Sequence[Sequence[float]], value: float) -> None:
        self.source, self.value, self.dtype, self.shape = source, value, source.dtype, source.shape
        # one layer for each of the marks a band may have; a band of fewer repeats its last
        depth = max(map(len, marks))
        filled = [[*values, *[values[-1] if values else np.nan] * (depth - len(values))] for values in marks]
        has = np.array([bool(values) for values in marks])
        self.marks = [
            np.broadcast_to(np.array(layer)[:, None, None], self.shape) for layer in zip(*filled, strict=True)
        ]
        self.has = np.broadcast_to(has[:, None, None], self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        raw = np.asarray(self.source[key])
        gone = np.zeros(raw.shape, bool)
        for layer in self.marks:
            mark = layer[key]
            with np.errstate(over="ignore", invalid="ignore"):
                mark = mark.astype(raw.dtype) if raw.dtype.kind == "f" else mark
            gone |= self.has[key] & (raw == mark)
        values = raw.copy()
        if raw.dtype.kind != "f":
            hit = (raw == self.value) & ~gone
            low, high = _beside(raw.dtype.type(self.value), raw.dtype)
            values[hit] = high if high != self.value else low
        values[gone] = self.value
        return values
