"""Spectra of cubes as numbers: what the spectrum plot draws and the CSV holds. No window here."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.envi.library import SpectralLibrary
from napari_decsc.hsi.errors import CubeError
from napari_decsc.hsi.metrics import spectral_angle
from napari_decsc.ui.band_label import unit_text

COLUMNS = ("cube", "row", "col", "band", "wavelength", "unit", "good", "value", "std", "place", "pixels")


@dataclass(frozen=True, eq=False)
class Axis:
    """The abscissa that several cubes share: ``values`` has one array, shape (band,), for every cube."""

    values: tuple[NDArray[np.float64], ...]
    label: str
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Pin:
    """A pinned place: a pixel, or a region of interest whose pixels are ``area``, shape (n, 2), as (row, col).

    ``row`` and ``col`` of a region are those of its middle.
    """

    row: int
    col: int
    colour: str
    name: str = ""
    is_hidden: bool = False
    area: NDArray[np.int64] | None = None

    @property
    def title(self) -> str:
        """The given name, or where it is."""
        if self.name:
            return self.name
        place = f"row {self.row}, col {self.col}"
        return place if self.area is None else f"ROI around {place}"

    @property
    def pixels(self) -> int:
        """How many pixels it covers."""
        return 1 if self.area is None else len(self.area)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and standard deviation over the pixels of a place, each of shape (band,); no deviation for one pixel."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64] | None = None


def statistics(cube: Cube, pin: Pin) -> Statistics:
    """Spectrum of a pinned place in physical values; bad bands, and bands without a measured pixel, are NaN."""
    if pin.area is None:
        return Statistics(spectrum(cube, pin.row, pin.col))
    rows, cols = pin.area.T
    box = np.asarray(cube.data[:, rows.min() : rows.max() + 1, cols.min() : cols.max() + 1])
    # only the pixels inside, as an image of one row
    inside = cube.replace(data=box[:, rows - rows.min(), cols - cols.min()][:, None]).physical()[:, 0].astype(float)
    measured = np.isfinite(inside)
    count = measured.sum(axis=1)
    some = np.where(count > 0, count, np.nan)
    mean = np.where(measured, inside, 0).sum(axis=1) / some
    std = np.sqrt(np.where(measured, (inside - mean[:, None]) ** 2, 0).sum(axis=1) / some)
    if cube.good_bands is not None:
        mean[~cube.good_bands] = std[~cube.good_bands] = np.nan
    return Statistics(mean, std)


def difference(reference: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """SAM in degrees and RMSE in physical units of two spectra, over the bands that both have; NaN without any."""
    both = np.isfinite(reference) & np.isfinite(other)
    if not both.any():
        return float("nan"), float("nan")
    a, b = reference[both], other[both]
    angle = spectral_angle(a[:, None, None], b[:, None, None])[0, 0]
    return float(np.degrees(angle)), float(np.sqrt(np.mean((a - b) ** 2)))


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
        unit = units.pop()
        return Axis(tuple(cube.wavelengths for cube in cubes), _label(unit), unit)
    lengths = tuple(cube.wavelengths_nm for cube in cubes)
    if cubes and all(values is not None for values in lengths):
        return Axis(lengths, _label("nm"), "nm")
    return Axis(tuple(np.arange(1, cube.bands + 1, dtype=np.float64) for cube in cubes), "band")


def value_label(cubes: Sequence[Cube]) -> str:
    """What the ordinate shows: values as stored, or divided by the scale factor."""
    scales = {cube.scale for cube in cubes}
    if scales == {1.0} or not scales:
        return "value"
    return f"value / {scales.pop():g}" if len(scales) == 1 else "physical value"


def short(name: str, length: int = 24) -> str:
    """A name that fits into narrow places; its middle is left out where it is long."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}…{name[-tail:]}"


def as_csv(cubes: Sequence[Cube], pins: Sequence[Pin]) -> str:
    """Spectra of all cubes at all places, one line a band (counted from 1); bad bands keep their values, good is 0."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cube in cubes:
        good = np.ones(cube.bands, bool) if cube.good_bands is None else cube.good_bands
        for pin in pins:
            found = statistics(cube.replace(good_bands=None), pin)
            std = np.full(cube.bands, np.nan) if found.std is None else found.std
            for band in range(cube.bands):
                wavelength = "" if cube.wavelengths is None else f"{cube.wavelengths[band]:.10g}"
                line = (cube.name, pin.row, pin.col, band + 1, wavelength, cube.wavelength_unit, int(good[band]))
                writer.writerow((*line, _cell(found.mean[band]), _cell(std[band]), pin.title, pin.pixels))
    return text.getvalue()


def as_library(cubes: Sequence[Cube], pins: Sequence[Pin]) -> SpectralLibrary:
    """Spectra of all cubes at all places, named "place · cube"; of a region the mean. Bad bands keep their values.

    Raises
    ------
    CubeError
        If the cubes differ in their bands or wavelengths: a library has one axis for all its spectra.
    """
    axis = shared_axis(cubes)
    if any(len(one) != len(axis.values[0]) or not np.allclose(one, axis.values[0]) for one in axis.values):
        raise CubeError("the shown cubes differ in their bands; hide some, as a library has one axis for all spectra")
    spectra = [statistics(cube.replace(good_bands=None), pin).mean for cube in cubes for pin in pins]
    # a comma separates the names in the header
    names = tuple(f"{pin.title} · {cube.name}".replace(",", "") for cube in cubes for pin in pins)
    known = all(cube.wavelengths is not None for cube in cubes)
    return SpectralLibrary(np.array(spectra), names, axis.values[0] if known else None, axis.unit if known else "")


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.9g}"


def _label(unit: str | None) -> str:
    if unit == "1/cm":
        return "wavenumber (cm⁻¹)"
    if unit == "index":
        return "band index"
    return f"wavelength ({unit_text(unit)})" if unit else "wavelength"
