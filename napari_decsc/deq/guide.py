"""What guides the equilibrium, found once per image: outliers, and a first non-local estimate of the eigen-images.

In noise units the projection of a cube on its spectral basis gives a few *eigen-images* whose noise is white, of
variance 1. They are denoised by collaborative filtering (:mod:`napari_decsc.classical.collaborative`), and the estimate
tells which voxels of the cube no Gaussian noise explains: those are filled by the estimate, and the eigen-images are
taken anew. Columns whose rest is shifted as a whole (stripes) are shifted back.

Shapes: N cubes, B bands, r spectral components. ``keep`` is False where a voxel carries no information.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.classical.collaborative import SEEN, shrink, similar_patches
from napari_decsc.deq import noise_units
from napari_decsc.deq.dictionaries import mix_bands
from napari_decsc.deq.noise_units import NoiseUnits

#: A voxel further from the estimate than so many noise levels is an outlier.
OUTLIER = 3.0
#: Where outliers are few, a voxel is one if it is so many noise levels beyond the robust fit's limit, and beyond this
#: many times the deviation of any neighbour.
SPIKE, ALONE = 6.0, 3.0
#: No value is larger than so many noise levels: squares must stay finite.
LARGEST = 1e6
#: Rounds of smoothing and filling that find outliers, and the share of voxels below which there are none to look for.
ROUNDS, FEW = 3, 0.01
#: Where more voxels than this share seem to be outliers, the image is too small or too rough for the smoothing.
MANY = 0.2
#: A column is shifted as a whole when its median is so many times what chance explains.
SHIFTED = 4.0
#: Sides of the windows of the local Wiener filter, and of the measurement of what noise it lets through.
NEAR, WIDE = 7, 31
#: Noise variance that the local Wiener filter and the hard threshold let through where there is no signal.
LEAK_NEAR, LEAK_HARD = 0.028, 0.016
#: Patches of a group in the pass that thresholds and in the one that has a pilot; how far they may lie; the threshold.
FIRST_GROUP, SECOND_GROUP, SEARCH, THRESHOLD = 16, 32, 10, 3.0
#: A component counts from the first of these shares of the noise's largest expected energy on, fully from the second.
COUNTS_FROM, COUNTS_FULLY = 0.99, 1.02


@dataclass(frozen=True, eq=False)
class Survey(NoiseUnits):
    """What is found on a whole cube (or a sample of it) before parts of it are denoised.

    ``mean`` (N, B, 1, 1): the mean spectrum in noise units, which the eigen-images go without;
    ``energy`` (N, r): mean square of each eigen-image, noise (1) included; ``counts`` (N, r), from 0 to 1: whether a
    component rises above the noise; ``outliers``, a single truth value: whether there are voxels that no Gaussian noise
    explains.
    """

    mean: Tensor
    energy: Tensor
    counts: Tensor
    outliers: Tensor

    def images(self, cube: Tensor) -> Tensor:
        """Eigen-images (N, r, rows, cols) of a cube in noise units."""
        return mix_bands(self.basis.mT, cube - self.mean)

    def cube(self, images: Tensor) -> Tensor:
        """The cube in noise units of eigen-images."""
        return mix_bands(self.basis, images) + self.mean

    def parts(self) -> tuple[Tensor, ...]:
        """Its tensors, in the order of construction."""
        return self.sigma, self.basis, self.limit, self.mean, self.energy, self.counts, self.outliers

    def to(self, device: torch.device) -> "Survey":
        """The same on a device."""
        return Survey(*(part.to(device) for part in self.parts()))


@dataclass(frozen=True, eq=False)
class Guide:
    """First estimates of cubes in noise units.

    ``target`` (N, B, rows, cols): the cube, shifted columns put right; ``weight``, the same shape: 0 for a voxel
    without information and for an outlier; ``images`` (N, r, rows, cols): noisy eigen-images, ``pilot``: their first
    estimate; ``units``: those of the whole cube.
    """

    target: Tensor
    weight: Tensor
    images: Tensor
    pilot: Tensor
    units: Survey


@torch.no_grad()
def survey(cube: Tensor, keep: Tensor, rank: int) -> Survey:
    """Noise levels, basis, energies and whether there are outliers, of whole cubes (N, B, rows, cols), peak 1."""
    units, filled = noise_units.find(cube, keep, rank)
    target = _in_noise_units(cube, keep, units)
    found = _measured(units, filled, outliers=True)
    for _ in range(ROUNDS):
        new, weight = _filled(target, keep, found, local_wiener(found.images(filled), found.counts))
        outliers = 1 - float(weight.sum() / keep.sum().clamp(min=1))
        if float(1 - weight.mean()) < FEW or outliers > MANY:  # nothing but noise, or nothing that smoothing explains
            return _measured(units, _without_spikes(target, keep, filled), outliers=False)
        filled = new
        found = _measured(units, filled, outliers=True)
    return found


@torch.no_grad()
def find(cube: Tensor, keep: Tensor, found: Survey) -> Guide:
    """Outliers and first estimates of cubes, or of tiles of them, (N, B, rows, cols), peak 1."""
    target = _in_noise_units(cube, keep, found)
    images = found.images(_without_outliers(cube, target, keep, found))
    signal = (1 - 1 / found.energy.clamp(min=1)).sqrt() * found.counts
    pilot = _each(_first_pass, images, signal) * found.counts[:, :, None, None]
    filled, _ = _filled(target, keep, found, pilot)
    images = found.images(filled)
    pilot = _each(_second_pass, images, pilot)
    fit = found.cube(pilot)
    if found.outliers:
        target = target - column_shifts(target - fit, keep)
    return Guide(target, _weight(target - fit, keep), images, pilot, found)


@torch.no_grad()
def sketch(cube: Tensor, keep: Tensor, found: Survey) -> Tensor:
    """A first look, in a tenth of the time of :func:`find`: a local Wiener estimate (N, B, rows, cols), peak 1."""
    images = found.images(noise_units.repair(cube, keep, found))
    return found.cube(local_wiener(images, found.counts)) * found.sigma[:, :, None, None]


def local_wiener(images: Tensor, counts: Tensor) -> Tensor:
    """Eigen-images (N, r, rows, cols) of noise variance 1, each pixel drawn to its neighbours' mean.

    x -> m + g (x - m); the gain g = max(v - 1, 0) / v comes from the mean m and variance v of a window.
    Source: Lee, *Digital image enhancement and noise filtering by use of local statistics*, IEEE TPAMI 2 (1980).
    """
    mean = box_mean(images, NEAR)
    variance = box_mean(images.square(), NEAR) - mean.square()
    gain = (variance - 1).clamp(min=0) / variance.clamp(min=1e-6)
    return _without_leak(torch.lerp(mean, images, gain), LEAK_NEAR) * counts[:, :, None, None]


def column_shifts(rest: Tensor, keep: Tensor) -> Tensor:
    """By how much columns of (N, B, rows, cols) are shifted as a whole: (N, B, 1, cols), 0 where chance explains it."""
    median = torch.where(keep, rest, torch.nan).nanmedian(2, keepdim=True).values.nan_to_num(0)
    # the median of n normal values of variance 1 has a standard deviation of 1.25 / sqrt(n)
    chance = 1.25 / keep.sum(2, keepdim=True).clamp(min=1).sqrt()
    return torch.where(median.abs() > SHIFTED * chance, median, 0)


def box_mean(images: Tensor, side: int) -> Tensor:
    """Mean of the window of side x side pixels around each pixel, of what lies inside the image."""
    half = side // 2
    down = F.avg_pool2d(images, (side, 1), 1, (half, 0), count_include_pad=False)
    return F.avg_pool2d(down, (1, side), 1, (0, half), count_include_pad=False)


def _in_noise_units(cube: Tensor, keep: Tensor, units: NoiseUnits) -> Tensor:
    return (torch.where(keep, cube, 0) / units.sigma[:, :, None, None]).clamp(-LARGEST, LARGEST)


def _measured(units: NoiseUnits, filled: Tensor, *, outliers: bool) -> Survey:
    """Basis and energies of a repaired cube in noise units."""
    _, bands, rows, cols = filled.shape
    rank = units.basis.shape[2]
    mean = filled.mean((2, 3), keepdim=True)
    filled = filled - mean
    basis = noise_units.eigenbasis(filled.flatten(2), min(rank, bands))
    basis = F.pad(basis * torch.sign(basis.sum(1, keepdim=True) + 1e-9), (0, rank - basis.shape[2]))
    images = mix_bands(basis.mT, filled)
    energy = images.square().mean((2, 3))
    # in noise units it is 1, less where outliers were filled; what is far more than that is texture
    noise = noise_units.band_sigmas(images, torch.ones_like(images, dtype=torch.bool)).square().clamp(1e-6, 1.1)
    edge = (1 + (bands / (rows * cols)) ** 0.5) ** 2  # Marchenko and Pastur: the largest eigenvalue of noise alone
    counts = ((energy / noise / edge - COUNTS_FROM) / (COUNTS_FULLY - COUNTS_FROM)).clamp(0, 1)
    return Survey(units.sigma, basis, units.limit, mean, energy, counts, torch.tensor(outliers))


def _without_outliers(cube: Tensor, target: Tensor, keep: Tensor, found: Survey) -> Tensor:
    """The cube in noise units, gaps and outliers filled from what lies around them."""
    filled = noise_units.repair(cube, keep, found)
    if not found.outliers:
        return _without_spikes(target, keep, filled)
    for _ in range(ROUNDS):
        filled, _ = _filled(target, keep, found, local_wiener(found.images(filled), found.counts))
    return filled


def _without_spikes(target: Tensor, keep: Tensor, filled: Tensor) -> Tensor:
    """The cube as it was measured, but for gaps, and for voxels that stand out of their spectrum and have no company.

    What the robust fit misses is structure, not an outlier, where a neighbour in the band deviates the same way.
    """
    rest = torch.where(keep, target - filled, 0).abs()
    spike = (rest > SPIKE) & (_largest_neighbour(rest) < rest / ALONE)
    return torch.where(keep & ~spike, target, filled)


def _largest_neighbour(values: Tensor) -> Tensor:
    """The largest of the eight values around each, which are not negative."""
    rows, cols = values.shape[2:]
    around = F.pad(values, (1, 1, 1, 1))
    largest = torch.zeros_like(values)
    for row, col in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        torch.maximum(largest, around[:, :, row : row + rows, col : col + cols], out=largest)
    return largest


def _filled(target: Tensor, keep: Tensor, found: Survey, estimate: Tensor) -> tuple[Tensor, Tensor]:
    """The cube with outliers and gaps replaced by an estimate (of eigen-images), and the weight of its voxels."""
    fit = found.cube(estimate)
    rest = target - fit
    if found.outliers:
        rest = rest - column_shifts(rest, keep)
    weight = _weight(rest, keep)
    return fit + weight * rest, weight


def _weight(rest: Tensor, keep: Tensor) -> Tensor:
    return (keep & (rest.abs() < OUTLIER)).to(rest.dtype)


def _without_leak(estimate: Tensor, leak: float) -> Tensor:
    """An estimate that is nothing but noise that leaked through becomes 0."""
    energy = box_mean(estimate.square(), WIDE)
    return estimate * ((energy - leak).clamp(min=0) / energy.clamp(min=1e-9))


def _each(one, images: Tensor, other: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
    """Collaborative filtering takes one image stack at a time."""
    return torch.stack([one(*pair) for pair in zip(images, other, strict=True)])


def _first_pass(images: Tensor, signal: Tensor) -> Tensor:
    """Eigen-images (r, rows, cols), similar patches thresholded together; ``signal`` (r,) weighs them in the search."""
    groups = similar_patches((images * signal[:, None, None])[:SEEN], FIRST_GROUP, SEARCH)
    return _without_leak(shrink(images, groups, THRESHOLD)[None], LEAK_HARD)[0]


def _second_pass(images: Tensor, pilot: Tensor) -> Tensor:
    """Eigen-images (r, rows, cols), similar patches multiplied by the Wiener gains of a pilot."""
    return shrink(images, similar_patches(pilot[:SEEN], SECOND_GROUP, SEARCH), THRESHOLD, pilot)
