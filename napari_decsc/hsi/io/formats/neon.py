"""NEON's radiance, which lies in two arrays: whole numbers, and what is behind the point.

Source: "Updates to AOP's Spectrometer Orthorectified at-Sensor Radiance data product", NEON, 2021: radiance =
`RadianceIntegerPart` + `RadianceDecimalPart` / `Scale_Factor`, which is 50000.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.formats.cf import NO_DATA, numbers
from napari_decsc.hsi.io.formats.variables import Contents, Variable
from napari_decsc.hsi.no_data import missing

#: Name of the array of whole numbers.
_WHOLE = "RadianceIntegerPart"
#: Name of the array of decimals that belongs to it.
_DECIMAL = "RadianceDecimalPart"
#: By what decimals are divided where their array does not tell.
_FACTOR = 50_000.0
#: What stands for "not measured" in the sum.
_NOT_MEASURED = -9999.0
#: Bytes up to which arrays in memory are added at once; others where they are looked at.
_AT_ONCE = 1 << 28


def with_split_radiance(contents: Contents) -> Contents | None:
    """The contents with one cube in place of each two arrays; None where there are none.

    Parameters
    ----------
    contents : Contents
        Of an HDF5 file.

    Returns
    -------
    Contents or None
    """
    named = {one.name: one for one in contents.variables if one.is_cube}
    pairs = [
        (one, named[decimals])
        for name, one in named.items()
        if name.rpartition("/")[2] == _WHOLE and (decimals := name.removesuffix(_WHOLE) + _DECIMAL) in named
    ]
    made = [_sum(whole, decimals) for whole, decimals in pairs if whole.shape == decimals.shape]
    return dataclasses.replace(contents, variables=[*made, *contents.variables]) if made else None


def _sum(whole: Variable, decimals: Variable) -> Variable:
    attributes = {"Data_Ignore_Value": _NOT_MEASURED}

    def read() -> Any:
        from dask.array import from_array

        parts = _Parts(whole, decimals)
        held = sum(one.nbytes for one in parts.arrays)
        if all(isinstance(one, np.ndarray) for one in parts.arrays) and held <= _AT_ONCE:
            return parts[...]
        chunks = next((one.chunks for one in parts.arrays if hasattr(one, "chunks")), "auto")
        return from_array(parts, chunks=chunks, name=False, asarray=False)  # type: ignore[no-untyped-call]

    name = whole.name.removesuffix(f"/{_WHOLE}")
    kind = np.dtype(np.float32)
    return dataclasses.replace(whole, name=name, dtype=kind, attributes=attributes, read=read, is_preferred=True)


class _Parts:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    def __init__(self, whole: Variable, decimals: Variable) -> None:
        self.arrays = (whole.read(), decimals.read())
        self.gaps = [_ignored(one) for one in (whole, decimals)]
        self.shape, self.ndim, self.dtype = whole.shape, len(whole.shape), np.dtype(np.float32)
        said = numbers(decimals.attributes.get("Scale_Factor"))
        self.factor = said[0] if len(said) == 1 and said[0] > 0 else _FACTOR

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        whole, decimals = (np.asarray(one[key]) for one in self.arrays)
        # 255 * 50000 steps are fewer than float32 tells apart
        values = np.asarray(whole + decimals / self.factor, np.float32)
        for part, gaps in zip((whole, decimals), self.gaps, strict=True):
            for value in gaps:
                values[missing(part, value)] = _NOT_MEASURED
        return values


def _ignored(one: Variable) -> list[float]:
    return [value for key, said in one.attributes.items() if key.lower() in NO_DATA for value in numbers(said)]
