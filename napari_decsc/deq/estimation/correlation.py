"""Correlation of the noise between bands, from the most homogeneous places of a cube; and in space.

Second diagonal differences hold all of the noise and little of the scene. In the most homogeneous blocks, those of the
least Mahalanobis energy, they hold hardly anything else (the idea of the minimum covariance determinant: Rousseeuw and
Van Driessen, Technometrics 41, 1999). What texture is left there grows when the differences reach twice as far; noise
does not, and that tells the two apart in every eigen-direction.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.order import medians
from napari_decsc.filters.patches import PATCH, cosines, on_device

#: Side of a block, pixels.
BLOCK = 8
#: Share of the blocks that count as homogeneous.
HOMOGENEOUS = 0.15
#: Rounds of choosing them.
ROUNDS = 6
#: Differences are clipped at so many noise levels.
CLIP = 6.0
#: Share of the identity in the correlation matrix.
SHRINKAGE = 0.02
#: Texture's differences of twice the reach have so many times the variance.
GROWTH = 4.0
#: Noise is alike everywhere. A direction is texture's where the median block has so many times what the calmest have,
#: in times of other directions.
UNLIKE = 1.7
#: The calmest blocks are this quantile.
CALMEST = 0.05
#: Noise does not keep to what the scene is made of. A direction is texture's, too, of which no more than this share is
#: outside the scene's components. (Glint on water is alike everywhere and white in space.)
OUTSIDE = 0.07
#: Pixels over which the cube is smoothed for them.
WINDOW = 5
#: At most so many count ...
COMPONENTS = 10
#: ... each of so many times the energy that noise in that direction would have left there.
CLEARLY = 10.0
#: Such a direction is noise all the same if it grows with the reach no more than this times what other directions do,
#: and is as strong in dark places as in bright ones. (Texture and glint grow with the light.)
GROWS = 1.3
#: That can be told if the brightest third of the homogeneous blocks is so many times as bright as the darkest ...
BRIGHTER = 1.4
#: ... and is so where its energies in the two differ by this factor at most.
ALIKE = 1.25
#: The largest eigenvalue must exceed what chance makes by this factor.
BEYOND_CHANCE = 1.25
#: ... or bands side by side must correlate by this in the mean, which no single direction of a scene makes them.
NEIGHBOURS = 0.17
#: Correlation reaches as far as bands correlate by this.
HARDLY = 0.05
#: The spectrum in space is white unless a coefficient differs by this share ...
COLOURED = 0.35
#: ... and by so many over the square root of the samples: five deviations of a squared median of overlapping patches.
CHANCE = 14.0
#: Least eigenvalue of a correlation matrix that is inverted.
LEAST = 0.02


@torch.no_grad()
def between_bands(cube: Tensor, sigma: Tensor) -> Tensor | None:
    """Correlation of the noise between bands; None if it is within chance, or there are fewer than 24 rows or columns.

    Parameters
    ----------
    cube : tensor of shape (band, row, col)
        Noisy.
    sigma : tensor of shape (band,)
        Its noise levels, in its unit.

    Returns
    -------
    tensor of shape (band, band), or None
        Diagonal 1.
    """
    bands, rows, cols = cube.shape
    if min(rows, cols) < 24 or bands < 3:
        return None
    scaled = cube / sigma[:, None, None]
    near, far = _blocks(_differences(scaled, 1)[:, :-1, :-1]), _blocks(_differences(scaled, 2))
    count = max(int(HOMOGENEOUS * near.shape[1]), -(-3 * bands // BLOCK**2), 4)
    correlation = torch.eye(bands, dtype=torch.float64, device=cube.device)
    for _ in range(ROUNDS):
        homogeneous = _energies(near, correlation).argsort()[:count]
        moment = _moment(near[:, homogeneous])
        level = moment.diagonal().clamp(min=1e-12).sqrt()
        correlation = moment / level[:, None] / level
        correlation = (1 - SHRINKAGE) * correlation + SHRINKAGE * torch.eye(bands, device=cube.device)
    reached = _moment(far[:, homogeneous]) / level[:, None] / level
    level = level.float()[:, None, None]
    near, bright = near / level, _blocks(cube).mean((0, 2))[homogeneous]
    light = near[:, homogeneous[bright.argsort()]], bright.sort().values
    return _of_noise(correlation, reached, near, light, _components(scaled / level), 32 * count)


def whitening(correlation: Tensor) -> Tensor:
    """C^(-1/2) of a correlation matrix, the symmetric root. Its eigenvalues count as 0.02 at least.

    Parameters
    ----------
    correlation : tensor of shape (band, band)
        Symmetric, diagonal 1.

    Returns
    -------
    tensor of shape (band, band)
        float32.
    """
    values, vectors = torch.linalg.eigh(correlation.double())
    root: Tensor = (vectors / values.clamp(min=LEAST).sqrt()) @ vectors.T
    return root.float()


def _of_noise(
    near: Tensor, far: Tensor, blocks: Tensor, light: tuple[Tensor, Tensor], scene: tuple[Tensor, Tensor], samples: int
) -> Tensor | None:
    """The part of the correlation that neither grows with the reach nor differs from place to place, and is no scene's.

    None where it is within chance.
    """
    values, vectors = torch.linalg.eigh(near)
    ratio = (vectors.T @ far @ vectors).diagonal() / values.clamp(min=1e-9)
    usual = float(ratio.median())
    growth = GROWTH * max(1.0, usual)
    noise = torch.where(
        ratio > usual, torch.maximum((growth - ratio) * values / (growth - usual), 0.05 * values), values
    )
    if usual > 2:  # noise that is correlated in space: texture grows less than it does
        noise = torch.where(ratio < 0.75 * usual, noise.clamp(max=1), noise)
    acquitted = (ratio < GROWS * usual) & _is_alike(vectors, *light)
    texture = _is_uneven(vectors, blocks) | _is_within(vectors, values, *scene) & ~acquitted
    noise = torch.where(texture, noise.minimum(values.median()), noise)
    edge = BEYOND_CHANCE * (1 + (len(near) / samples) ** 0.5) ** 2
    covariance = (vectors * noise) @ vectors.T
    level = covariance.diagonal().sqrt()
    found: Tensor = covariance / level[:, None] / level
    if float(noise.max()) >= edge * (2 if usual > 2 else 1):
        return found
    return _near_diagonal(found) if float(found.diagonal(1).mean()) > NEIGHBOURS else None


def _near_diagonal(correlation: Tensor) -> Tensor:
    """The correlation tapered from where that of bands so far apart is hardly there: what is further off is chance.

    Source: T. Cai, C.-H. Zhang, H. Zhou, *Optimal rates of convergence for covariance matrix estimation*, Annals of
    Statistics 38 (2010).
    """
    bands = len(correlation)
    means = [float(correlation.diagonal(distance).mean()) for distance in range(1, bands)]
    reach = next((distance for distance, mean in enumerate(means, 1) if mean < HARDLY), bands)
    place = torch.arange(bands, device=correlation.device)
    apart = (place[:, None] - place).abs()
    tapered: Tensor = correlation * (2 - apart / reach).clamp(0, 1)
    return tapered


def _is_uneven(vectors: Tensor, blocks: Tensor) -> Tensor:
    """Which directions (band, direction) have much more in the median block (band, block, n) than in the calmest."""
    images = (vectors.T.float() @ blocks.flatten(1)).view_as(blocks)
    calmest, median = torch.quantile(images.square().mean(2), images.new_tensor((CALMEST, 0.5)), dim=1)
    uneven = median / calmest.clamp(min=1e-12)
    found: Tensor = uneven > UNLIKE * uneven.median()
    return found


def _components(cube: Tensor) -> tuple[Tensor, Tensor]:
    """Energies and directions (band, component) of a smoothed cube, the strongest first."""
    smooth = F.avg_pool2d(cube[None], WINDOW, WINDOW // 2 + 1)[0]
    energy, vectors = torch.linalg.eigh(_moment(smooth - smooth.mean((1, 2), keepdim=True)))
    return energy.flip(0)[:COMPONENTS], vectors.flip(1)[:, :COMPONENTS]


def _is_within(vectors: Tensor, values: Tensor, energy: Tensor, scene: Tensor) -> Tensor:
    """Which directions (band, direction) of so much energy lie within the scene's clear components."""
    clear = energy[:, None] > CLEARLY * values / WINDOW**2
    found: Tensor = ((scene.T @ vectors).square() * clear).sum(0) > 1 - OUTSIDE
    return found


def _is_alike(vectors: Tensor, blocks: Tensor, bright: Tensor) -> Tensor:
    """Which directions (band, direction) have as much in dark as in bright blocks (band, block, n), in rising order."""
    third = max(1, len(bright) // 3)
    images = (vectors.T.float() @ blocks.flatten(1)).view_as(blocks).square()
    dark, light = images[:, :third].mean((1, 2)), images[:, -third:].mean((1, 2))
    ratio = light / dark.clamp(min=1e-12)
    found: Tensor = (ratio < ALIKE) & (ratio > 1 / ALIKE) & (bright[-third:].mean() > BRIGHTER * bright[:third].mean())
    return found


def _differences(cube: Tensor, reach: int) -> Tensor:
    down = cube[:, reach:] - cube[:, :-reach]
    return ((down[:, :, reach:] - down[:, :, :-reach]) / 2).clamp(-CLIP * reach, CLIP * reach)


def _blocks(values: Tensor) -> Tensor:
    """(band, row, col) -> (band, block, pixel of the block)."""
    bands = len(values)
    down, across = (extent // BLOCK for extent in values.shape[1:])
    cut = values[:, : down * BLOCK, : across * BLOCK].reshape(bands, down, BLOCK, across, BLOCK)
    return cut.transpose(2, 3).reshape(bands, down * across, BLOCK**2)


def _energies(blocks: Tensor, correlation: Tensor) -> Tensor:
    """Mahalanobis energy of every block."""
    root = whitening(correlation)
    return (root @ blocks.flatten(1)).square().mean(0).view(blocks.shape[1:]).mean(1)


def _moment(blocks: Tensor) -> Tensor:
    values = blocks.flatten(1).double()
    return values @ values.T / values.shape[1]


@torch.no_grad()
def in_space(noise: Tensor) -> Tensor | None:
    """Spectrum in space of noise, by the cosine coefficients of patches.

    Parameters
    ----------
    noise : tensor of shape (band, row, col)
        Of variance 1.

    Returns
    -------
    tensor of shape (64,), or None
        Variances of the coefficients, 1 in the mean; None where the noise is white.
    """
    transform = on_device(cosines, PATCH, noise.device)
    found, count = noise.new_zeros(PATCH**2), 0
    for band in noise:  # patches of all bands would take four times the memory of the cube
        patches = band.unfold(0, PATCH, PATCH // 2).unfold(1, PATCH, PATCH // 2).reshape(-1, PATCH**2)
        found += medians((transform @ patches.mT).abs()).square()
        count += len(patches)
    found = found / found.mean()
    chance = CHANCE * count**-0.5
    return found if bool(((found - 1).abs() > max(COLOURED, chance)).any()) else None
