"""The axis that the spectra of several cubes share, and what their values are called."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.summary import unit_text


@dataclass(frozen=True, eq=False)
class Axis:
    """The abscissa that several cubes share: ``values`` has one array, shape (band,), for every cube."""

    values: tuple[NDArray[np.float64], ...]
    label: str
    unit: str = ""


def shared_axis(cubes: Sequence[Cube]) -> Axis:
    """Wavelengths in the unit the cubes share, else in nm, else band numbers: never two kinds on one axis."""
    units = {cube.wavelength_unit if cube.wavelengths is not None else None for cube in cubes}
    if len(units) == 1 and None not in units:
        unit = units.pop()
        return Axis(tuple(cube.wavelengths for cube in cubes), axis_label(unit), unit)
    lengths = tuple(cube.wavelengths_nm for cube in cubes)
    if cubes and all(values is not None for values in lengths):
        return Axis(lengths, axis_label("nm"), "nm")
    return Axis(tuple(np.arange(1, cube.bands + 1, dtype=np.float64) for cube in cubes), "band")


def value_label(cubes: Sequence[Cube]) -> str:
    """What the ordinate shows: values as stored, or divided by the scale factor."""
    scales = {cube.scale for cube in cubes}
    if scales == {1.0} or not scales:
        return "value"
    return f"value / {scales.pop():g}" if len(scales) == 1 else "physical value"


def axis_label(unit: str | None) -> str:
    """What an axis of wavelengths in this unit is called."""
    if unit == "1/cm":
        return "wavenumber (cm⁻¹)"
    if unit == "index":
        return "band index"
    return f"wavelength ({unit_text(unit)})" if unit else "wavelength"
