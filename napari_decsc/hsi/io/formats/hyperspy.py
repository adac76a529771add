"""Files of HyperSpy (HDF5 or Zarr): beside an array `data` stands a group `axis-N` for each of its axes.

A group tells name, size and unit of an axis, and its values as offset and scale, or in an array `axis`. One axis is
that of the signal, the others are those of the places where it was measured, or the other way round for images.
Source: HyperSpy's user guide, "HSpy - HyperSpy's HDF5 Specification".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io.envi.wavelengths import tells_energy, unit_of
from napari_decsc.hsi.io.formats import spectral
from napari_decsc.hsi.io.formats.cf import numbers
from napari_decsc.hsi.io.roles import role

#: What the axis of the bands is called here, and its values.
_BANDS = "wavelength"
_GROUP = re.compile(r"(.*)/axis-([0-9]{1,2})")
#: The array of values of an axis whose steps are uneven.
_VALUES = "axis"

Groups = Mapping[str, Mapping[str, Any]]


def axes(groups: Groups) -> dict[str, tuple[str, ...]]:
    """The names of the axes of each array that groups describe, by the array's name."""
    return {f"{parent}/data": _names(found) for parent, found in _described(groups).items()}


def vectors(groups: Groups) -> Iterator[tuple[str, NDArray[Any], dict[str, Any]]]:
    """Name, values and attributes of the axes of bands whose steps are even."""
    for parent, found in _described(groups).items():
        place = _bands(found)
        if place is None or not _is_spectral(found[place]):
            continue
        start, step, size = (_number(found[place], key) for key in ("offset", "scale", "size"))
        if step and 1 < size <= spectral.LONGEST:
            name = f"{parent}/axis-{place}/{_BANDS}"
            yield name, start + step * np.arange(int(size)), {"units": _unit(found[place])}


def is_values(name: str, groups: Groups) -> bool:
    """Whether an array holds the values of an axis of bands."""
    group, _, own = name.strip("/").rpartition("/")
    match = _GROUP.fullmatch(group)
    if own != _VALUES or match is None or group not in groups:
        return False
    found = _described(groups).get(match[1], [])
    place = _bands(found)
    return place == int(match[2]) and _is_spectral(found[place])


def named(name: str, groups: Groups) -> tuple[str, dict[str, Any]]:
    """The name that tells what such an array holds, and attributes that tell its unit."""
    group = name.strip("/").rpartition("/")[0]
    return f"{group}/{_BANDS}", {"units": _unit(groups[group])}


def _described(groups: Groups) -> dict[str, list[Mapping[str, Any]]]:
    """The groups of each array's axes in their order, where none is missing."""
    found: dict[str, dict[int, Mapping[str, Any]]] = {}
    for name, attributes in groups.items():
        match = _GROUP.fullmatch(name)
        if match and "size" in attributes:
            found.setdefault(match[1], {})[int(match[2])] = attributes
    return {
        parent: [axes[place] for place in sorted(axes)]
        for parent, axes in found.items()
        if sorted(axes) == list(range(len(axes)))
    }


def _bands(found: list[Mapping[str, Any]]) -> int | None:
    """The axis that is the only one of its kind: of the signal, or of the places where there are images."""
    navigates = [bool(one.get("navigate")) for one in found]
    for kind in (False, True):
        if navigates.count(kind) == 1 and len(found) > 2:
            return navigates.index(kind)
    return None


def _names(found: list[Mapping[str, Any]]) -> tuple[str, ...]:
    bands = _bands(found)
    return tuple(_BANDS if place == bands else str(one.get("name", "")) for place, one in enumerate(found))


def _is_spectral(axis: Mapping[str, Any]) -> bool:
    """Whether the unit, or without one the name, tells of light."""
    unit, name = _unit(axis), str(axis.get("name", ""))
    return unit_of(unit)[0] in ("nm", "um", "1/cm") or tells_energy(unit) or (not unit and role(name) == "wavelengths")


def _unit(axis: Mapping[str, Any]) -> str:
    unit = str(axis.get("units", ""))
    return "" if unit.startswith("<") or unit in ("None", "_None_") else unit


def _number(axis: Mapping[str, Any], key: str) -> float:
    return next(iter(numbers(axis.get(key))), 0.0)
