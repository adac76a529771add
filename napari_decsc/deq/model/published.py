"""The published model: free filters for 31 bands, a Swin transformer on S, a detail block on H."""

import dataclasses
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_decsc.deq.estimation.basic_estimate import BasicEstimate
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.model.attention import Detail, SwinBlock
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.model.dictionaries import BandDictionary, UnsharedDictionary
from napari_decsc.deq.model.proximal import free_parameter, soft
from napari_decsc.deq.solvers.fixed_point import Code
from napari_decsc.errors import DenoisingError
from napari_decsc.filters.median import median_3x3


@dataclass(frozen=True)
class PublishedConfig:
    """Sizes of the published model; the counts that the paper does not give are ours.

    Parameters
    ----------
    bands : int
        B.
    shared_maps, unshared_maps : int
        F2 and F3.
    taps, stride : int
        k and s of both dictionaries.
    depth, heads, window : int
        Transformer blocks; their heads; the side of their windows.
    filters : str
        One of `napari_decsc.deq.model.dictionaries.KINDS`.
    """

    bands: int = 31
    shared_maps: int = 96
    unshared_maps: int = 16
    taps: int = 8
    stride: int = 4
    depth: int = 2
    heads: int = 4
    window: int = 8
    filters: str = "tied"


class PublishedModel(Decsc):
    """The published equations: free filters for 31 bands, least squares, soft thresholds, Swin blocks, detail block.

    With S first, then H with the new S,

        S <- NonLocal(soft(S - K^T W (K S + D H - Y)))
        H <- Detail(soft(H - D^T W (D H + K S - Y)))

    W is ours: 0 where a voxel carries no information, which the published data term would believe, and 1 elsewhere.

    Parameters
    ----------
    config : PublishedConfig
        Its sizes.
    """

    preset = "paper"
    continues = True
    summary = "the published model: 31 bands at a time (more in windows), one kind of cube; weaker than subspace"

    def __init__(self, config: PublishedConfig) -> None:
        super().__init__()
        self.config, self.bands = config, config.bands
        self.multiple = config.window * config.stride
        self.shared = BandDictionary(config.shared_maps, config.bands, config.taps, config.stride, config.filters)
        self.unshared = UnsharedDictionary(config.unshared_maps, config.taps, config.stride, config.filters)
        self.shared_threshold = nn.Parameter(free_parameter(0.02, config.shared_maps))
        self.unshared_threshold = nn.Parameter(free_parameter(0.05, config.unshared_maps))
        shifts = [0 if i % 2 == 0 else config.window // 2 for i in range(config.depth)]
        self.blocks = nn.ModuleList(
            SwinBlock(config.shared_maps, config.heads, config.window, shift, scale=0.1) for shift in shifts
        )
        self.detail = Detail(config.unshared_maps)

    def begin(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> Context:
        """What is known from the beginning: the published model looks at an image alone."""
        return self.prepare(cube, mask)

    def prepare(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> Context:
        """The cube as it is; voxels that carry no information weigh nothing and begin as their neighbours' median."""
        if cube.shape[1] != self.bands:
            raise DenoisingError(f"the weights 'paper' take {self.bands} bands at a time, not {cube.shape[1]}")
        one = cube.new_ones(cube.shape[0], cube.shape[1], 1, 1)
        if mask.all():
            return Context(target=cube, weight=one, unit=one)
        filled = torch.where(mask, cube, median_3x3(cube, mask))
        return Context(target=filled, weight=mask.to(cube.dtype), unit=one)

    def condition(self, found: BasicEstimate | Context) -> Context:
        """The same."""
        assert isinstance(found, Context)
        return found

    def at_strength(self, c: Context, strength: float) -> Context:
        """A cube made fainter by the strength meets thresholds that are as much larger."""
        factor = strength / c.strength
        return dataclasses.replace(c, target=c.target / factor, unit=c.unit * factor, strength=strength)

    def carried(self, z: Code, before: float, now: float) -> Code:
        """In the scale of the other strength."""
        return tuple(part * (before / now) for part in z)

    def contraction(self, strength: float = 1.0) -> None:
        """Nothing is proved: that it converges is found by trying."""

    def output(self, z: Code, c: Context) -> Tensor:
        """The clean cube of codes: (N, B, rows, cols), peak 1."""
        return self.estimate(z) * c.unit

    def estimate(self, z: Code) -> Tensor:
        """K S + D H.

        Parameters
        ----------
        z : tuple of tensors
            S and H.

        Returns
        -------
        tensor of shape (N, B, rows, cols)
            In the scale of the target.
        """
        S, H = z
        cube = self.shared.decode(S, self.shared.filters.output)
        cube += self.unshared.decode(H, S.shape[0], self.unshared.filters.output)
        return cube

    def bytes_per_pixel(self, bands: int) -> int:
        """Anderson's codes and differences, the cubes that f compares, and the attention."""
        maps = self.shared.maps / self.shared.stride**2
        codes = maps + self.config.bands * self.unshared.filters.step.shape[0] / self.unshared.stride**2
        return int(4 * (15 * codes + 12 * self.config.bands + 2 * bands + 50 * maps))

    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map."""
        S, H = z
        k, d = self.shared.filters, self.unshared.filters
        r = (self.estimate(z) - c.target) * c.weight
        S = self._shrink_shared(S - self.shared.encode(r, k.encode))
        r = (self.estimate((S, H)) - c.target) * c.weight
        return S, self._shrink_unshared(H - self.unshared.encode(r, d.encode), S.shape[0])

    def start(self, c: Context) -> Code:
        """Encode, shrink, and give what is left to the unshared code."""
        k, d = self.shared.filters, self.unshared.filters
        S = self._shrink_shared(self.shared.encode(c.target, k.encode))
        residual = c.target - self.shared.decode(S, k.output)
        return S, self._shrink_unshared(self.unshared.encode(residual, d.encode), S.shape[0])

    def _shrink_shared(self, S: Tensor) -> Tensor:
        y = soft(S, F.softplus(self.shared_threshold)).permute(0, 2, 3, 1)
        for block in self.blocks:
            y = block(y)
        return y.permute(0, 3, 1, 2)

    def _shrink_unshared(self, H: Tensor, images: int) -> Tensor:
        thresholded: Tensor = self.detail(soft(H, F.softplus(self.unshared_threshold)), images)
        return thresholded
