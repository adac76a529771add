"""Which numbers of an array were not measured, and how packed numbers are meant, by the rules of NetCDF.

Sources: "NetCDF Climate and Forecast Conventions 1.11", sections 2.5.1 and 8.1; "NetCDF Users' Guide", Unidata,
appendix on attribute conventions; netcdf.h for the default fill values. No library is asked: xarray decodes neither
default fill values nor valid ranges, netCDF4-python does but maps no file and hands damaged ones to a parser in C. The
tests hold these rules against both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io import memory_map
from napari_decsc.hsi.io.formats.spectral import words_of
from napari_decsc.hsi.no_data import holds, in_type, missing

#: What cells hold that were never written (NC_FILL_SHORT and so on); single bytes have no such value.
_DEFAULT_FILL: dict[str, float | int] = {
    "i2": -32767,
    "u2": 65535,
    "i4": -2147483647,
    "u4": 4294967295,
    "i8": -9223372036854775806,
    "u8": 18446744073709551614,
    "f4": float(np.float32(9.969209968386869e36)),
    "f8": 9.969209968386869e36,
}
#: Attributes, in lower case, that name values which stand for "not measured".
NO_DATA = (
    *(
        "_fillvalue",
        "fillvalue",
        "fill_value",
        "missing_value",
        "data_ignore_value",
        "ignore_value",
        "nodata",
        "no_data",
    ),
    *("no_data", "no_data_value", "nodata_value", "nodatavalue", "missingvalue", "dataignorevalue", "ignorevalue"),
    *("bad_value", "badvalue", "bad_data_value", "invalid_value", "invalidvalue", "error_dn"),
)
#: Names of the factor: HDF's older conventions, and spellings without "_".
FACTORS = ("scale_factor", "scalefactor", "slope", "reflectance_scale_factor")
#: Names of the offset.
OFFSETS = ("add_offset", "intercept")
#: Words in names of what may be a factor, and may be something else; and words beside them that tell something else.
_UNSURE = {"scale", "scales", "scaling", "multiplier", "multiplicative"}
_ELSE = {"gray", "grey", "color", "colour", "time", "bar", "map", "pixel", "spatial", "model", "grid", "class"}
#: Values for "not measured" that are looked for, at most.
_MOST = 100
#: Bytes of an array in memory up to which gaps are marked at once; of others, where they are looked at.
_AT_ONCE = 1 << 28
VALID = ("valid_range", "valid_min", "valid_max")


@dataclass(frozen=True)
class Gaps:
    """The stored numbers that were not measured: some values, and all outside of ``low`` to ``high``."""

    values: tuple[float, ...] = ()
    low: float = -np.inf
    high: float = np.inf

    def no_data(self, dtype: np.dtype[Any]) -> float | None:
        """The one value to stand for all of them; None where there are none, or NaN does."""
        held = [value for value in self.values if holds(dtype, value) and not np.isnan(value)]
        if held or not self._cuts(dtype):
            return held[0] if held else next(iter(self.values), None)
        if dtype.kind == "f":
            return None
        limits = np.iinfo(dtype)
        outside = [value for value in (_default_fill(dtype), limits.min, limits.max) if value is not None]
        return float(next(value for value in outside if not self.low <= value <= self.high))

    def folded(self, data: Any) -> Any:
        """The numbers with all gaps as the one value; the very same array where that changes nothing."""
        mark = self.no_data(data.dtype)
        others = [value for value in self.values if value != mark and holds(data.dtype, value) and not np.isnan(value)]
        if not others and not self._cuts(data.dtype):
            return data
        folded = _Folded(data, np.nan if mark is None else mark, Gaps(tuple(others), self.low, self.high))
        if isinstance(data, np.ndarray) and data.flags.writeable and data.nbytes <= _AT_ONCE:
            return folded[...]
        return _lazy(folded)

    def _cuts(self, dtype: np.dtype[Any]) -> bool:
        """Whether the type has numbers outside of the range."""
        if dtype.kind == "f":
            return self.low > -np.inf or self.high < np.inf
        limits = np.iinfo(dtype)
        return limits.min < self.low or limits.max > self.high


class _Folded:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    ndim = 3

    def __init__(self, source: Any, mark: float, gaps: Gaps) -> None:
        self.source, self.mark, self.gaps = source, mark, gaps
        self.shape, self.dtype = source.shape, np.dtype(source.dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        # a copy, which holds little of a mapped file in memory
        values = memory_map.read(np.asarray(self.source[key]))
        with np.errstate(invalid="ignore"):
            gone = (values < self.gaps.low) | (values > self.gaps.high)
        for value in self.gaps.values:
            gone |= missing(values, value)
        values[gone] = in_type(self.mark, self.dtype) if self.dtype.kind == "f" else int(self.mark)
        return values


def _lazy(array: _Folded) -> Any:
    from dask.array import from_array

    return from_array(  # type: ignore[no-untyped-call]
        array, chunks="auto", name=False, asarray=False, meta=np.empty((0, 0, 0), array.dtype)
    )


@dataclass(frozen=True)
class Rules:
    """What the attributes of an array say of its stored numbers: keys in lower case.

    ``netcdf`` says that cells which were never written hold a default value.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    netcdf: bool = False

    def meant(self, data: Any) -> Any:
        """The numbers with the sign that `_Unsigned` gives them: the same bytes."""
        dtype = np.dtype(data.dtype)
        said = self.attributes.get("_unsigned")
        said = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
        kind = {"true": "u", "false": "i"}.get(said.strip().lower())
        if kind is None or dtype.kind not in "iu" or dtype.kind == kind:
            return data
        return data.view(np.dtype(f"{kind}{dtype.itemsize}").newbyteorder(dtype.byteorder))

    def gaps(self, dtype: np.dtype[Any]) -> Gaps:
        """The numbers, of the type that `meant` gives, that were not measured."""
        given = [value for key in NO_DATA for value in numbers(self.attributes.get(key))[:_MOST]]
        values = [_as_meant(value, dtype) for value in given]
        fill = _default_fill(dtype) if self.netcdf and "_fillvalue" not in self.attributes else None
        if fill is not None and "_unsigned" in self.attributes:
            fill = None  # the default of the stored type is a usual number of the other one
        values += [] if fill is None else [float(fill)]
        low, high = self._valid(dtype)
        return Gaps(tuple(dict.fromkeys(values)), low, high)

    def factors(self, bands: int) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """Factor and offset, one number for each band; None for what is not given or cannot be meant."""
        factor = next((key for key in FACTORS if key in self.attributes), FACTORS[0])
        # a camera's "offset" is a setting of its; beside a slope it is what the slope begins at
        offsets = (*OFFSETS, "offset") if factor == "slope" else OFFSETS
        offset = next((key for key in offsets if key in self.attributes), OFFSETS[0])
        return self._per_band(factor, bands), self._per_band(offset, bands)

    def unpacked(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The values of a small array, such as wavelengths; NaN where nothing was measured."""
        stored = self.meant(np.asarray(values))
        gaps = self.gaps(stored.dtype)
        result = stored.astype(np.float64)
        gone = (result < gaps.low) | (result > gaps.high)
        for value in gaps.values:
            gone |= missing(stored, value)
        result[gone] = np.nan
        factor, offset = self.factors(1)
        gain = 1.0 if factor is None or factor[0] == 0 else float(factor[0])
        return np.asarray(result * gain + (0.0 if offset is None else float(offset[0])))

    def _per_band(self, key: str, bands: int) -> NDArray[np.float64] | None:
        found = numbers(self.attributes.get(key))
        if len(found) not in (1, bands) or not np.isfinite(found).all():
            return None
        return np.resize(np.array(found, np.float64), bands)

    def _valid(self, dtype: np.dtype[Any]) -> tuple[float, float]:
        """The range of stored numbers that are measurements.

        A range of floating-point numbers beside packed whole ones is one of unpacked values (NetCDF Users' Guide).
        """
        both = numbers(self.attributes.get("valid_range"))
        low, high = both if len(both) == 2 else (-np.inf, np.inf)
        low = next(iter(numbers(self.attributes.get("valid_min"))), low)
        high = next(iter(numbers(self.attributes.get("valid_max"))), high)
        given = [np.asarray(self.attributes[key]).dtype.kind for key in VALID if key in self.attributes]
        factor, offset = self.factors(1)
        if dtype.kind in "iu" and "f" in given and (factor is not None or offset is not None):
            gain, shift = 1.0 if factor is None or factor[0] == 0 else factor[0], 0.0 if offset is None else offset[0]
            low, high = sorted(((low - shift) / gain, (high - shift) / gain))
        elif dtype.kind == "u":
            low, high = _as_meant(low, dtype), _as_meant(high, dtype)
        # a range without numbers in it, or with an end that is none, is a mistake
        usable = not (np.isnan(low) or np.isnan(high)) and low <= high
        return (low, high) if usable else (-np.inf, np.inf)


def says_no_data(attributes: Iterable[str]) -> bool:
    """Whether names of attributes, in any case, name a value that stands for "not measured"."""
    return any(key.lower().replace(" ", "_") in NO_DATA for key in attributes)


def tells_scale(name: str) -> bool:
    """Whether a number of this name seems to tell a scale."""
    words = words_of(name)
    return name.lower().replace(" ", "_") in FACTORS or bool(words & _UNSURE and not words & _ELSE)


def is_told_alone(name: str) -> bool:
    """Whether a number of this name beside an array tells something of its values."""
    return tells_scale(name) or says_no_data([name])


def numbers(value: Any) -> list[float]:
    """The numbers of an attribute; a text that is a number counts as one."""
    if isinstance(value, bytes | str):
        try:
            return [float(value)]
        except ValueError:
            return []
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        return []
    return [float(number) for number in array.reshape(-1)]


def _as_meant(value: float, dtype: np.dtype[Any]) -> float:
    """A number that is given as signed though the numbers are not, as the attributes of `_Unsigned` arrays are."""
    if dtype.kind == "u" and value < 0 and value >= -(2 ** (8 * dtype.itemsize - 1)) and value == int(value):
        return float(value + 2 ** (8 * dtype.itemsize))
    return value


def _default_fill(dtype: np.dtype[Any]) -> float | int | None:
    return _DEFAULT_FILL.get(dtype.str[1:])
