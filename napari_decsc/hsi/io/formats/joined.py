"""Cubes whose bands lie in several arrays: one for each band, or one for each detector."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.envi.wavelengths import guess_unit, is_counting, wavelengths_in_names
from napari_decsc.hsi.io.formats import spectral
from napari_decsc.hsi.io.formats.cf import FACTORS, NO_DATA, OFFSETS, numbers
from napari_decsc.hsi.io.formats.variables import Variable
from napari_decsc.hsi.io.roles import role

#: Bytes up to which bands in memory are put together at once; others where they are looked at.
_AT_ONCE = 1 << 28
#: A name of one of several bands: what is before its number, the number, the unit of a wavelength, what is behind it,
#: and, where a group has the number, the array in it.
_NUMBERED = re.compile(r"(.*?)(\d{1,6}(?:\.\d{1,6})?)(_?(?:nm|um)(?![a-zA-Z]))?((?:_[^/\d]*)?(?:/[^/\d]+)?)")


class _Bands:
    """What dask needs of an array: a shape, a type, and the values of any part."""

    ndim = 3

    def __init__(self, parts: Sequence[Any], places: Sequence[tuple[int, int]]) -> None:
        self.parts, self.places = parts, places
        self.shape, self.dtype = (len(places), *parts[0].shape[1:]), np.dtype(parts[0].dtype)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        bands, *inner = key if isinstance(key, tuple) else (key,)
        if isinstance(bands, int | np.integer):
            part, band = self.places[int(bands)]
            return np.asarray(self.parts[part][(band, *inner)])
        chosen = np.arange(len(self.places))[bands]
        planes = [np.asarray(self.parts[part][(band, *inner)]) for part, band in (self.places[i] for i in chosen)]
        return np.stack(planes) if planes else np.empty((0, *self.shape[1:]), self.dtype)


def joined(
    name: str,
    parts: Sequence[tuple[Variable, int]],
    places: Sequence[tuple[int, int]],
    attributes: Mapping[str, Any],
    fields: Mapping[str, Any],
) -> Variable:
    """One array (band, row, col) of the bands ``places``, each (part, band), of several arrays of one type.

    ``parts`` are arrays, each with the axis that counts its bands; what is left of their shapes is the same.
    """
    first, axis = parts[0]
    shape = (len(places), *np.delete(first.cube_shape, axis).tolist())

    def read() -> Any:
        arrays = [_bands_first(part, axis) for part, axis in parts]
        bands = _Bands(arrays, places)
        if all(isinstance(array, np.ndarray) for array in arrays) and sum(a.nbytes for a in arrays) <= _AT_ONCE:
            return bands[:]
        return _lazy(bands)

    return Variable(name, shape, first.dtype, read, certain=0, attributes=attributes, is_preferred=True, fields=fields)


def stacks(planes: Sequence[Variable]) -> list[Variable]:
    """Cubes of arrays of one shape and type that hold one band each: `Band1`, `Band2`, or `1/data`, `2/data` ..."""
    kinds: dict[tuple[Any, ...], list[tuple[float, Variable]]] = {}
    for plane in planes:
        match = _NUMBERED.fullmatch(plane.name)
        if match and not plane.is_aside and not plane.is_logical and min(plane.shape) > 1 and plane.dtype.kind in "iuf":
            key = match[1], match[3], match[4], plane.shape, plane.dtype
            kinds.setdefault(key, []).append((float(match[2]), plane))
    found = {key: sorted(members, key=lambda member: member[0]) for key, members in kinds.items()}
    return [
        _stack([number for number, _ in members], [one for _, one in members], (key[1] or "").strip("_"))
        for key, members in found.items()
        if len(members) > 1
    ]


def _stack(order: list[float], planes: list[Variable], unit: str) -> Variable:
    parts = [
        (Variable(plane.name, (1, *plane.shape), plane.dtype, lambda plane=plane: plane.read()[None]), 0)  # type: ignore[misc]
        for plane in planes
    ]
    places = [(number, 0) for number in range(len(planes))]
    name = f"{planes[0].name}...{order[-1]:.12g}"
    stack = joined(name, parts, places, shared([plane.attributes for plane in planes]), _axis_of(order, planes, unit))
    return dataclasses.replace(stack, is_preferred=False, is_stack=True)


def shared(found: Sequence[Mapping[str, Any]], counts: Sequence[int] | None = None) -> dict[str, Any]:
    """The attributes of several arrays as those of one, with ``counts`` bands each (else 1).

    Scale and offset are told for each band, all values that stand for "not measured" together; else the first counts.
    """
    counts = [1] * len(found) if counts is None else counts
    attributes = dict(found[0])
    lower = [{key.lower(): value for key, value in one.items()} for one in found]
    for key, usual in (*((key, 1.0) for key in FACTORS), *((key, 0.0) for key in OFFSETS)):
        values = [next(iter(numbers(one.get(key))), usual) for one in lower]
        if len(set(values)) > 1:
            attributes = {own: value for own, value in attributes.items() if own.lower() != key}
            attributes[key] = np.repeat(values, counts)
    gaps = dict.fromkeys(value for one in lower for key in NO_DATA for value in numbers(one.get(key)))
    if len(gaps) > 1:
        attributes["missing_value"] = np.array(list(gaps))
    return attributes


def _axis_of(order: list[float], planes: Sequence[Variable], unit: str) -> dict[str, Any]:
    """Wavelengths and widths that the arrays tell of themselves, each of its own, or in their names."""
    vectors: dict[str, list[spectral.Vector]] = {}
    for key in planes[0].attributes:
        if role(key):
            said = [plane.attributes.get(key) for plane in planes]
            # numbers, or texts such as "450.5 nm"
            are_texts = all(isinstance(one, str) for one in said)
            values = said if are_texts else [next(iter(numbers(one)), np.nan) for one in said]
            spectral.add(vectors, key, values, _unit_beside(planes[0].attributes, key))
    if "wavelengths" not in vectors:
        _add_from_names(vectors, planes)
    lengths = np.array(order, np.float64)
    unit = unit or guess_unit(lengths)
    if "wavelengths" not in vectors and unit in ("nm", "um") and not is_counting(lengths):
        vectors["wavelengths"] = [spectral.Vector(lengths, unit)]
    return spectral.spectral_fields(vectors, len(planes))


def _add_from_names(vectors: dict[str, list[spectral.Vector]], planes: Sequence[Variable]) -> None:
    """Wavelengths in what the arrays are called at length, such as `Band 3 (450.5 nm)`."""
    for key in ("long_name", "band_name", "description"):
        names = [plane.attributes.get(key) for plane in planes]
        said = [name for name in names if isinstance(name, str)]
        values, unit = wavelengths_in_names(said, len(planes), "")
        if values is not None:
            spectral.add(vectors, "wavelength", values, unit)
            return


def _unit_beside(attributes: Mapping[str, Any], key: str) -> Any:
    names = (f"{key}_units", f"{key}_unit", "wavelength_units", "wavelength_unit")
    return next((attributes[name] for name in names if name in attributes), "")


def _bands_first(part: Variable, axis: int) -> Any:
    data = part.read()
    if data.shape != part.cube_shape and len(part.shape) > 3:
        data = data.reshape(part.cube_shape)
    return data.transpose(axis, *(other for other in range(3) if other != axis))


def _lazy(array: _Bands) -> Any:
    from dask.array import from_array

    return from_array(  # type: ignore[no-untyped-call]
        array, chunks="auto", name=False, asarray=False, meta=np.empty((0, 0, 0), array.dtype)
    )
