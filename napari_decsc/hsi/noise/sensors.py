"""Noise as sensors make it: of light and electronics, of resampling, of the converter, and a whole push-broom camera.

Cubes have the peak 1. Stripes and fringes are in :mod:`.lines`, voxels and bands that hold nothing in :mod:`.faults`.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.noise.base import Floats, NoiseModel, OfBand, Pixels, Shape
from napari_decsc.hsi.noise.faults import JunkBands, WildVoxels
from napari_decsc.hsi.noise.fields import normal_field
from napari_decsc.hsi.noise.lines import ColumnStripes, DeadColumns, Fringes, ObliqueStripes, RowStripes
from napari_decsc.settings import described

#: Beyond so many electrons a Poisson law and a normal one cannot be told apart.
MANY_ELECTRONS = 1e9


def _well(electrons: float) -> Any:
    """The field of the light that a voxel at the peak collected."""
    return described(
        electrons,
        "Electrons that a voxel at the peak collected; their shot noise is the root of their number (Janesick 2007)",
        label="Light at the peak",
        unit="electrons",
        minimum=1,
        maximum=1e9,
    )


def _read(electrons: float) -> Any:
    """The field of the read noise."""
    return described(
        electrons,
        "Read noise, root mean square (dark noise of EMVA 1288)",
        label="Read noise",
        unit="electrons",
        minimum=0,
        maximum=1e6,
    )


@dataclass(frozen=True)
class Shot(NoiseModel):
    """Shot noise of the electrons that light sets free, and read noise.

    A voxel of value y collected ``y well`` electrons: their number follows a Poisson law, so that the variance is
    y / well + (read / well)^2 in units of the peak. Below 0 there is read noise alone.
    Source: Foi, Trimeche, Katkovnik, Egiazarian, *Practical Poissonian-Gaussian noise modeling and fitting for
    single-image raw-data*, IEEE TIP 17 (2008); terms as in Janesick, *Photon Transfer* (SPIE 2007).
    """

    name: ClassVar[str] = "shot"
    summary: ClassVar[str] = "Shot noise of the light and read noise of the detector"
    order: ClassVar[int] = 0
    well: float = _well(10_000.0)
    read: float = _read(10.0)
    statistics: str = described(
        "poisson",
        "Law of the number of electrons: poisson, or a normal one of the same variance (Foi et al. 2008)",
        choices=("poisson", "normal"),
    )

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws nothing but the pixels' seed."""
        pixels = Pixels(rng)

        def of_band(band: int, clean: Floats) -> Floats:
            own = pixels(band)
            electrons = np.maximum(np.nan_to_num(clean.astype(np.float64)), 0) * self.well
            if self.statistics == "poisson":
                normal = np.sqrt(electrons) * own.standard_normal(clean.shape)
                few = electrons < MANY_ELECTRONS
                noise = np.where(few, own.poisson(np.where(few, electrons, 0)) - electrons, normal)
                noise = noise + self.read * own.standard_normal(clean.shape)
            else:
                noise = np.sqrt(electrons + self.read**2) * own.standard_normal(clean.shape)
            return (clean + noise / self.well).astype(np.float32)

        return of_band


@dataclass(frozen=True)
class Correlated(NoiseModel):
    """Gaussian noise, correlated between neighbouring pixels or bands, every band with a level of its own.

    What resampling, binning and smoothing leave: white noise behind a Gaussian window, at the given level again.
    Source: Mäkinen, Azzari, Foi, *Collaborative filtering of correlated noise*, IEEE TIP 29 (2020).
    """

    name: ClassVar[str] = "correlated"
    summary: ClassVar[str] = "Gaussian, correlated in space (resampled) or along the bands (binned, smoothed)"
    level: float = described(0.02, "Noise level of a middling band", unit="of the peak", minimum=0, maximum=1)
    spread: float = described(
        0.0,
        "How far levels of bands lie apart: their natural logarithms are even within this, either side",
        unit="of a factor e",
        minimum=0,
        maximum=5,
    )
    across: float = described(
        0.7,
        "Standard deviation of the window in space, 0: white (Mäkinen et al. 2020)",
        label="Window across",
        unit="pixels",
        minimum=0,
        maximum=50,
    )
    along: float = described(
        0.0,
        "Standard deviation of the window along the bands, 0: independent bands",
        label="Window along",
        unit="bands",
        minimum=0,
        maximum=50,
    )

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws the level of every band."""
        level = self.level * np.exp(rng.uniform(-self.spread, self.spread, shape[0]))
        noise = normal_field(shape, Pixels(rng), self.across, self.along)
        return lambda band, clean: clean + np.float32(level[band]) * noise(band)


@dataclass(frozen=True)
class Shared(NoiseModel):
    """One noise image in all bands, in each at 0.5 to 1.5 times its level: flicker of a lamp, smear, frame offsets."""

    name: ClassVar[str] = "shared"
    summary: ClassVar[str] = "The same noise in all bands: lamp flicker, smear, offsets of frames"
    order: ClassVar[int] = 5
    level: float = described(0.03, "Noise level of a middling band", unit="of the peak", minimum=0, maximum=1)

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws the image and its share in every band."""
        bands, *image = shape
        level, pixels = self.level * (0.5 + rng.random(bands)), Pixels(rng)
        noise = pixels(0).standard_normal(image, np.float32)
        return lambda band, clean: clean + np.float32(level[band]) * noise


@dataclass(frozen=True)
class Quantised(NoiseModel):
    """Values rounded to the grey levels of a converter, that lie evenly from 0 to the peak and beyond.

    Its error has the variance of a step squared over 12 where other noise is a step or more.
    Source: Widrow, Kollár, *Quantization Noise* (Cambridge 2008).
    """

    name: ClassVar[str] = "quantised"
    summary: ClassVar[str] = "Rounded to grey levels, as a converter of n bits gives them"
    order: ClassVar[int] = 8
    bits: int = described(
        12,
        "Bits of the converter: 2^n grey levels from 0 to the peak (Widrow, Kollár 2008)",
        label="Converter",
        unit="bits",
        minimum=1,
        maximum=32,
    )
    grey_levels: int = described(
        0,
        "Grey levels from 0 to the peak, where they are no power of 2; 0: 2^bits",
        unit="levels",
        minimum=0,
        maximum=2**31 - 1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grey_levels == 1:
            raise SettingsError("grey_levels is 1; give 2 or more, or 0 for 2^bits")

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws nothing."""
        steps = (self.grey_levels or 2**self.bits) - 1
        return lambda band, clean: (np.round(clean.astype(np.float64) * steps) / steps).astype(np.float32)


@dataclass(frozen=True)
class PushBroom(NoiseModel):
    """What a push-broom camera gives: one detector row, whose every pixel sees one column of a band of the scene.

    Shot and read noise (normal, correlated along the bands by the spectral resampling), columns with offsets and gains
    of their own, dead columns, and the converter's grey levels.
    Source: Mouroulis, Green, Chrien, *Design of pushbroom imaging spectrometers for optimum recovery of spectroscopic
    and spatial information*, Applied Optics 39 (2000); Janesick, *Photon Transfer* (SPIE 2007).
    """

    name: ClassVar[str] = "push-broom"
    summary: ClassVar[str] = "A push-broom camera: shot and read noise, columns with offsets and gains, dead ones, bits"
    order: ClassVar[int] = 0
    well: float = _well(1000.0)
    read: float = _read(5.0)
    along: float = described(
        0.5,
        "Standard deviation of the window of the spectral resampling, 0: independent bands",
        label="Window along",
        unit="bands",
        minimum=0,
        maximum=50,
    )
    offset: float = described(
        0.01,
        "Offsets of the columns, root mean square (dark current; DSNU of EMVA 1288)",
        label="Column offsets",
        unit="of the peak",
        minimum=0,
        maximum=1,
    )
    gain: float = described(
        0.01,
        "Gains of the columns about 1, root mean square (PRNU of EMVA 1288)",
        label="Column gains",
        unit="of 1",
        minimum=0,
        maximum=1,
    )
    column_chance: float = described(
        0.01, "Chance of a column of a band to be dead", label="Dead columns", unit="of 1", minimum=0, maximum=1
    )
    bits: int = described(
        12,
        "Bits of the converter: 2^n grey levels from 0 to the peak",
        label="Converter",
        unit="bits",
        minimum=1,
        maximum=32,
    )

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws the columns."""
        noise = normal_field(shape, Pixels(rng), along=self.along)
        parts = (ColumnStripes(self.offset, self.gain), DeadColumns(self.column_chance), Quantised(self.bits))
        acts = [part.begin(shape, rng) for part in parts]

        def of_band(band: int, clean: Floats) -> Floats:
            level = np.sqrt(np.maximum(clean, 0) / self.well + (self.read / self.well) ** 2)
            noisy = (clean + level * noise(band)).astype(np.float32)
            for act in acts:
                noisy = act(band, noisy)
            return noisy

        return of_band


#: The models, in the order a person should see them.
SENSOR_MODELS: tuple[type[NoiseModel], ...] = (
    *(Shot, Correlated, Shared, ColumnStripes, RowStripes, ObliqueStripes, Fringes, DeadColumns, Quantised),
    *(WildVoxels, JunkBands, PushBroom),
)
