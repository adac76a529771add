"""Training-free denoisers: gain, interface, odd cubes; and the pieces whose values can be derived by hand."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_decsc.classical.baseline import Scaled, Step
from napari_decsc.classical.e3dtv import E3dtvDenoiser, Poisson, adjoint_difference, difference, soft
from napari_decsc.classical.fasthyde import FastHydeDenoiser
from napari_decsc.classical.settings import E3dtvSettings, FastHydeSettings
from napari_decsc.denoising.protocol import Command, Denoiser, Iteration, run
from napari_decsc.errors import SettingsError
from napari_decsc.filters.spectral import analyse, difference_noise
from napari_decsc.hsi.cube import Cube

DENOISERS = [
    FastHydeDenoiser(FastHydeSettings(search=6)),
    E3dtvDenoiser(),
]
both = pytest.mark.parametrize("denoiser", DENOISERS, ids=lambda denoiser: denoiser.name)


def scene(bands: int = 12, side: int = 48) -> np.ndarray:
    """Three smooth spectra on discs, stripes and a ramp: rank 3, values from 0 to 1, shape (band, row, col)."""
    row, col = np.mgrid[:side, :side] / side
    maps = np.stack([(row - 0.5) ** 2 + (col - 0.5) ** 2 < 0.1, np.floor(6 * col) % 2, 0.5 * (row + col)])
    wave = np.linspace(0, 1, bands)
    spectra = np.stack([np.exp(-((wave - centre) ** 2) / 0.1) for centre in (0.2, 0.5, 0.9)], axis=1)
    cube = np.tensordot(spectra, maps, axes=1)
    return (cube / cube.max()).astype(np.float32)


def gaussian(clean: np.ndarray, sigma: float = 0.15) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal(clean.shape, np.float32)
    return clean + np.float32(sigma) * noise


def mpsnr(clean: np.ndarray, test: np.ndarray) -> float:
    return float(np.mean(-10 * np.log10(np.mean((clean - test) ** 2, axis=(1, 2)))))


# --- gain -----------------------------------------------------------------------------------------------------------


@both
def test_gaussian_noise_is_reduced(denoiser: Denoiser):
    clean = scene()
    noisy = gaussian(clean)
    denoised = run(denoiser.denoise(Cube(noisy))).data
    assert mpsnr(clean, denoised) > mpsnr(clean, noisy) + 12


def test_bands_of_different_noise_help_each_other_in_the_subspace():
    clean = scene()
    sigma = np.where(np.arange(len(clean)) % 2, 0.3, 0.01)[:, None, None].astype(np.float32)
    noisy = clean + sigma * np.random.default_rng(2).standard_normal(clean.shape, np.float32)
    denoised = run(FastHydeDenoiser(FastHydeSettings(search=6)).denoise(Cube(noisy))).data
    loud, quiet = slice(1, None, 2), slice(0, None, 2)
    assert mpsnr(clean[loud], denoised[loud]) > mpsnr(clean[loud], noisy[loud]) + 20
    assert mpsnr(clean[quiet], denoised[quiet]) > mpsnr(clean[quiet], noisy[quiet]) + 3


def test_total_variation_takes_impulses_and_stripes_for_sparse_noise():
    clean, rng = scene(), np.random.default_rng(3)
    noisy = gaussian(clean, 0.05)
    noisy[2:6][rng.random((4, 48, 48)) < 0.3] = 1
    noisy[8:10, :, ::7] = 0
    denoised = run(E3dtvDenoiser().denoise(Cube(noisy))).data
    assert mpsnr(clean, denoised) > mpsnr(clean, noisy) + 12


@both
def test_the_unit_of_the_data_does_not_matter(denoiser: Denoiser):
    """Raw counts with a scale, and counts nobody gave a scale for, give the same picture as reflectance."""
    noisy = gaussian(scene())
    plain = run(denoiser.denoise(Cube(noisy))).data
    scaled = run(denoiser.denoise(Cube(noisy * 4096, scale=4096.0))).data
    np.testing.assert_allclose(scaled / 4096, plain, atol=2e-3)
    top = np.percentile(noisy, 99.5)
    relative = run(denoiser.denoise(Cube(noisy / top))).data
    counts = run(denoiser.denoise(Cube(noisy / top * 4096))).data
    np.testing.assert_allclose(counts / 4096, relative, atol=2e-3)


# --- interface ------------------------------------------------------------------------------------------------------


@both
def test_is_a_denoiser_that_describes_itself_in_json(denoiser: Denoiser):
    assert isinstance(denoiser, Denoiser)
    described = json.loads(json.dumps(denoiser.describe()))
    assert described["method"] == denoiser.name
    assert described["weights"] is None
    assert described["device"] == "cpu"
    assert set(described["settings"]) >= {"rank"}


@both
def test_iterations_count_from_one_and_settle(denoiser: Denoiser):
    seen: list[Iteration] = []
    run(denoiser.denoise(Cube(gaussian(scene()))), seen.append)
    assert [iteration.number for iteration in seen] == list(range(1, len(seen) + 1))
    assert all(np.isfinite([iteration.residual, iteration.relative_residual]).all() for iteration in seen)
    assert seen[-1].relative_residual < 0.2 * max(iteration.relative_residual for iteration in seen)
    assert seen[0].preview is not None
    assert seen[0].preview.data.shape == (12, 48, 48)


@both
def test_stop_returns_the_estimate_so_far(denoiser: Denoiser):
    noisy, seen = Cube(gaussian(scene())), []

    def stop_at_once(iteration: Iteration) -> Command:
        seen.append(iteration)
        return Command.STOP

    stopped = run(denoiser.denoise(noisy), stop_at_once)
    assert len(seen) == 1
    np.testing.assert_array_equal(stopped.data, seen[0].preview.data)


def test_stop_in_the_first_pass_is_better_than_noise():
    clean = scene()
    noisy = gaussian(clean)
    stopped = run(DENOISERS[0].denoise(Cube(noisy)), lambda iteration: Command.STOP).data
    assert mpsnr(clean, stopped) > mpsnr(clean, noisy) + 5


@both
def test_metadata_are_kept_and_the_input_is_not_touched(denoiser: Denoiser):
    counts = np.round(1000 * np.clip(gaussian(scene()), 0, 1)).astype(np.uint16)
    cube = Cube(counts, "scene", wavelengths=np.arange(12) + 400.0, wavelength_unit="nm", scale=1000.0)
    denoised = run(denoiser.denoise(cube))
    assert denoised.data.dtype == np.float32
    assert denoised.name == f"scene {denoiser.name}"
    assert (denoised.scale, denoised.wavelength_unit) == (1000.0, "nm")
    np.testing.assert_array_equal(denoised.wavelengths, cube.wavelengths)
    np.testing.assert_array_equal(counts, np.round(1000 * np.clip(gaussian(scene()), 0, 1)))


@both
def test_listeners_time_is_not_counted(denoiser: Denoiser):
    steps = denoiser.denoise(Cube(gaussian(scene(4, 16))))
    first = next(steps)
    time.sleep(0.3)
    begun = time.perf_counter()
    second = next(steps)
    assert second.elapsed - first.elapsed <= time.perf_counter() - begun


# --- odd cubes ------------------------------------------------------------------------------------------------------


@both
def test_what_was_not_measured_stays_so_and_spoils_nothing(denoiser: Denoiser):
    clean = scene()
    noisy = 100 * gaussian(clean)
    noisy[:, :9] = -9999
    noisy[3, 30:33, 30:33] = np.nan
    gone = ~np.isfinite(noisy) | (noisy == -9999)
    denoised = run(denoiser.denoise(Cube(noisy, no_data=-9999, scale=100.0))).data
    np.testing.assert_array_equal(denoised[gone], noisy[gone])
    error = np.sqrt(np.mean((denoised[~gone] / 100 - clean[~gone]) ** 2))
    assert error < 0.15 / 4


def test_the_noise_of_a_cube_that_is_mostly_empty_is_still_found():
    noisy = gaussian(np.zeros((5, 64, 64), np.float32), 0.1)
    measured = np.zeros(noisy.shape, bool)
    measured[:, 20:44, 20:44] = True
    space = analyse(np.where(measured, noisy, 0), measured)
    np.testing.assert_allclose(space.sigma[:, 0], 0.1, rtol=0.15)


@both
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 33), (5, 1, 9), (7, 3, 1), (40, 2, 3), (2, 9, 30)])
def test_any_number_of_bands_and_any_size(denoiser: Denoiser, shape: tuple[int, int, int]):
    noisy = np.random.default_rng(4).random(shape, np.float32)
    denoised = run(denoiser.denoise(Cube(noisy))).data
    assert denoised.shape == shape
    assert np.isfinite(denoised).all()


@both
def test_one_band_is_denoised_as_an_image(denoiser: Denoiser):
    clean = scene()[4:5]
    noisy = gaussian(clean, 0.1)
    assert mpsnr(clean, run(denoiser.denoise(Cube(noisy))).data) > mpsnr(clean, noisy) + 5


@both
def test_constant_cubes_come_back_as_they_are(denoiser: Denoiser):
    constant = np.full((3, 20, 20), 0.5, np.float32)
    np.testing.assert_allclose(run(denoiser.denoise(Cube(constant))).data, constant, atol=1e-3)


def test_a_constant_band_comes_back_as_it_is_and_spoils_no_other():
    clean = scene()
    noisy = gaussian(clean)
    noisy[5] = clean[5] = 0.25
    denoised = run(DENOISERS[0].denoise(Cube(noisy))).data
    np.testing.assert_allclose(denoised[5], 0.25, atol=1e-3)
    assert mpsnr(clean[6:], denoised[6:]) > mpsnr(clean[6:], noisy[6:]) + 12


@both
def test_a_cube_without_one_measured_voxel_comes_back(denoiser: Denoiser):
    empty = np.full((2, 10, 10), np.nan, np.float32)
    assert np.isnan(run(denoiser.denoise(Cube(empty))).data).all()


# --- pieces ---------------------------------------------------------------------------------------------------------


def test_filling_takes_the_median_of_the_band():
    data = np.array([[[1.0, np.nan, 3.0]], [[np.nan, 0.5, np.nan]]], np.float32)
    scaled = Scaled.of(Cube(data, scale=2.0))
    np.testing.assert_allclose(scaled.data * scaled.raw_per_peak, [[[1, 2, 3]], [[0.5, 0.5, 0.5]]], rtol=1e-6)
    np.testing.assert_array_equal(scaled.measured, np.isfinite(data))


def test_noise_level_is_found_and_a_plane_has_none():
    row, col = np.mgrid[:64, :64]
    plane = (2.0 * row + 3.0 * col).astype(np.float32)
    noise = np.random.default_rng(5).standard_normal((64, 64)).astype(np.float32)
    data = np.stack([plane, plane + noise, plane + 4 * noise])
    found = difference_noise(data, np.ones(data.shape, bool))
    assert found[0] < 1e-3
    np.testing.assert_allclose(found[1:], [1, 4], rtol=0.08)


def test_rank_is_that_of_the_scene_and_the_eigen_images_have_unit_noise():
    clean = scene(bands=20)
    noisy = gaussian(clean, 0.05)
    space = analyse(noisy, np.ones(noisy.shape, bool))
    assert space.basis.shape == (20, 3)
    np.testing.assert_allclose(space.sigma, 0.05, rtol=0.05)
    noise = space.images(noisy) - space.images(clean)
    np.testing.assert_allclose(noise.std(axis=(1, 2)), 1, rtol=0.05)
    np.testing.assert_allclose(space.cube(space.images(clean)), clean, atol=0.02)


shapes = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)


@settings(max_examples=30, deadline=None)
@given(shape=shapes, axis=st.integers(0, 2), seed=st.integers(0, 99))
def test_difference_and_its_adjoint_agree_and_poisson_is_solved(shape: tuple[int, int, int], axis: int, seed: int):
    rng = np.random.default_rng(seed)
    one, other = rng.standard_normal((2, *shape)).astype(np.float32)
    left = np.sum(difference(one, axis) * other)
    assert left == pytest.approx(np.sum(one * adjoint_difference(other, axis)), abs=1e-4)
    applied = one + sum(adjoint_difference(difference(one, n), n) for n in range(3))
    np.testing.assert_allclose(Poisson(shape)(applied), one, atol=1e-4)


def test_soft_threshold_by_hand():
    np.testing.assert_allclose(soft(np.array([-3, -1, 0.5, 2], np.float32), 1.0), [-2, 0, 0, 1])


def test_total_variation_ends_with_parts_that_add_up():
    """At the end X alone explains what is not sparse: on a cube that is one step, without noise, X is the cube."""
    data = np.zeros((4, 20, 20), np.float32)
    data[:, :, 10:] = 0.8
    steps: list[Step] = list(E3dtvDenoiser().steps(data, np.ones(data.shape, bool)))
    np.testing.assert_allclose(steps[-1].estimate(), data, atol=1e-3)
    assert len(steps) < E3dtvSettings().max_iterations


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="rank"):
        FastHydeSettings(rank=-1)
    with pytest.raises(SettingsError, match="strength"):
        E3dtvSettings(strength=float("nan"))
