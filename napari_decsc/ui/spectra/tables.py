"""Pinned spectra as a table (CSV) and as an ENVI spectral library. No window here."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.library import SpectralLibrary
from napari_decsc.ui.cubes.axis import shared_axis
from napari_decsc.ui.spectra.places import Pin, statistics

COLUMNS = ("cube", "row", "col", "band", "wavelength", "unit", "good", "value", "std", "place", "pixels")


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
