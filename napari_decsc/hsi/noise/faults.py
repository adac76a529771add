"""What is no noise at all: voxels of absurd value, and bands that hold nothing of the scene."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.noise.base import Floats, NoiseModel, OfBand, Pixels, Shape
from napari_decsc.settings import described


@dataclass(frozen=True)
class WildVoxels(NoiseModel):
    """A few voxels of absurd value, of either sign: cosmic rays, broken words in a transmission."""

    name: ClassVar[str] = "wild-voxels"
    summary: ClassVar[str] = "A few voxels of absurd value: cosmic rays, transmission errors"
    order: ClassVar[int] = 9
    voxels: int = described(12, "How many voxels of the cube are hit", unit="voxels", minimum=0, maximum=10**7)
    least: float = described(50.0, "Smallest absolute value of them", unit="of the peak", minimum=0, maximum=1e6)
    most: float = described(100.0, "Largest absolute value of them", unit="of the peak", minimum=0, maximum=1e6)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.least > self.most:
            raise SettingsError(f"least is {self.least:g}; it must not be above most, {self.most:g}")

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws places and values."""
        band_of, row, col = (rng.integers(extent, size=self.voxels) for extent in shape)
        value = rng.choice([-1, 1], self.voxels) * rng.uniform(self.least, self.most, self.voxels)

        def of_band(band: int, clean: Floats) -> Floats:
            noisy, here = clean.copy(), band_of == band
            noisy[row[here], col[here]] = value[here]
            return noisy

        return of_band


@dataclass(frozen=True)
class JunkBands(NoiseModel):
    """Three bands from a third of the cube on that hold nothing: loud noise, one constant value, fainter noise.

    Water vapour absorbs all light near 1.4 and 1.9 micrometres, and what is left there, divided by nearly nothing, is
    noise at many times the peak. Source: Green et al., *Imaging spectroscopy and the Airborne Visible/Infrared Imaging
    Spectrometer (AVIRIS)*, Remote Sens. Environ. 65 (1998).
    """

    name: ClassVar[str] = "junk-bands"
    summary: ClassVar[str] = "Three bands that hold nothing: water vapour, a constant, noise alone"
    order: ClassVar[int] = 10
    loud: float = described(1000.0, "Noise level of the first such band", unit="of the peak", minimum=0, maximum=1e6)
    constant: float = described(1.0, "Value of the second one", unit="of the peak", minimum=-1e6, maximum=1e6)
    faint: float = described(3.0, "Noise level of the third one", unit="of the peak", minimum=0, maximum=1e6)

    def begin(self, shape: Shape, rng: np.random.Generator) -> OfBand:
        """Draws nothing but the pixels' seed."""
        first, pixels = int(np.argmax(self.lost(shape[0]))), Pixels(rng)
        levels = (self.loud, 0.0, self.faint)

        def of_band(band: int, clean: Floats) -> Floats:
            place = band - first
            if not 0 <= place < len(levels):
                return clean
            if place == 1:
                return np.full_like(clean, self.constant)
            return np.float32(levels[place]) * pixels(band).standard_normal(clean.shape, np.float32)

        return of_band

    def lost(self, bands: int) -> NDArray[np.bool_]:
        """The three, or as many as there are."""
        first = bands // 3
        return (np.arange(bands) >= first) & (np.arange(bands) < first + 3)
