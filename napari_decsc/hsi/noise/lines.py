"""Noise of whole lines of pixels: stripes along columns, rows or at an angle, dead columns, and fringes."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.noise.base import Floats, NoiseModel, OfBand, Shape
from napari_decsc.settings import described


@dataclass(frozen=True)
class Stripes(NoiseModel):
    """Lines of pixels whose detector has an offset and a gain of its own: y <- (1 + gain) y + offset.

    Source: Gadallah, Csillag, Smith, *Destriping multisensor imagery with moment matching*, Int. J. Remote Sensing 21
    (2000), which takes both from the image again.
    """

    offset: float = described(
        0.03,
        "Offsets of the lines, root mean square (dark current; DSNU of EMVA 1288)",
        label="Offsets",
        unit="of the peak",
        minimum=0,
        maximum=1,
    )
    gain: float = described(
        0.0,
        "Gains of the lines about 1, root mean square (PRNU of EMVA 1288)",
        label="Gains",
        unit="of 1",
        minimum=0,
        maximum=1,
    )
    band_chance: float = described(
        1.0, "Chance of a band to have such lines", label="Bands hit", unit="of 1", minimum=0, maximum=1
    )

    @abstractmethod
    def place(self, rows: int, cols: int) -> NDArray[np.float64]:
        """Which line a pixel lies on, from 0, and how far between it and the next.

        Parameters
        ----------
        rows, cols : int
            Of the image.

        Returns
        -------
        float array
            Of a shape that spreads to (row, col).
        """

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws the bands, and offset and gain of every line of each."""
        bands, rows, cols = shape
        place = self.place(rows, cols)
        line = np.floor(place).astype(int)
        between = (place - line).astype(np.float32)
        count = int(line.max()) + 2
        hit = rng.random(bands) < self.band_chance
        gains, offsets = (
            np.where(hit[:, None], size * rng.standard_normal((bands, count)), 0).astype(np.float32)
            for size in (self.gain, self.offset)
        )

        def of_band(band: int, clean: Floats) -> Floats:
            gain, offset = (
                lines[band][line] * (1 - between) + lines[band][line + 1] * between for lines in (gains, offsets)
            )
            noisy: Floats = clean * (1 + gain) + offset
            return noisy

        return of_band


@dataclass(frozen=True)
class ColumnStripes(Stripes):
    """Stripes along the columns: a push-broom camera, whose every column is one detector pixel."""

    name: ClassVar[str] = "column-stripes"
    summary: ClassVar[str] = "Every column has an offset and a gain of its own (push-broom)"
    order: ClassVar[int] = 2

    def place(self, rows: int, cols: int) -> NDArray[np.float64]:
        """The column."""
        return np.arange(cols, dtype=float)[None]


@dataclass(frozen=True)
class RowStripes(Stripes):
    """Stripes along the rows: a whisk-broom mirror, or rows that are read out one after the other."""

    name: ClassVar[str] = "row-stripes"
    summary: ClassVar[str] = "Every row has an offset and a gain of its own (whisk-broom, read-out)"
    order: ClassVar[int] = 3

    def place(self, rows: int, cols: int) -> NDArray[np.float64]:
        """The row."""
        return np.arange(rows, dtype=float)[:, None]


@dataclass(frozen=True)
class ObliqueStripes(Stripes):
    """Stripes at an angle: columns of a scene that was georeferenced; between two lines values are interpolated."""

    name: ClassVar[str] = "oblique-stripes"
    summary: ClassVar[str] = "Stripes at an angle: a scene that was georeferenced after the flight"
    order: ClassVar[int] = 4
    angle: float = described(12.0, "Direction of the lines, off the columns", unit="degrees", minimum=-90, maximum=90)

    def place(self, rows: int, cols: int) -> NDArray[np.float64]:
        """Distance across the lines, from the first that touches the image."""
        row, col = np.mgrid[:rows, :cols]
        turn = np.radians(self.angle)
        place: NDArray[np.float64] = col * np.cos(turn) + row * np.sin(turn)
        place -= place.min()
        return place


@dataclass(frozen=True)
class DeadColumns(NoiseModel):
    """Columns of a band that are stuck at one value: dead pixels of a detector row."""

    name: ClassVar[str] = "dead-columns"
    summary: ClassVar[str] = "Columns of a band are stuck at one value (dead detector pixels)"
    order: ClassVar[int] = 7
    column_chance: float = described(
        0.01, "Chance of a column of a band to be dead", label="Dead columns", unit="of 1", minimum=0, maximum=1
    )
    stuck: float = described(
        0.2,
        "Highest value that a band's dead columns are stuck at; it is even from 0 to this",
        unit="of the peak",
        minimum=0,
        maximum=1,
    )

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws columns and value of every band."""
        bands, _, cols = shape
        dead = rng.random((bands, 1, cols)) < self.column_chance
        value = rng.uniform(0, self.stuck, bands).astype(np.float32)

        def of_band(band: int, clean: Floats) -> Floats:
            noisy: Floats = np.where(dead[band], value[band], clean)
            return noisy

        return of_band


@dataclass(frozen=True)
class Fringes(NoiseModel):
    """A plane wave in every band, each in a direction of its own: interference in a thin detector (etaloning)."""

    name: ClassVar[str] = "fringes"
    summary: ClassVar[str] = "A plane wave in every band: interference in a thinned detector, or pick-up"
    order: ClassVar[int] = 6
    amplitude: float = described(0.05, "Amplitude of the wave", unit="of the peak", minimum=0, maximum=1)
    period: float = described(9.0, "Distance of two crests", unit="pixels", minimum=2, maximum=1e4)

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws direction and phase of every band."""
        bands, rows, cols = shape
        turn, phase = rng.uniform(0, np.pi, bands), rng.uniform(0, 2 * np.pi, bands)
        row, col = np.arange(rows)[:, None], np.arange(cols)[None]

        def of_band(band: int, clean: Floats) -> Floats:
            across: NDArray[Any] = row * np.sin(turn[band]) + col * np.cos(turn[band])
            noisy: Floats = clean + np.float32(self.amplitude) * np.sin(2 * np.pi * across / self.period + phase[band])
            return noisy.astype(np.float32)

        return of_band
