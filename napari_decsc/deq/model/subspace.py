"""The subspace model: DECSC of the whitened cube, in the cube's own spectral basis, with the non-local prior inside f.

Whitened, the cube is t = E S + A O + H + noise of variance 1: S, the shared code, are eigen-images (components of
the spectral basis E); O, offsets of lines and fringes; H, the unshared code, rare signals that no subspace holds.
Within a stage groups of similar patches, gains, basis, weights and the supports of H and of outliers are fixed; f is

    R    = t - E S                    the residual: what the shared code leaves over
    O    = argmin of its penalty      closed form
    S   <- W (S + E^T w (R - A O))    a gradient step of the data term, then the shrinkage of the groups

W is the frozen collaborative filter (:mod:`napari_decsc.filters.frozen`): self-adjoint, 0 <= W <= g < 1 in the inner
product weighted by D, one number per pixel. The gradient step is non-expansive in that product, because the data term
is weighted by D pixel by pixel, E is orthonormal, w is 0 or 1, and minimising over O leaves a convex function. So f
contracts any difference of two codes by g, for every input; its fixed point is the minimiser of

    1/2 |w (t - E S) - A O|_D^2 + 1/2 <S, (W^-1 - I) S>_D + 1/2 sum_l lambda_l |O_l|^2.

Where bands are mixed, or lines run in several directions, the closed form of O is an approximation; see docs/method.md.

Where nothing is hidden and there are no structures the data step gives E^T t whatever S is: the first evaluation is the
fixed point already.

Sources: Teodoro, Bioucas-Dias, Figueiredo, *A convergent image fusion algorithm using scene-adapted
Gaussian-mixture-based denoising*, IEEE TIP 28 (2019); Gavaskar, Athalye, Chaudhury, *On plug-and-play regularization
using linear denoisers*, IEEE TIP 30 (2021).
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_decsc.deq.estimation import basic_estimate, noise_search, rare
from napari_decsc.deq.estimation.basic_estimate import BasicEstimate
from napari_decsc.deq.estimation.noise_model import NoiseModel, Whitener
from napari_decsc.deq.estimation.outliers import impulse_weights, weights_of_stage
from napari_decsc.deq.estimation.robust_pca import repair
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.estimation.subspace import from_noise_model, identify, identify_roughly
from napari_decsc.deq.estimation.voxels import alive, filled_gaps, is_hardly_there
from napari_decsc.deq.model import residual_structure
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.model.conditioning import Refiner
from napari_decsc.deq.model.structured import Structures
from napari_decsc.deq.model.subspace_context import SubspaceContext
from napari_decsc.deq.solvers.fixed_point import Code
from napari_decsc.filters import multiscale
from napari_decsc.filters.frozen import LARGEST_GAIN, FrozenFilter
from napari_decsc.filters.local import LEAK, without_leak
from napari_decsc.filters.matching import Groups
from napari_decsc.filters.parallel import all_threads, one_thread
from napari_decsc.filters.spectra import mix_bands

#: Stages where the data step does not depend on S.
STAGES = 2
#: Stages where voxels are hidden.
STAGES_WITH_GAPS = 3
#: Stages where lines are offset.
STAGES_WITH_LINES = 4
#: Steps of the robust fit that a preview is made of.
PREVIEW_STEPS = 2
#: Rows that tell how much the picture changes.
ROWS = 64
#: Offsets below so many noise levels are none: those of bands without any are held near 0 by their penalty.
LEAST_STRIPE = 1e-3


@dataclass(frozen=True)
class SubspaceConfig:
    """Sizes of the subspace model.

    Parameters
    ----------
    rank : int
        Spectral components that the conditioning network knows.
    width, deep : int
        Its channels at a half and at a quarter of the resolution.
    blocks : tuple of three int
        Its residual blocks before, at, and after the coarse level.
    """

    rank: int = 12
    width: int = 96
    deep: int = 128
    blocks: tuple[int, int, int] = (2, 4, 1)


class SubspaceModel(Decsc):
    """DECSC in the cube's own basis: any bands, any noise level, a proved contraction.

    Parameters
    ----------
    config : SubspaceConfig
        Its sizes.
    """

    preset = "subspace"
    summary = "any number of bands, any sensor, all kinds and levels of noise; the one to use"
    bands = None
    multiple = multiscale.ALIGNED
    removes_apart = True
    finds_offsets = True
    stored_in_half = ("refiner.",)

    def __init__(self, config: SubspaceConfig) -> None:
        super().__init__()
        self.config, self.rank = config, config.rank
        self.refiner = Refiner(config.rank, config.width, config.deep, config.blocks)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """See `Decsc.computing`: short steps on one thread; blocks of the filter, and the network, on all of them."""
        with torch.inference_mode(), one_thread():
            yield

    def usable(self, cube: Tensor, mask: Tensor) -> Tensor:
        """See `Decsc.usable`: without dead columns and wild voxels."""
        return alive(cube[0], mask[0])[None]

    def noise(self, cube: Tensor, mask: Tensor) -> NoiseModel:
        """The noise model of a whole cube (1, B, rows, cols)."""
        return noise_search.measure(cube[0], mask[0])

    def identify_roughly(self, cube: Tensor, mask: Tensor) -> SignalSubspace:
        """White noise of one level per band, and a basis that was not looked at twice."""
        return identify_roughly(cube, mask, self.rank)

    def identify(self, cube: Tensor, mask: Tensor, noise: NoiseModel | None = None) -> SignalSubspace:
        """The noise model, noise levels, basis and energies of a whole cube (1, B, rows, cols)."""
        model = self.noise(cube, mask) if noise is None else noise
        if model.plain:
            found = dataclasses.replace(identify(cube, mask, self.rank, model), noise=model)
            if not is_hardly_there(cube[0], found.sigma[0], mask[0]):
                return found
            model = NoiseModel(found.sigma[0], basis=found.basis[0, :, found.counts[0] > 0], negligible=True)
        return from_noise_model(cube, mask, model)

    def preview(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None) -> Tensor | None:
        """Local Wiener filtering of the eigen-images, outliers filled once."""
        if subspace is None:
            return None
        rough = subspace.smooth(subspace.images(repair(cube, mask, subspace, PREVIEW_STEPS)))
        filled, _ = subspace.filled(subspace.whitened(cube, mask), mask, rough)
        return subspace.cube(subspace.smooth(subspace.images(filled))) * subspace.sigma[:, :, None, None]

    def change(self, before: Code, now: Code, c: Context) -> float:
        """See `Decsc.change`: of the shared code, which is all that moves within a stage, on some of the rows."""
        assert isinstance(c, SubspaceContext)
        some = slice(None, None, max(1, now[0].shape[2] // ROWS))
        old, new = (code[0][:, :, some] for code in (before, now))
        if c.whitener is None:
            moved = mix_bands(c.basis, new - old) * c.unit
        else:
            scale = None if c.whitener.scale is None else c.whitener.scale[:, some]
            whitener = dataclasses.replace(c.whitener, scale=scale)
            moved = whitener.restored(c.cube(new)[0]) - whitener.restored(c.cube(old)[0])
        return float(moved.square().mean().sqrt())

    def with_column_offsets(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None) -> SignalSubspace | None:
        """With the offsets of columns, where there are outliers."""
        return None if subspace is None else basic_estimate.with_column_offsets(cube, mask, subspace)

    def begin(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> SubspaceContext:
        """Whitening, outliers, structures, and a local estimate."""
        known = None if subspace is None else subspace.repaired
        mask = self.usable(cube, mask) if known is None else known.usable
        found = self.identify(cube, mask) if subspace is None else subspace
        model = found.noise
        if model is None or model.plain:
            found, target, filled, weight = basic_estimate.without_outliers(cube, mask, found)
            images = found.images(filled)
            return self._begun(found, target, images, found.smooth(images), weight, mask)
        cube, found = filled_gaps(cube[0], mask[0]), dataclasses.replace(found, repaired=None)
        whitener = model.whitener(cube)
        target = whitener.whitened(cube)[None]
        structures = Structures.of(whitener, cube) if model.structured else None
        filled = target
        if structures is not None:
            filled = target - structures.first(target - found.mean, found.basis[0], mask[0].any(0))
        images = found.images(filled)
        pilot = found.smooth(images)
        if not model.negligible:
            weight = impulse_weights(filled - found.cube(pilot), mask)
        elif bool(found.basis.any()):
            weight = mask.float()  # what is finer than a grey level tells no impulse from texture
        else:
            weight = torch.ones_like(target)  # without a subspace gaps are what their neighbours say
        return self._begun(found, target, images, pilot, weight, mask, whitener, structures)

    def _begun(
        self, found: SignalSubspace, target: Tensor, images: Tensor, pilot: Tensor, weight: Tensor, mask: Tensor,
        whitener: Whitener | None = None, structures: Structures | None = None,
    ) -> SubspaceContext:  # fmt: skip
        components = found.counts[0] > 0
        all_count = bool((weight > 0).all())
        if all_count and bool((weight == 1).all()):
            weight = weight.new_ones(()).expand_as(weight)  # a number instead of a cube
        exact = structures is None and all_count and not bool(found.outliers)
        if structures is not None:
            structures = structures.at(found.cube(pilot))
        return SubspaceContext(
            target=target, weight=weight, unit=found.sigma[:, :, None, None], subspace=found, components=components,
            whitener=whitener, structures=structures, images=images[:, components], pilot=pilot[:, components],
            mask=mask, exact=exact,
        )  # fmt: skip

    def prepare(self, cube: Tensor, mask: Tensor, subspace: SignalSubspace | None = None) -> BasicEstimate:
        """For training: subspace and basic estimate under white noise, without the noise model."""
        return basic_estimate.find(cube, mask, identify(cube, mask, self.rank) if subspace is None else subspace)

    def condition(self, found: BasicEstimate | Context) -> SubspaceContext:
        """The last stage of what :meth:`prepare` found."""
        assert isinstance(found, BasicEstimate)
        subspace = found.subspace
        components = subspace.counts[0] > 0
        c = SubspaceContext(
            target=found.target, weight=found.weight, unit=subspace.sigma[:, :, None, None], subspace=subspace,
            components=components, images=found.images[:, components], pilot=found.pilot[:, components],
            mask=found.weight > 0,
            exact=bool((found.weight > 0).all()),
        )  # fmt: skip
        return self._wiener(dataclasses.replace(c, stage=self.stages(c)))

    def stages(self, c: Context) -> int:
        """Two; three where voxels are hidden or lines offset: there the estimate tells more about them."""
        assert isinstance(c, SubspaceContext)
        if c.structures is not None:
            return STAGES_WITH_LINES
        return STAGES if c.exact else STAGES_WITH_GAPS

    def renewed(self, c: Context, z: Code) -> SubspaceContext:
        """Groups and gains of the next stage; then outliers, rare signals, weights too."""
        assert isinstance(c, SubspaceContext)
        if c.stage == 0:
            return self._first(c)
        now = self._reweighed(c, z)
        if not c.exact or self.stages(c) == c.stage + 1:
            now = self._with_rare(now)
        return self._wiener(dataclasses.replace(now, stage=c.stage + 1))

    def _is_last(self, c: SubspaceContext) -> bool:
        return c.stage >= self.stages(c)

    def _first(self, c: SubspaceContext) -> SubspaceContext:
        """Hard thresholds of the noisy images, in groups found in them; and the estimate at half the size."""
        images = c.images[0]
        made, coarse = None, None
        if len(images):
            signal = ((1 - 1 / c.subspace.energy.clamp(min=1)).sqrt() * c.subspace.counts)[0][c.components]
            coarse = multiscale.halved(images, signal, multiscale.SCALES - 1) if c.whitener is None else None
            groups = multiscale.similar(images * signal[:, None, None])
            made = FrozenFilter(
                images, groups, threshold=multiscale.THRESHOLD, spectrum=c.noise_spectrum(), estimate=coarse
            )  # fmt: skip
        return dataclasses.replace(c, filter=made, coarse=coarse, stage=1, cache={})

    def _wiener(self, c: SubspaceContext, groups: Groups | None = None) -> SubspaceContext:
        """Wiener gains of the pilot, in groups found in it where they are not known."""
        pilot = c.pilot[0]
        made = None
        if len(pilot):
            # earlier stages look for what there is; how much of it is kept is for the last to say
            last = self._is_last(c)
            steps = multiscale.FINE if last else multiscale.PILOT
            groups = multiscale.similar(pilot, steps) if groups is None else groups
            made = FrozenFilter(pilot, groups, spectrum=c.noise_spectrum(), strength=c.strength if last else 1.0)
        return dataclasses.replace(c, filter=made, cache={})

    def _reweighed(self, c: SubspaceContext, z: Code) -> SubspaceContext:
        """The estimate, put right at the coarse scale, as the pilot; what it says of outliers and offset columns."""
        (S,) = z
        if len(S[0]) and c.stage == 1 and c.whitener is None:
            S = without_leak(S, LEAK)
        pilot = multiscale.righted(S[0], c.coarse)[None] if len(S[0]) else S
        c = dataclasses.replace(c, pilot=pilot)
        if c.exact:
            return c
        fit = c.cube(pilot)
        whitener = c.whitener
        if whitener is not None:
            residual = c.target - fit
            if c.structures is not None and c.filter is not None:
                c = dataclasses.replace(c, structures=c.structures.at(fit))
                residual = residual - c.explained(residual)
            negligible = whitener.model.negligible
            weight = c.weight if negligible else impulse_weights(residual, c.mask)
            return dataclasses.replace(
                c, weight=weight, images=mix_bands(c.basis.mT, fit - c.subspace.mean + weight * residual)
            )
        residual = c.subspace.without_column_offsets(c.target - fit, c.mask)
        weight = weights_of_stage(residual, c.mask) if c.subspace.outliers else c.weight
        target = c.target
        if c.subspace.outliers and c.stage == 1:
            target = target - c.subspace.column_offsets_of(target - fit, c.mask)
        images = mix_bands(c.basis.mT, fit - c.subspace.mean + weight * residual)
        return dataclasses.replace(c, weight=weight, target=target, images=images)

    def _with_rare(self, c: SubspaceContext) -> SubspaceContext:
        """Where the unshared code H is free: what the estimate leaves over there is no noise."""
        residual = (c.target - c.cube(c.pilot)) * c.weight
        if c.structures is not None and c.filter is not None:
            residual = (residual - c.explained(residual)) * c.weight
        return dataclasses.replace(c, rare=rare.support(residual, c.basis[0], None if c.exact else c.weight))

    def f(self, z: Code, c: Context) -> Code:
        """One evaluation of the fixed-point map."""
        assert isinstance(c, SubspaceContext)
        (S,) = z
        if c.filter is None:
            return z
        if c.exact:
            if "S" not in c.cache:
                c.cache["S"] = c.filter.once(c.images[0])[None]
            return (c.cache["S"],)
        residual = c.centred() - mix_bands(c.basis, S)
        if c.structures is not None:
            residual -= c.explained(residual * c.weight)
        residual *= c.weight
        return (c.filter((S + mix_bands(c.basis.mT, residual))[0])[None],)

    def start(self, c: Context) -> Code:
        """The estimate that the stage began with."""
        assert isinstance(c, SubspaceContext)
        return (c.pilot,)

    def at_strength(self, c: Context, strength: float) -> SubspaceContext:
        """Noise levels count ``strength`` times in every gain."""
        assert isinstance(c, SubspaceContext)
        c = dataclasses.replace(c, strength=strength, cache={})
        if not self._is_last(c):
            return c
        return self._wiener(c, None if c.filter is None else c.filter.groups)

    def contraction(self, strength: float = 1.0) -> float:
        """The largest gain of the frozen filter."""
        return LARGEST_GAIN

    def bound(self, c: Context) -> float | None:
        """None where offsets of lines and fringes are found by an approximation (docs/method.md)."""
        assert isinstance(c, SubspaceContext)
        return self.contraction(c.strength) if c.structures is None or c.structures.closed else None

    def output(self, z: Code, c: Context) -> Tensor:
        """The clean cube (1, B, rows, cols), peak 1: that of S, improved by the network in the last stage, and H."""
        assert isinstance(c, SubspaceContext)
        (S,) = z
        last = self._is_last(c)
        if last and len(S[0]):
            S = multiscale.righted(S[0], c.coarse)[None]
            if c.whitener is None:
                S = self._refined(S, c)
        fit = c.cube(S)
        if c.only:
            return self._only(fit, c)
        weaker = max(0.0, 1 - c.strength) if last else 0.0
        if c.stage > 1:
            residual = c.target - fit
            if c.structures is not None and c.filter is not None:
                residual = residual - c.explained(residual * c.weight)
            residual *= c.weight
            if c.rare is not None and c.rare.sides:
                code = c.rare.code(residual)
                self._note_rare(code, c)
                fit += code
                residual -= code
            fit += residual.mul_(torch.maximum(residual_structure.share(residual, c), residual.new_full((), weaker)))
        cube = fit.mul_(c.unit)
        return cube if c.whitener is None else _without_rounding(c.whitener.restored(cube[0]), c)[None]

    def rare(self, c: Context) -> tuple[Tensor, Tensor] | None:
        """See :meth:`.base.Decsc.rare`."""
        assert isinstance(c, SubspaceContext)
        return (c.cache["rare"] > 0, c.cache["rare code"]) if "rare" in c.cache else None

    def _note_rare(self, code: Tensor, c: SubspaceContext) -> None:
        """Hold the spectra of H at the few pixels that have one."""
        where = code[0].abs().amax(0)
        code = code[0][:, where > 0][:, None]
        if c.whitener is not None:
            code = c.whitener.unmixed(code)
        c.cache["rare"], c.cache["rare code"] = where, code[:, 0]

    def _only(self, fit: Tensor, c: SubspaceContext) -> Tensor:
        """The cube as it came less its stripes, or its outliers filled (1, B, rows, cols); NaN for all else."""
        assert c.came is not None
        stripes, where = self._stripes(fit, c)
        if c.only == "outliers":
            # what fills a gap is striped as what lies around it
            fit = torch.where(c.weight == 0, fit + stripes, c.target)
            return torch.where(c.mask & (c.weight > 0), torch.nan, _restored(fit, c))
        there = c.target if c.whitener is not None else c.target + stripes
        stripes = _restored(there, c) - _restored(there - stripes, c)
        return torch.where(c.mask & where, c.came - stripes, torch.nan)

    def _stripes(self, fit: Tensor, c: SubspaceContext) -> tuple[Tensor, Tensor]:
        """Lines, fringes, offset columns of the cube as it came, whitened; and where they are."""
        if c.whitener is None:
            assert c.came is not None
            stripes = c.subspace.whitened(c.came, c.mask) - c.target
            return stripes, stripes != 0
        if c.structures is None or c.filter is None:
            return torch.zeros_like(fit), torch.zeros_like(fit, dtype=torch.bool)
        stripes = c.explained((c.target - fit) * c.weight)
        return stripes, c.whitener.unmixed(stripes[0])[None].abs() > LEAST_STRIPE

    def _refined(self, S: Tensor, c: SubspaceContext) -> Tensor:
        """What the conditioning network makes of the components that it knows."""
        shape = (1, len(c.components), *S.shape[2:])
        pilot, images = S.new_zeros(shape), S.new_zeros(shape)
        pilot[:, c.components], images[:, c.components] = S, c.images
        known = slice(self.rank)
        weight = mix_bands(c.subspace.basis[:, :, known].square().mT, c.weight.expand_as(c.target))
        with all_threads():
            better = self.refiner(images[:, known], pilot[:, known], weight, c.subspace.energy[:, known])
        pilot = torch.cat([better, pilot[:, self.rank :]], 1)
        return pilot[:, c.components]

    def bytes_per_pixel(self, bands: int) -> int:
        """Cubes that are held and compared, and the images of an evaluation."""
        return 4 * (13 * bands + 30 * self.rank)


def _without_rounding(cube: Tensor, c: SubspaceContext) -> Tensor:
    """The cube (B, rows, cols) less its rounding, where that is all that there is."""
    found = None if c.whitener is None else c.whitener.model.rounding
    return cube if found is None else torch.lerp(cube, found.without(cube), min(1.0, c.strength))


def _restored(cube: Tensor, c: SubspaceContext) -> Tensor:
    """A whitened cube (1, B, rows, cols), peak 1."""
    cube = cube * c.unit
    return cube if c.whitener is None else c.whitener.restored(cube[0])[None]
