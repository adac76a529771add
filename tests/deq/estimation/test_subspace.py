"""What is known of a whole cube: window means, adjacent bands, weak components, what is more than Gaussian noise."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_decsc.deq.estimation import basic_estimate, robust_pca
from napari_decsc.deq.estimation.noise_model import NoiseModel
from napari_decsc.deq.estimation.subspace import LEAK, identify
from napari_decsc.filters.local import box_mean, column_offsets, in_adjacent_band, local_wiener, stripes

ROWS, COLS, BANDS = 96, 80, 20


def noise(seed=0, bands=BANDS):
    return torch.randn(1, bands, ROWS, COLS, generator=torch.Generator().manual_seed(seed))


def scene(strength):
    """A bright component, and a weak one of this standard deviation (in noise levels) across the image."""
    down, across = torch.linspace(0, 3, ROWS)[:, None], torch.linspace(0, 4, COLS)
    bright, weak = torch.ones(BANDS) / BANDS**0.5, torch.zeros(BANDS)
    weak[3], weak[12] = 0.5**0.5, -(0.5**0.5)
    first = 40 + 10 * torch.sin(down + across)
    second = 2**0.5 * torch.sin(2 * down) * torch.ones(COLS)
    return bright[:, None, None] * first + strength * weak[:, None, None] * second, weak


def found_in(cube, mask=None, unit=0.02):
    """What is found in a cube whose noise is 1, made to have a peak near 1."""
    return identify(cube * unit, torch.ones_like(cube, dtype=torch.bool) if mask is None else mask, rank=6)


def test_window_means_are_those_of_what_lies_inside():
    images = noise(bands=11)[:, :, :13, :40]
    for side in (1, 3, 9, 31):
        half = side // 2
        sums = F.avg_pool2d(F.pad(images, (half,) * 4), side, 1, divisor_override=1)
        count = F.avg_pool2d(F.pad(torch.ones_like(images), (half,) * 4), side, 1, divisor_override=1)
        torch.testing.assert_close(box_mean(images, side), sums / count, atol=1e-5, rtol=1e-5)


def test_the_local_wiener_filter_lets_as_much_noise_through_as_is_said():
    pure = noise(bands=40)
    through = (local_wiener(pure)[0] * pure).mean()
    assert abs(float(through) - LEAK) < 0.004


def test_an_adjacent_band_shows_the_like():
    residual = torch.tensor([4.0, 2.5, -4.0, 0.0, 4.0])[None, :, None, None]
    assert in_adjacent_band(residual).flatten().tolist() == [True, True, False, False, False]


def test_a_column_shifted_in_one_band_is_found_and_one_shifted_in_all_is_the_scene():
    residual, mask = noise(), torch.ones(1, BANDS, ROWS, COLS, dtype=torch.bool)
    residual[:, 5, :, 7] += 2
    residual[..., 30] += 2
    offsets = column_offsets(residual, mask)
    assert abs(float(offsets[0, 5, 0, 7]) - 2) < 0.5
    assert not offsets[..., 30].any()
    assert float((offsets != 0).float().mean()) < 0.005


def test_stripes_of_a_raw_cube_are_told_from_noise_and_from_the_scene():
    clean, _ = scene(1.0)
    cube, mask = clean + noise(), torch.ones(1, BANDS, ROWS, COLS, dtype=torch.bool)
    cube[:, 5, :, 7] += 3
    cube[:, 9, :, 40:42] -= 3
    cube[..., 30] += 3
    mask[..., 60] = False
    cube[~mask] = 100
    offsets = stripes(cube, mask, torch.ones(1, BANDS))
    assert abs(float(offsets[0, 5, 0, 7]) - 3) < 0.8
    torch.testing.assert_close(offsets[0, 9, 0, 40:42], torch.tensor([-3.0, -3.0]), atol=0.8, rtol=0)
    assert int((offsets != 0).sum()) == 3


def test_stripes_of_a_cube_of_one_column_or_one_row_are_none():
    for shape in ((1, 4, 9, 1), (1, 4, 1, 9)):
        assert not stripes(torch.randn(shape), torch.ones(shape, dtype=torch.bool), torch.ones(1, 4)).any()


def test_the_basis_of_a_dark_scene_learns_no_stripes():
    """Where the scene is weak, a few striped bands hold more energy than its own components."""
    clean, _ = scene(1.0)
    cube = 0.05 * clean + noise()
    quiet = slice(2, 18, 3)
    drawn = torch.Generator().manual_seed(3)
    cube[:, quiet, :, ::7] += 12 * (2 * torch.rand(1, 6, 1, 12, generator=drawn) - 1)
    found = found_in(cube)
    assert found.outliers
    explained = (found.basis.square() * found.counts[:, None]).sum(2)[0]
    assert float(explained[quiet].max()) < 0.5


def test_a_component_too_weak_for_the_second_moment_is_found():
    clean, weak = scene(0.18)
    cube = clean + noise()
    found = found_in(cube)
    assert found.counts[0, :2].tolist() == [1, 1]
    assert float((found.basis[0, :, 1] @ weak).abs()) > 0.8
    values = (cube - cube.mean((2, 3), keepdim=True)).flatten(2)[0]
    strongest = torch.linalg.eigh(values @ values.T)[1].flip(1)
    assert float((strongest[:, 1] @ weak).abs()) < 0.6


def test_more_components_are_kept_than_were_asked_for_where_they_rise_above_the_noise():
    drawn = torch.Generator().manual_seed(0)
    images = local_wiener(6 * torch.randn(1, 10, ROWS, COLS, generator=drawn))[0]
    mixing = torch.linalg.qr(torch.randn(BANDS, 10, generator=drawn))[0]
    found = found_in(100 + torch.einsum("br,nrij->nbij", 5 * mixing, images) + noise())
    assert not found.outliers
    assert found.counts.tolist() == [[1.0] * 10]
    assert found.basis.shape == (1, BANDS, 10)
    assert found_in(scene(1.0)[0] + noise()).basis.shape == (1, BANDS, 6)


def test_noise_alone_has_no_second_component():
    clean, _ = scene(0.0)
    for seed in range(3):
        assert float(found_in(clean + noise(seed)).counts.sum()) < 1.5


def test_noise_of_many_bands_has_no_component():
    """Chance makes more of many bands than of few."""
    assert float(found_in(noise(bands=150)).counts.sum()) < 1


def test_stripes_and_hidden_voxels_are_more_than_gaussian_noise():
    clean, _ = scene(1.0)
    cube = clean + noise()
    assert not found_in(cube).outliers
    striped = cube.clone()
    striped[:, 4:12, :, ::7] += 4 * torch.randn(1, 8, 1, 12, generator=torch.Generator().manual_seed(3))
    assert found_in(striped).outliers
    mask = torch.ones_like(cube, dtype=torch.bool)
    mask[:, 6, :, ::3] = False
    assert found_in(cube, mask).outliers
    # pixels that no band has seen say nothing
    apart = torch.ones_like(mask)
    apart[..., 40:44] = False
    assert not found_in(cube, apart).outliers


def test_noise_levels_are_right_beside_hidden_voxels_and_stripes():
    clean, _ = scene(1.0)
    cube = clean + noise()
    mask = torch.rand(cube.shape, generator=torch.Generator().manual_seed(5)) > 0.3
    mask[:, ::2] = True
    cube[:, 4:12, :, ::7] += 4 * torch.randn(1, 8, 1, 12, generator=torch.Generator().manual_seed(3))
    found = found_in(cube, mask)
    assert found.outliers
    wrong = (found.sigma / 0.02 - 1).abs()
    assert float(wrong.mean()) < 0.07
    assert float(wrong.max()) < 0.3


def test_highlights_in_a_band_far_quieter_than_the_others_are_no_impulses():
    """They lie hundreds of noise levels above what surrounds them, and no other band can show them."""
    clean, _ = scene(1.0)
    values = 0.2 * clean / clean.max()
    values[:, 5:-5:9, 5:-5:9] += 0.7
    sigma = torch.full((1, BANDS, 1, 1), 0.25)
    sigma[:, 11] = 0.001
    cube, mask = values + sigma * noise(), torch.ones(1, BANDS, ROWS, COLS, dtype=torch.bool)
    found = identify(cube, mask, rank=6)
    assert not found.outliers
    images = basic_estimate.find(cube, mask, found).images
    wrong = (found.cube(images) * found.sigma[:, :, None, None] - values)[0, 11] / 0.001
    assert float(wrong.abs().max()) < 8


def test_offsets_of_columns_come_from_their_whole_height():
    """What is found on whole columns is what a tile puts right, however few of their rows it sees."""
    clean, _ = scene(1.0)
    shift = 4 * torch.randn(1, 8, 1, 12, generator=torch.Generator().manual_seed(3))
    cube = clean + noise()
    cube[:, 4:12:2, :, ::7] += shift[:, ::2]
    mask = torch.ones_like(cube, dtype=torch.bool)
    found = found_in(cube)
    assert found.column_offsets is None
    whole = basic_estimate.with_column_offsets(cube * 0.02, mask, found)
    expected = torch.zeros(1, BANDS, 1, COLS)
    expected[:, 4:12:2, :, ::7] = shift[:, ::2]
    assert float((whole.column_offsets - expected).abs().mean()) < 0.25 * float(expected.abs().mean())
    residual = torch.zeros(1, BANDS, 8, COLS)
    torch.testing.assert_close(
        whole.without_column_offsets(residual, residual == 0), (-whole.column_offsets).expand_as(residual)
    )
    quiet = found_in(clean + noise())
    assert basic_estimate.with_column_offsets(cube, mask, quiet) is quiet


@pytest.mark.parametrize("seed", range(4))
def test_a_crop_of_few_pixels_and_many_bands_has_a_basis(seed):
    """Moments of few pixels have many eigenvalues of 0; clipped bands and missing ones on top."""
    drawn = np.random.default_rng(seed)
    cube = np.minimum(1, 0.9 + drawn.normal(0, 0.002, (225, 4, 3))).astype(np.float32)
    cube[[0, -1]] = 1
    mask = np.ones(cube.shape, bool)
    mask[75:131] = mask[0] = mask[-1] = False
    found = identify(torch.from_numpy(cube)[None], torch.from_numpy(mask)[None], 12)
    assert all(bool(part.isfinite().all()) for part in (found.basis, found.sigma, found.energy))


def test_known_levels_of_white_noise_take_the_place_of_the_robust_fit(monkeypatch):
    truth, weak = scene(1.0)
    cube = 0.02 * (truth + noise())
    mask = torch.ones_like(cube, dtype=torch.bool)
    model = NoiseModel(torch.full((BANDS,), 0.02), basis=torch.zeros(BANDS, 1), measured=True)
    robust = identify(cube, mask, 6)
    hit = cube.clone()
    hit += 0.5 * (torch.rand(cube.shape, generator=torch.Generator().manual_seed(1)) < 0.05)
    spoiled = identify(hit, mask, 6, model)  # impulses: the robust fit is asked after all
    monkeypatch.setattr(robust_pca, "find", None)
    known = identify(cube, mask, 6, model)
    assert torch.equal(known.sigma, model.level[None])
    assert int((known.counts > 0).sum()) == int((robust.counts > 0).sum()) == 2
    assert float((known.basis[0, :, :2].T @ weak).norm()) > 0.95
    assert bool(spoiled.outliers)
    with pytest.raises(TypeError):
        identify(hit, mask, 6, model)
