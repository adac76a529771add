"""MPSNR, MSSIM, SAM and ERGAS: values by hand, SSIM against scikit-image, gaps, small images, shapes."""

import math

import numpy as np
import pytest

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import ergas, psnr_per_band, score, score_cubes, spectral_angle, ssim_per_band


def pair(shape: tuple[int, int, int] = (3, 24, 20), sigma: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    band, row, col = np.indices(shape)
    clean = 0.5 + 0.4 * np.sin(0.3 * row + band) * np.cos(0.2 * col)
    return clean, clean + sigma * rng.standard_normal(shape)


def with_gap(array: np.ndarray, value: float = np.nan) -> np.ndarray:
    array = array.copy()
    array[1, 4:9, 6] = value
    return array


def test_psnr_by_hand():
    reference = np.zeros((2, 2, 2))
    test = np.stack([np.full((2, 2), 0.1), [[0.2, 0], [0, 0]]])  # MSE 0.01 in both
    np.testing.assert_allclose(psnr_per_band(reference, test), [20, 20])
    np.testing.assert_allclose(psnr_per_band(reference, test, peak=10), [40, 40])


@pytest.mark.parametrize("peak", [1.0, 4000.0])
@pytest.mark.parametrize("shape", [(3, 24, 20), (1, 11, 40), (2, 11, 11)])
def test_ssim_is_that_of_scikit_image(shape, peak):
    from skimage.metrics import structural_similarity

    clean, noisy = (array * peak for array in pair(shape))
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": peak}
    expected = [structural_similarity(a, b, **wang) for a, b in zip(clean, noisy, strict=True)]
    np.testing.assert_allclose(ssim_per_band(clean, noisy, peak), expected, rtol=1e-9)


@pytest.mark.parametrize("shape", [(2, 1, 1), (2, 3, 30), (2, 30, 4), (2, 10, 10), (2, 24, 24)])
def test_ssim_of_flat_images_of_any_size_is_the_luminance_term(shape):
    # no variance: (2 * 0.2 * 0.6 + c1) / (0.2^2 + 0.6^2 + c1), c1 = 1e-4
    similarity = ssim_per_band(np.full(shape, 0.2), np.full(shape, 0.6))
    np.testing.assert_allclose(similarity, [0.2401 / 0.4001] * 2, rtol=1e-9)


def test_ssim_of_a_small_image_falls_with_noise():
    scores = [ssim_per_band(*pair((1, 6, 8), sigma))[0] for sigma in (0, 0.01, 0.1, 0.5)]
    assert (scores[0], scores) == (1, sorted(scores, reverse=True))


@pytest.mark.parametrize(
    ("a", "b", "angle"),
    [
        ((1, 0), (0, 2), math.pi / 2),
        ((1, 0), (3, 3), math.pi / 4),
        ((1, 0, 0), (1, math.sqrt(2), 1), math.pi / 3),  # cosine 1 / 2
        ((1, 2, 3), (2, 4, 6), 0),  # brightness does not matter
        ((1, 2), (-1, -2), math.pi),
        ((0, 0), (0, 0), 0),
        ((0, 0), (1, 1), math.pi / 2),
        ((1, 0), (1, 1e-9), 1e-9),  # arccos of a rounded cosine would say 0
        ((1, 5, 0), (1, np.nan, 1), math.pi / 4),  # the unmeasured band does not count
        ((np.nan, np.nan), (1, 1), np.nan),
    ],
)
def test_spectral_angle_by_hand(a, b, angle):
    one, two = (np.array(spectrum, float).reshape(-1, 1, 1) for spectrum in (a, b))
    for found in (spectral_angle(one, two), spectral_angle(two, one)):
        np.testing.assert_allclose(found, [[angle]], rtol=1e-9, atol=1e-15)


def test_ergas_by_hand():
    reference = np.stack([np.full((2, 2), 0.5), np.full((2, 2), 2.0)])
    test = reference + np.array([0.1, 0.2]).reshape(2, 1, 1)  # relative RMSE 0.2 and 0.1
    assert ergas(reference, test) == pytest.approx(100 * math.sqrt((0.04 + 0.01) / 2))
    dark = np.concatenate([reference, np.zeros((1, 2, 2))])  # a mean of 0 has no relative error
    assert ergas(dark, np.concatenate([test, np.ones((1, 2, 2))])) == pytest.approx(ergas(reference, test))
    assert ergas(test, reference) != pytest.approx(ergas(reference, test))  # the mean is the reference's


def test_scores_are_the_means():
    clean, noisy = pair()
    scores = score(clean, noisy)
    bands = psnr_per_band(clean, noisy), ssim_per_band(clean, noisy)
    np.testing.assert_array_equal((scores.band_psnr, scores.band_ssim), bands)
    figures = [*map(np.mean, (*bands, spectral_angle(clean, noisy))), ergas(clean, noisy)]
    assert list(scores.summary()) == ["mpsnr", "mssim", "sam", "ergas"]
    np.testing.assert_allclose(list(scores.summary().values()), figures)
    assert scores.sam_degrees == pytest.approx(scores.sam * 180 / math.pi)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint16])
def test_identical_cubes_have_the_perfect_scores(dtype):
    clean = (pair()[0] * 1000).astype(dtype)
    assert score(clean, clean.copy(), 1000).summary() == {"mpsnr": math.inf, "mssim": 1, "sam": 0, "ergas": 0}


def test_identical_bands_are_left_out_of_the_mean_and_counted():
    # squared errors 0.01 and 0.0001 at peak 1: 20 dB and 40 dB, mean 30; between them one identical, one not measured
    clean = np.full((4, 12, 12), 0.5)
    test = clean + np.array([0.1, 0, 0.01, np.nan])[:, None, None]
    scores = score(clean, test)
    assert scores.mpsnr == pytest.approx(30)
    assert (scores.identical_bands, math.isinf(scores.band_psnr[1])) == (1, True)
    assert score(clean[1:], test[1:]).mpsnr == pytest.approx(40)
    only = score(clean[[1, 3]], test[[1, 3]])
    assert (only.mpsnr, only.identical_bands) == (math.inf, 1)
    assert score(clean[:1], test[:1]).identical_bands == 0
    unmeasured = score(clean[3:], test[3:])
    assert math.isnan(unmeasured.mpsnr)
    assert unmeasured.identical_bands == 0


@pytest.mark.parametrize("fill", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["reference", "test", "both"])
def test_unmeasured_voxels_are_left_out(where, fill):
    clean, noisy = pair()
    a = with_gap(clean, fill) if where != "test" else clean
    b = with_gap(noisy, fill) if where != "reference" else noisy
    assert score(a, b).summary() == score(with_gap(clean), with_gap(noisy)).summary()
    squares = with_gap((clean - noisy) ** 2)[1]
    assert psnr_per_band(a, b)[1] == pytest.approx(-10 * math.log10(np.nanmean(squares)))
    assert ssim_per_band(a, b)[1] == pytest.approx(ssim_per_band(clean, noisy)[1], abs=0.03)
    assert ssim_per_band(a, with_gap(clean))[1] == pytest.approx(1)


def test_a_band_without_measurements_scores_nan_and_means_leave_it_out():
    clean, noisy = pair()
    gap = np.concatenate([clean, np.full((1, 24, 20), np.nan)]), np.concatenate([noisy, noisy[:1]])
    scores = score(*gap)
    assert (math.isnan(scores.band_psnr[3]), math.isnan(scores.band_ssim[3])) == (True, True)
    assert scores.summary() == pytest.approx(score(clean, noisy).summary())


def test_cubes_are_compared_on_physical_values_with_the_peak_of_the_reference():
    clean, noisy = pair()
    counts = np.round(clean * 10000).astype(np.uint16)
    counts[1, 4:9, 6] = 65535
    expected = score(with_gap(clean), noisy).summary()
    assert score_cubes(Cube(counts, scale=10000, no_data=65535), Cube(noisy)).summary() == pytest.approx(expected, 1e-3)
    peak = np.percentile(counts[counts < 65535], 99.5)  # counts without a scale: what counts as 1 is their percentile
    plain = score_cubes(Cube(counts, no_data=65535), Cube(noisy * 10000))
    assert plain.mpsnr == pytest.approx(expected["mpsnr"] + 20 * math.log10(peak / 10000), abs=1e-2)


@pytest.mark.parametrize("measure", [score, psnr_per_band, ssim_per_band, spectral_angle, ergas])
@pytest.mark.parametrize("shapes", [((2, 3, 4), (2, 4, 3)), ((2, 3, 4), (1, 3, 4)), ((3, 4), (3, 4))])
def test_shapes_that_do_not_compare_are_refused(measure, shapes):
    with pytest.raises(CubeError, match=r"size|axes"):
        measure(*map(np.zeros, shapes))


def test_cubes_that_do_not_compare_are_named():
    with pytest.raises(CubeError, match="before has 1 band × 2 rows × 3 cols, after has 1 band × 3 rows × 2 cols"):
        score_cubes(Cube(np.zeros((1, 2, 3)), "before"), Cube(np.zeros((1, 3, 2)), "after"))


@pytest.mark.parametrize("peak", [0, -1, math.nan, math.inf])
def test_the_peak_must_be_a_positive_number(peak):
    for measure in (score, psnr_per_band, ssim_per_band):
        with pytest.raises(CubeError, match=f"peak is {peak}"):
            measure(*pair(), peak)
