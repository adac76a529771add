"""What must be known of a whole cube before parts of it are denoised: noise levels, spectral basis, outliers.

The second moment of a noisy cube shows a spectral component only if its energy rises above chance. Signal is smooth in
space and noise is not: the moment of the cube with a spatially smoothed copy of itself shows components that are
several times weaker, and is not turned by noise levels that are a little wrong.

Shapes: N cubes, B bands, r spectral components. ``keep`` is False where a voxel carries no information.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.deq.estimation import noise_model
from napari_decsc.deq.estimation import whitening as noise_units
from napari_decsc.deq.estimation.lines import Lines
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.whitening import SIGMA_FLOOR, NoiseUnits
from napari_decsc.filters.local import LEAK, column_shifts, has_company, local_wiener, stripes, without_leak
from napari_decsc.filters.spectra import eigen, mix_bands

#: A voxel further from the estimate than so many noise levels is an outlier, if it has no company in other bands.
OUTLIER = 3.0
#: Where outliers are few, a voxel is one if it is so many noise levels beyond the robust fit's limit, and beyond this
#: many times the deviation of any neighbour.
SPIKE, ALONE = 6.0, 3.0
#: No value is larger than so many noise levels: squares must stay finite.
LARGEST = 1e6
#: Rounds of smoothing and filling that find outliers, and the share of voxels below which there are none to look for.
ROUNDS, FEW = 4, 0.01
#: Chance, and structure along the columns, shift no more than this share of them.
FEW_COLUMNS = 0.015
#: Where more voxels than this share seem to be outliers, the image is too small or too rough for the smoothing.
MANY = 0.2
#: Times that the basis is turned to where the smoothed cube has its energy.
TURNS = 2
#: A component counts from a + b sqrt(B / P) of smoothed energy beyond the noise's own on, in units of sqrt(B / P) for P
#: pixels in B bands, and fully so much later. Chance alone makes 0.2 + 2.6 sqrt(B / P); what lies just above it is not
#: worth its noise.
COUNTS_FROM, COUNTS_FULLY = (0.38, 3.0), 0.2
#: Components that are kept where more count than the model learned to improve: these, from so many times that on.
MOST, MORE_FROM = 32, 2.0
#: The noise of a band is measured again where the components explain less than this share of it.
MEASURABLE = 0.5


@dataclass(frozen=True, eq=False)
class Survey(NoiseUnits):
    """What is found on a whole cube (or a sample of it) before parts of it are denoised.

    ``mean`` (N, B, 1, 1): the mean spectrum in noise units, which the eigen-images go without;
    ``energy`` (N, r): mean square of each eigen-image, noise (1) included; ``counts`` (N, r), from 0 to 1: whether a
    component rises above the noise; ``outliers``, a single truth value: whether there are voxels that no Gaussian noise
    explains; ``shifts`` (N, B, 1, cols), in noise units: by how much columns are shifted as a whole, where that was
    found on more rows than those of the tile at hand; ``noise``: the noise model, None where none was measured.
    """

    mean: Tensor
    energy: Tensor
    counts: Tensor
    outliers: Tensor
    shifts: Tensor | None = None
    noise: NoiseModel | None = None

    def images(self, cube: Tensor) -> Tensor:
        """Eigen-images (N, r, rows, cols) of a cube in noise units."""
        return mix_bands(self.basis.mT, cube - self.mean)

    def cube(self, images: Tensor) -> Tensor:
        """The cube in noise units of eigen-images."""
        return mix_bands(self.basis, images) + self.mean

    def smooth(self, images: Tensor) -> Tensor:
        """A first estimate of eigen-images by local Wiener filtering."""
        return self._counted(local_wiener(images)[0])

    def in_units(self, cube: Tensor, keep: Tensor) -> Tensor:
        """A cube (N, B, rows, cols), peak 1, in noise units; 0 where a voxel carries no information."""
        return (torch.where(keep, cube, 0) / self.sigma[:, :, None, None]).clamp(-LARGEST, LARGEST)

    def filled(self, target: Tensor, keep: Tensor, estimate: Tensor) -> tuple[Tensor, Tensor]:
        """A cube in noise units with outliers and gaps replaced by an estimate (of eigen-images); weights of voxels."""
        fit = self.cube(estimate)
        rest = self.rest(target - fit, keep)
        weight = weights(rest, keep)
        return fit + weight * rest, weight

    def rest(self, rest: Tensor, keep: Tensor) -> Tensor:
        """What an estimate leaves over, shifted columns put right where there are outliers."""
        return rest - self.shifts_of(rest, keep) if self.outliers else rest

    def shifts_of(self, rest: Tensor, keep: Tensor) -> Tensor:
        """By how much columns are shifted: what is known, or else what the rest of an estimate says."""
        return column_shifts(rest, keep) if self.shifts is None else self.shifts

    def to(self, device: torch.device) -> "Survey":
        """The same on a device."""
        values = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return Survey(**{name: moved(value, device) for name, value in values.items()})

    def _counted(self, estimate: Tensor) -> Tensor:
        return without_leak(estimate, LEAK) * self.counts[:, :, None, None]


def moved(value: Any, device: torch.device) -> Any:
    """Tensors, alone or in the fields of a frozen type or a tuple, on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, tuple):
        return tuple(moved(part, device) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: moved(getattr(value, each.name), device) for each in dataclasses.fields(value)}
        return type(value)(**parts)
    return value


@torch.no_grad()
def survey(cube: Tensor, keep: Tensor, rank: int) -> Survey:
    """Noise levels, basis, energies and whether there are outliers, of whole cubes (N, B, rows, cols), peak 1.

    There are ``rank`` components, or more where there are no outliers and so many rise above the noise.
    """
    units, filled = noise_units.find(cube, keep, rank)
    found = _measured(units, filled, rank, outliers=True, turns=1)
    if not _spoiled(found, cube, keep, filled):
        target = found.in_units(cube, keep)
        return _measured(units, without_spikes(target, keep, filled), rank, outliers=False, most=MOST)
    del filled
    # a basis that has learned a stripe explains it ever after
    highest = noise_units.band_sigmas(cube, keep).clamp(min=SIGMA_FLOOR)
    units, filled = noise_units.find(cube - stripes(cube, keep, highest), keep, rank)
    found = _measured(units, filled, rank, outliers=True, turns=1)
    for _ in range(ROUNDS):
        fit, rest, _, share = _compared(found, cube, keep, filled)
        better = _measured_again(found, rest, weights(rest, keep), share, highest)
        scale = (found.sigma / better)[:, :, None, None]
        rest = rest * scale
        filled = fit * scale + weights(rest, keep) * rest
        units = NoiseUnits(better, found.basis, found.limit * scale[..., 0])
        found = _measured(units, filled, rank, outliers=True)
    return found


@torch.no_grad()
def glimpse(cube: Tensor, keep: Tensor, rank: int) -> Survey:
    """As `survey`, in a fraction of its time and roughly: for a first look, not for a result."""
    units, filled = noise_units.find(cube, keep, rank)
    return _measured(units, filled, rank, outliers=True, turns=1)


@torch.no_grad()
def surveyed(cube: Tensor, keep: Tensor, model: NoiseModel) -> Survey:
    """What a noise model and the subspace beside which it was measured tell of a whole cube (1, B, rows, cols)."""
    assert model.basis is not None
    whole = noise_model.filled(cube[0], keep[0])
    values = model.units(whole).whitened(whole)
    mean = values.mean((1, 2), keepdim=True)
    values = values - mean
    for line in model.lines:
        values = Lines((values.shape[1], values.shape[2]), line.angle, values.device).without(values)
    basis = model.basis[None]
    energy = mix_bands(basis.mT, values[None]).square().mean((2, 3))
    one = values.new_ones(1, len(values))
    return Survey(
        one, basis, one[:, :, None], mean[None], energy, torch.ones_like(energy), torch.tensor(False), noise=model
    )


def _compared(found: Survey, cube: Tensor, keep: Tensor, filled: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A fit to the filled cube, what it leaves over of the cube, shifts put right and raw, and what the filter kept."""
    estimate, share = local_wiener(found.images(filled))
    fit = found.cube(found._counted(estimate))
    raw = found.in_units(cube, keep) - fit
    return fit, found.rest(raw, keep), raw, share


def _spoiled(found: Survey, cube: Tensor, keep: Tensor, filled: Tensor) -> bool:
    """Whether there is more to it than Gaussian noise: voxels hidden in some bands, outliers, or shifted columns."""
    _, rest, raw, _ = _compared(found, cube, keep, filled)
    measured = keep.sum().clamp(min=1)
    pixels = keep.any(1).sum() * keep.shape[1]
    outliers = 1 - float(weights(rest, keep).sum() / measured)
    shifted = float(((rest - raw).abs() > 0).float().mean())
    hidden = 1 - float(measured / pixels.clamp(min=1))
    return outliers < MANY and (hidden > FEW or outliers > FEW or shifted > FEW_COLUMNS)


def weights(rest: Tensor, keep: Tensor) -> Tensor:
    """0 for a voxel without information and for an outlier, 1 for any other.

    What an estimate leaves over is an outlier if it is large and no band beside it shows the like: impulses and dead
    pixels strike single bands, while structure that the estimate misses goes through several.
    """
    rest = torch.where(keep, rest, 0)
    return (keep & ((rest.abs() < OUTLIER) | has_company(rest))).to(rest.dtype)


def without_spikes(target: Tensor, keep: Tensor, filled: Tensor) -> Tensor:
    """The cube as it was measured, but for gaps, and for voxels that stand out of their spectrum and have no company.

    What the robust fit misses is structure, not an outlier, where a neighbour in the band, or the band beside, deviates
    the same way.
    """
    rest = torch.where(keep, target - filled, 0)
    size = rest.abs()
    spike = (size > SPIKE) & (largest_neighbour(size) < size / ALONE) & ~has_company(rest)
    return torch.where(keep & ~spike, target, filled)


def _measured(
    units: NoiseUnits, filled: Tensor, rank: int, *, outliers: bool, turns: int = TURNS, most: int = 0
) -> Survey:
    """Basis and energies of a repaired cube in noise units: ``rank`` components, up to ``most`` if so many count."""
    bands = filled.shape[1]
    pixels = filled.shape[2] * filled.shape[3]
    mean = filled.mean((2, 3), keepdim=True)
    values = filled - mean
    basis = noise_units.eigenbasis(values.flatten(2), bands)
    for _ in range(turns):
        smooth = mix_bands(basis, local_wiener(mix_bands(basis.mT, values))[0])
        moment = smooth.flatten(2) @ values.flatten(2).mT / pixels
        strength, basis = eigen((moment + moment.mT) / 2)
        strength, basis = strength.flip(1), basis.flip(2)
    chance = (bands / pixels) ** 0.5
    beyond, least = (strength - LEAK) / chance, COUNTS_FROM[0] + COUNTS_FROM[1] * chance
    counts = ((beyond - least) / COUNTS_FULLY).clamp(0, 1)
    counts[:, rank:] = (beyond[:, rank:] > MORE_FROM * least).to(counts.dtype)
    kept = max(rank, min(most, int((counts > 0).sum(1).max())))
    counts, basis = counts[:, :kept], basis[:, :, :kept]
    basis = basis * torch.sign(basis.sum(1, keepdim=True) + 1e-9)
    energy = mix_bands(basis.mT, values).square().mean((2, 3))
    missing = kept - basis.shape[2]
    return Survey(
        units.sigma, F.pad(basis, (0, missing)), units.limit, mean, F.pad(energy, (0, missing)),
        F.pad(counts, (0, missing)), torch.tensor(outliers),
    )  # fmt: skip


def _measured_again(found: Survey, rest: Tensor, weight: Tensor, share: Tensor, highest: Tensor) -> Tensor:
    """Sigma (N, B) from what the estimate leaves over, corrected for the noise that the estimate took with it."""
    taken = (share * (2 - share)).mean((2, 3)) * found.counts
    explained = (found.basis.square() * taken[:, None]).sum(2)
    factor = noise_units.band_sigmas(rest, weight > 0) / (1 - explained).clamp(min=0.05).sqrt()
    factor = torch.where(explained < MEASURABLE, factor, torch.ones_like(factor))
    return torch.minimum(found.sigma * factor, highest).clamp(min=SIGMA_FLOOR)


def largest_neighbour(values: Tensor) -> Tensor:
    """The largest of the eight values around each, which are not negative."""
    rows, cols = values.shape[2:]
    around = F.pad(values, (1, 1, 1, 1))
    largest = torch.zeros_like(values)
    for row, col in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        torch.maximum(largest, around[:, :, row : row + rows, col : col + cols], out=largest)
    return largest
