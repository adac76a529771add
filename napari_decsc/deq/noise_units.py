"""What is known of a cube before any denoising: the noise level of every band and the cube's own spectral basis.

In *noise units* (the cube divided, band by band, by its noise level) the noise has variance 1 in every band, and a few
eigenvectors of the cube hold nearly all of its signal. Both are found robustly: impulses, dead and offset columns must
not turn them.

Shapes: N cubes, B bands, P = rows * cols pixels, r spectral components. ``keep`` is False where a voxel carries no
information (not measured, or exactly on the floor or the ceiling of the scale).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.shrinkage import clip

#: The noise of a band is never taken to be below this share of the peak: quieter bands are left as they are.
SIGMA_FLOOR = 1e-4
#: What the noise level of a band without any usable voxel is taken to be: its data are not believed.
SIGMA_UNKNOWN = 0.5
#: The MAD of a normal variable of variance 1.
NORMAL_MAD = 0.6745
#: Rounds of the Huber PCA, gradient steps in each, and where it clips (in noise levels).
ROUNDS, STEPS, CLIP_AT = 3, 14, 4.0


@dataclass(frozen=True, eq=False)
class NoiseUnits:
    """Noise levels and spectral basis of N cubes.

    ``sigma`` (N, B) in units of the peak; ``basis`` (N, B, r), orthonormal columns (zero ones beyond the number of
    bands), of the cube divided by sigma; ``limit`` (N, B, 1), the distance from the fit at which a voxel is clipped.
    """

    sigma: Tensor
    basis: Tensor
    limit: Tensor

    def to(self, device: torch.device) -> "NoiseUnits":
        """The same on a device."""
        return NoiseUnits(self.sigma.to(device), self.basis.to(device), self.limit.to(device))


@torch.no_grad()
def find(cube: Tensor, keep: Tensor, rank: int) -> tuple[NoiseUnits, Tensor]:
    """Noise units of cubes (N, B, rows, cols), peak 1, and the repaired cubes in those units.

    The basis is a Huber PCA: fit every spectrum robustly, replace what lies beyond the limit by the fit +- the limit,
    refit. sigma is estimated twice: from the cube, then from what the basis does not explain, where texture is gone.
    """
    bands = cube.shape[1]
    fit = _Fit(cube, keep, min(rank, bands))
    sigma = band_sigmas(cube, keep).clamp(min=SIGMA_FLOOR)
    basis, fitted, _ = fit(sigma, eigenbasis(fit.smooth / sigma[:, :, None], fit.rank))
    better = _measure_again(cube, keep, sigma, basis, fitted)
    start = torch.linalg.qr(basis * (sigma / better)[:, :, None])[0]
    basis, fitted, limit = fit(better, start)
    pixels = fit.raw / better[:, :, None]
    repaired = fitted + fit.weight * clip(pixels - fitted, limit)
    basis = basis * torch.sign(basis.sum(1, keepdim=True) + 1e-9)
    units = NoiseUnits(better, F.pad(basis, (0, rank - fit.rank)), limit)
    return units, repaired.view_as(cube)


@torch.no_grad()
def repair(cube: Tensor, keep: Tensor, units: NoiseUnits, steps: int = 2 * STEPS) -> Tensor:
    """A part of the cube in noise units, with unusable voxels and outliers pulled to the robust fit.

    (N, B, rows, cols) in units of the peak -> the same shape in noise units. For tiles, with the units of the whole.
    """
    scale = units.sigma[:, :, None]
    pixels, weight = cube.flatten(2) / scale, keep.flatten(2).to(cube.dtype)
    code = units.basis.mT @ (median_3x3(cube, keep).flatten(2) / scale)
    fitted = units.basis @ huber_code(pixels, weight, units.basis, units.limit, code, steps)
    return (fitted + weight * clip(pixels - fitted, units.limit)).view_as(cube)


def band_sigmas(cube: Tensor, keep: Tensor) -> Tensor:
    """Noise level of every band, (N, B), from second diagonal differences: blind to smooth signal and column offsets.

    Bands with more than a quarter of their voxels hidden have too few whole quads: first differences along the columns.
    Cubes of a single row or column: second differences along the line.
    """
    z = _hide(cube, keep)
    if min(cube.shape[2:]) < 2:
        line = z.flatten(2)
        sigma = _mad((line[:, :, 2:] - 2 * line[:, :, 1:-1] + line[:, :, :-2]) / 6**0.5)
    else:
        quads = _mad((z[:, :, :-1, :-1] - z[:, :, 1:, :-1] - z[:, :, :-1, 1:] + z[:, :, 1:, 1:]) / 2)
        pairs = _mad((z[:, :, 1:] - z[:, :, :-1]) * 0.5**0.5)
        sigma = torch.where(keep.float().mean((2, 3)) > 0.75, quads, pairs)
    return torch.nan_to_num(sigma, nan=SIGMA_UNKNOWN)


def eigenbasis(pixels: Tensor, rank: int) -> Tensor:
    """The ``rank`` strongest eigenvectors of the second-moment matrix of (N, B, P) pixels: (N, B, rank)."""
    vectors: Tensor = torch.linalg.eigh(pixels @ pixels.mT / pixels.shape[2])[1]
    return vectors.flip(2)[:, :, :rank]


def huber_code(pixels: Tensor, weight: Tensor, basis: Tensor, limit: Tensor, code: Tensor, steps: int) -> Tensor:
    """Robust coordinates of every spectrum in an orthonormal basis: min over x of sum_b w_b Huber((y - E x)_b).

    Gradient steps of length 1 from ``code`` (N, r, P).
    """
    for _ in range(steps):
        code = code + basis.mT @ (weight * clip(pixels - basis @ code, limit))
    return code


def median_3x3(cube: Tensor, keep: Tensor) -> Tensor:
    """Median of the usable voxels of the 3 x 3 neighbourhood; of the whole band where there is none."""
    rows, cols = cube.shape[2:]
    padded = F.pad(_hide(cube, keep), (1, 1, 1, 1), mode="reflect" if min(rows, cols) > 1 else "replicate")
    near = torch.stack([padded[:, :, i : i + rows, j : j + cols] for i in range(3) for j in range(3)], -1)
    median = near.nanmedian(-1).values
    whole_band = torch.nan_to_num(median.flatten(2).nanmedian(2).values, nan=0.0)[:, :, None, None]
    return torch.where(torch.isnan(median), whole_band.expand_as(median), median)


class _Fit:
    """The Huber PCA of given cubes, to be run at two sets of noise levels."""

    def __init__(self, cube: Tensor, keep: Tensor, rank: int) -> None:
        self.keep, self.rank = keep.flatten(2), rank
        self.weight, self.raw = self.keep.to(cube.dtype), torch.where(keep, cube, 0).flatten(2)
        self.smooth = median_3x3(cube, keep).flatten(2)

    def __call__(self, sigma: Tensor, basis: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(sigma (N, B), first basis (N, B, r)) -> basis, fitted spectra (N, B, P), limit (N, B, 1)."""
        pixels = self.raw / sigma[:, :, None]
        code = basis.mT @ (self.smooth / sigma[:, :, None])
        for _ in range(ROUNDS):
            limit = self._limit(pixels - basis @ code)
            code = huber_code(pixels, self.weight, basis, limit, code, STEPS)
            fitted = basis @ code
            basis = eigenbasis(fitted + self.weight * clip(pixels - fitted, limit), self.rank)
            code = basis.mT @ fitted
        return basis, basis @ huber_code(pixels, self.weight, basis, limit, code, STEPS), limit

    def _limit(self, rest: Tensor) -> Tensor:
        spread = _hide(rest, self.keep).abs().nanmedian(2, keepdim=True).values / NORMAL_MAD
        return CLIP_AT * torch.nan_to_num(spread, nan=1.0).clamp(min=1)


def _measure_again(cube: Tensor, keep: Tensor, sigma: Tensor, basis: Tensor, fitted: Tensor) -> Tensor:
    """Sigma from what the basis leaves over, corrected for the share of noise that the basis takes with it."""
    rest = (cube.flatten(2) / sigma[:, :, None] - fitted).view_as(cube)
    explained = (basis**2).sum(2)
    factor = band_sigmas(rest, keep) / (1 - explained).clamp(min=0.05).sqrt()
    factor = torch.where(explained < 0.9, factor, torch.ones_like(factor)).clamp(max=1)
    return (sigma * factor).clamp(min=SIGMA_FLOOR)


def _hide(x: Tensor, keep: Tensor) -> Tensor:
    return torch.where(keep, x, torch.nan)


def _mad(x: Tensor) -> Tensor:
    """Standard deviation of every band, from the median absolute value of what is not NaN: (N, B, ...) -> (N, B)."""
    flat = x.abs().flatten(2)
    if flat.shape[2] == 0:
        return flat.new_full(flat.shape[:2], torch.nan)
    return flat.nanmedian(2).values / NORMAL_MAD
