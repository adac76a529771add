"""DECSC: the fixed-point map f of one proximal gradient step on the two codes, in two presets.

The clean cube is K S + D H, with a shared code S and an unshared code H; z* = f(z*), z = (S, H), holds the answer.
Source: Ye, Wang, Xiong, Chen, Qian, *Deep equilibrium convolutional sparse coding for hyperspectral image denoising*,
IEEE TGRS 2025, arXiv 2508.15553.

:class:`Paper` is the published model. :class:`Subspace` solves the same problem in noise units and in the cube's own
spectral basis, for any number of bands; its priors are set once per image, so that f is a contraction for every input.
"""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_decsc.deq.estimation import basic_estimate as guide
from napari_decsc.deq.estimation.basic_estimate import Guide
from napari_decsc.deq.estimation.subspace import Survey, survey
from napari_decsc.deq.estimation.whitening import median_3x3
from napari_decsc.deq.model.attention import Detail, SwinBlock
from napari_decsc.deq.model.conditioning import Refiner
from napari_decsc.deq.model.dictionaries import (
    BandDictionary,
    SeparableDictionary,
    SharedDictionary,
    SubspaceDictionary,
    UnsharedDictionary,
)
from napari_decsc.deq.model.proximal import clip, inverse_softplus, soft
from napari_decsc.deq.solvers.fixed_point import Code
from napari_decsc.errors import DenoisingError
from napari_decsc.filters.spectra import mix_bands


@dataclass(frozen=True, eq=False)
class Context:
    """What f knows besides z, found once per image.

    ``target`` (N, B, rows, cols): the noisy cube in the model's units; ``weight``, the same shape or (N, B, 1, 1): 0
    where a voxel carries no information; ``unit`` (N, B, 1, 1): one unit of each band, as a share of the peak;
    ``basis`` (N, B, r) or None; ``expected`` (N, B, rows, cols): the cube that the prior expects, from which the codes
    lead on, 0 where there is none; ``strength``: weight of the prior against the data, 1 as trained.
    """

    target: Tensor
    weight: Tensor
    unit: Tensor
    basis: Tensor | None = None
    expected: Tensor | float = 0.0
    strength: float = 1.0

    def continued(self, rows: Tensor, cols: Tensor) -> "Context":
        """What is known, before anything is expected, of the cube continued: its rows and cols, by their indices."""
        known = self.target.shape[2:]
        parts = (self.target, self.weight)
        target, weight = (part[:, :, rows[:, None], cols] if part.shape[2:] == known else part for part in parts)
        return dataclasses.replace(self, target=target, weight=weight)


class Decsc(nn.Module, ABC):
    """What both presets share. Pieces that differ are methods and modules of the presets."""

    preset: ClassVar[str]
    #: one honest line for the person who chooses
    summary: ClassVar[str]
    #: rows and cols of an image must be multiples of this
    multiple: int
    #: number of bands of an image, or None for any
    bands: int | None
    #: names of parameters begin so that are stored with half the bits: those that f does not contain
    stored_in_half: ClassVar[tuple[str, ...]] = ()
    shared: SharedDictionary
    unshared: UnsharedDictionary
    config: Any

    @abstractmethod
    def units(self, cube: Tensor, keep: Tensor) -> Survey | None:
        """What must be found on the whole cube (or a sample of its pixels) before tiles of it are denoised."""

    @abstractmethod
    def prepare(self, cube: Tensor, keep: Tensor, units: Survey | None = None) -> Guide | Context:
        """What is found of cubes (N, B, rows, cols), peak 1, without anything learned. ``units`` as for `context`."""

    @abstractmethod
    def condition(self, found: Guide | Context) -> Context:
        """The context of what :meth:`prepare` found."""

    def context(self, cube: Tensor, keep: Tensor, units: Survey | None = None) -> Context:
        """What is known of cubes (N, B, rows, cols) with peak 1. ``units`` of the whole cube, when this is a tile."""
        return self.condition(self.prepare(cube, keep, units))

    def on_columns(self, cube: Tensor, keep: Tensor, units: Survey | None) -> Survey | None:
        """Units for tiles whose columns are those of ``cube``: rows of it from their whole height."""
        return units

    def sketch(self, cube: Tensor, keep: Tensor, units: Survey | None) -> Tensor | None:
        """A first look at the answer (N, B, rows, cols), peak 1, where finding the context takes its time."""
        return None

    @abstractmethod
    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map."""

    @abstractmethod
    def start(self, c: Context) -> Code:
        """A first estimate. Already a fair preview."""

    @abstractmethod
    def stronger(self, c: Context, strength: float) -> Context:
        """The same cube denoised ``strength`` times as strongly."""

    def carried(self, z: Code, before: float, now: float) -> Code:
        """A solution found at one strength, as a start for another."""
        return z

    @abstractmethod
    def contraction(self, strength: float = 1.0) -> float | None:
        """A proved bound on how much f stretches any difference of two codes, below 1; None if nothing is proved."""

    def output(self, z: Code, c: Context) -> Tensor:
        """The clean cube of codes: (N, B, rows, cols), peak 1."""
        return self.estimate(z, c) * c.unit

    def estimate(self, z: Code, c: Context) -> Tensor:
        """What is expected, and K S + D H, in the model's units."""
        S, H = z
        cube = self.shared.decode(S, c.basis, self.shared.filters.output)
        cube += c.expected
        cube += self.unshared.decode(H, S.shape[0], self.unshared.filters.output)
        return cube


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
    """The published equations: free filters for 31 bands, least squares, soft thresholds, Swin blocks, detail block.

    With S first, then H with the new S,

        S <- NonLocal(soft(S - K^T W (K S + D H - Y)))
        H <- Detail(soft(H - D^T W (D H + K S - Y)))

    W is ours: 0 where a voxel carries no information, which the published data term would believe, and 1 elsewhere.
    """

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

    def prepare(self, cube: Tensor, keep: Tensor, units: Survey | None = None) -> Context:
        """The cube as it is; voxels that carry no information weigh nothing and begin as their neighbours' median."""
        if cube.shape[1] != self.bands:
            raise DenoisingError(f"the weights 'paper' take {self.bands} bands at a time, not {cube.shape[1]}")
        one = cube.new_ones(cube.shape[0], cube.shape[1], 1, 1)
        if keep.all():
            return Context(target=cube, weight=one, unit=one)
        filled = torch.where(keep, cube, median_3x3(cube, keep))
        return Context(target=filled, weight=keep.to(cube.dtype), unit=one)

    def condition(self, found: Guide | Context) -> Context:
        """The same."""
        assert isinstance(found, Context)
        return found

    def stronger(self, c: Context, strength: float) -> Context:
        """A cube made fainter by the strength meets thresholds that are as much larger."""
        return dataclasses.replace(c, target=c.target / strength, unit=c.unit * strength)

    def carried(self, z: Code, before: float, now: float) -> Code:
        """In the units of the other strength."""
        return tuple(part * (before / now) for part in z)

    def contraction(self, strength: float = 1.0) -> None:
        """Nothing is proved: that it converges is found by trying."""

    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map."""
        S, H = z
        k, d = self.shared.filters, self.unshared.filters
        r = (self.estimate(z, c) - c.target) * c.weight
        S = self._shrink_shared(S - self.shared.encode(r, None, k.encode))
        r = (self.estimate((S, H), c) - c.target) * c.weight
        return S, self._shrink_unshared(H - self.unshared.encode(r, d.encode), S.shape[0])

    def start(self, c: Context) -> Code:
        """Encode, shrink, and give the rest to the unshared code."""
        k, d = self.shared.filters, self.unshared.filters
        S = self._shrink_shared(self.shared.encode(c.target, None, k.encode))
        rest = c.target - self.shared.decode(S, None, k.output)
        return S, self._shrink_unshared(self.unshared.encode(rest, d.encode), S.shape[0])

    def _shrink_shared(self, S: Tensor) -> Tensor:
        y = soft(S, F.softplus(self.shared_threshold)).permute(0, 2, 3, 1)
        for block in self.blocks:
            y = block(y)
        return y.permute(0, 3, 1, 2)

    def _shrink_unshared(self, H: Tensor, images: int) -> Tensor:
        thresholded: Tensor = self.detail(soft(H, F.softplus(self.unshared_threshold)), images)
        return thresholded


@dataclass(frozen=True)
class SubspaceConfig:
    """Sizes of the subspace model.

    ``rank``: spectral components; ``width``, ``deep``: channels of the conditioning network at a half and at a quarter
    of the resolution; ``blocks``: its residual blocks before, at, and after the coarse level; ``least_weight``: the
    prior's quadratic weight is never below this, so that f contracts by 1 / (1 + least_weight) at least.
    """

    rank: int = 12
    width: int = 96
    deep: int = 128
    blocks: tuple[int, int, int] = (2, 4, 1)
    least_weight: float = 0.1


class Subspace(Decsc):
    """DECSC in noise units and in the cube's own spectral basis: any bands, any noise level, a proved contraction.

    The clean cube is X + K S + D H: X is what the conditioning network expects, the codes are what the data say against
    it. They minimise a strongly convex energy,

        sum_v w_v Huber(X + K S + D H - Y)_v + sum_i t_i |S_i| + m_i/2 S_i^2 + sum_j t_j |H_j| + m_j/2 H_j^2,

    with K = E x k (spectral basis E, tight frame k), ||K|| <= 1 and ||D|| <= 1. f is its forward-backward step of
    length 1/2: the gradient step is non-expansive, since ||[K D]||^2 <= 2, and the proximal step contracts by
    1 / (1 + min m / 2), for every input.
    Source of the step: Combettes and Wajs, *Signal recovery by proximal forward-backward splitting*, Multiscale Model.
    Simul. 4 (2005).
    """

    preset = "subspace"
    summary = "any number of bands, any sensor, all kinds and levels of noise; the one to use"
    bands = None
    multiple = 8
    stored_in_half = ("refiner.",)
    shared: SubspaceDictionary

    def __init__(self, config: SubspaceConfig) -> None:
        super().__init__()
        self.config, self.rank = config, config.rank
        self.shared = SubspaceDictionary((8,) * config.rank, "fixed")
        self.unshared = SeparableDictionary(8, along=(0.25, 0.5, 0.25))
        self.refiner = Refiner(config.rank, config.width, config.deep, config.blocks)
        maps = self.shared.maps
        # half a threshold t and half a weight m, as the step of length 1/2 takes them
        self.shared_threshold = nn.Parameter(_free(1.0, maps))
        self.shared_weight = nn.Parameter(_free(1.0, maps))
        self.unshared_threshold = nn.Parameter(_free(2.5, 16))
        self.unshared_weight = nn.Parameter(_free(0.2, 16))
        self.huber_limit = nn.Parameter(inverse_softplus(torch.tensor(4.0)))

    def units(self, cube: Tensor, keep: Tensor) -> Survey:
        """Noise levels, basis and energies of whole cubes (N, B, rows, cols)."""
        return survey(cube, keep, self.rank)

    def prepare(self, cube: Tensor, keep: Tensor, units: Survey | None = None) -> Guide:
        """Noise units, outliers, and the first estimate of the eigen-images."""
        return guide.find(cube, keep, self.units(cube, keep) if units is None else units)

    def on_columns(self, cube: Tensor, keep: Tensor, units: Survey | None) -> Survey | None:
        """With the shifts of columns, where there are outliers."""
        return None if units is None else guide.on_columns(cube, keep, units)

    def sketch(self, cube: Tensor, keep: Tensor, units: Survey | None) -> Tensor | None:
        """Local Wiener filtering of the eigen-images."""
        return None if units is None else guide.sketch(cube, keep, units)

    def condition(self, found: Guide | Context) -> Context:
        """What the conditioning network makes of the guide. Components beyond those it knows stay as they are there."""
        assert isinstance(found, Guide)
        units, known = found.units, slice(self.rank)
        basis = units.basis[:, :, known]
        share = mix_bands(basis.square().mT, found.weight)
        images = self.refiner(found.images[:, known], found.pilot[:, known], share, units.energy[:, known])
        expected = units.cube(torch.cat([images, found.pilot[:, self.rank :]], 1))
        return Context(found.target, found.weight, units.sigma[:, :, None, None], basis, expected)

    def stronger(self, c: Context, strength: float) -> Context:
        """The prior weighs ``strength`` times as much against the data."""
        return dataclasses.replace(c, strength=strength)

    def contraction(self, strength: float = 1.0) -> float:
        """The largest 1 / (1 + strength m / 2), for the weights m of the prior."""
        least = min(float(self._weight(raw.detach()).min()) for raw in (self.shared_weight, self.unshared_weight))
        return 1 / (1 + strength * least)

    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map."""
        S, H = z
        r = self.estimate(z, c).sub_(c.target)
        # half a step against the gradient, in place: fresh memory costs more time than the arithmetic
        r = clip(r, F.softplus(self.huber_limit)).mul_(c.weight).mul_(-0.5)
        S = self.shared.encode(r, c.basis, self.shared.filters.encode).add_(S)
        H = self.unshared.encode(r, self.unshared.filters.encode).add_(H)
        return (
            self._shrunk(S, self.shared_threshold, self.shared_weight, c.strength),
            self._shrunk(H, self.unshared_threshold, self.unshared_weight, c.strength),
        )

    def start(self, c: Context) -> Code:
        """Nothing but what is expected."""
        n, bands, rows, cols = c.target.shape
        h, w = rows // self.shared.stride, cols // self.shared.stride
        return c.target.new_zeros(n, self.shared.maps, h, w), c.target.new_zeros(n * bands, 16, h, w)

    def _shrunk(self, x: Tensor, threshold: Tensor, weight: Tensor, strength: float) -> Tensor:
        """The proximal step of strength (t |x| + m / 2 x^2): soft(x, t) / (1 + m). ``x`` is used up."""
        t, m = strength * F.softplus(threshold), strength * self._weight(weight)
        return F.softshrink(x.div_(t), 1).mul_(t / (1 + m))

    def _weight(self, raw: Tensor) -> Tensor:
        least: float = self.config.least_weight
        return least + F.softplus(raw)


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


def _free(value: float, maps: int) -> Tensor:
    return inverse_softplus(torch.full((1, maps, 1, 1), value))
