"""The axis that the spectra of several cubes share, and what their values are called."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.summary import unit_text


@dataclass(frozen=True, eq=False)
class Axis:
    """The abscissa that several cubes share: ``values`` has one array, shape (band,), for every cube.

    ``step`` is the least distance of the numbers at it: 1 for numbers of bands, which have no halves.
    """

    values: tuple[NDArray[np.float64], ...]
    label: str
    unit: str = ""
    step: float = 0.0


def shared_axis(cubes: Sequence[Cube]) -> Axis:
    """Wavelengths in the unit the cubes share, else in nm, else band numbers: never two kinds on one axis."""
    units = {cube.wavelength_unit for cube in cubes}
    own = [cube.wavelengths for cube in cubes if cube.wavelengths is not None]
    if len(units) == 1 and len(own) == len(cubes):
        unit = units.pop()
        return Axis(tuple(own), axis_label(unit), unit)
    lengths = [values for cube in cubes if (values := cube.wavelengths_nm) is not None]
    if cubes and len(lengths) == len(cubes):
        return Axis(tuple(lengths), axis_label("nm"), "nm")
    return Axis(tuple(np.arange(1, cube.bands + 1, dtype=np.float64) for cube in cubes), "band", step=1.0)


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
