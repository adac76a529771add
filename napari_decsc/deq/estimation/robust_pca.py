"""What is known of a cube before any denoising: the noise level of every band and the cube's own spectral basis.

Divided, band by band, by its noise level the cube is *whitened*: the noise has variance 1 in every band, and a few
eigenvectors hold nearly all of the signal. Both are found robustly: impulses, dead and offset columns must
not turn them.

Shapes: N cubes, B bands, P = rows * cols pixels, r spectral components. ``mask`` is False where a voxel carries no
information (not measured, or exactly on the floor or the ceiling of the scale).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.estimation.noise_level import band_sigmas, deviations
from napari_decsc.filters.median import median_3x3
from napari_decsc.filters.parallel import one_thread
from napari_decsc.filters.spectra import eigen

#: The noise of a band is never taken to be below this share of the peak: quieter bands are left as they are.
SIGMA_FLOOR = 1e-4
#: Rounds of the Huber PCA.
ROUNDS = 3
#: Gradient steps in each.
STEPS = 8
#: Momentum begins anew after so many.
RESTART = 10
#: Where it clips, in noise levels.
CLIP_AT = 4.0
#: A part of the image is fitted once no coordinate moves by more than this (in noise levels).
STILL = 1e-4
#: Voxels that are fitted at once on the CPU: they fit into the cache of a core.
IN_CACHE = 1 << 17
#: Where less than this share of the voxels was measured, of pixels and bands of which some were, ...
HARDLY_HIDDEN = 0.95
#: ... and there are more components than this share of the voxels of a mean spectrum that were, ...
MOST_OF_MEASURED = 0.6
#: ... so many are fitted, as a share of these.
SHARE_OF_MEASURED = 0.35
#: Values of a band that tell where it is clipped, which needs no more than a percent.
ROUGHLY = 8_192


@dataclass(frozen=True, eq=False)
class RobustPca:
    """Noise levels and spectral basis of N cubes.

    Parameters
    ----------
    sigma : tensor of shape (N, B)
        In units of the peak.
    basis : tensor of shape (N, B, r)
        Orthonormal columns, of the cube divided by sigma; zero ones beyond the number of bands.
    limit : tensor of shape (N, B, 1)
        Distance from the fit at which a voxel is clipped, whitened.
    """

    sigma: Tensor
    basis: Tensor
    limit: Tensor


@torch.no_grad()
def find(cube: Tensor, mask: Tensor, rank: int) -> tuple[RobustPca, Tensor]:
    """Noise levels and basis of cubes, and the cubes whitened and repaired.

    The basis is a Huber PCA: fit every spectrum robustly, replace what lies beyond the limit by the fit +- the limit,
    refit. sigma is estimated twice: from the cube, then from what the basis does not explain, where texture is gone.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        Peak 1.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    rank : int
        Components, r.

    Returns
    -------
    RobustPca, tensor of shape (N, B, rows, cols)
        The cube is whitened.
    """
    bands = cube.shape[1]
    fit = _Fit(cube, mask, min(bands, _rank_that_tells(mask, rank)))
    sigma = band_sigmas(cube, mask).clamp(min=SIGMA_FLOOR)
    basis, fitted, _ = fit(sigma, eigenbasis(fit.smooth / sigma[:, :, None], fit.rank))
    better = _measure_again(cube, mask, sigma, basis, fitted)
    start = torch.linalg.qr(basis * (sigma / better)[:, :, None])[0]
    basis, fitted, limit = fit(better, start)
    pixels = fit.raw / better[:, :, None]
    repaired = _pulled(pixels, fit.weight, fitted, limit)
    basis = basis * torch.sign(basis.sum(1, keepdim=True) + 1e-9)
    pca = RobustPca(better, F.pad(basis, (0, rank - fit.rank)), limit)
    return pca, repaired.view_as(cube)


@torch.no_grad()
def repair(cube: Tensor, mask: Tensor, pca: RobustPca, steps: int = 2 * STEPS) -> Tensor:
    """A part of a cube whitened, with unusable voxels and outliers pulled to the robust fit.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        Peak 1.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    pca : RobustPca
        Of the whole cube.
    steps : int
        Of the robust fit, at most.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        Whitened.
    """
    scale = pca.sigma[:, :, None]
    pixels, weight = cube.flatten(2) / scale, _weight(cube, mask)
    code = pca.basis.mT @ (median_3x3(cube, mask).flatten(2) / scale)
    fitted = pca.basis @ huber_code(pixels, weight, pca.basis, pca.limit, code, steps)
    return _pulled(pixels, weight, fitted, pca.limit).view_as(cube)


def eigenbasis(pixels: Tensor, rank: int) -> Tensor:
    """The strongest eigenvectors of the second-moment matrix of spectra.

    Parameters
    ----------
    pixels : tensor of shape (N, B, P)
        In any unit.
    rank : int
        How many.

    Returns
    -------
    tensor of shape (N, B, rank)
        Orthonormal, the strongest first.
    """
    return eigen(pixels @ pixels.mT / pixels.shape[2])[1].flip(2)[:, :, :rank]


def huber_code(pixels: Tensor, weight: Tensor | None, basis: Tensor, limit: Tensor, code: Tensor, steps: int) -> Tensor:
    """Robust coordinates of every spectrum in an orthonormal basis: min over x of sum_b w_b Huber((y - E x)_b).

    Gradient steps of length 1, with momentum. Sources: P. J. Huber, *Robust estimation of a location parameter*, Annals
    of Mathematical Statistics 35 (1964); Y. Nesterov, *A method for solving the convex programming problem with
    convergence rate O(1/k^2)*, Soviet Mathematics Doklady 27 (1983).

    Parameters
    ----------
    pixels : tensor of shape (N, B, P)
        y, whitened.
    weight : tensor of shape (N, B, P), optional
        w; 1 if not given.
    basis : tensor of shape (N, B, r)
        E, orthonormal.
    limit : tensor of shape (N, B, 1)
        Where the loss becomes linear.
    code : tensor of shape (N, r, P)
        The start.
    steps : int
        At most.

    Returns
    -------
    tensor of shape (N, r, P)
        The coordinates.
    """
    # in units of the limit, every band is clipped at 1
    inner, outer = basis / limit, (basis * limit).mT
    some = max(1, IN_CACHE // pixels.shape[1]) if code.device.type == "cpu" else code.shape[2]

    def descended(start: int) -> Tensor:
        part = slice(start, start + some)
        weighed = None if weight is None else weight[:, :, part]
        return _descended(code[:, :, part], pixels[:, :, part] / limit, weighed, inner, outer, steps)

    with one_thread():
        return torch.cat([descended(start) for start in range(0, code.shape[2], some)], 2)


def _descended(code: Tensor, pixels: Tensor, weight: Tensor | None, inner: Tensor, outer: Tensor, steps: int) -> Tensor:
    """The coordinates of a part of the spectra after the gradient steps, or once they stand still."""
    code = code.clone(memory_format=torch.contiguous_format)
    ahead, after, residual = code.clone(), torch.empty_like(code), torch.empty_like(pixels)
    for number in range(steps):
        torch.baddbmm(pixels, inner, ahead, alpha=-1, out=residual).clamp_(-1, 1)
        if weight is not None:
            residual *= weight
        torch.bmm(outer, residual, out=after).add_(ahead)
        low, high = torch.aminmax(torch.sub(after, code, out=ahead))
        code, after = after, code
        if max(-float(low), float(high)) < STILL:
            break
        since = number % RESTART
        ahead.mul_(since / (since + 3)).add_(code)
    return code


class _Fit:
    """The Huber PCA of given cubes, to be run at two sets of noise levels."""

    def __init__(self, cube: Tensor, mask: Tensor, rank: int) -> None:
        self.mask, self.rank = mask.flatten(2), rank
        self.weight, self.raw = _weight(cube, mask), torch.where(mask, cube, 0).flatten(2)
        self.smooth = median_3x3(cube, mask).flatten(2)

    def __call__(self, sigma: Tensor, basis: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(sigma (N, B), first basis (N, B, r)) -> basis, fitted spectra (N, B, P), limit (N, B, 1)."""
        pixels = self.raw / sigma[:, :, None]
        code = basis.mT @ (self.smooth / sigma[:, :, None])
        for _ in range(ROUNDS):
            limit = self._limit(torch.baddbmm(pixels, basis, code, alpha=-1))
            code = huber_code(pixels, self.weight, basis, limit, code, STEPS)
            fitted = basis @ code
            basis = eigenbasis(_pulled(pixels, self.weight, fitted, limit), self.rank)
            code = basis.mT @ fitted
        return basis, basis @ huber_code(pixels, self.weight, basis, limit, code, STEPS), limit

    def _limit(self, residual: Tensor) -> Tensor:
        if self.weight is not None:
            residual = torch.where(self.mask, residual, torch.nan)
        spread = deviations(residual, ROUGHLY)[:, :, None]
        return CLIP_AT * torch.nan_to_num(spread, nan=1.0).clamp(min=1)


def _rank_that_tells(mask: Tensor, rank: int) -> int:
    """Components to fit: fewer where as many would fit what was measured of a spectrum, noise and impulses with it."""
    seen = int(mask.any(0).flatten(1).any(1).sum())
    measured = float(mask.sum() / mask.any(1).sum().clamp(min=1))
    if rank >= mask.shape[1] or measured >= HARDLY_HIDDEN * seen or rank <= MOST_OF_MEASURED * measured:
        return rank
    return max(1, int(SHARE_OF_MEASURED * measured))


def _measure_again(cube: Tensor, mask: Tensor, sigma: Tensor, basis: Tensor, fitted: Tensor) -> Tensor:
    """Sigma from what the basis leaves over, corrected for the share of noise that the basis takes with it."""
    residual = (cube.flatten(2) / sigma[:, :, None] - fitted).view_as(cube)
    explained = (basis**2).sum(2)
    factor = band_sigmas(residual, mask) / (1 - explained).clamp(min=0.05).sqrt()
    factor = torch.where(explained < 0.9, factor, torch.ones_like(factor)).clamp(max=1)
    return (sigma * factor).clamp(min=SIGMA_FLOOR)


def _weight(cube: Tensor, mask: Tensor) -> Tensor | None:
    """1 where a voxel is usable, 0 elsewhere, (N, B, P); nothing where all are."""
    return None if mask.all() else mask.flatten(2).to(cube.dtype)


def _pulled(pixels: Tensor, weight: Tensor | None, fitted: Tensor, limit: Tensor) -> Tensor:
    """What lies beyond the limit becomes the fit +- the limit; what weighs nothing, the fit."""
    residual = pixels - fitted
    torch.clamp(residual, -limit, limit, out=residual)
    if weight is not None:
        residual *= weight
    return residual.add_(fitted)
