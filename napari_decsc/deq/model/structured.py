"""The codes of structured noise: an offset for every line and band, an amplitude for every fringe and band.

Each has a quadratic penalty, the precision of its measured variance, so the best ones for a given S have a closed form:
they are eliminated in every evaluation of f.

Shapes: N = 1 cube, B bands; residual and offsets (1, B, rows, cols), whitened; ``weight`` (rows, cols) is the one
of f's inner product.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from napari_decsc.deq.estimation import fringes
from napari_decsc.deq.estimation.fringes import Wave
from napari_decsc.deq.estimation.lines import Lines
from napari_decsc.deq.estimation.noise_model import Whitener
from napari_decsc.filters.patches import PATCH, cosines, on_device

#: The precision of offsets that a band has none of.
NONE = 1e9


@dataclass(frozen=True, eq=False)
class Structures:
    """Lines and fringes of an image.

    Parameters
    ----------
    whitener : Whitener
        Of this place.
    lines : tuple of pairs of Lines and tensor of shape (band,)
        Families of lines, and the variance of their offsets.
    waves : tuple of Wave
        Fringes of single bands.
    slope : tensor of shape (1 or band, rows, cols), optional
        By how much an offset of a band shows at a pixel; None for 1.
    """

    whitener: Whitener
    lines: tuple[tuple[Lines, Tensor], ...]
    waves: tuple[Wave, ...]
    slope: Tensor | None

    @classmethod
    def of(cls, whitener: Whitener, cube: Tensor) -> "Structures":
        """Those of a noise model on a cube or a part of it.

        Parameters
        ----------
        whitener : Whitener
            Of this part.
        cube : tensor of shape (band, rows, cols)
            Peak 1, noisy.

        Returns
        -------
        Structures
        """
        model, shape = whitener.model, (cube.shape[1], cube.shape[2])
        lines = tuple((Lines(shape, line.angle, cube.device), line.variance.to(cube.device)) for line in model.lines)
        return cls(whitener, lines, model.fringes, whitener.slope(cube))

    @property
    def closed(self) -> bool:
        """Whether :meth:`explained` is the minimum: one family of lines, or fringes, in bands that are independent."""
        families = len(self.lines) + bool(self.waves)
        return families <= 1 and self.whitener.model.whitening is None

    def at(self, estimate: Tensor) -> "Structures":
        """The same where the cube is best known by an estimate of it.

        A slope that follows the noise makes offsets of it.

        Parameters
        ----------
        estimate : tensor of shape (1, B, rows, cols)
            Whitened.

        Returns
        -------
        Structures
        """
        if self.slope is None:
            return self
        return replace(self, slope=self.whitener.slope(self.whitener.restored(estimate[0])))

    def explained(self, residual: Tensor, weight: Tensor) -> Tensor:
        """What lines and fringes explain of what S leaves over.

        Parameters
        ----------
        residual : tensor of shape (1, B, rows, cols)
            What S leaves over, whitened.
        weight : tensor of shape (rows, cols)
            That of f's inner product; 0 where nothing was measured.

        Returns
        -------
        tensor of shape (1, B, rows, cols)
            Whitened.
        """
        bands = self.whitener.unmixed(residual[0])
        parts: list[Tensor | None] = [None] * (len(self.lines) + 1)
        several = len(self.lines) + (bool(self.waves)) > 1
        for _ in range(2 if several else 1):  # families are nearly orthogonal
            for number, (line, variance) in enumerate(self.lines):
                parts[number] = self._lines(_without(bands, parts, number), line, variance, weight)
            if self.waves:
                parts[-1] = fringes.fit(_without(bands, parts, len(parts) - 1), self.waves, weight)
        total = _without(torch.zeros_like(bands), parts, -1).neg_()
        return self.whitener.mixed(total)[None]

    def first(self, target: Tensor, basis: Tensor, there: Tensor) -> Tensor:
        """Offsets before any estimate: those beside the subspace, by means.

        Parameters
        ----------
        target : tensor of shape (1, B, rows, cols)
            Whitened.
        basis : tensor of shape (B, r)
            Of the signal's subspace.
        there : bool tensor, shape (rows, cols)
            Pixels in which something was measured.

        Returns
        -------
        tensor of shape (1, B, rows, cols)
            Whitened.
        """
        flat = target[0].flatten(1)
        beside = (flat - basis @ (basis.T @ flat)).view_as(target[0])
        found = self.explained(beside[None], there.to(beside))[0].flatten(1)
        return (found - basis @ (basis.T @ found)).view_as(target)

    def spectrum(self, basis: Tensor, share: float) -> Tensor:
        """What a share of the lines' variance adds to eigen-images: energy of the cosine coefficients of patches.

        Parameters
        ----------
        basis : tensor of shape (B, r)
            Of the signal's subspace.
        share : float
            From 0 to 1.

        Returns
        -------
        tensor of shape (64,)
        """
        energy = basis.new_zeros(PATCH**2)
        for line, variance in self.lines:
            drawn = torch.randn(8, line.count, generator=torch.Generator().manual_seed(0)).to(basis)
            patches = line.spread(drawn).unfold(1, PATCH, PATCH).unfold(2, PATCH, PATCH).reshape(-1, PATCH**2)
            unit = (patches @ on_device(cosines, PATCH, basis.device).mT).square().mean(0)
            energy += share * float((basis.square() * variance[:, None]).sum(0).mean()) * unit
        return energy

    def _lines(self, bands: Tensor, line: Lines, variance: Tensor, weight: Tensor) -> Tensor:
        ridge = torch.where(variance > 0, float(weight.mean()) / variance.clamp(min=1e-9), NONE)
        if self.slope is None:
            return line.spread(line.fit(bands, weight, ridge))
        slope = self.slope.expand_as(bands) if not line.exact or len(self.slope) > 1 else self.slope
        offsets = line.fit(bands / slope, weight * slope.square(), ridge)
        return line.spread(offsets) * slope


def _without(bands: Tensor, parts: list[Tensor | None], leave: int) -> Tensor:
    """Bands less all parts but one."""
    residual = bands
    for number, part in enumerate(parts):
        if part is not None and number != leave:
            residual = residual - part
    return residual
