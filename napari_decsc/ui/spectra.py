"""Spectra of cubes as numbers: what the spectrum plot draws and the CSV holds. No window here."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.band_label import unit_text

COLUMNS = ("cube", "row", "col", "band", "wavelength", "unit", "good", "value")


@dataclass(frozen=True, eq=False)
class Axis:
    """The abscissa that several cubes share: ``values`` has one array, shape (band,), for every cube."""

    values: tuple[NDArray[np.float64], ...]
    label: str


def spectrum(cube: Cube, row: int, col: int) -> NDArray[np.float64]:
    """Physical values of one pixel, shape (band,); bands marked as bad, and voxels not measured, are NaN."""
    # one column of the cube, so that a memory map is read only there
    pixel = cube.replace(data=np.asarray(cube.data[:, row : row + 1, col : col + 1]))
    values = pixel.physical()[:, 0, 0].astype(np.float64)
    if cube.good_bands is not None:
        values[~cube.good_bands] = np.nan
    return values


def shared_axis(cubes: Sequence[Cube]) -> Axis:
    """Wavelengths in the unit the cubes share, else in nm, else band numbers: never two kinds on one axis."""
    units = {cube.wavelength_unit if cube.wavelengths is not None else None for cube in cubes}
    if len(units) == 1 and None not in units:
        return Axis(tuple(cube.wavelengths for cube in cubes), _label(units.pop()))
    lengths = tuple(cube.wavelengths_nm for cube in cubes)
    if cubes and all(values is not None for values in lengths):
        return Axis(lengths, _label("nm"))
    return Axis(tuple(np.arange(1, cube.bands + 1, dtype=np.float64) for cube in cubes), "band")


def value_label(cubes: Sequence[Cube]) -> str:
    """What the ordinate shows: values as stored, or divided by the scale factor."""
    scales = {cube.scale for cube in cubes}
    if scales == {1.0} or not scales:
        return "value"
    return f"value / {scales.pop():g}" if len(scales) == 1 else "physical value"


def as_csv(cubes: Sequence[Cube], pixels: Sequence[tuple[int, int]]) -> str:
    """Spectra of all cubes at all pixels, one line a band (counted from 1); bad bands keep their values, good is 0."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cube in cubes:
        good = np.ones(cube.bands, bool) if cube.good_bands is None else cube.good_bands
        for row, col in pixels:
            values = spectrum(cube.replace(good_bands=None), row, col)
            for band, value in enumerate(values):
                wavelength = "" if cube.wavelengths is None else f"{cube.wavelengths[band]:.10g}"
                number = "" if np.isnan(value) else f"{value:.9g}"
                line = (cube.name, row, col, band + 1, wavelength, cube.wavelength_unit, int(good[band]), number)
                writer.writerow(line)
    return text.getvalue()


def _label(unit: str | None) -> str:
    if unit == "1/cm":
        return "wavenumber (cm⁻¹)"
    if unit == "index":
        return "band index"
    return f"wavelength ({unit_text(unit)})" if unit else "wavelength"
