"""The conditioning network: from noisy eigen-images and a first estimate to a better one. It stands outside the loop.

Shapes: N images, r spectral components, in units of their noise (variance 1).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_decsc.deq.model.convolution import pixel_shuffle
from napari_decsc.filters.local import box_mean

#: What the estimate took away is read, and given back, within so many noise levels.
REACH = 6.0
#: Side of the window whose mean is the coarse part of an image.
COARSE = 9


class _Residual(nn.Module):
    """x + conv(relu(conv x)). ``scale`` multiplies what is added, at first."""

    def __init__(self, width: int, scale: float = 0.1) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        with torch.no_grad():
            self.second.weight.mul_(scale)
            self.second.bias.zero_()  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) -> the same shape."""
        added: Tensor = self.second(F.relu(self.first(x)))
        return x + added


class Refiner(nn.Module):
    """A small U-net on half the resolution: q = p + tanh(g) clip(x - p) + a, with a gate g and an addition a per pixel.

    x are the noisy eigen-images, p their first estimate. Before any training q = p. Large values are read through
    asinh, which is linear at the noise and tame above it; x - p is clipped to a few noise levels.

    Parameters
    ----------
    rank : int
        Components that it knows, r.
    width, deep : int
        Channels at a half and at a quarter of the resolution.
    blocks : tuple of three int
        Residual blocks before, at, and after the coarse level.
    """

    def __init__(self, rank: int, width: int, deep: int, blocks: tuple[int, int, int]) -> None:
        super().__init__()
        before, middle, after = blocks
        self.enter = nn.Conv2d(4 * 4 * rank + rank, width, 3, padding=1)
        self.fine = nn.Sequential(*[_Residual(width) for _ in range(before)])
        self.down = nn.Conv2d(width, deep, 2, stride=2)
        self.coarse = nn.Sequential(*[_Residual(deep) for _ in range(middle)])
        self.up = nn.ConvTranspose2d(deep, width, 2, stride=2)
        self.last = nn.Sequential(*[_Residual(width) for _ in range(after)])
        self.leave = nn.Conv2d(width, 4 * 2 * rank, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor, pilot: Tensor, noise_left: Tensor, energy: Tensor) -> Tensor:
        """A better estimate of the eigen-images. Rows and cols are multiples of 4.

        Parameters
        ----------
        images : tensor of shape (N, r, rows, cols)
            Noisy.
        pilot : tensor of shape (N, r, rows, cols)
            Their first estimate.
        noise_left : tensor of shape (N, r, rows, cols)
            Share of their noise that the filling of outliers left.
        energy : tensor of shape (N, r)
            Mean squares of the noisy images.

        Returns
        -------
        tensor of shape (N, r, rows, cols)
            In the unit of the images.
        """
        taken = (images - pilot).clamp(-REACH, REACH)
        coarse = box_mean(pilot, COARSE)
        pixels = torch.cat([taken, _asinh(pilot - coarse), 0.3 * _asinh(coarse), noise_left], 1)
        x = F.pixel_unshuffle(pixels, 2)
        loudness = 0.3 * energy.clamp(min=0.5).log()
        x = torch.cat([x, loudness[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)
        x = self.fine(F.relu(self.enter(x.contiguous(memory_format=torch.channels_last))))
        x = self.up(self.coarse(self.down(x))) + x
        gate, added = pixel_shuffle(self.leave(self.last(x)).float(), 2).chunk(2, 1)
        return pilot + torch.tanh(gate) * taken + added


def _asinh(values: Tensor) -> Tensor:
    """As ``torch.asinh``, which takes three times as long on a processor; its gradient at 0 itself is 0."""
    size = values.abs()
    squares = size.square()
    return torch.log1p(size + squares / (1 + (squares + 1).sqrt())).copysign(values)
