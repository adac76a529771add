"""DECSC: the fixed-point map f of one proximal gradient step on the two codes, in two presets.

The clean cube is K S + D H. With S first, then H with the new S,

    S <- NonLocal(shrink(S - K^T r(K S + D H)))        r(x) = gradient of the data term at the estimate x
    H <- Detail(shrink(H - D^T r(D H + K S)))

and the answer is the output of z* = (S*, H*) with z* = f(z*).
Source: Ye, Wang, Xiong, Chen, Qian, *Deep equilibrium convolutional sparse coding for hyperspectral image denoising*,
IEEE TGRS 2025, arXiv 2508.15553.

:class:`Paper` is the published model; :class:`Subspace` solves the same equations in noise units and in the cube's own
spectral basis, with a Huber data term, for any number of bands.
"""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_decsc.deq import noise_units
from napari_decsc.deq.dictionaries import (
    BandDictionary,
    SharedDictionary,
    SubspaceDictionary,
    UnsharedDictionary,
    mix_bands,
)
from napari_decsc.deq.fixed_point import Code
from napari_decsc.deq.noise_units import NoiseUnits
from napari_decsc.deq.priors import BoundedNonLocal, Detail, SwinBlock
from napari_decsc.deq.shrinkage import clip, firm, inverse_softplus, soft
from napari_decsc.hsi.errors import DenoisingError


@dataclass(frozen=True, eq=False)
class Context:
    """What f knows besides z, found once per image: shapes as in :mod:`.noise_units`.

    ``target`` (N, B, rows, cols): the noisy cube in the model's units; ``weight``, the same shape: 0 where a voxel
    carries no information; ``unit`` (N, B, 1, 1): one unit of each band, as a share of the peak; ``basis`` (N, B, r) or
    None; ``first`` (N, B, rows, cols): the cube that the start estimate is made from.
    """

    target: Tensor
    weight: Tensor
    unit: Tensor
    basis: Tensor | None
    first: Tensor

    def louder(self, strength: float) -> "Context":
        """The same cube with its noise taken to be ``strength`` times as loud: one unit is larger by that."""
        return dataclasses.replace(
            self, target=self.target / strength, first=self.first / strength, unit=self.unit * strength
        )


class Decsc(nn.Module, ABC):
    """What both presets share: the order of the steps. Pieces that differ are methods and modules of the presets."""

    preset: ClassVar[str]
    #: one honest line for the person who chooses
    summary: ClassVar[str]
    #: rows and cols of an image must be multiples of this
    multiple: int
    #: number of bands of an image, or None for any
    bands: int | None
    shared: SharedDictionary
    unshared: UnsharedDictionary
    detail: Detail
    config: "PaperConfig | SubspaceConfig"

    @abstractmethod
    def context(self, cube: Tensor, keep: Tensor, units: NoiseUnits | None = None) -> Context:
        """What is known of cubes (N, B, rows, cols) with peak 1. ``units`` of the whole cube, when this is a tile."""

    @abstractmethod
    def units(self, cube: Tensor, keep: Tensor) -> NoiseUnits | None:
        """What must be found on the whole cube (or a sample of its pixels) before tiles of it are denoised."""

    @abstractmethod
    def fidelity(self, estimate: Tensor, c: Context) -> Tensor:
        """Gradient of the data term with respect to the estimate."""

    @abstractmethod
    def shrink_shared(self, S: Tensor) -> Tensor:
        """Threshold and non-local prior."""

    @abstractmethod
    def shrink_unshared(self, H: Tensor, images: int) -> Tensor:
        """Threshold and detail prior."""

    def shared_step(self, S: Tensor, U: Tensor, c: Context) -> Tensor:
        """S - K^T r(K S + U): the gradient step on the shared code."""
        filters = self.shared.filters
        r = self.fidelity(self.shared.decode(S, c.basis, filters.step) + U, c)
        return S - self.shared.encode(r, c.basis, filters.encode)

    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map."""
        S, H = z
        images, filters = S.shape[0], self.unshared.filters
        U = self.unshared.decode(H, images, filters.output)
        S = self.shrink_shared(self.shared_step(S, U, c))
        if filters.step is not filters.output:
            U = self.unshared.decode(H, images, filters.step)
        r = self.fidelity(U + self.shared.decode(S, c.basis, self.shared.filters.output), c)
        return S, self.shrink_unshared(H - self.unshared.encode(r, filters.encode), images)

    def start(self, c: Context) -> Code:
        """A first estimate: encode, shrink, and give the rest to the unshared code. Already a fair preview."""
        filters = self.shared.filters
        S = self.shrink_shared(self.shared.encode(c.first, c.basis, filters.encode))
        rest = c.first - self.shared.decode(S, c.basis, filters.output)
        H = self.unshared.encode(rest, self.unshared.filters.encode)
        return S, self.shrink_unshared(H, S.shape[0])

    def output(self, z: Code, c: Context) -> Tensor:
        """The clean cube of codes: (N, B, rows, cols), peak 1."""
        S, H = z
        cube = self.shared.decode(S, c.basis, self.shared.filters.output)
        cube = cube + self.unshared.decode(H, S.shape[0], self.unshared.filters.output)
        return cube * c.unit


@dataclass(frozen=True)
class PaperConfig:
    """Sizes of the published model; the counts that the paper does not give are ours."""

    bands: int = 31
    shared_maps: int = 96
    unshared_maps: int = 16
    taps: int = 8
    stride: int = 4
    depth: int = 2
    heads: int = 4
    window: int = 8
    filters: str = "tied"


class Paper(Decsc):
    """The published equations: free filters for 31 bands, least squares, soft thresholds, Swin blocks, detail block."""

    preset = "paper"
    summary = "the published model: 31 bands at a time (more in windows), one kind of cube; weaker than subspace"

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config, self.bands = config, config.bands
        self.multiple = config.window * config.stride
        self.shared = BandDictionary(config.shared_maps, config.bands, config.taps, config.stride, config.filters)
        self.unshared = UnsharedDictionary(config.unshared_maps, config.taps, config.stride, config.filters)
        self.shared_threshold = nn.Parameter(_free(0.02, config.shared_maps))
        self.unshared_threshold = nn.Parameter(_free(0.05, config.unshared_maps))
        shifts = [0 if i % 2 == 0 else config.window // 2 for i in range(config.depth)]
        self.blocks = nn.ModuleList(
            SwinBlock(config.shared_maps, config.heads, config.window, shift, scale=0.1) for shift in shifts
        )
        self.detail = Detail(config.unshared_maps)

    def units(self, cube: Tensor, keep: Tensor) -> None:
        """Nothing: the published model looks at an image alone."""

    def context(self, cube: Tensor, keep: Tensor, units: NoiseUnits | None = None) -> Context:
        """The cube as it is, unusable voxels set to 0 and believed: the published data term has no weights."""
        if cube.shape[1] != self.bands:
            raise DenoisingError(f"the weights 'paper' take {self.bands} bands at a time, not {cube.shape[1]}")
        cube = torch.where(keep, cube, cube.clamp(0, 1).nan_to_num(0))
        one = cube.new_ones(cube.shape[0], cube.shape[1], 1, 1)
        return Context(target=cube, weight=one, unit=one, basis=None, first=cube)

    def fidelity(self, estimate: Tensor, c: Context) -> Tensor:
        """Least squares: estimate - target."""
        return estimate - c.target

    def shrink_shared(self, S: Tensor) -> Tensor:
        """Soft threshold, then the transformer."""
        return _channels_last(self.blocks, soft(S, F.softplus(self.shared_threshold)))

    def shrink_unshared(self, H: Tensor, images: int) -> Tensor:
        """Soft threshold, then the detail block."""
        thresholded: Tensor = self.detail(soft(H, F.softplus(self.unshared_threshold)), images)
        return thresholded


@dataclass(frozen=True)
class SubspaceConfig:
    """Sizes of the subspace model.

    ``low``: frequencies kept per spectral component, strongest component first. ``detail_reach``: coefficients of H
    pass the detail block unchanged beyond this many noise levels. ``wrap``: see :class:`.priors.WindowAttention`.
    """

    low: tuple[int, ...] = (8, 8, 8, 8, 6, 6, 6, 6, 4, 4, 4, 4)
    unshared_maps: int = 16
    depth: int = 2
    width: int = 128
    heads: int = 4
    window: int = 8
    damping: float = 0.4
    shared_filters: str = "fixed"
    unshared_filters: str = "tied"
    detail_reach: float = 8.0
    wrap: bool = False


class Subspace(Decsc):
    """DECSC in noise units and in the cube's own spectral basis, with a Huber data term: any bands, any noise level."""

    preset = "subspace"
    summary = "any number of bands, any sensor, all kinds and levels of noise; the one to use"
    bands = None
    shared: SubspaceDictionary
    map_component: Tensor

    def __init__(self, config: SubspaceConfig) -> None:
        super().__init__()
        self.config, self.multiple = config, config.window * 4
        self.rank = len(config.low)
        self.shared = SubspaceDictionary(config.low, config.shared_filters)
        self.unshared = UnsharedDictionary(config.unshared_maps, 8, 4, config.unshared_filters)
        maps = self.shared.maps
        self.shared_threshold = nn.Parameter(inverse_softplus(_first_thresholds(config.low)).view(1, -1, 1, 1))
        self.unshared_threshold = nn.Parameter(_free(4.0, config.unshared_maps))
        self.firmness = nn.Parameter(torch.full((1, maps, 1, 1), 2.8))
        self.huber_limit = nn.Parameter(torch.tensor(2.5))
        #: share of S's part that K cannot see which every step removes, per spectral component
        self.damping = nn.Parameter(torch.full((self.rank,), config.damping))
        shifts = [0 if i % 2 == 0 else config.window // 2 for i in range(config.depth)]
        self.blocks = nn.ModuleList(
            BoundedNonLocal(maps, config.width, config.heads, config.window, shift, config.wrap) for shift in shifts
        )
        self.detail = Detail(config.unshared_maps, config.detail_reach)
        self.register_buffer("map_component", _component_of_map(config.low), persistent=False)

    def units(self, cube: Tensor, keep: Tensor) -> NoiseUnits:
        """Noise levels and basis of whole cubes (N, B, rows, cols)."""
        return noise_units.find(cube, keep, self.rank)[0]

    def context(self, cube: Tensor, keep: Tensor, units: NoiseUnits | None = None) -> Context:
        """The cube in noise units; its units are found from itself unless they are given."""
        if units is None:
            units, first = noise_units.find(cube, keep, self.rank)
        else:
            first = noise_units.repair(cube, keep, units)
        unit = units.sigma[:, :, None, None]
        weight = keep.to(cube.dtype)
        return Context(torch.where(keep, cube, 0) / unit, weight, unit, units.basis, first)

    def fidelity(self, estimate: Tensor, c: Context) -> Tensor:
        """Weighted Huber: w clip(estimate - target, limit), the limit learned, in noise levels."""
        return c.weight * clip(estimate - c.target, F.softplus(self.huber_limit))

    def shared_step(self, S: Tensor, U: Tensor, c: Context) -> Tensor:
        """The gradient step on S and on damping / 2 ||S - K^T K S||^2, what the dictionary cannot see, in one encoding.

        In a redundant frame f would be the identity there, and the solver would creep along it for ever.
        """
        assert c.basis is not None
        filters = self.shared.filters
        images = self.shared.component_images(S, filters.step)
        r = mix_bands(c.basis.mT, self.fidelity(mix_bands(c.basis, images) + U, c))
        damping = self.damping.clamp(0, 1)
        step = r - damping.view(-1, 1, 1) * images
        kept = (1 - damping)[self.map_component].view(-1, 1, 1)
        return kept * S - self.shared.component_maps(step, filters.encode)

    def shrink_shared(self, S: Tensor) -> Tensor:
        """Firm threshold, then the bounded transformer."""
        ratio = 1.2 + F.softplus(self.firmness)
        return _channels_last(self.blocks, firm(S, F.softplus(self.shared_threshold), ratio))

    def shrink_unshared(self, H: Tensor, images: int) -> Tensor:
        """Soft threshold, then the detail block."""
        thresholded: Tensor = self.detail(soft(H, F.softplus(self.unshared_threshold)), images)
        return thresholded


PRESETS: dict[str, tuple[type[Decsc], type]] = {
    "paper": (Paper, PaperConfig),
    "subspace": (Subspace, SubspaceConfig),
}


def build(preset: str, config: dict[str, Any]) -> Decsc:
    """A model before any training, from a preset's name and the fields of its configuration (lists may be tuples)."""
    model, settings = PRESETS[preset]
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    return model(settings(**values))


def config_of(model: Decsc) -> dict[str, Any]:
    """The configuration that :func:`build` takes."""
    return dataclasses.asdict(model.config)


def _channels_last(blocks: nn.ModuleList, maps: Tensor) -> Tensor:
    y = maps.permute(0, 2, 3, 1)
    for block in blocks:
        y = block(y)
    return y.permute(0, 3, 1, 2)


def _free(threshold: float, maps: int) -> Tensor:
    return inverse_softplus(torch.full((1, maps, 1, 1), threshold))


def _first_thresholds(low: tuple[int, ...]) -> Tensor:
    """About one noise level, a little more for weaker components, less for the means (the lowest frequency)."""
    thresholds = []
    for component, n in enumerate(low):
        one = torch.full((n * n,), 1 + 0.15 * component)
        one[0] = 0.05 if component < 2 else 0.5
        thresholds.append(one)
    return torch.cat(thresholds)


def _component_of_map(low: tuple[int, ...]) -> Tensor:
    return torch.cat([torch.full((n * n,), i) for i, n in enumerate(low)])
