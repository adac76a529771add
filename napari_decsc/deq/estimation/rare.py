"""Rare signal: pixels and small patches in which what an estimate leaves over is no noise.

Whitened, what is left of pure noise has variance 1 in every band, so the energy of a mean over n pixels, times n,
follows the chi-square law with as many degrees of freedom as bands. What exceeds it is signal that subspace and groups
do not hold: single-pixel targets, thin lines, a material of a few pixels. What exceeds it has few spectral directions
of its own; the unshared code H is free along these, where it rises above the noise.

Source of the test over all bands together: I. S. Reed, X. Yu, *Adaptive multiple-band CFAR detection of an optical
pattern with unknown spectral distribution*, IEEE TASSP 38 (1990).
"""

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.local import box_mean
from napari_decsc.filters.spectra import mix_bands

#: Sides of the windows that are tested, the smallest first.
SIDES = (1, 3, 5, 9)
#: A normal variable exceeds this with a probability of 1e-5: false alarms as a share of the windows of a cube of noise.
QUANTILE = 4.265
#: Directions at most.
MOST = 4
#: Their energy must exceed the largest that noise is expected to make by this factor.
MARGIN = 1.3
#: Bands over which directions may be smoothed.
WIDTHS = (3, 5, 9)
#: A pixel stands out of an eigen-image from so many noise levels on.
STANDS_OUT = 5.0
#: Fewer such pixels are few ...
FEW = 6
#: ... where they hold more than this share of what there is beside noise.
MOSTLY = 0.6
#: No energy of what is left is believed to be noise below this share of its expectation.
LEAST_LEVEL = 0.25


#: Degrees of freedom: one number, or one for every window.
Freedom = TypeVar("Freedom", float, Tensor, float | Tensor)
#: Side of the windows, spectra (B, k), and how free the code is along them (1, 1, rows, cols).
Part = tuple[int, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Rare:
    """The support of H: along which spectra it is free, and where.

    Parameters
    ----------
    sides : tuple of int
        Sides of the windows, pixels.
    directions : tuple of tensors of shape (B, k)
        Spectra of each, whitened.
    free : tuple of tensors of shape (1, 1, rows, cols)
        How free the code is along them, from 0 to 1.
    """

    sides: tuple[int, ...] = ()
    directions: tuple[Tensor, ...] = ()
    free: tuple[Tensor, ...] = ()

    def code(self, residual: Tensor) -> Tensor:
        """H of what the other codes leave over: a projection, window by window.

        Parameters
        ----------
        residual : tensor of shape (1, B, rows, cols)
            Whitened.

        Returns
        -------
        tensor of shape (1, B, rows, cols)
            Whitened.
        """
        found = torch.zeros_like(residual)
        for side, directions, free in zip(self.sides, self.directions, self.free, strict=True):
            coordinates = mix_bands(directions.T[None], residual) - mix_bands(directions.T[None], found)
            found += mix_bands(directions[None], free * _mean(coordinates, side))
        return found

    def where(self) -> Tensor | None:
        """The largest share at every pixel.

        Returns
        -------
        tensor of shape (rows, cols), or None
            From 0 to 1; None where there is nothing.
        """
        return torch.cat(self.free, 1).amax(1)[0] if self.free else None


@torch.no_grad()
def support(residual: Tensor, basis: Tensor, weight: Tensor | None = None) -> Rare:
    """Where, and along which spectra, what is left over is no noise.

    Tested are all bands together, and the components of the signal's basis by themselves: what the filter took of a
    strong pixel lies in few of many directions. A pixel with hidden voxels has as many degrees of freedom less.

    Parameters
    ----------
    residual : tensor of shape (1, B, rows, cols)
        Whitened; 0 where hidden.
    basis : tensor of shape (B, k)
        The signal's, whitened.
    weight : tensor of shape (1, B, rows, cols), optional
        0 where hidden, else 1; nothing is hidden if not given.

    Returns
    -------
    Rare
        Empty where all is noise.
    """
    bands = residual.shape[1]
    # levels that are a little wrong must not look like signal
    usual = (residual.square().sum(1) / _median(_seen(weight, bands))).median()
    residual = residual / usual.clamp(min=LEAST_LEVEL).sqrt()
    parts: list[Part] = []
    for side in SIDES:
        for within in (None, basis) if basis.shape[1] else (None,):
            found = _part(residual, side, within, weight)
            if found is None:
                continue
            new = [found]
            if within is None and basis.shape[1]:
                # where a pixel is like no other, what the groups made of it within the subspace is not believed either
                new.append((side, basis, found[2]))
            parts += new
            for _, spectra, gain in new:
                residual -= mix_bands(spectra[None], gain * _mean(mix_bands(spectra.T[None], residual), side))
    return Rare(*(tuple(each) for each in zip(*parts, strict=True))) if parts else Rare()


def _seen(weight: Tensor | None, bands: float) -> Tensor | float:
    """Bands of every pixel that are not hidden, one at least: (1, rows, cols), or all of them."""
    return bands if weight is None else weight.sum(1).clamp(min=1)


def _part(residual: Tensor, side: int, within: Tensor | None, weight: Tensor | None) -> Part | None:
    """Side, spectra and shares of what windows of ``side`` pixels have beyond noise, in all bands or ``within`` some
    directions.
    """
    # coordinates in the signal's basis hold the energy of what lies in it, and are few
    tested = _mean(residual if within is None else mix_bands(within.T[None], residual), side)
    dimensions = tested.shape[1]
    freedom: Tensor | float = dimensions
    held = side**2 * tested.square().sum(1)[0]
    if weight is not None:
        # a hidden voxel has no noise: windows with few of them must not look like signal among those with many
        share = _mean(weight if within is None else mix_bands(within.square().T[None], weight), side).sum(1)[0]
        freedom = share.clamp(min=1)
    # windows of noise that is correlated in space hold more than white noise; what most hold is common
    gathered = max(1.0, float((held / _median(freedom)).median())) if side > 1 else 1.0
    beyond = held > gathered * quantile(freedom)
    spectra = tested[0][:, beyond] * (side / gathered**0.5)
    along = _directions(spectra if within is None else within @ spectra, side, dimensions)
    if along is None:
        return None
    along, width = _smoothed(along, spectra, side) if within is None else (along, 1)
    energy = side**2 / gathered * _mean(mix_bands(along.T[None], residual), side).square().sum(1, keepdim=True)
    # few windows make directions of their own noise, and have more of it along them; half of that is taken off, because
    # what is lost of a rare signal counts for more than its noise
    count, windows = along.shape[1], max(1.0, float(beyond.sum()) / side**2)
    noise = count + (dimensions - count) / windows / width / 2
    gain = (1 - noise / energy.clamp(min=1e-9)).clamp(min=0) * (energy > quantile(count))
    return side, along, gain


def is_of_few_pixels(images: Tensor) -> Tensor:
    """Whether single pixels make an eigen-image: then its direction is that of their noise.

    It would explain these pixels with all of their noise. What is rare is for H.

    Parameters
    ----------
    images : tensor of shape (..., rows, cols)
        Noise 1.

    Returns
    -------
    bool tensor of shape (...)
    """
    energy = images.flatten(-2).square()
    out = energy > STANDS_OUT**2
    excess = (energy - 1).sum(-1)
    return (out.sum(-1) < FEW) & (torch.where(out, energy, 0).sum(-1) > MOSTLY * excess) & (excess > 0)


def quantile(bands: Freedom) -> Freedom:
    """The energy that noise exceeds with a probability of 1e-5.

    That of a chi-square law: E. B. Wilson, M. M. Hilferty, *The distribution of chi-square*, PNAS 17 (1931).

    Parameters
    ----------
    bands : float or tensor
        Degrees of freedom.

    Returns
    -------
    float or tensor
        In units of the noise's variance.
    """
    spread = 2 / (9 * bands)
    found: Freedom = bands * (1 - spread + QUANTILE * spread**0.5) ** 3
    return found


def _median(bands: Freedom) -> Freedom:
    """The median energy of noise over so many bands (Wilson and Hilferty, 1931)."""
    found: Freedom = bands * (1 - 2 / (9 * bands)) ** 3
    return found


def _mean(residual: Tensor, side: int) -> Tensor:
    return residual if side == 1 else box_mean(residual, side)


def _directions(spectra: Tensor, side: int, dimensions: int) -> Tensor | None:
    """Spectra (B, k) in which those of windows (B, window), noise 1, exceed noise; windows overlap by their side."""
    windows = spectra.shape[1]
    if windows == 0 or dimensions == 0:
        return None
    values, vectors = torch.linalg.eigh(spectra.double() @ spectra.double().T / windows)
    edge = MARGIN * (1 + (dimensions / max(1, windows / side**2)) ** 0.5) ** 2
    count = int((values > edge).sum().clamp(max=MOST))
    return vectors[:, -count:].float() if count else None


def _smoothed(along: Tensor, spectra: Tensor, side: int) -> tuple[Tensor, int]:
    """Directions (B, k) as smooth as the spectra (B, window) that they are of, and over how many bands they are.

    What few windows say of a direction is noisy. The width of the mean over neighbouring bands is that of the least
    risk by Stein's unbiased estimate (C. M. Stein, Annals of Statistics 9, 1981).
    """
    windows = max(1.0, spectra.shape[1] / side**2)
    strength = (along.T @ spectra).square().mean(1) * windows
    values = along * strength.sqrt()
    best, narrow, least = along, 1, float(values.numel())
    for width in WIDTHS:
        smooth = F.avg_pool1d(values.T[None], width, 1, width // 2, count_include_pad=False)[0].T
        risk = float((values - smooth).square().sum()) + 2 * values.numel() / width - values.numel()
        if risk < least:
            best, narrow, least = torch.linalg.qr(smooth)[0], width, risk
    return best, narrow
