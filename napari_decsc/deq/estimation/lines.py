"""Offsets of whole lines of pixels: columns, rows, or lines at an angle of a scene that was georeferenced.

A line has a place across the image; a pixel lies between two places and takes from both. For columns and rows places
are whole numbers and a line is a column or a row.

Shapes: offsets (band, line), images (band, row, col).
"""

import math

import torch
from torch import Tensor

from napari_decsc.filters.order import medians, robust_deviation

#: Lines are offset where their axis holds so many times the power of other directions ...
AXIS = 5.0
#: ... and the median offset is so many times what chance makes.
OFFSET = 2.0


class Lines:
    """The lines of pixels of an image, all at one angle.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    angle : float
        Degrees off the columns; 90: the rows.
    device : torch device, optional
        Where the places of pixels are kept.
    """

    def __init__(self, shape: tuple[int, int], angle: float, device: torch.device | None = None) -> None:
        self.angle, self.shape = angle, shape
        row, col = torch.meshgrid(torch.arange(shape[0]).double(), torch.arange(shape[1]).double(), indexing="ij")
        place = col * math.cos(math.radians(angle)) + row * math.sin(math.radians(angle))
        place = place - place.min()
        place = torch.where((place - place.round()).abs() < 1e-6, place.round(), place)
        low = place.floor()
        self.low = low.long().flatten().to(device)
        self.fraction = (place - low).float().flatten().to(device)
        self.exact = bool((self.fraction == 0).all())
        self.count = int(self.low.max()) + (1 if self.exact else 2)

    def spread(self, offsets: Tensor) -> Tensor:
        """Offsets (band, line) as images: A o.

        Parameters
        ----------
        offsets : tensor of shape (band, line)
            In any unit.

        Returns
        -------
        tensor of shape (band, row, col)
            Each pixel has the offset of its line.
        """
        values = offsets[:, self.low]
        if not self.exact:
            values = torch.lerp(values, offsets[:, self.low + 1], self.fraction)
        return values.view(-1, *self.shape)

    def gather(self, images: Tensor) -> Tensor:
        """Sums of images (band, row, col) over the lines: A^T x.

        Parameters
        ----------
        images : tensor of shape (band, row, col)
            In any unit.

        Returns
        -------
        tensor of shape (band, line)
            A pixel between two places gives to both.
        """
        flat = images.flatten(1)
        sums = flat.new_zeros(len(flat), self.count)
        if self.exact:
            return sums.index_add_(1, self.low, flat)
        sums.index_add_(1, self.low, flat * (1 - self.fraction))
        return sums.index_add_(1, self.low + 1, flat * self.fraction)

    def fit(self, images: Tensor, weight: Tensor, ridge: Tensor) -> Tensor:
        """Offsets that minimise sum weight (x - A o)^2 + sum_b ridge_b |o_b|^2.

        Parameters
        ----------
        images : tensor of shape (band, row, col)
            x, in any unit.
        weight : tensor of shape (row, col) or (band, row, col)
            0 or more.
        ridge : tensor of shape (band,)
            Positive, in units of the weight.

        Returns
        -------
        tensor of shape (band, line)
            In the unit of the images.
        """
        weight = weight.expand(1, *self.shape) if weight.ndim == 2 else weight
        sums = self.gather(images * weight)
        if self.exact:
            return sums / (self.gather(weight) + ridge[:, None])
        system = self._system(weight)
        system = system.expand(len(images), *system.shape[1:]) + torch.diag_embed(
            ridge[:, None].expand(len(images), self.count)
        )
        fitted: Tensor = torch.linalg.solve(system, sums)
        return fitted

    def without(self, images: Tensor) -> Tensor:
        """Images with the mean of every line taken out.

        Parameters
        ----------
        images : tensor of shape (band, row, col)
            In any unit.

        Returns
        -------
        tensor of shape (band, row, col)
            In the same unit.
        """
        ones = torch.ones(self.shape, device=images.device)
        return images - self.spread(self.fit(images, ones, images.new_full((len(images),), 1e-3)))

    def pixels(self) -> Tensor:
        """Pixels of every line.

        Returns
        -------
        tensor of shape (line,)
            Not whole where pixels lie between lines.
        """
        return self.gather(torch.ones(1, *self.shape, device=self.low.device))[0]

    def _system(self, weight: Tensor) -> Tensor:
        """A^T diag(weight) A: (1 or band, line, line), tridiagonal."""
        flat, n = weight.flatten(1), self.count
        here = flat.new_zeros(len(flat), n)
        here.index_add_(1, self.low, flat * (1 - self.fraction) ** 2)
        here.index_add_(1, self.low + 1, flat * self.fraction**2)
        both = flat * self.fraction * (1 - self.fraction)
        beside = flat.new_zeros(len(flat), n).index_add_(1, self.low, both)[:, :-1]
        return torch.diag_embed(here) + torch.diag_embed(beside, 1) + torch.diag_embed(beside, -1)


@torch.no_grad()
def offset_share(noise: Tensor, line: Lines) -> float:
    """Share of the bands in which most columns, or most rows, are offset.

    Parameters
    ----------
    noise : tensor of shape (band, row, col)
        Of variance 1.
    line : Lines
        At 0 or 90 degrees.

    Returns
    -------
    float
        0 without bands.
    """
    if len(noise) == 0:
        return 0.0
    offsets = line.fit(noise, noise.new_ones(line.shape), noise.new_full((len(noise),), 1e-3))
    # from line to line: what varies slowly across the lines is the scene's
    steps = robust_deviation(offsets.diff(dim=1)) / 2**0.5
    typical = steps * line.pixels().median().sqrt()
    power = torch.fft.fft2(noise).abs().square() / noise[0].numel()
    rows, cols = noise.shape[1:]
    axis = power[:, 0, cols // 8 : cols // 2] if line.angle == 0 else power[:, rows // 8 : rows // 2, 0]
    # noise that is correlated in space has power at low frequencies in every direction
    other = power[:, 2 : rows // 2, 2 : cols // 2]
    around = torch.maximum(medians(other.flatten(1)), medians(power.flatten(1))) / 0.6931
    low = max(float((power[:, 1:5, 1:5].mean((1, 2)) / around).median()), 1.0)
    offset = (axis.mean(1) > AXIS * low * around) & (typical > OFFSET * low**0.5)
    return float(offset.float().mean())
