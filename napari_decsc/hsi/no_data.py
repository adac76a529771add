"""The raw value that means "not measured": where it stands, which types can say it, what must not become it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def missing(raw: NDArray[Any], no_data: float) -> NDArray[np.bool_]:
    """True where raw values are the no-data value, as their own type says it."""
    if raw.dtype.kind == "f":
        return np.asarray(raw == in_type(no_data, raw.dtype))
    return np.asarray(raw == no_data)


def in_type(no_data: float, dtype: np.dtype[Any]) -> Any:
    """The no-data value as a type of floating-point numbers says it; infinite where it lies beyond the type."""
    with np.errstate(over="ignore"):
        return dtype.type(no_data)


def holds(dtype: np.dtype[Any], no_data: float) -> bool:
    """Whether a type can say the no-data value; types of floating-point numbers do so as `in_type`."""
    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype)
    return bool(np.isfinite(no_data)) and no_data == int(no_data) and limits.min <= int(no_data) <= limits.max


def spared(values: NDArray[Any], raw: NDArray[Any], no_data: float | None) -> NDArray[Any]:
    """``values``, made from ``raw`` by a change of type, with measured ones moved off the no-data value.

    Rounding and cutting may put them on it: they take the nearest other value, on the side where they came from.
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
