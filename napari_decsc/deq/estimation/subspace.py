"""What must be known of a whole cube before parts of it are denoised: noise levels, spectral basis, outliers.

The second moment of a noisy cube shows a spectral component only if its energy rises above chance. Signal is smooth in
space and noise is not: the moment of the cube with a spatially smoothed copy of itself shows components that are
several times weaker, and is not turned by noise levels that are a little wrong.

Shapes: N cubes, B bands, r spectral components. ``mask`` is False where a voxel carries no information.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.estimation import robust_pca
from napari_decsc.deq.estimation.lines import Lines
from napari_decsc.deq.estimation.noise_level import band_sigmas
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.outliers import weights, without_impulses
from napari_decsc.deq.estimation.rare import is_of_few_pixels
from napari_decsc.deq.estimation.robust_pca import SIGMA_FLOOR, RobustPca
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.estimation.voxels import filled_gaps
from napari_decsc.filters.local import LEAK, local_wiener, stripes
from napari_decsc.filters.spectra import eigen, mix_bands

#: Rounds of smoothing and filling that find outliers.
ROUNDS = 4
#: Share of the voxels below which there are no outliers to look for.
FEW = 0.01
#: Chance, and structure along the columns, offset no more than this share of them.
FEW_COLUMNS = 0.015
#: Where more voxels than this share seem to be outliers, the image is too small or too rough for the smoothing.
MANY = 0.2
#: Times that the basis is turned to where the smoothed cube has its energy ...
TURNS = 2
#: ... from the second one on so many components of it: no more can count.
STRONGEST = 64
#: A component counts from a + b sqrt(B / P) of smoothed energy beyond the noise's own on, in units of sqrt(B / P) for P
#: pixels in B bands: these are a and b. Chance alone makes 0.2 + 2.6 sqrt(B / P); what lies just above it is not worth
#: its noise.
COUNTS_FROM = (0.38, 3.0)
#: ... and fully so much later.
COUNTS_FULLY = 0.2
#: Components at most where more count than the model learned to improve.
MOST = 32
#: These count from so many times what others count from.
MORE_FROM = 2.0
#: The noise of a band is measured again where the components explain less than this share of it.
MEASURABLE = 0.5
#: In levels that were measured beside the subspace chance makes less: components count from this share of the above.
SURE = 0.75


@torch.no_grad()
def identify(cube: Tensor, mask: Tensor, rank: int, white: NoiseModel | None = None) -> SignalSubspace:
    """Noise levels, basis, energies and whether there are outliers, of whole cubes.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        Peak 1, finite.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    rank : int
        Components; there are more where there are no outliers and so many rise above the noise.
    white : NoiseModel, optional
        Levels of white noise, where they were measured already.

    Returns
    -------
    SignalSubspace
        In units of the peak.
    """
    if _hidden(mask) > FEW:
        # what hides voxels mostly strikes others too: the way for those first
        highest, pca, filled = _without_stripes(cube, mask, rank)
        found = _measured(pca, filled, rank, outliers=True, turns=1)
        if _spoiled(found, cube, mask, filled):
            return _refined(found, cube, mask, filled, highest)
    if white is not None and white.measured:
        known = _white(cube, mask, rank, white)
        if known is not None:
            return known
    pca, filled = robust_pca.find(cube, mask, rank)
    found = _measured(pca, filled, rank, outliers=True, turns=1)
    if not _spoiled(found, cube, mask, filled):
        target = found.whitened(cube, mask)
        return _measured(pca, without_impulses(target, mask, filled), rank, outliers=False, most=MOST)
    del filled
    highest, pca, filled = _without_stripes(cube, mask, rank)
    found = _measured(pca, filled, rank, outliers=True, turns=1)
    return _refined(found, cube, mask, filled, highest)


def _white(cube: Tensor, mask: Tensor, rank: int, noise: NoiseModel) -> SignalSubspace | None:
    """What is found in known noise levels; None where there is more to it than Gaussian noise."""
    assert noise.basis is not None
    limit = torch.full_like(noise.level, robust_pca.CLIP_AT)
    pca = RobustPca(noise.level[None], noise.basis[None], limit[None, :, None])
    filled = filled_gaps(cube[0], mask[0])[None] / noise.level[:, None, None]
    found = _measured(pca, filled, rank, outliers=True, turns=1)
    if _spoiled(found, cube, mask, filled):
        return None
    fit = found.cube(found.smooth(found.images(filled)))
    pulled = fit + (filled - fit).clamp(-robust_pca.CLIP_AT, robust_pca.CLIP_AT)
    return _measured(pca, without_impulses(filled, mask, pulled), rank, outliers=False, most=MOST, sure=SURE)


def _without_stripes(cube: Tensor, mask: Tensor, rank: int) -> tuple[Tensor, RobustPca, Tensor]:
    """The largest noise levels that there may be, and what is found once stripes are taken out.

    A basis that has learned a stripe explains it ever after.
    """
    highest = band_sigmas(cube, mask).clamp(min=SIGMA_FLOOR)
    return highest, *robust_pca.find(cube - stripes(cube, mask, highest), mask, rank)


def _refined(found: SignalSubspace, cube: Tensor, mask: Tensor, filled: Tensor, highest: Tensor) -> SignalSubspace:
    """Outliers filled, noise levels and basis measured, in turns."""
    for _ in range(ROUNDS):
        fit, residual, _, gain = _compared(found, cube, mask, filled)
        better = _measured_again(found, residual, weights(residual, mask), gain, highest)
        scale = (found.sigma / better)[:, :, None, None]
        residual = residual * scale
        filled = fit * scale + weights(residual, mask) * residual
        pca = RobustPca(better, found.basis, found.limit * scale[..., 0])
        found = _measured(pca, filled, found.basis.shape[2], outliers=True)
    return found


@torch.no_grad()
def identify_roughly(cube: Tensor, mask: Tensor, rank: int) -> SignalSubspace:
    """As :func:`identify`, in a fraction of its time: for a preview, not for a result.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        Peak 1, finite.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    rank : int
        Components.

    Returns
    -------
    SignalSubspace
        In units of the peak.
    """
    pca, filled = robust_pca.find(cube, mask, rank)
    return _measured(pca, filled, rank, outliers=True, turns=1)


@torch.no_grad()
def from_noise_model(cube: Tensor, mask: Tensor, model: NoiseModel) -> SignalSubspace:
    """What a noise model and the subspace beside which it was measured tell of a whole cube.

    Parameters
    ----------
    cube : tensor of shape (1, B, rows, cols)
        Peak 1, finite.
    mask : bool tensor, shape (1, B, rows, cols)
        True where a voxel was measured.
    model : NoiseModel
        With a basis.

    Returns
    -------
    SignalSubspace
        Of the cube as the model whitens it: noise levels are 1.
    """
    assert model.basis is not None
    whole = filled_gaps(cube[0], mask[0])
    values = model.whitener(whole).whitened(whole)
    mean = values.mean((1, 2), keepdim=True)
    values = values - mean
    for line in model.lines:
        values = Lines((values.shape[1], values.shape[2]), line.angle, values.device).without(values)
    basis = model.basis[None]
    energy = mix_bands(basis.mT, values[None]).square().mean((2, 3))
    one = values.new_ones(1, len(values))
    return SignalSubspace(
        one, basis, one[:, :, None], mean[None], energy, torch.ones_like(energy), torch.tensor(False), noise=model
    )


def _compared(
    found: SignalSubspace, cube: Tensor, mask: Tensor, filled: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A fit to the filled cube, what it leaves over of the cube, offsets put right and raw, and the filter's gain."""
    estimate, gain = local_wiener(found.images(filled))
    fit = found.cube(found._counted(estimate))
    raw = found.whitened(cube, mask) - fit
    return fit, found.without_column_offsets(raw, mask), raw, gain


def _spoiled(found: SignalSubspace, cube: Tensor, mask: Tensor, filled: Tensor) -> bool:
    """Whether there is more to it than Gaussian noise: voxels hidden in some bands, outliers, or offset columns."""
    _, residual, raw, _ = _compared(found, cube, mask, filled)
    outliers = 1 - float(weights(residual, mask).sum() / mask.sum().clamp(min=1))
    offset = float(((residual - raw).abs() > 0).float().mean())
    return outliers < MANY and (_hidden(mask) > FEW or outliers > FEW or offset > FEW_COLUMNS)


def _hidden(mask: Tensor) -> float:
    """Share of the voxels that carry no information, of pixels of which some do."""
    pixels = mask.any(1).sum() * mask.shape[1]
    return 1 - float(mask.sum().clamp(min=1) / pixels.clamp(min=1))


def _measured(
    pca: RobustPca, filled: Tensor, rank: int, *, outliers: bool, turns: int = TURNS, most: int = 0,
    sure: float = 1.0,
) -> SignalSubspace:  # fmt: skip
    """Basis and energies of a whitened, repaired cube: ``rank`` components, up to ``most`` if so many count."""
    bands = filled.shape[1]
    pixels = filled.shape[2] * filled.shape[3]
    mean = filled.mean((2, 3), keepdim=True)
    values = filled - mean
    basis = robust_pca.eigenbasis(values.flatten(2), bands)
    for _ in range(turns):
        images = mix_bands(basis.mT, values)
        moment = local_wiener(images)[0].flatten(2) @ images.flatten(2).mT / pixels
        strength, turn = eigen((moment + moment.mT) / 2)
        strength, basis = strength.flip(1), (basis @ turn.flip(2))[:, :, : max(STRONGEST, rank)]
    del images
    chance = (bands / pixels) ** 0.5
    beyond, least = (strength - LEAK) / chance, sure * (COUNTS_FROM[0] + COUNTS_FROM[1] * chance)
    counts = ((beyond - least) / COUNTS_FULLY).clamp(0, 1)
    counts[:, rank:] = (beyond[:, rank:] > MORE_FROM * least).to(counts.dtype)
    used = max(rank, min(most, int((counts > 0).sum(1).max())))
    counts, basis = counts[:, :used], basis[:, :, :used]
    basis = basis * torch.sign(basis.sum(1, keepdim=True) + 1e-9)
    images = mix_bands(basis.mT, values)
    counts = counts * ~is_of_few_pixels(images)
    energy = images.square().mean((2, 3))
    missing = used - basis.shape[2]
    return SignalSubspace(
        pca.sigma, F.pad(basis, (0, missing)), pca.limit, mean, F.pad(energy, (0, missing)),
        F.pad(counts, (0, missing)), torch.tensor(outliers),
    )  # fmt: skip


def _measured_again(found: SignalSubspace, residual: Tensor, weight: Tensor, gain: Tensor, highest: Tensor) -> Tensor:
    """Sigma (N, B) from what the estimate leaves over, corrected for the noise that the estimate took with it."""
    taken = (gain * (2 - gain)).mean((2, 3)) * found.counts
    explained = (found.basis.square() * taken[:, None]).sum(2)
    factor = band_sigmas(residual, weight > 0) / (1 - explained).clamp(min=0.05).sqrt()
    factor = torch.where(explained < MEASURABLE, factor, torch.ones_like(factor))
    return torch.minimum(found.sigma * factor, highest).clamp(min=SIGMA_FLOOR)
