"""Gains and offsets of bands: how the numbers stored in a file become values, and values stored numbers again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io import memory_map
from napari_decsc.hsi.no_data import in_type, missing, spared

#: Stored whole numbers up to here, in steps of the gain, survive the way through float32 and back.
_FLOAT32_STEPS = 2**22
#: Gains and offsets of instruments lie well within; beyond, numbers would turn into infinities.
LARGEST = 1e30
#: Numbers that are computed at a time.
_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Calibration:
    """The linear map of each band: value = gain * stored number + offset.

    Parameters
    ----------
    gains, offsets : array of shape (band,)
        Finite; no gain is 0.
    fields : mapping
        Fields of a header that hold for the stored numbers alone, to be written with them again.
    """

    gains: NDArray[np.float64]
    offsets: NDArray[np.float64]
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """Whether no gain is 0, and nothing so large or small that numbers would be lost."""
        sizes = np.abs(self.gains)
        return bool(np.all((sizes >= 1 / LARGEST) & (sizes <= LARGEST)) and np.all(np.abs(self.offsets) <= LARGEST))

    @property
    def factor(self) -> float | None:
        """The one positive gain of all bands where there is no offset, else None: such a map is but a scale."""
        gain = float(self.gains[0])
        return gain if gain > 0 and np.all(self.gains == gain) and not self.offsets.any() else None

    @property
    def inverse(self) -> "Calibration":
        """The way back: stored number = (value - offset) / gain."""
        return Calibration(1 / self.gains, -self.offsets / self.gains)

    def values(self, stored: Any, no_data: float | None) -> Any:
        """Values of stored numbers (band, row, col), computed where they are looked at; a lazy (dask) array.

        The no-data value stays what it is, and no other number becomes it. float32, or float64 where float32 could not
        tell neighbouring numbers apart.

        Parameters
        ----------
        stored : array of shape (band, row, col)
            Numbers of the file; may be lazy.
        no_data : float, optional
            The stored number that means "not measured".

        Returns
        -------
        dask array
            float32, or float64 where float32 could not tell neighbouring numbers apart.
        """
        return _lazy(_Linear(stored, self, self._dtype(np.dtype(stored.dtype)), no_data))

    def stored(self, values: Any, no_data: float | None) -> Any:
        """The numbers, float64 and not rounded, that stand for values; lazy as `values`.

        Parameters
        ----------
        values : array of shape (band, row, col)
            As `values` made them; may be lazy.
        no_data : float, optional
            The value that means "not measured".

        Returns
        -------
        dask array
            float64.
        """
        return _lazy(_Linear(values, self.inverse, np.dtype(np.float64), no_data))

    def _dtype(self, stored: np.dtype[Any]) -> np.dtype[Any]:
        if stored.kind == "f":
            return np.dtype(np.float64 if stored.itemsize > 4 else np.float32)
        limits = np.iinfo(stored)
        steps = max(-int(limits.min), int(limits.max)) + np.max(np.abs(self.offsets / self.gains))
        return np.dtype(np.float32 if steps < _FLOAT32_STEPS else np.float64)


class _Linear:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    ndim = 3

    def __init__(self, source: Any, calibration: Calibration, dtype: np.dtype[Any], no_data: float | None) -> None:
        self.source, self.dtype, self.no_data = source, dtype, no_data
        self.shape = source.shape
        # views without a size of their own: what picks a part of the cube picks its gains too
        self.gains = np.broadcast_to(calibration.gains[:, None, None], self.shape)
        self.offsets = np.broadcast_to(calibration.offsets[:, None, None], self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        source, gains, offsets = np.asarray(self.source[key]), self.gains[key], self.offsets[key]
        values = np.empty(source.shape, self.dtype)
        # double precision takes many times the room of what is stored, and so do the pages of a mapped file
        for part in memory_map.pieces(source, _AT_ONCE):
            values[part] = self._values(source[part], gains[part], offsets[part])
            memory_map.release(source)
        return values

    def _values(self, source: NDArray[Any], gains: NDArray[Any], offsets: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over="ignore", invalid="ignore"):
            exact = np.asarray(source * gains)
            exact += offsets
            values = exact.astype(self.dtype, copy=False)
            if self.no_data is None:
                return values
            values[missing(source, self.no_data)] = in_type(self.no_data, self.dtype)
            return spared(values, source, self.no_data)


def _lazy(array: _Linear) -> Any:
    from dask.array import from_array

    # parts of any shape are picked before they are computed, so that chunks matter only where everything is read
    return from_array(  # type: ignore[no-untyped-call]
        array, chunks="auto", name=False, asarray=False, meta=np.empty((0, 0, 0), array.dtype)
    )
