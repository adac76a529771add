"""The learned priors: non-local on the shared maps, detail on the unshared maps.

Shapes: N images, F2 shared maps of h x w coefficients, laid out (N, h, w, F2) for the transformer; F3 unshared maps,
band-major (N B, F3, h, w).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_decsc.deq.model.convolution import conv_3d

#: Gates act on no more of a coefficient, in noise levels.
GATED = 3.0


class WindowAttention(nn.Module):
    """Self-attention within windows of ``window`` x ``window`` positions, the grid of windows moved by ``shift``.

    Where a moved grid leaves the image, the image is continued by reflection, so that a tile and the whole image agree.
    Source: Liu et al., *Swin transformer*, ICCV 2021.

    Parameters
    ----------
    width : int
        Channels.
    heads : int
        Of attention; divides the width.
    window : int
        Side of a window, positions.
    shift : int
        Of the grid, positions.
    """

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.position_bias = nn.Parameter(torch.zeros(heads, window * window, window * window))

    def forward(self, y: Tensor) -> Tensor:
        """Every position as a mean of those of its window.

        Parameters
        ----------
        y : tensor of shape (N, h, w, width)
            h and w are multiples of the window.

        Returns
        -------
        tensor of shape (N, h, w, width)
        """
        if not self.shift:
            return self._attend(y)
        h, w = y.shape[1:3]
        before, after = self.window - self.shift, self.shift
        wider = F.pad(y.permute(0, 3, 1, 2), (before, after, before, after), mode="reflect").permute(0, 2, 3, 1)
        return self._attend(wider)[:, before : before + h, before : before + w]

    def _attend(self, y: Tensor) -> Tensor:
        n, h, w, width = y.shape
        k = self.window
        y = y.reshape(n, h // k, k, w // k, k, width).transpose(2, 3).reshape(-1, k * k, width)
        heads = self.query_key_value(y).view(-1, k * k, 3, self.heads, width // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=self.position_bias)
        mixed: Tensor = self.project(y.transpose(1, 2).reshape(-1, k * k, width))
        return mixed.view(n, h // k, w // k, k, k, width).transpose(2, 3).reshape(n, h, w, width)


class SwinBlock(nn.Module):
    """A pre-norm transformer block: y + attention(norm y), then y + MLP(norm y).

    Parameters
    ----------
    width, heads, window, shift : int
        As those of `WindowAttention`.
    scale : float
        Multiplies what both branches add, at first: a small one starts near the identity.
    """

    def __init__(self, width: int, heads: int, window: int, shift: int, scale: float = 1.0) -> None:
        super().__init__()
        self.attention = WindowAttention(width, heads, window, shift)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.expand, self.contract = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        if scale != 1:
            with torch.no_grad():
                for layer in (self.attention.project, self.contract):
                    layer.weight.mul_(scale)
                    layer.bias.mul_(scale)

    def forward(self, y: Tensor) -> Tensor:
        """One application.

        Parameters
        ----------
        y : tensor of shape (N, h, w, width)
            h and w are multiples of the window.

        Returns
        -------
        tensor of shape (N, h, w, width)
        """
        y = y + self.attention(self.norm1(y))
        mixed: Tensor = self.contract(F.gelu(self.expand(self.norm2(y))))
        return y + mixed


class Detail(nn.Module):
    """Detail enhancement of the unshared maps: a re-parametrised 3 x 3 x 3 convolution, ReLU, identity, then a gate.

    Maps are in noise levels. Both look at arsinh of them, and the gate acts on no more than +-3 of a coefficient: what
    stands far out of the noise passes as it is, where a gate of 0.99 would take ten levels off a thousand.

    The kernel is the sum of five: plain; centre difference (the centre tap minus the sum of all); differences along
    row, column and band (learned taps on one face, their negative on the opposite one).
    Source: Chen, He, Lu, *DEA-Net: single image dehazing based on detail-enhanced convolution and content-guided
    attention*, IEEE TIP 33 (2024), carried over to three dimensions.

    Parameters
    ----------
    maps : int
        F3, even.
    scale : float
        Spread of the taps before any training.
    """

    def __init__(self, maps: int, scale: float = 1e-3) -> None:
        super().__init__()
        self.plain = nn.Parameter(torch.randn(maps, maps, 3, 3, 3) * scale)
        self.centre_difference = nn.Parameter(torch.randn(maps, maps, 27) * scale)
        self.col_difference = nn.Parameter(torch.randn(maps, maps, 3, 3) * scale)
        self.row_difference = nn.Parameter(torch.randn(maps, maps, 3, 3) * scale)
        self.band_difference = nn.Parameter(torch.randn(maps, maps, 3, 3) * scale)
        self.bias = nn.Parameter(torch.zeros(maps))
        self.gate1 = nn.Parameter(torch.randn(maps // 2, maps, 3, 3, 3) * (2 / (27 * maps)) ** 0.5)
        self.gate2 = nn.Parameter(torch.zeros(maps, maps // 2, 3, 3, 3))
        self.gate_bias = nn.Parameter(torch.full((maps,), 4.0))

    def kernel(self) -> Tensor:
        """The five kernels as one.

        Returns
        -------
        tensor of shape (maps, maps, 3, 3, 3)
        """
        centre = F.one_hot(torch.tensor(13, device=self.plain.device), 27).to(self.plain.dtype)
        centred = self.centre_difference - centre * self.centre_difference.sum(2, keepdim=True)
        kernel = self.plain + centred.view_as(self.plain)
        faces = ((self.col_difference, 4), (self.row_difference, 3), (self.band_difference, 2))
        for face, axis in faces:
            kernel = kernel + torch.stack([face, torch.zeros_like(face), -face], axis)
        return kernel

    def forward(self, x: Tensor, images: int) -> Tensor:
        """One application.

        Parameters
        ----------
        x : tensor of shape (N B, maps, h, w)
            Unshared maps.
        images : int
            N.

        Returns
        -------
        tensor of shape (N B, maps, h, w)
        """
        seen = x.asinh()
        added = F.relu(conv_3d(seen, self.kernel(), images, self.bias))
        hidden = F.relu(conv_3d(seen + added, self.gate1, images))
        closed = torch.sigmoid(-conv_3d(hidden, self.gate2, images, self.gate_bias))
        y = x + added
        return y - closed * y.clamp(-GATED, GATED)
