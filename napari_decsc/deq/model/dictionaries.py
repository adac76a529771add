"""The two dictionaries of DECSC: K of the shared 2-D code S and D of the unshared 3-D code H.

Each decodes (synthesis, K S) and encodes (its adjoint, K^T) with one set of filters, so that a step of the fixed-point
map is a gradient step. Before any training both are orthonormal: a lapped transform of every band, or of cosines along
the bands.

Shapes: N images, B bands, F2 shared maps S (N, F2, h, w), F3 unshared maps H (N B, F3, h, w), cubes (N, B, rows, cols).
"""

import math

import torch
from torch import Tensor, nn

from napari_decsc.deq.model.convolution import analyse, analyse_bands, synthesise, synthesise_bands
from napari_decsc.deq.model.frames import lapped_orthogonal


class BandDictionary(nn.Module):
    """K with free filters for each of a fixed number of bands: filters (F2, B, k, k). The published form.

    Before any training they are products of the smoothest cosines along the bands and a lapped orthogonal transform.

    Parameters
    ----------
    maps, bands, taps, stride : int
        F2, B, k, s.
    """

    def __init__(self, maps: int, bands: int, taps: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.filters = nn.Parameter(torch.zeros(maps, bands, taps, taps))
        self.acquaint(_cosines(bands))

    @torch.no_grad()
    def acquaint(self, spectra: Tensor) -> None:
        """Begin with filters of these spectra, each with the whole lapped orthogonal transform.

        Parameters
        ----------
        spectra : tensor of shape (B, B)
            Orthonormal rows, the most important first.
        """
        maps, _, taps, _ = self.filters.shape
        frame = lapped_orthogonal(taps).to(spectra)
        of_all = torch.einsum("rb,fij->rfbij", spectra[: math.ceil(maps / len(frame))], frame).flatten(0, 1)
        self.filters.copy_(of_all[:maps])

    def decode(self, S: Tensor) -> Tensor:
        """The synthesis K S.

        Parameters
        ----------
        S : tensor of shape (N, F2, h, w)
            The shared code.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
        """
        return synthesise(S, self.filters, self.stride)

    def encode(self, cube: Tensor) -> Tensor:
        """The adjoint K^T.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Any.

        Returns
        -------
        tensor of shape (N, F2, h, w)
        """
        return analyse(cube, self.filters, self.stride)


class UnsharedDictionary(nn.Module):
    """D: F3 filters of 3 x k x k taps over (band, row, col), the same at every band: filters (F3, 3, k, k).

    Before any training they are a lapped orthogonal transform of each band.

    Parameters
    ----------
    maps, taps, stride : int
        F3, k, s.
    """

    def __init__(self, maps: int, taps: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        first = torch.zeros(maps, 3, taps, taps)
        frame = lapped_orthogonal(taps)[:maps]
        first[: len(frame), 1] = frame
        self.filters = nn.Parameter(first)

    def decode(self, H: Tensor, images: int) -> Tensor:
        """The synthesis D H.

        Parameters
        ----------
        H : tensor of shape (N B, F3, h, w)
            The unshared code.
        images : int
            N.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
        """
        return synthesise_bands(H, self.filters, self.stride, images)

    def encode(self, cube: Tensor) -> Tensor:
        """The adjoint D^T.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Any.

        Returns
        -------
        tensor of shape (N B, F3, h, w)
        """
        return analyse_bands(cube, self.filters, self.stride)


def _cosines(bands: int) -> Tensor:
    """The orthonormal cosines (DCT-II) along the bands, smooth ones first: (bands, bands)."""
    n, k = torch.arange(float(bands)), torch.arange(float(bands))[:, None]
    waves = torch.cos(math.pi / bands * (n + 0.5) * k)
    normed: Tensor = waves / waves.norm(dim=1, keepdim=True)
    return normed
