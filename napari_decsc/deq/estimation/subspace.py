"""What must be known of a whole cube before parts of it are denoised: noise levels, spectral basis, outliers.

The second moment of a noisy cube shows a spectral component only if its energy rises above chance. Signal is smooth in
space and noise is not: the moment of the cube with a spatially smoothed copy of itself shows components that are
several times weaker, and is not turned by noise levels that are a little wrong.

Shapes: N cubes, B bands, r spectral components. ``mask`` is False where a voxel carries no information.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.estimation import robust_pca
from napari_decsc.deq.estimation.lines import Lines
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.rare import is_of_few_pixels
from napari_decsc.deq.estimation.robust_pca import SIGMA_FLOOR, RobustPca
from napari_decsc.deq.estimation.voxels import filled_gaps
from napari_decsc.filters.local import LEAK, column_offsets, in_adjacent_band, local_wiener, stripes, without_leak
from napari_decsc.filters.spectra import eigen, mix_bands

#: A voxel further from the estimate than so many noise levels is an outlier, if no adjacent band shows the like.
OUTLIER = 3.0
#: Where outliers are few, a voxel is one if it is so many noise levels beyond the robust fit's limit, and beyond this
#: many times the deviation of any neighbour.
IMPULSE, ALONE = 6.0, 3.0
#: No value is larger than so many noise levels: squares must stay finite.
LARGEST = 1e6
#: Rounds of smoothing and filling that find outliers, and the share of voxels below which there are none to look for.
ROUNDS, FEW = 4, 0.01
#: Chance, and structure along the columns, offset no more than this share of them.
FEW_COLUMNS = 0.015
#: Where more voxels than this share seem to be outliers, the image is too small or too rough for the smoothing.
MANY = 0.2
#: Times that the basis is turned to where the smoothed cube has its energy.
TURNS = 2
#: A component counts from a + b sqrt(B / P) of smoothed energy beyond the noise's own on, in units of sqrt(B / P) for P
#: pixels in B bands, and fully so much later. Chance alone makes 0.2 + 2.6 sqrt(B / P); what lies just above it is not
#: worth its noise.
COUNTS_FROM, COUNTS_FULLY = (0.38, 3.0), 0.2
#: Components at most where more count than the model learned to improve: these, from so many times that on.
MOST, MORE_FROM = 32, 2.0
#: The noise of a band is measured again where the components explain less than this share of it.
MEASURABLE = 0.5


@dataclass(frozen=True, eq=False)
class SignalSubspace(RobustPca):
    """What is found on a whole cube (or a sample of it) before parts of it are denoised.

    Parameters
    ----------
    mean : tensor of shape (N, B, 1, 1)
        The whitened mean spectrum, which the eigen-images go without.
    energy : tensor of shape (N, r)
        Mean square of each eigen-image, noise (1) included.
    counts : tensor of shape (N, r)
        From 0 to 1: whether a component rises above the noise.
    outliers : bool tensor of one value
        Whether there are voxels that no Gaussian noise explains.
    column_offsets : tensor of shape (N, B, 1, cols), optional
        By how much whole columns are offset, whitened, where that was found on more rows than those of the tile at
        hand.
    noise : NoiseModel, optional
        None where none was measured.
    """

    mean: Tensor
    energy: Tensor
    counts: Tensor
    outliers: Tensor
    column_offsets: Tensor | None = None
    noise: NoiseModel | None = None

    def images(self, cube: Tensor) -> Tensor:
        """Eigen-images of a whitened cube.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Whitened.

        Returns
        -------
        tensor of shape (N, r, rows, cols)
            Noise 1.
        """
        return mix_bands(self.basis.mT, cube - self.mean)

    def cube(self, images: Tensor) -> Tensor:
        """The whitened cube of eigen-images.

        Parameters
        ----------
        images : tensor of shape (N, r, rows, cols)
            Noise 1.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            Whitened.
        """
        return mix_bands(self.basis, images) + self.mean

    def smooth(self, images: Tensor) -> Tensor:
        """A first estimate of eigen-images by local Wiener filtering.

        Parameters
        ----------
        images : tensor of shape (N, r, rows, cols)
            Noise 1.

        Returns
        -------
        tensor of shape (N, r, rows, cols)
            0 where a component does not count.
        """
        return self._counted(local_wiener(images)[0])

    def whitened(self, cube: Tensor, mask: Tensor) -> Tensor:
        """A cube divided by its noise levels.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Peak 1.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            0 where a voxel carries no information.
        """
        return (torch.where(mask, cube, 0) / self.sigma[:, :, None, None]).clamp(-LARGEST, LARGEST)

    def filled(self, target: Tensor, mask: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
        """A whitened cube with outliers and gaps replaced by an estimate, and weights of voxels.

        Parameters
        ----------
        target : tensor of shape (N, B, rows, cols)
            Whitened.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.
        estimate : tensor of shape (N, r, rows, cols)
            Of the eigen-images.

        Returns
        -------
        two tensors of shape (N, B, rows, cols)
            The cube; weights, 0 for what was replaced.
        """
        fit = self.cube(estimate)
        residual = self.without_column_offsets(target - fit, mask)
        weight = weights(residual, mask)
        return fit + weight * residual, weight

    def without_column_offsets(self, residual: Tensor, mask: Tensor) -> Tensor:
        """What an estimate leaves over, offset columns put right where there are outliers.

        Parameters
        ----------
        residual : tensor of shape (N, B, rows, cols)
            What an estimate leaves over, whitened.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            As it came where there are no outliers.
        """
        return residual - self.column_offsets_of(residual, mask) if self.outliers else residual

    def column_offsets_of(self, residual: Tensor, mask: Tensor) -> Tensor:
        """By how much columns are offset: what is known, or else what the residual of an estimate says.

        Parameters
        ----------
        residual : tensor of shape (N, B, rows, cols)
            What an estimate leaves over, whitened.
        mask : bool tensor, shape (N, B, rows, cols)
            True where a voxel was measured.

        Returns
        -------
        tensor of shape (N, B, 1, cols)
            Whitened.
        """
        return column_offsets(residual, mask) if self.column_offsets is None else self.column_offsets

    def to(self, device: torch.device) -> "SignalSubspace":
        """The same on a device."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return SignalSubspace(**{name: moved(value, device) for name, value in values.items()})

    def _counted(self, estimate: Tensor) -> Tensor:
        return without_leak(estimate, LEAK) * self.counts[:, :, None, None]


def moved(value: Any, device: torch.device) -> Any:
    """Tensors, alone or in the fields of a frozen type or a tuple, on a device.

    Parameters
    ----------
    value : object
        A tensor; a frozen type or a tuple that may hold some, at any depth; anything else stays as it is.
    device : torch device
        Where to.

    Returns
    -------
    object
        Of the same type.
    """
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(moved(part, device) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: moved(getattr(value, each.name), device) for each in dataclasses.fields(value)}
        return type(value)(**parts)
    return value


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
    return _measured(pca, without_impulses(filled, mask, fit), rank, outliers=False, most=MOST)


def _without_stripes(cube: Tensor, mask: Tensor, rank: int) -> tuple[Tensor, RobustPca, Tensor]:
    """The largest noise levels that there may be, and what is found once stripes are taken out.

    A basis that has learned a stripe explains it ever after.
    """
    highest = robust_pca.band_sigmas(cube, mask).clamp(min=SIGMA_FLOOR)
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


def weights(residual: Tensor, mask: Tensor) -> Tensor:
    """0 for a voxel without information and for an outlier, 1 for any other.

    What an estimate leaves over is an outlier if it is large and no band beside it shows the like: impulses and dead
    pixels strike single bands, while structure that the estimate misses goes through several.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What an estimate leaves over, whitened.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        0 or 1.
    """
    residual = torch.where(mask, residual, 0)
    return (mask & ((residual.abs() < OUTLIER) | in_adjacent_band(residual))).to(residual.dtype)


def without_impulses(target: Tensor, mask: Tensor, filled: Tensor) -> Tensor:
    """The cube as it was measured, but for gaps, and for voxels that stand out of their spectrum alone.

    What the robust fit misses is structure, not an outlier, where a neighbour in the band, or the band beside, deviates
    the same way.

    Parameters
    ----------
    target : tensor of shape (N, B, rows, cols)
        Whitened.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel was measured.
    filled : tensor of shape (N, B, rows, cols)
        Whitened, gaps and outliers pulled to the robust fit.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        Whitened.
    """
    residual = torch.where(mask, target - filled, 0)
    return torch.where(mask & ~impulses(residual), target, filled)


def impulses(residual: Tensor) -> Tensor:
    """Single voxels far from all around them and from the bands beside.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What an estimate leaves over, whitened.

    Returns
    -------
    bool tensor of shape (N, B, rows, cols)
    """
    found = torch.zeros_like(residual, dtype=torch.bool)
    largest = torch.maximum(residual.amax((0, 2, 3)), -residual.amin((0, 2, 3)))
    for band in (largest > IMPULSE).nonzero().flatten().tolist():
        first = max(0, band - 1)
        size, adjacent = residual[:, band : band + 1].abs(), in_adjacent_band(residual[:, first : band + 2])
        alone = (size > IMPULSE) & (_largest_neighbour(size) < size / ALONE)
        found[:, band] = alone[:, 0] & ~adjacent[:, band - first]
    return found


def _measured(
    pca: RobustPca, filled: Tensor, rank: int, *, outliers: bool, turns: int = TURNS, most: int = 0
) -> SignalSubspace:
    """Basis and energies of a whitened, repaired cube: ``rank`` components, up to ``most`` if so many count."""
    bands = filled.shape[1]
    pixels = filled.shape[2] * filled.shape[3]
    mean = filled.mean((2, 3), keepdim=True)
    values = filled - mean
    basis = robust_pca.eigenbasis(values.flatten(2), bands)
    for _ in range(turns):
        smooth = mix_bands(basis, local_wiener(mix_bands(basis.mT, values))[0])
        moment = smooth.flatten(2) @ values.flatten(2).mT / pixels
        strength, basis = eigen((moment + moment.mT) / 2)
        strength, basis = strength.flip(1), basis.flip(2)
    chance = (bands / pixels) ** 0.5
    beyond, least = (strength - LEAK) / chance, COUNTS_FROM[0] + COUNTS_FROM[1] * chance
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
    factor = robust_pca.band_sigmas(residual, weight > 0) / (1 - explained).clamp(min=0.05).sqrt()
    factor = torch.where(explained < MEASURABLE, factor, torch.ones_like(factor))
    return torch.minimum(found.sigma * factor, highest).clamp(min=SIGMA_FLOOR)


def _largest_neighbour(values: Tensor) -> Tensor:
    """The largest of the eight values around each, which are not negative."""
    rows, cols = values.shape[2:]
    around = F.pad(values, (1, 1, 1, 1))
    largest = torch.zeros_like(values)
    for row, col in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        torch.maximum(largest, around[:, :, row : row + rows, col : col + cols], out=largest)
    return largest
