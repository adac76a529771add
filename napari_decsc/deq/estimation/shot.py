"""Noise that grows with the signal: variance = read^2 + shot * signal, its fit, and two cures.

Where the growth is the same for all bands of a pixel, the pixel is divided by it: spectra keep their directions.
Otherwise every value is stabilised by the generalised Anscombe transform.

Sources: Foi, Trimeche, Katkovnik, Egiazarian, *Practical Poissonian-Gaussian noise modeling and fitting for
single-image raw data*, IEEE TIP 17 (2008); Makitalo, Foi, *Optimal inversion of the generalized Anscombe
transformation for Poisson-Gaussian noise*, IEEE TIP 22 (2013).
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.differences import NORMAL_MAD
from napari_decsc.filters.local import box_mean
from napari_decsc.filters.order import order
from napari_decsc.filters.spectra import mix_bands

#: Places of equal brightness of a band, whose variance is one observation.
BINS = 12
#: The affine fit counts where the growth within bands leaves no more than this share of the logarithmic error of one
#: level per band ...
BETTER = 0.7
#: ... and that error is no smaller than this.
LEAST_ERROR = 0.02
#: A pixel's scale does where it leaves no more than this share of the error.
BY_PIXEL = 0.27
#: Signals in the table of the inverse.
TABLE = 4096
#: Nodes of the integral that makes it.
NODES = 41
#: Side of the window that brightness is smoothed with.
SMOOTH = 3


@dataclass(frozen=True, eq=False)
class ShotNoise:
    """variance = read^2 + shot * signal, the same in all bands, in the cube's units.

    Parameters
    ----------
    shot : float
        Growth of the variance with the signal.
    read : float
        Noise level at no signal.
    by_pixel : bool
        Whether pixels are divided by a scale; otherwise values are stabilised.
    error : float
        Mean square logarithmic error of the fit.
    by_pixel_leaves : float
        Share of the growth, as mean square logarithm, that one scale per pixel leaves.
    """

    shot: float
    read: float
    by_pixel: bool
    error: float = 0.0
    by_pixel_leaves: float = 0.0

    def variance(self, signal: Tensor) -> Tensor:
        """Of a signal, never below a fiftieth of its mean, nor below that of reading.

        Parameters
        ----------
        signal : tensor
            Of any shape.

        Returns
        -------
        tensor
            Of the same shape.
        """
        found = self.read**2 + self.shot * signal.clamp(min=0)
        return found.clamp(min=max(self.read**2, 0.02 * float(found.mean())))

    def stabilised(self, cube: Tensor) -> Tensor:
        """Values whose noise has variance 1: the generalised Anscombe transform.

        Parameters
        ----------
        cube : tensor
            Of any shape.

        Returns
        -------
        tensor
            Of the same shape.
        """
        inside = self.shot * cube + 0.375 * self.shot**2 + self.read**2
        return 2 / self.shot * inside.clamp(min=0).sqrt()

    def restored(self, values: Tensor) -> Tensor:
        """The signal whose stabilised values have this mean: the exact unbiased inverse, from a table.

        Parameters
        ----------
        values : tensor
            Stabilised, of any shape.

        Returns
        -------
        tensor
            Of the same shape, in the cube's units.
        """
        most = self.shot * float(values.max()) ** 2 / 4
        signal = torch.linspace(0, 1, TABLE, dtype=torch.float64, device=values.device).square()
        signal = signal * (max(most, 0) + 8 * self.read + 8 * self.shot) - 4 * self.read
        mean = self._stabilised_mean(signal).to(values.dtype)
        above = torch.searchsorted(mean, values.contiguous()).clamp(1, TABLE - 1)
        low, high = mean[above - 1], mean[above]
        share = ((values - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
        signal = signal.to(values.dtype)
        return torch.lerp(signal[above - 1], signal[above], share)

    def _stabilised_mean(self, signal: Tensor) -> Tensor:
        """Expectation of the stabilised values of a signal with normal noise, by Gauss and Hermite's rule."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        level = (self.read**2 + self.shot * signal.clamp(min=0)).sqrt()
        total = torch.zeros_like(signal)
        for node, weight in zip(nodes, weights / weights.sum(), strict=True):
            total += weight * self.stabilised(signal + node * level)
        return total

    def scale(self, cube: Tensor) -> Tensor:
        """Noise levels of pixels about their mean, from the smoothed cube.

        Parameters
        ----------
        cube : tensor of shape (band, row, col)
            Noisy.

        Returns
        -------
        tensor of shape (1, row, col)
            0.05 or more.
        """
        variance = self.variance(smooth(cube))
        relative = variance / variance.mean((1, 2), keepdim=True)
        return relative.mean(0, keepdim=True).sqrt().clamp(min=0.05)


def smooth(cube: Tensor) -> Tensor:
    """Every band smoothed twice by a mean over 3 x 3 pixels.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        In any unit.

    Returns
    -------
    tensor of shape (band, row, col)
        In the same unit.
    """
    return box_mean(box_mean(cube[None], SMOOTH), SMOOTH)[0]


@torch.no_grad()
def fitted(
    cube: Tensor, residual: Tensor, mixing: Tensor | None = None, by_pixel: bool | None = None
) -> ShotNoise | None:
    """The growth of the noise with the signal, or None where one level per band says as much.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        In any unit.
    residual : tensor of shape (band, row, col)
        Noise, in the unit of the cube; NaN where it cannot tell.
    mixing : tensor of shape (band, band), optional
        What is beside a subspace mixes the bands, and has the variance of so much of each.
    by_pixel : bool, optional
        Which cure is wanted; by default what spectra say.

    Returns
    -------
    ShotNoise or None
        In the unit of the cube.
    """
    signal = smooth(cube)
    seen = signal if mixing is None else mix_bands((mixing / mixing.sum(1, keepdim=True))[None], signal[None])[0]
    x, v = _observations(seen, residual)
    if len(x) < 3 * BINS:
        return None
    offset, slope = _line(x, v)
    model = (offset + slope * x).clamp(min=float(v.min()) * 0.3 + 1e-30)
    error, before = _uneven(v / model), _uneven(v)
    if slope <= 0 or before < LEAST_ERROR or error > BETTER * before:
        return None
    read = max(offset, 0.05 * float(v.min())) ** 0.5
    found = ShotNoise(slope, read, by_pixel=True)
    variance = found.variance(signal)
    relative = variance / variance.mean((1, 2), keepdim=True)
    left = (relative / relative.mean(0, keepdim=True)).log().square().mean()
    share = float(left / relative.log().square().mean())
    return ShotNoise(slope, read, share < BY_PIXEL if by_pixel is None else by_pixel, error, share)


def _uneven(variance: Tensor) -> float:
    """Mean square of the logarithms of variances about the mean of their band: its level is known anyway."""
    logarithm = variance.log().view(-1, BINS)
    return float((logarithm - logarithm.mean(1, keepdim=True)).square().mean())


def _observations(signal: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
    """Mean brightness and noise variance of places of equal brightness, band by band."""
    xs, vs = [], []
    for bright, noise in zip(signal.flatten(1), residual.flatten(1), strict=True):
        if not bool(noise.isfinite().all()):
            continue
        limit = 6 * noise.abs().median() / NORMAL_MAD
        energy = noise.clamp(-limit, limit).square()
        for part in order(bright).tensor_split(BINS):
            xs.append(bright[part].mean())
            vs.append(energy[part].mean())
    return (torch.stack(xs).double(), torch.stack(vs).double().clamp(min=1e-30)) if xs else (torch.empty(0),) * 2


def _line(x: Tensor, v: Tensor) -> tuple[float, float]:
    """Offset and slope of v over x, by least squares of relative errors."""
    weight = 1 / v.clamp(min=float(v.median()) * 1e-3)
    design = F.pad(x[:, None], (1, 0), value=1.0)
    solution = torch.zeros(2, dtype=x.dtype)
    for _ in range(5):
        solution = torch.linalg.lstsq(design * weight[:, None], (v * weight)[:, None]).solution[:, 0]
        weight = 1 / (design @ solution).clamp(min=float(v.min()) * 0.3)
    return float(solution[0]), float(solution[1])
