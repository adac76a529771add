"""The two dictionaries of DECSC: K of the shared 2-D code S and D of the unshared 3-D code H.

Each can decode (synthesis, K S) and encode (its adjoint, K^T). A tied dictionary has one set of filters, so that the
step of the fixed-point map is a gradient step; an untied one has a set of its own for decoding in the step, for
encoding, and for the final estimate (as older weights have).

Shapes: N images, B bands, F2 shared maps S (N, F2, h, w), F3 unshared maps H (N B, F3, h, w), cubes (N, B, rows, cols).
"""

import torch
from torch import Tensor, nn

from napari_decsc.deq.model.convolution import analyse, analyse_bands, synthesise, synthesise_bands
from napari_decsc.deq.model.frames import frame_bound, lapped_orthogonal

#: How the filters of a dictionary belong together.
KINDS = ("tied", "untied")


class _Filters(nn.Module):
    """One set of filters ("tied"), or three that start equal ("untied"): ``step``, ``encode``, ``output``."""

    step: Tensor
    encode: Tensor
    output: Tensor

    def __init__(self, first: Tensor, kind: str) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"filters are {kind!r}; they may be {', '.join(KINDS)}")
        for name in ("step", "encode", "output"):
            if kind == "untied" or name == "step":
                setattr(self, name, nn.Parameter(first.clone()))
            else:
                setattr(self, name, self.step)


class BandDictionary(nn.Module):
    """K with free filters for each of a fixed number of bands: filters (F2, B, k, k). The published form.

    Parameters
    ----------
    maps, bands, taps, stride : int
        F2, B, k, s.
    kind : str
        One of `KINDS`.
    """

    def __init__(self, maps: int, bands: int, taps: int, stride: int, kind: str) -> None:
        super().__init__()
        self.maps, self.stride = maps, stride
        first = torch.randn(maps, bands, taps, taps)
        self.filters = _Filters(first / frame_bound(first, stride) ** 0.5, kind)

    def decode(self, S: Tensor, filters: Tensor) -> Tensor:
        """The synthesis K S.

        Parameters
        ----------
        S : tensor of shape (N, F2, h, w)
            The shared code.
        filters : tensor of shape (F2, B, k, k)
            One set of ``self.filters``.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
        """
        return synthesise(S, filters, self.stride)

    def encode(self, cube: Tensor, filters: Tensor) -> Tensor:
        """The adjoint K^T.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Any.
        filters : tensor of shape (F2, B, k, k)
            One set of ``self.filters``.

        Returns
        -------
        tensor of shape (N, F2, h, w)
        """
        return analyse(cube, filters, self.stride)


class UnsharedDictionary(nn.Module):
    """D: F3 filters of 3 x k x k taps over (band, row, col), the same at every band: filters (F3, 3, k, k).

    Before any training they are a lapped orthogonal transform of each band.

    Parameters
    ----------
    maps, taps, stride : int
        F3, k, s.
    kind : str
        One of `KINDS`.
    """

    def __init__(self, maps: int, taps: int, stride: int, kind: str) -> None:
        super().__init__()
        self.stride = stride
        first = torch.zeros(maps, 3, taps, taps)
        frame = lapped_orthogonal(taps)[:maps]
        first[: len(frame), 1] = frame
        self.filters = _Filters(first, kind)

    def decode(self, H: Tensor, images: int, filters: Tensor) -> Tensor:
        """The synthesis D H.

        Parameters
        ----------
        H : tensor of shape (N B, F3, h, w)
            The unshared code.
        images : int
            N.
        filters : tensor of shape (F3, 3, k, k)
            One set of ``self.filters``.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
        """
        return synthesise_bands(H, filters, self.stride, images)

    def encode(self, cube: Tensor, filters: Tensor) -> Tensor:
        """The adjoint D^T.

        Parameters
        ----------
        cube : tensor of shape (N, B, rows, cols)
            Any.
        filters : tensor of shape (F3, 3, k, k)
            One set of ``self.filters``.

        Returns
        -------
        tensor of shape (N B, F3, h, w)
        """
        return analyse_bands(cube, filters, self.stride)
