"""The two dictionaries of DECSC: K of the shared 2-D code S and D of the unshared 3-D code H.

Each can decode (synthesis, K S) and encode (its adjoint, K^T). A tied dictionary has one set of filters, so that the
step of the fixed-point map is a gradient step; an untied one has a set of its own for decoding in the step, for
encoding, and for the final estimate (as older weights have). A fixed one is not learned at all: it stays the tight
frame that it began as.

Shapes: N images, B bands, F2 shared maps S (N, F2, h, w), F3 unshared maps H (N B, F3, h, w), cubes (N, B, rows, cols).
"""

from abc import ABC, abstractmethod
from itertools import groupby

import torch
from torch import Tensor, nn

from napari_decsc.deq.model.convolution import along_bands, analyse, analyse_bands, synthesise, synthesise_bands
from napari_decsc.deq.model.frames import frame_bound, lapped_orthogonal, windowed_dct
from napari_decsc.filters.spectra import mix_bands

#: How the filters of a dictionary belong together.
KINDS = ("fixed", "tied", "untied")


class Filters(nn.Module):
    """One set of filters ("fixed" or "tied"), or three that start equal: ``step``, ``encode``, ``output``."""

    step: Tensor
    encode: Tensor
    output: Tensor

    def __init__(self, first: Tensor, kind: str) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"filters are {kind!r}; they may be {', '.join(KINDS)}")
        for name in ("step", "encode", "output"):
            if kind == "fixed":
                self.register_buffer(name, first, persistent=False)
            elif kind == "untied" or name == "step":
                setattr(self, name, nn.Parameter(first.clone()))
            else:
                setattr(self, name, self.step)


class SharedDictionary(nn.Module, ABC):
    """What K is: how many maps it has, at which stride, its filters, and the two directions."""

    maps: int
    stride: int
    filters: Filters

    @abstractmethod
    def decode(self, S: Tensor, basis: Tensor | None, filters: Tensor) -> Tensor:
        """K S: (N, F2, h, w) -> (N, B, rows, cols)."""

    @abstractmethod
    def encode(self, cube: Tensor, basis: Tensor | None, filters: Tensor) -> Tensor:
        """K^T: (N, B, rows, cols) -> (N, F2, h, w)."""


class BandDictionary(SharedDictionary):
    """K with free filters for each of a fixed number of bands: filters (F2, B, k, k). The published form."""

    def __init__(self, maps: int, bands: int, taps: int, stride: int, kind: str) -> None:
        super().__init__()
        self.maps, self.stride = maps, stride
        first = torch.randn(maps, bands, taps, taps)
        self.filters = Filters(first / frame_bound(first, stride) ** 0.5, kind)

    def decode(self, S: Tensor, basis: Tensor | None, filters: Tensor) -> Tensor:
        """K S: (N, F2, h, w) -> (N, B, rows, cols)."""
        return synthesise(S, filters, self.stride)

    def encode(self, cube: Tensor, basis: Tensor | None, filters: Tensor) -> Tensor:
        """K^T: (N, B, rows, cols) -> (N, F2, h, w)."""
        return analyse(cube, filters, self.stride)


class SubspaceDictionary(SharedDictionary):
    """K = E x k: spatial filters k, the same for every spectral component, times the cube's own spectral basis E.

    Component i keeps the ``low[i]`` x ``low[i]`` lowest frequencies of the 8 x 8 windowed DCT: F2 = sum of low^2.
    Where all are kept, K K^T is the identity (away from the border), and K^T K the exact projector onto what K can see.
    """

    def __init__(self, low: tuple[int, ...], kind: str) -> None:
        super().__init__()
        self.stride, self.maps = 4, sum(n * n for n in low)
        self.filters = Filters(windowed_dct().reshape(64, 1, 8, 8), kind)
        #: runs of components that keep the same frequencies: (components, indices of their filters)
        self.runs = [(len(list(run)), _lowest(n)) for n, run in groupby(low)]

    def component_images(self, S: Tensor, filters: Tensor) -> Tensor:
        """K S before the basis: (N, F2, h, w) -> (N, r, rows, cols)."""
        images, start = [], 0
        for count, indices in self.runs:
            maps = S[:, start : start + count * len(indices)]
            start += count * len(indices)
            maps = maps.reshape(-1, len(indices), *S.shape[2:])
            part = synthesise(maps, filters[indices], self.stride)
            images.append(part.view(-1, count, *part.shape[2:]))
        return _one(images)

    def component_maps(self, images: Tensor, filters: Tensor) -> Tensor:
        """The adjoint of :meth:`component_images`: (N, r, rows, cols) -> (N, F2, h, w)."""
        maps, start = [], 0
        for count, indices in self.runs:
            part = analyse(images[:, start : start + count].flatten(0, 1).unsqueeze(1), filters[indices], self.stride)
            start += count
            maps.append(part.view(-1, count * len(indices), *part.shape[2:]))
        return _one(maps)

    def decode(self, S: Tensor, basis: Tensor | None, filters: Tensor) -> Tensor:
        """K S: (N, F2, h, w) -> (N, B, rows, cols)."""
        assert basis is not None
        return mix_bands(basis, self.component_images(S, filters))

    def encode(self, cube: Tensor, basis: Tensor | None, filters: Tensor) -> Tensor:
        """K^T: (N, B, rows, cols) -> (N, F2, h, w)."""
        assert basis is not None
        return self.component_maps(mix_bands(basis.mT, cube), filters)


class UnsharedDictionary(nn.Module):
    """D: F3 filters of 3 x k x k taps over (band, row, col), the same at every band: filters (F3, 3, k, k).

    Before any training they are a lapped orthogonal transform of each band.
    """

    def __init__(self, maps: int, taps: int, stride: int, kind: str) -> None:
        super().__init__()
        self.stride = stride
        first = torch.zeros(maps, 3, taps, taps)
        frame = lapped_orthogonal(taps)[:maps]
        first[: len(frame), 1] = frame
        self.filters = Filters(first, kind)

    def decode(self, H: Tensor, images: int, filters: Tensor) -> Tensor:
        """D H: (N B, F3, h, w) -> (N, B, rows, cols)."""
        return synthesise_bands(H, filters, self.stride, images)

    def encode(self, cube: Tensor, filters: Tensor) -> Tensor:
        """D^T: (N, B, rows, cols) -> (N B, F3, h, w)."""
        return analyse_bands(cube, filters, self.stride)


class SeparableDictionary(UnsharedDictionary):
    """D that is fixed: a lapped orthogonal transform in space, (F3, 1, k, k), times three taps along the bands.

    ||D|| <= 1 when the absolute taps sum to 1. Space and bands one after the other take a third of the multiplications.
    """

    def __init__(self, taps: int, along: tuple[float, float, float]) -> None:
        nn.Module.__init__(self)
        self.stride, self.along = taps // 2, along
        self.filters = Filters(lapped_orthogonal(taps)[:, None], "fixed")

    def decode(self, H: Tensor, images: int, filters: Tensor) -> Tensor:
        """D H: (N B, F3, h, w) -> (N, B, rows, cols)."""
        bands = synthesise(H, filters, self.stride)
        return along_bands(bands.view(images, -1, *bands.shape[2:]), self.along)

    def encode(self, cube: Tensor, filters: Tensor) -> Tensor:
        """D^T: (N, B, rows, cols) -> (N B, F3, h, w)."""
        below, here, above = self.along
        return analyse(along_bands(cube, (above, here, below)).flatten(0, 1)[:, None], filters, self.stride)


def _one(parts: list[Tensor]) -> Tensor:
    """Images or maps behind each other; no copy of a single part."""
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _lowest(n: int) -> list[int]:
    """Indices, among the 8 x 8 frequencies, of the n x n lowest."""
    return [8 * row + col for row in range(n) for col in range(n)]
