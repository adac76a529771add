"""Both presets: the fixed-point map is a proximal gradient step; that of `subspace` is a contraction."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from napari_decsc.deq.estimation import robust_pca
from napari_decsc.deq.model.presets import (
    PublishedConfig,
    PublishedModel,
    SubspaceConfig,
    SubspaceModel,
    build,
    config_of,
)
from napari_decsc.deq.model.proximal import soft
from napari_decsc.deq.solvers.fixed_point import anderson, picard, until
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.noise.models import make_noise
from napari_decsc.hsi.sample import sample_cube

SMALL = SubspaceConfig(rank=3, width=8, deep=8, blocks=(1, 1, 1))


def noisy_patch(rows: int = 64, cols: int = 64, bands: int = 31, noise: str = "mixture") -> torch.Tensor:
    import numpy as np

    clean = sample_cube(rows, cols, bands).data
    return torch.from_numpy(make_noise(noise)(clean, np.random.default_rng(0)))[None]


def usable(cube: torch.Tensor) -> torch.Tensor:
    return (cube.abs() > 1e-6) & ((cube - 1).abs() > 1e-6)


@pytest.mark.parametrize("model", [PublishedModel(PublishedConfig()), SubspaceModel(SMALL)], ids=["paper", "subspace"])
def test_f_is_deterministic_and_keeps_the_shape_of_the_code(model):
    noisy = noisy_patch(32, 64)
    with torch.inference_mode():
        c = model.train().context(noisy, usable(noisy))
        z = model.start(c)
        first, second = model.f(z, c), model.f(z, c)
        out = model.output(first, c)
    assert [part.shape for part in first] == [part.shape for part in z]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert out.shape == noisy.shape


def test_without_priors_the_shared_step_of_paper_is_a_proximal_gradient_step():
    model = PublishedModel(PublishedConfig(depth=0, shared_maps=8))
    noisy = noisy_patch(32, 32, noise="gaussian")
    c = model.context(noisy, usable(noisy))
    S, H = (part.detach() for part in model.start(c))
    S.requires_grad_()
    energy = 0.5 * (trusted(c) * (model.estimate((S, H)) - c.target).square()).sum()
    (slope,) = torch.autograd.grad(energy, S)
    new, _ = model.f((S, H), c)
    torch.testing.assert_close(new, soft(S - slope, shared_thresholds(model, c)), rtol=1e-3, atol=1e-4)


def trusted(c) -> torch.Tensor:
    """Bands louder than one unit are trusted as much less as their variance is larger."""
    return torch.where(c.level > 1, 1 / c.level**2, torch.ones_like(c.level))


def shared_thresholds(model, c) -> torch.Tensor:
    """In units of the noise of each map."""
    power = model.shared.filters.detach().square().sum((2, 3))
    level = torch.einsum("fb,b->f", power, (c.level * trusted(c)).square().flatten()).sqrt()
    return F.softplus(model.shared_levels) * level[:, None, None]


def test_thresholds_of_paper_count_levels_of_the_noise_that_reaches_a_map():
    model = PublishedModel(PublishedConfig(depth=0, shared_maps=24))
    noisy = noisy_patch(32, 32, noise="non-iid")
    c = model.context(noisy, usable(noisy))
    noise = c.level * trusted(c) * torch.randn(64, 31, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        drawn = model.shared.encode(noise)[..., 1:-1, 1:-1].std((0, 2, 3))  # the border lacks part of a filter
        thresholds = shared_thresholds(model, c).flatten()
    torch.testing.assert_close(thresholds / drawn, F.softplus(model.shared_levels).flatten(), rtol=0.03, atol=0)


def moved(z, size: float, seed: int):
    generator = torch.Generator().manual_seed(seed)
    return tuple(part + size * torch.randn(part.shape, generator=generator) for part in z)


def stage(noisy: torch.Tensor, strength: float = 1.0, number: int = 2):
    """The shipped model and the context of a stage; W of it."""
    model = weights.load("subspace").model
    c = model.at_strength(model.begin(noisy, usable(noisy)), strength)
    z = model.start(c)
    for _ in range(number):
        c = model.renewed(c, z)
        z = model.f(model.start(c), c)
    return model, c


def size(w, z, other) -> float:
    """The distance of two codes in the inner product of the stage's filter."""
    d = (z[0] - other[0])[0]
    return w.inner(d, d) ** 0.5


def striped(side: int = 48) -> torch.Tensor:
    """Gaussian noise, and an offset for every column of every band."""
    clean, generator = torch.from_numpy(sample_cube(side, side, 31).data), torch.Generator().manual_seed(0)
    noise = 0.05 * torch.randn(clean.shape, generator=generator)
    return (clean + noise + 0.08 * torch.randn(31, 1, side, generator=generator))[None]


@pytest.mark.parametrize("strength", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("noisy", [noisy_patch(48, 48, noise="gaussian"), noisy_patch(48, 48), striped()])
def test_f_of_the_shipped_weights_contracts_any_difference_by_the_proved_bound(noisy, strength):
    with torch.inference_mode():
        model, c = stage(noisy, strength)
        bound = model.contraction(strength)
        assert bound < 1
        for reach in (0.01, 1.0, 100.0):
            a, b = moved(model.start(c), reach, seed=1), moved(model.start(c), reach, seed=2)
            stretched = size(c.filter, model.f(a, c), model.f(b, c)) / size(c.filter, a, b)
            assert stretched <= bound * (1 + 1e-4)


def hidden(noisy: torch.Tensor) -> torch.Tensor:
    """With impulses in every 50th voxel."""
    return torch.where(torch.rand(noisy.shape, generator=torch.Generator().manual_seed(2)) < 0.02, noisy + 0.9, noisy)


def crossed(side: int = 48) -> torch.Tensor:
    """Gaussian noise, and an offset for every column and every row of every band."""
    return striped(side) + 0.08 * torch.randn(31, side, 1, generator=torch.Generator().manual_seed(3))


def correlated(side: int = 48) -> torch.Tensor:
    """Noise that bands share with those beside them, and an offset for every column of every band."""
    noise = torch.randn(31, side, side, generator=torch.Generator().manual_seed(4))
    for band in range(1, 31):
        noise[band] = 0.8 * noise[band - 1] + 0.6 * noise[band]
    return striped(side) + 0.08 * noise


@pytest.mark.parametrize(
    ("noisy", "lines", "is_mixed"),
    [
        (striped(), [0.0], False),
        (hidden(striped()), [0.0], False),
        (crossed(), [0.0, 90.0], False),
        (correlated(64), [0.0], True),
    ],
    ids=["columns", "columns, impulses", "columns and rows", "columns, correlated bands"],
)
def test_no_difference_of_two_codes_is_stretched_beyond_the_bound_where_lines_are_offset(noisy, lines, is_mixed):
    with torch.inference_mode():
        model, c = stage(noisy)
        assert [line.angle for line, _ in c.structures.lines] == lines
        assert (c.whitener.model.whitening is not None) == is_mixed
        # one family in independent bands is eliminated in closed form: only there the bound is told as proved
        assert model.bound(c) == (model.contraction() if len(lines) == 1 and not is_mixed else None)
        z = model.start(c)
        at = model.f(z, c)
        other = moved(z, 100.0, seed=1)
        stretched = []
        for _ in range(25):  # f is affine: repeated, it turns any difference to the one that is stretched most
            new = model.f(other, c)
            stretched.append(size(c.filter, new, at) / size(c.filter, other, z))
            scale = 100 / float((new[0] - at[0]).square().mean().sqrt())
            other = (z[0] + scale * (new[0] - at[0]),)
    assert 0.9 < stretched[-1] <= max(stretched) <= model.contraction() * (1 + 1e-4)


def test_offsets_of_columns_are_codes_whose_equilibrium_removes_them():
    noisy, clean = striped(64), torch.from_numpy(sample_cube(64, 64, 31).data)
    model, c = stage(noisy, number=1)
    assert c.structures is not None
    assert 0.0 in [line.angle for line, _ in c.structures.lines]
    with torch.inference_mode():
        states = list(until(picard(lambda z: model.f(z, c), model.start(c)), 0.0, 12))
        errors = [float((model.output(s.z, c)[0] - clean).mean(1).square().mean()) for s in (states[0], states[-1])]
    # what is left of the columns' offsets after 1 and 12 evaluations, against what there was
    assert errors[1] < errors[0]
    assert errors[1] < 0.05 * 0.08**2


@pytest.mark.parametrize("noisy", [noisy_patch(48, 48, noise="gaussian"), noisy_patch(48, 48), striped()])
def test_the_shipped_weights_have_one_fixed_point_whatever_the_start(noisy):
    with torch.inference_mode():
        model, c = stage(noisy)
        *_, far = until(anderson(lambda z: model.f(z, c), moved(model.start(c), 10.0, seed=3)), 1e-7, 200)
        *_, near = until(anderson(lambda z: model.f(z, c), model.start(c)), 1e-7, 200)
        torch.testing.assert_close(model.output(far.z, c), model.output(near.z, c), atol=2e-4, rtol=0)
        steps = [s.z for s in until(picard(lambda z: model.f(z, c), model.start(c)), 1e-4, 12)]
        moves = [size(c.filter, b, a) for a, b in itertools.pairwise(steps)]
    assert all(later <= before * (1 + 1e-4) for before, later in itertools.pairwise(moves))


def test_the_shipped_weights_reach_the_tolerance_within_10_evaluations_and_stay():
    noisy = noisy_patch(64, 64)
    with torch.inference_mode():
        model, c = stage(noisy)
        states = list(until(anderson(lambda z: model.f(z, c), model.start(c)), 0.0, 100))
        first = next(s for s in states if float(s.relative_residual) <= 1e-3)
        assert first.number <= 10
        assert min(float(s.relative_residual) for s in states) < 1e-6
        clean = torch.from_numpy(sample_cube(64, 64, 31).data)
        at_stop, at_100 = (
            -10 * (model.output(s.z, c)[0] - clean).square().mean((1, 2)).log10() for s in (first, states[-1])
        )
    assert abs(float(at_stop.mean() - at_100.mean())) < 0.01


def test_a_single_pixel_of_a_material_of_its_own_is_kept():
    clean = torch.from_numpy(sample_cube(64, 64, 31).data)
    clean[:, 20, 30] += 0.25 * torch.sin(torch.arange(31) / 3.0)
    noisy = (clean + 0.05 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0)))[None]
    with torch.inference_mode():
        model, c = stage(noisy)
        result = model.output(model.f(model.start(c), c), c)[0]
    after, before = (float((cube - clean)[:, 20, 30].square().mean()) for cube in (result, noisy[0]))
    assert after < 1.1 * before


@pytest.mark.parametrize("model", [PublishedModel(PublishedConfig()), SubspaceModel(SMALL)], ids=["paper", "subspace"])
def test_the_strength_is_what_was_asked_for_last_whatever_it_was_before(model):
    noisy = noisy_patch(32, 32)
    c = model.begin(noisy, usable(noisy))
    once, twice = model.at_strength(c, 2.0), model.at_strength(model.at_strength(c, 0.5), 2.0)
    torch.testing.assert_close((twice.target, twice.unit, twice.strength), (once.target, once.unit, once.strength))
    assert once.strength == 2


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (PublishedModel(PublishedConfig()), 17.0),
        (PublishedModel(PublishedConfig()), float("nan")),
        (SubspaceModel(SMALL), 17.0),
    ],
    ids=["paper", "paper, NaN", "subspace"],
)
def test_a_voxel_without_information_does_not_matter(model, value):
    noisy = noisy_patch(32, 32, noise="gaussian")
    mask = torch.ones_like(noisy, dtype=torch.bool)
    mask[0, 5, 3:6, 7] = False
    other = torch.where(mask, noisy, value)
    with torch.inference_mode():
        results = []
        for cube in (noisy, other):
            c = model.context(cube, mask)
            results.append(model.output(model.f(model.start(c), c), c))
    torch.testing.assert_close(*results)


def test_the_shared_step_of_paper_weighs_no_hidden_voxel():
    model = PublishedModel(PublishedConfig(depth=0, shared_maps=8))
    noisy = noisy_patch(32, 32, noise="gaussian")
    mask = torch.ones_like(noisy, dtype=torch.bool)
    mask[0, 7, :, 9:12] = False
    c = model.context(noisy, mask)
    S, H = (part.detach() for part in model.start(c))
    S.requires_grad_()
    energy = 0.5 * (trusted(c) * (model.estimate((S, H)) - noisy / c.unit).square())[mask].sum()
    (slope,) = torch.autograd.grad(energy, S)
    new, _ = model.f((S, H), c)
    torch.testing.assert_close(new, soft(S - slope, shared_thresholds(model, c)), rtol=1e-3, atol=1e-4)


def test_weights_that_are_all_one_are_one_number():
    noisy = noisy_patch(32, 32, noise="gaussian")
    model, every = weights.load("subspace").model, torch.ones_like(noisy, dtype=torch.bool)
    assert model.begin(noisy, every).weight.untyped_storage().nbytes() == 4
    every[0, 3, 5, 6] = False
    weight = model.begin(noisy, every).weight
    assert weight.shape == noisy.shape
    assert weight[0, 3, 5, 6] == 0


def test_a_context_that_is_continued_takes_its_weights_along():
    model = PublishedModel(PublishedConfig())
    noisy = noisy_patch(32, 32, noise="gaussian")
    mask = torch.ones_like(noisy, dtype=torch.bool)
    mask[0, 7, 2:4, 9:12] = False
    rows, cols = torch.tensor([3, 2, 1, 0, 1, 2]), torch.arange(8, 16)
    part = model.context(noisy, mask).continued(rows, cols)
    assert torch.equal(part.weight, mask[:, :, rows[:, None], cols].float())
    whole = model.context(noisy, torch.ones_like(mask)).continued(rows, cols)
    assert whole.weight.shape == (1, 31, 1, 1)


@pytest.mark.parametrize("bands", [1, 2, 5, 40, 200])
def test_subspace_takes_any_number_of_bands(bands):
    model = SubspaceModel(SMALL).eval()
    noisy = noisy_patch(32, 32, bands, noise="gaussian")
    with torch.inference_mode():
        c = model.context(noisy, usable(noisy))
        out = model.output(model.f(model.start(c), c), c)
    assert out.shape == noisy.shape
    assert bool(out.isfinite().all())


def test_paper_takes_its_own_number_of_bands_only():
    noisy = noisy_patch(32, 32, 30)
    with pytest.raises(DenoisingError, match="31 bands"):
        PublishedModel(PublishedConfig()).context(noisy, usable(noisy))


def test_a_model_is_rebuilt_from_its_configuration():
    model = SubspaceModel(SMALL)
    twin = build("subspace", config_of(model))
    twin.load_state_dict(model.state_dict())
    assert twin.config == model.config


def low_rank_cube(sigma: torch.Tensor, rows: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Three smooth images in three spectra, plus noise of known level per band: (noisy, spectra (band, 3))."""
    generator = torch.Generator().manual_seed(3)
    axis = torch.linspace(0, 3, rows)
    images = torch.stack([torch.sin(axis)[:, None] * torch.cos(a * axis)[None] for a in (1.0, 2.0, 0.5)])
    spectra = torch.linalg.qr(torch.randn(len(sigma), 3, generator=generator))[0]
    clean = torch.einsum("bk,kij->bij", spectra, images)
    noise = torch.randn(clean.shape, generator=generator) * sigma[:, None, None]
    return (clean + noise)[None], spectra


def test_noise_levels_and_basis_are_found():
    sigma = torch.linspace(0.01, 0.2, 20)
    noisy, spectra = low_rank_cube(sigma)
    pca, repaired = robust_pca.find(noisy, torch.ones_like(noisy, dtype=torch.bool), rank=6)
    torch.testing.assert_close(pca.sigma[0], sigma, rtol=0.08, atol=2e-3)
    basis = pca.basis[0]
    torch.testing.assert_close(basis.T @ basis, torch.eye(6), rtol=1e-4, atol=1e-4)
    whitened = torch.linalg.qr(spectra / sigma[:, None])[0]
    # the strongest true direction lies in the space found
    assert float((basis.T @ whitened).square().sum(0).min()) > 0.9
    assert repaired.shape == noisy.shape


def test_impulses_do_not_turn_the_basis():
    sigma = torch.full((20,), 0.02)
    noisy, spectra = low_rank_cube(sigma)
    hit = torch.rand(noisy.shape, generator=torch.Generator().manual_seed(4)) < 0.1
    hit[:, 5:] = False
    spoiled = torch.where(hit, 0.73, noisy)  # not on the floor, not on the ceiling: nothing tells them but the fit
    pca, _ = robust_pca.find(spoiled, torch.ones_like(hit), rank=3)
    share = (pca.basis[0].T @ spectra).square().sum(0)
    assert float(share.min()) > 0.95  # plain PCA: see the next line
    plain = robust_pca.eigenbasis(spoiled.flatten(2), 3)[0]
    assert float((plain.T @ spectra).square().sum(0).min()) < 0.9


def test_repairing_a_tile_agrees_with_repairing_the_whole():
    noisy, _ = low_rank_cube(torch.full((20,), 0.05))
    mask = torch.ones_like(noisy, dtype=torch.bool)
    pca, repaired = robust_pca.find(noisy, mask, rank=6)
    torch.testing.assert_close(robust_pca.repair(noisy, mask, pca), repaired, atol=0.05, rtol=0)


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1), (2, 3)])
def test_robust_basis_of_tiny_images(shape):
    cube = torch.rand(1, 12, *shape, generator=torch.Generator().manual_seed(0))
    pca, repaired = robust_pca.find(cube, torch.ones_like(cube, dtype=torch.bool), rank=12)
    assert bool(pca.sigma.isfinite().all())
    assert bool(repaired.isfinite().all())
