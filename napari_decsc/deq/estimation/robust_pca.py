"""What is known of a cube before any denoising: the noise level of every band and the cube's own spectral basis.

Divided, band by band, by its noise level the cube is *whitened*: the noise has variance 1 in every band, and a few
eigenvectors hold nearly all of the signal. Both are found robustly: impulses, dead and offset columns must
not turn them.

Shapes: N cubes, B bands, P = rows * cols pixels, r spectral components. ``mask`` is False where a voxel carries no
information (not measured, or exactly on the floor or the ceiling of the scale).
"""

from dataclasses import dataclass
from math import gcd

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.differences import NORMAL_MAD, first_differences, second_differences
from napari_decsc.filters.order import medians
from napari_decsc.filters.parallel import one_thread, side_by_side
from napari_decsc.filters.spectra import eigen

#: The noise of a band is never taken to be below this share of the peak: quieter bands are left as they are.
SIGMA_FLOOR = 1e-4
#: What the noise level of a band without any usable voxel is taken to be: its data are not believed.
SIGMA_UNKNOWN = 0.5
#: Rounds of the Huber PCA, gradient steps in each, and where it clips (in noise levels).
ROUNDS, STEPS, CLIP_AT = 3, 14, 4.0
#: A part of the image is fitted once no coordinate moves by more than this (in noise levels).
STILL = 1e-4
#: Spectra that are fitted at once on the CPU: they fit into the cache of a core.
IN_CACHE = 1024
#: Values of a band that its median absolute value is taken of, at most: for its noise level, and for where it is
#: clipped, which needs no more than a percent.
SAMPLE, ROUGHLY = 65_536, 8_192

Three = tuple[Tensor, Tensor, Tensor]


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

    def to(self, device: torch.device) -> "RobustPca":
        """The same on a device.

        Parameters
        ----------
        device : torch device
            Where to.

        Returns
        -------
        RobustPca
            Of the same values.
        """
        return RobustPca(self.sigma.to(device), self.basis.to(device), self.limit.to(device))


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
    fit = _Fit(cube, mask, min(rank, bands))
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


def band_sigmas(cube: Tensor, mask: Tensor) -> Tensor:
    """Noise level of every band from second diagonal differences: blind to smooth signal and column offsets.

    Bands with more than a quarter of their voxels hidden have too few whole quads: first differences along the columns.
    Cubes of a single row or column: second differences along the line.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        In any unit.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.

    Returns
    -------
    tensor of shape (N, B)
        In the unit of the cube; 0.5 for a band without any usable voxel.
    """
    hidden = _hide(cube, mask)
    sigma = _mad(second_differences(hidden))
    few = mask.float().mean((2, 3)) <= 0.75
    if min(cube.shape[2:]) > 1 and few.any():
        sigma = torch.where(few, _mad(first_differences(hidden)), sigma)
    return torch.nan_to_num(sigma, nan=SIGMA_UNKNOWN)


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

    Gradient steps of length 1. Source of the loss: P. J. Huber, *Robust estimation of a location parameter*, Annals of
    Mathematical Statistics 35 (1964).

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
    some = IN_CACHE if code.device.type == "cpu" else code.shape[2]

    def descended(start: int) -> Tensor:
        part = slice(start, start + some)
        weighed = None if weight is None else weight[:, :, part]
        return _descended(code[:, :, part], pixels[:, :, part] / limit, weighed, inner, outer, steps)

    with one_thread():
        return torch.cat([descended(start) for start in range(0, code.shape[2], some)], 2)


def _descended(code: Tensor, pixels: Tensor, weight: Tensor | None, inner: Tensor, outer: Tensor, steps: int) -> Tensor:
    """The coordinates of a part of the spectra after the gradient steps, or once they stand still."""
    code = code.clone(memory_format=torch.contiguous_format)
    residual, step = torch.empty_like(pixels), torch.empty_like(code)
    for _ in range(steps):
        torch.baddbmm(pixels, inner, code, alpha=-1, out=residual).clamp_(-1, 1)
        if weight is not None:
            residual *= weight
        code += torch.bmm(outer, residual, out=step)
        if float(step.abs_().max()) < STILL:
            break
    return code


def median_3x3(cube: Tensor, mask: Tensor) -> Tensor:
    """Median of the usable voxels of the 3 x 3 neighbourhood; of the whole band where there is none.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        In any unit.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel is usable.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        In the same unit.
    """
    edge = "reflect" if min(cube.shape[2:]) > 1 else "replicate"
    whole = mask.flatten(2).all(2)
    median = torch.empty_like(cube)
    bands = [tuple(index) for index in whole.nonzero().tolist()]

    def of_band(band: tuple[int, ...]) -> Tensor:
        return _median_of_nine(F.pad(cube[band][None], (1, 1, 1, 1), mode=edge)[0])

    for band, found in zip(bands, side_by_side(of_band, bands, cube.device), strict=True):
        median[band] = found
    if not whole.all():
        median[~whole] = _median_of_usable(_hide(cube[~whole], mask[~whole]), edge)
    return median


def _median_of_nine(padded: Tensor) -> Tensor:
    """Median of every 3 x 3 window of (rows + 2, cols + 2): of its rows, sorted column by column."""
    low, middle, high = _sorted(padded[:-2], padded[1:-1], padded[2:])
    return _median_of_columns(_three(low), _three(middle), _three(high))


def _median_of_columns(lows: Three, middles: Three, highs: Three) -> Tensor:
    """Median of three sorted columns of three: that of the largest low, the middle middle, the smallest high."""
    lowest = torch.maximum(torch.maximum(lows[0], lows[1]), lows[2])
    highest = torch.minimum(torch.minimum(highs[0], highs[1]), highs[2])
    return _middle(lowest, _middle(*middles), highest)


def _median_of_some(padded: Tensor) -> Tensor:
    """Median of those of every 3 x 3 window of (rows + 2, cols + 2) that are not NaN; NaN where all are.

    Half of the others, one more where they are odd in number, count as below everything, the rest as above: then the
    middle of the nine is the median, the lower one of two.
    """
    rows, cols = padded.shape[0] - 2, padded.shape[1] - 2
    nan = padded.isnan()
    above = padded.nan_to_num(torch.inf, torch.inf, -torch.inf)
    odd, none, nine = nan.new_zeros(rows, cols), nan.new_ones(rows, cols), []
    for row in range(3):
        for col in range(3):
            window = slice(row, row + rows), slice(col, col + cols)
            hidden = nan[window]
            odd ^= hidden
            nine.append(above[window].masked_fill(hidden & odd, -torch.inf))
            none &= hidden
    sorted_columns = [_sorted(nine[col], nine[col + 3], nine[col + 6]) for col in range(3)]
    lows, middles, highs = zip(*sorted_columns, strict=True)
    return _median_of_columns(lows, middles, highs).masked_fill_(none, torch.nan)


def _sorted(a: Tensor, b: Tensor, c: Tensor) -> Three:
    """Element by element, in rising order."""
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    return torch.minimum(low, c), torch.maximum(low, torch.minimum(high, c)), torch.maximum(high, c)


def _three(values: Tensor) -> Three:
    return values[:, :-2], values[:, 1:-1], values[:, 2:]


def _middle(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def _median_of_usable(bands: Tensor, edge: str) -> Tensor:
    """The same of bands (band, row, col) in which NaN marks what is hidden."""
    padded = F.pad(bands, (1, 1, 1, 1), mode=edge)
    median = torch.stack([_median_of_some(band) for band in padded])
    whole_band = torch.nan_to_num(medians(median.flatten(1)), nan=0.0)[:, None, None]
    return torch.where(torch.isnan(median), whole_band, median)


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
        spread = _mad(residual if self.weight is None else _hide(residual, self.mask), ROUGHLY)[:, :, None]
        return CLIP_AT * torch.nan_to_num(spread, nan=1.0).clamp(min=1)


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


def _hide(x: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, x, torch.nan)


def _mad(x: Tensor, sample: int = SAMPLE) -> Tensor:
    """Standard deviation of every band, from the median absolute value of what is not NaN: (N, B, ...) -> (N, B).

    Of bands larger than ``sample``, every n-th value counts; n shares no divisor with the row length, so that no column
    is favoured.
    """
    flat = x.flatten(2)
    if flat.shape[2] == 0:
        return flat.new_full(flat.shape[:2], torch.nan)
    step = -(-flat.shape[2] // sample)
    while gcd(step, x.shape[-1]) > 1:
        step += 1
    return medians(flat[:, :, ::step].abs()) / NORMAL_MAD
