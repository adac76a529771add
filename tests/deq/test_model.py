"""Both presets: the fixed-point map is a proximal gradient step, and the measured model is the oracle of `subspace`."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from napari_decsc.deq import noise_units
from napari_decsc.deq.model import Paper, PaperConfig, Subspace, SubspaceConfig, build, config_of
from napari_decsc.deq.shrinkage import soft
from napari_decsc.hsi.errors import DenoisingError
from napari_decsc.hsi.noise import make_noise
from napari_decsc.hsi.sample import sample_cube

SMALL = SubspaceConfig(low=(8, 6, 4), width=32, heads=2)


def noisy_patch(rows: int = 64, cols: int = 64, bands: int = 31, noise: str = "mixture") -> torch.Tensor:
    import numpy as np

    clean = sample_cube(rows, cols, bands).data
    return torch.from_numpy(make_noise(noise)(clean, np.random.default_rng(0)))[None]


def usable(cube: torch.Tensor) -> torch.Tensor:
    return (cube.abs() > 1e-6) & ((cube - 1).abs() > 1e-6)


@pytest.fixture(scope="module")
def reference(real_data: Path) -> Path:
    folder = real_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"needs the measured model and its weights, which are not shipped: no folder {folder}")
    return folder


@pytest.mark.parametrize("weights", ["subspace", "subspace-damped"])
def test_subspace_with_the_measured_weights_gives_what_the_measured_model_gives(reference, weights):
    import oracle

    theirs, ours = oracle.load(reference, weights)
    noisy = noisy_patch()
    with torch.inference_mode():
        expected, found = theirs.context(noisy), ours.context(noisy, usable(noisy))
        torch.testing.assert_close(found.unit, expected["sigma"], rtol=1e-3, atol=1e-5)
        z, w = theirs.start(expected), ours.start(found)
        for _ in range(3):
            z, w = theirs.f(z, expected), ours.f(w, found)
        error = ours.output(w, found) - theirs.output(z, expected)
    assert float(error.abs().max()) < 2e-3
    assert float(error.square().mean().sqrt()) < 1e-4


@pytest.mark.parametrize("model", [Paper(PaperConfig()), Subspace(SMALL)], ids=["paper", "subspace"])
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
    model = Paper(PaperConfig(depth=0, shared_maps=8))
    noisy = noisy_patch(32, 32, noise="gaussian")
    c = model.context(noisy, usable(noisy))
    S, H = (part.detach() for part in model.start(c))
    S.requires_grad_()
    energy = 0.5 * (model.output((S, H), c) - c.target).square().sum()
    (slope,) = torch.autograd.grad(energy, S)
    new, _ = model.f((S, H), c)
    torch.testing.assert_close(new, soft(S - slope, F.softplus(model.shared_threshold)), rtol=1e-3, atol=1e-4)


def test_the_subspace_step_is_a_gradient_of_the_huber_term_and_of_the_damping():
    model = Subspace(SMALL)
    noisy = noisy_patch(32, 32)
    c = model.context(noisy, usable(noisy))
    S, H = (part.detach() for part in model.start(c))
    with torch.no_grad():
        U = model.unshared.decode(H, 1, model.unshared.filters.step)
        k = model.shared.filters.step
        r = model.fidelity(model.shared.decode(S, c.basis, k) + U, c)
        seen = model.shared.component_maps(model.shared.component_images(S, k), k)
        expected = S - model.config.damping * (S - seen) - model.shared.encode(r, c.basis, k)
        torch.testing.assert_close(model.shared_step(S, U, c), expected, rtol=1e-3, atol=1e-3)


def test_a_voxel_without_information_does_not_matter():
    model = Subspace(SMALL).eval()
    noisy = noisy_patch(32, 32, noise="gaussian")
    keep = torch.ones_like(noisy, dtype=torch.bool)
    keep[0, 5, 3:6, 7] = False
    other = torch.where(keep, noisy, 17.0)
    with torch.inference_mode():
        results = []
        for cube in (noisy, other):
            c = model.context(cube, keep)
            results.append(model.output(model.f(model.start(c), c), c))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("bands", [1, 2, 5, 40, 200])
def test_subspace_takes_any_number_of_bands(bands):
    model = Subspace(SMALL).eval()
    noisy = noisy_patch(32, 32, bands, noise="gaussian")
    with torch.inference_mode():
        c = model.context(noisy, usable(noisy))
        out = model.output(model.f(model.start(c), c), c)
    assert out.shape == noisy.shape
    assert bool(out.isfinite().all())


def test_paper_takes_its_own_number_of_bands_only():
    noisy = noisy_patch(32, 32, 30)
    with pytest.raises(DenoisingError, match="31 bands"):
        Paper(PaperConfig()).context(noisy, usable(noisy))


def test_a_model_is_rebuilt_from_its_configuration():
    model = Subspace(SMALL)
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
    units, repaired = noise_units.find(noisy, torch.ones_like(noisy, dtype=torch.bool), rank=6)
    torch.testing.assert_close(units.sigma[0], sigma, rtol=0.08, atol=2e-3)
    basis = units.basis[0]
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
    units, _ = noise_units.find(spoiled, torch.ones_like(hit), rank=3)
    share = (units.basis[0].T @ spectra).square().sum(0)
    assert float(share.min()) > 0.95  # plain PCA: see the next line
    plain = noise_units.eigenbasis(spoiled.flatten(2), 3)[0]
    assert float((plain.T @ spectra).square().sum(0).min()) < 0.9


def test_repairing_a_tile_agrees_with_repairing_the_whole():
    noisy, _ = low_rank_cube(torch.full((20,), 0.05))
    keep = torch.ones_like(noisy, dtype=torch.bool)
    units, repaired = noise_units.find(noisy, keep, rank=6)
    torch.testing.assert_close(noise_units.repair(noisy, keep, units), repaired, atol=0.05, rtol=0)


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1), (2, 3)])
def test_noise_units_of_tiny_images(shape):
    cube = torch.rand(1, 12, *shape, generator=torch.Generator().manual_seed(0))
    units, repaired = noise_units.find(cube, torch.ones_like(cube, dtype=torch.bool), rank=12)
    assert bool(units.sigma.isfinite().all())
    assert bool(repaired.isfinite().all())
