"""The published model: free filters for 31 bands, a Swin transformer on S, a detail block on H."""

import dataclasses
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_decsc.deq.estimation.basic_estimate import BasicEstimate
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.estimation.subspace import identify
from napari_decsc.deq.model.attention import GATED, Detail, SwinBlock
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.model.dictionaries import BandDictionary, UnsharedDictionary
from napari_decsc.deq.model.proximal import free_parameter, soft
from napari_decsc.deq.solvers.fixed_point import Code
from napari_decsc.errors import DenoisingError
from napari_decsc.filters.median import median_3x3

#: One unit is the noise level that this share of the bands does not exceed.
UNIT = 0.35
#: Components that are looked for beside the noise levels.
COMPONENTS = 12
#: Threshold of the shared code before any training, in noise levels.
SHARED = 0.5
#: ... and of the unshared one.
UNSHARED = 2.0


@dataclass(frozen=True, eq=False)
class PublishedContext(Context):
    """What the published model knows besides z.

    Parameters
    ----------
    level : tensor of shape (N, B, 1, 1)
        Noise level of each band, in the units of the target at strength 1.
    """

    level: Tensor = field(kw_only=True)


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
    """

    bands: int = 31
    shared_maps: int = 160
    unshared_maps: int = 16
    taps: int = 8
    stride: int = 4
    depth: int = 4
    heads: int = 4
    window: int = 8


class PublishedModel(Decsc):
    """The published equations: free filters for 31 bands, least squares, soft thresholds, Swin blocks, detail block.

    With S first, then H with the new S,

        S <- NonLocal(soft(S - K^T W V (K S + D H - Y)))
        H <- Detail(soft(H - D^T W (D H + K S - Y)))

    Ours are W, 0 where a voxel carries no information (which the published data term would believe) and 1 elsewhere;
    V = min(1, u^2 / sigma_b^2), which trusts loud bands less, u the noise level that 35 % of the bands do not exceed;
    and the unit: Y is in units of u, and thresholds count noise levels, of S those of the noise that reaches a
    map through K^T V, of H those of a band. NonLocal sees arsinh of S in these levels, so that what it adds is bounded
    in them; the gate that it ends with, like that of the detail block, acts on no more than 3 of a coefficient. H takes
    whole steps in loud bands, too: where D keeps the bands apart, a step of V with thresholds V times as high has the
    same fixed point (without the detail block behind it).

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
        self.shared = BandDictionary(config.shared_maps, config.bands, config.taps, config.stride)
        self.unshared = UnsharedDictionary(config.unshared_maps, config.taps, config.stride)
        self.shared_levels = nn.Parameter(free_parameter(SHARED, config.shared_maps))
        self.unshared_levels = nn.Parameter(free_parameter(UNSHARED, config.unshared_maps))
        shifts = [0 if i % 2 == 0 else config.window // 2 for i in range(config.depth)]
        self.blocks = nn.ModuleList(
            SwinBlock(config.shared_maps, config.heads, config.window, shift, scale=0.01) for shift in shifts
        )
        self.gate = nn.Linear(config.shared_maps, config.shared_maps)
        with torch.no_grad():
            self.gate.weight.mul_(0.1)
            self.gate.bias.fill_(-1.0)
        self.detail = Detail(config.unshared_maps)

    def acquaint(self, spectra: Tensor) -> None:
        """See `Decsc.acquaint`: the first filters of K have the strongest spectra."""
        self.shared.acquaint(spectra)

    def identify(self, cube: Tensor, mask: Tensor, noise: NoiseModel | None = None) -> SignalSubspace:
        """The noise levels of whole cubes; what else is found with them is not used."""
        return identify(cube, mask, COMPONENTS)

    def begin(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> PublishedContext:
        """What is known from the beginning is all that there is to know."""
        return self.prepare(cube, mask, subspace)

    def prepare(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> PublishedContext:
        """The cube in noise levels; voxels without information weigh nothing and begin as their neighbours' median."""
        if cube.shape[1] != self.bands:
            raise DenoisingError(f"the weights 'paper' take {self.bands} bands at a time, not {cube.shape[1]}")
        found = self.identify(torch.where(mask, cube, 0), mask) if subspace is None else subspace
        sigma = found.sigma[:, :, None, None]
        unit = sigma.quantile(UNIT, dim=1, keepdim=True).expand_as(sigma)
        if mask.all():
            return PublishedContext(target=cube / unit, weight=torch.ones_like(unit), unit=unit, level=sigma / unit)
        filled = torch.where(mask, cube, median_3x3(cube, mask)) / unit
        return PublishedContext(target=filled, weight=mask.to(cube.dtype), unit=unit, level=sigma / unit)

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
        cube = self.shared.decode(S)
        cube += self.unshared.decode(H, S.shape[0])
        return cube

    def bytes_per_pixel(self, bands: int) -> int:
        """Anderson's codes and differences, the cubes that f compares, and the attention."""
        maps = self.config.shared_maps / self.shared.stride**2
        codes = maps + self.config.bands * self.config.unshared_maps / self.unshared.stride**2
        return int(4 * (15 * codes + 12 * self.config.bands + 2 * bands + 50 * maps))

    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map."""
        assert isinstance(c, PublishedContext)
        S, H = z
        residual = (self.estimate(z) - c.target) * c.weight
        S = self._shrink_shared(S - self.shared.encode(residual * _trust(c)), c.level * _trust(c))
        residual = (self.estimate((S, H)) - c.target) * c.weight
        return S, self._shrink_unshared(H - self.unshared.encode(residual), c)

    def start(self, c: Context) -> Code:
        """Encode, shrink, and give what is left to the unshared code."""
        assert isinstance(c, PublishedContext)
        S = self._shrink_shared(self.shared.encode(c.target), c.level)
        return S, self._shrink_unshared(self.unshared.encode(c.target - self.shared.decode(S)), c)

    def _shrink_shared(self, S: Tensor, noise: Tensor) -> Tensor:
        """The proximal step of S, whose maps are K^T of something with this noise in every band (N, B, 1, 1)."""
        reaching = noise.square()[:, :, 0, 0] @ self.shared.filters.square().sum((2, 3)).mT
        level = reaching.sqrt()[:, :, None, None]
        kept = soft(S / level, F.softplus(self.shared_levels))
        if not self.blocks:
            return kept * level
        y = seen = kept.asinh().permute(0, 2, 3, 1)
        for block in self.blocks:
            y = block(y)
        closed = torch.sigmoid(self.gate(y)).permute(0, 3, 1, 2)
        made = kept + (y - seen).permute(0, 3, 1, 2)
        return (made - closed * made.clamp(-GATED, GATED)) * level

    def _shrink_unshared(self, H: Tensor, c: PublishedContext) -> Tensor:
        level = c.level.flatten(0, 1)[:, None]
        kept = soft(H / level, F.softplus(self.unshared_levels))
        shrunk: Tensor = self.detail(kept, len(c.level)) * level
        return shrunk


def _trust(c: PublishedContext) -> Tensor:
    """V: how far a band's noise lets it be believed, (N, B, 1, 1)."""
    return c.level.clamp(min=1) ** -2
