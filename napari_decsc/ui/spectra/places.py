"""Spectra of cubes as numbers: what the spectrum plot draws and the CSV holds. No window here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.hsi.io.envi.library import SpectralLibrary
from napari_decsc.hsi.metrics import spectral_angle


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
class Shelved:
    """A spectral library beside the pinned places: curves of their own, in no image."""

    library: SpectralLibrary
    name: str = ""
    is_hidden: bool = False
    colour: str = "#8C8C8C"

    @property
    def title(self) -> str:
        """The given name, or that of the file."""
        source = self.library.source
        count = counted(len(self.library.names), "spectrum", "spectra")
        return self.name or f"{'library' if source is None else source.stem} ({count})"


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


def short(name: str, length: int = 24) -> str:
    """A name that fits into narrow places; its middle is left out where it is long."""
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}…{name[-tail:]}"
