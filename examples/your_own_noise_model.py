"""A noise model of your own: a frozen dataclass that draws what befalls a cube.

Its described fields are its settings. To have it in the window and on the command line too, add it to `NOISE_MODELS`
in `napari_decsc/hsi/noise/models.py`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import napari_decsc as nd
from napari_decsc.hsi.noise.base import Corruption, DrawnNoise, Shape
from napari_decsc.hsi.noise.models import Gaussian
from napari_decsc.settings import described


@dataclass(frozen=True)
class EveryOtherColumn(DrawnNoise):
    """A detector with two readouts: odd columns have an offset, and all pixels a little noise."""

    name: ClassVar[str] = "two-readouts"
    summary: ClassVar[str] = "Odd columns have an offset"
    offset: float = described(0.05, "Offset of the odd columns", unit="of the peak", minimum=0, maximum=1)
    sigma: float = described(10.0, "Noise level of every band", unit="of 255", minimum=0, maximum=255)

    def draw(self, shape: Shape, rng: np.random.Generator) -> Corruption:
        """Offsets of every column of every band, shape (band, col); the peak is 1."""
        bands, _, cols = shape
        columns = np.where(np.arange(cols) % 2, self.offset, 0).astype(np.float32)
        return replace(Gaussian(sigma=self.sigma).draw(shape, rng), offset=np.tile(columns, (bands, 1)))


clean = nd.sample_cube(rows=64, cols=64)
noisy = nd.add_noise(clean, EveryOtherColumn(offset=0.1), seed=5)
columns = (noisy.data - clean.data).mean(axis=(0, 1))
print(f"mean of the even columns {columns[::2].mean():.3f}, of the odd ones {columns[1::2].mean():.3f}")
denoised = nd.denoise(noisy)
print(f"{nd.score(clean, noisy).mpsnr:.1f} dB before, {nd.score(clean, denoised).mpsnr:.1f} dB after")
