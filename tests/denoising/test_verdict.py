"""Did it remove my signal? Pure noise gives a clean verdict at the known rate; what was removed with it is named."""

import json
import time

import numpy as np
import pytest
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from napari_decsc.denoising import removed as removing
from napari_decsc.denoising.report import as_json
from napari_decsc.denoising.verdict import Verdict, judge
from napari_decsc.denoising.whiteness import autocorrelation
from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.lines import ColumnStripes, Fringes, ObliqueStripes, RowStripes
from napari_decsc.hsi.noise.measured import Fringe, LineOffsets, MeasuredNoise
from napari_decsc.hsi.noise.planted import plant
from napari_decsc.hsi.noise.sensors import Correlated, Shot
from napari_decsc.hsi.sample import sample_cube

SIGMA = 0.02


def scene(rows: int = 128, cols: int = 120, bands: int = 16) -> np.ndarray:
    return sample_cube(rows, cols, bands).data


def white(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return SIGMA * np.random.default_rng(seed).standard_normal(shape, np.float32)


def known(bands: int, **changes) -> MeasuredNoise:
    """The measured noise of white noise of the level SIGMA, and what else is said."""
    one = np.ones(bands, np.float32)
    usual = {
        "level": SIGMA * one,
        "correlation": np.eye(bands, dtype=np.float32),
        "spectrum": np.ones((8, 8), np.float32),
        "signal": one,
        "shot": 0 * one,
        "read": SIGMA * one,
    }
    return MeasuredNoise(**{**usual, **changes})


def of(clean: np.ndarray, noise: np.ndarray, measured: MeasuredNoise | None = None) -> Verdict:
    """The verdict on a denoiser that takes out exactly this."""
    return judge(Cube(clean + noise.astype(np.float32)), Cube(clean), measured)


KINDS = ("space", "bands", "signal", "texture")


# --- pure noise, removed whole --------------------------------------------------------------------------------------


@pytest.mark.parametrize("measured", [None, known(16)], ids=["unknown noise", "known noise"])
def test_white_noise_that_was_removed_whole_is_clean(measured):
    clean = scene()
    verdict = of(clean, white(clean.shape), measured)
    assert verdict.is_clean
    assert verdict.worst is None
    expected = SIGMA / np.sqrt((clean.astype(float) ** 2).mean())
    assert verdict.share == pytest.approx(expected, rel=0.01)
    assert verdict.scores.shape == clean.shape[1:]
    assert "Removed" in verdict.sentence
    assert "in space and along the bands" in verdict.sentence
    assert "no place shows lost structure" in verdict.sentence


def test_chances_are_what_they_say_and_false_alarms_are_rare():
    clean, chances, alarms, suspicions = scene(48, 48, 12), {kind: [] for kind in KINDS}, 0, 0
    for seed in range(150):
        verdict = of(clean, white(clean.shape, seed))
        for kind in KINDS:
            chances[kind].append(getattr(verdict, kind).chance)
        alarms += verdict.count > 0
        suspicions += bool(verdict.suspicions)
    for kind, found in chances.items():
        every = np.concatenate(found)
        # those that combine several tests are a little too careful (Bonferroni), none is careless
        assert 0.025 < (every < 0.05).mean() < 0.065, kind
        assert (every < 0.01).mean() < 0.02, kind
    # one in a hundred each; five in 150 are exceeded by chance once in 250 times
    assert alarms <= 5
    assert suspicions <= 5


@pytest.mark.parametrize("factor", [0.7, 0.95])
def test_noise_that_was_left_in_is_no_loss(factor):
    clean = scene()
    noise = white(clean.shape)
    subspace = np.linalg.svd(clean.reshape(16, -1), full_matrices=False)[0][:, :4]
    kept = np.tensordot(subspace @ subspace.T, noise, 1)  # as a denoiser does that knows the subspace
    assert of(clean, factor * (noise - kept), known(16)).is_clean


def test_a_cube_that_is_read_in_tiles_gets_the_same_verdict(monkeypatch):
    planted = plant(scene(96, 110, 12), "faint", np.random.default_rng(0), SIGMA)
    noise = white(planted.clean.shape) + planted.clean - planted.without
    noise[3, 20:30, 50] = np.nan
    whole = of(planted.without, noise, known(12))
    monkeypatch.setattr(removing, "TILE_VOXELS", 12 * 30 * 30)
    tiles = of(planted.without, noise, known(12))
    np.testing.assert_allclose(tiles.scores, whole.scores, rtol=0.02, atol=0.05)
    assert tiles.share == pytest.approx(whole.share, rel=1e-5)
    assert [(place.row, place.col) for place in tiles.places] == [(place.row, place.col) for place in whole.places]
    for kind in ("space", "bands", "signal"):
        np.testing.assert_allclose(getattr(tiles, kind).excess, getattr(whole, kind).excess, atol=1e-4)
    np.testing.assert_allclose(tiles.texture.excess, whole.texture.excess, atol=0.05)


# --- structure that went with the noise -----------------------------------------------------------------------------


def test_a_single_pixel_target_is_named():
    clean = scene()
    noise = white(clean.shape)
    noise[:, 40, 77] += 12 * SIGMA / 4  # 12 noise levels over 16 bands
    verdict = of(clean, noise)
    assert (verdict.worst.row, verdict.worst.col) == (40, 77)
    assert verdict.count == 1
    assert "structure may have gone at a place, the worst around row 40, col 77" in verdict.sentence
    assert not verdict.is_clean


def test_a_faint_patch_is_named_and_nothing_else_is():
    clean = scene()
    planted = plant(clean, "faint", np.random.default_rng(1), SIGMA)
    verdict = of(clean, white(clean.shape) + planted.clean - clean)
    rows, cols = np.nonzero(planted.mask)
    assert verdict.count == 1
    assert abs(verdict.worst.row - rows.mean()) <= 3
    assert abs(verdict.worst.col - cols.mean()) <= 3


def test_all_targets_are_found():
    clean = scene()
    planted = plant(clean, "targets", np.random.default_rng(1), SIGMA)
    verdict = of(clean, white(clean.shape) + planted.clean - clean)
    there = verdict.scores > np.log10(verdict.scores.size / verdict.false_alarm)
    assert there[planted.mask].all()


def test_a_plume_is_named_and_its_bands_are():
    clean = scene(128, 120, 31)
    planted = plant(clean, "plume", np.random.default_rng(1), SIGMA)
    verdict = of(clean, white(clean.shape) + planted.clean - clean)
    assert abs(verdict.worst.row - 64) < 10
    assert abs(verdict.worst.col - 60) < 12
    lines = {9, 17, 25}  # 0.3, 0.55 and 0.8 of 31 bands
    assert {band for line in lines for band in (line - 1, line, line + 1)} >= set(verdict.suspicions["space"])
    assert len(verdict.suspicions["space"]) >= 3


@pytest.mark.parametrize("width", [0.7, 1.5])
def test_blurring_is_seen_in_texture_and_place(width):
    clean = scene()
    verdict = of(clean, white(clean.shape) + clean - gaussian_filter(clean, (0, width, width)))
    assert "texture" in verdict.suspicions
    edges = np.hypot(*np.gradient(clean.mean(axis=0)))
    there = verdict.scores > np.log10(verdict.scores.size / verdict.false_alarm)
    assert edges[there].mean() > 3 * edges[~there].mean()


def test_a_share_of_the_signal_is_seen_as_likeness_to_it():
    clean = scene()
    verdict = of(clean, white(clean.shape) + 0.02 * clean)
    assert len(verdict.suspicions["signal"]) >= 12
    assert "it correlates with the signal by" in verdict.sentence


# --- what the measured noise explains -------------------------------------------------------------------------------


def spectrum(noise: np.ndarray) -> np.ndarray:
    """Energy of the cosine coefficients of patches of 8 x 8 pixels, mean 1."""
    bands, rows, cols = noise.shape
    patches = noise[:, : rows // 8 * 8, : cols // 8 * 8].reshape(bands, rows // 8, 8, cols // 8, 8)
    energy = (dctn(patches, axes=(2, 4), norm="ortho") ** 2).mean(axis=(0, 1, 3))
    return (energy / energy.mean()).astype(np.float32)


@pytest.mark.parametrize(("width", "expected"), [(0.5, 0.2612), (0.8, 0.6718), (1.2, 0.8406)])
def test_the_correlation_of_neighbours_follows_from_the_spectrum(width, expected):
    # expected: sum w_k w_k+1 / sum w_k^2 of the weights w_k = exp(-k^2 / (2 width^2))
    noise = drawn(Correlated(SIGMA, 0, width, 0), scene())
    rho = autocorrelation(known(16, spectrum=spectrum(noise)))
    assert rho[7, 7] == 1
    for row, col in ((7, 8), (7, 6), (8, 7), (6, 7)):
        assert rho[row, col] == pytest.approx(expected, abs=0.02)
    assert rho[8, 8] == pytest.approx(expected**2, abs=0.02)


def drawn(model, clean: np.ndarray, seed: int = 0) -> np.ndarray:
    return model(clean, np.random.default_rng(seed)) - clean


def test_noise_that_is_correlated_in_space_is_explained_by_its_spectrum():
    clean = scene()
    noise = drawn(Correlated(SIGMA, 0, 0.8, 0), clean)
    measured = known(16, spectrum=spectrum(drawn(Correlated(SIGMA, 0, 0.8, 0), clean, 5)))
    assert "space" in of(clean, noise).suspicions
    assert of(clean, noise, measured).is_clean
    planted = plant(clean, "faint", np.random.default_rng(1), 4 * SIGMA)
    verdict = of(clean, noise + planted.clean - clean, measured)
    assert planted.mask[verdict.worst.row, verdict.worst.col]


def test_noise_that_is_correlated_along_the_bands_is_explained_by_its_correlation():
    clean = scene()
    noise, other = (drawn(Correlated(SIGMA, 0, 0, 0.7), clean, seed) for seed in (0, 5))
    correlation = np.corrcoef(other.reshape(16, -1)).astype(np.float32)
    assert "bands" in of(clean, noise).suspicions
    assert of(clean, noise, known(16, correlation=correlation)).is_clean
    noise[:, 40, 77] += 4 * SIGMA * np.cos(np.arange(16))  # no noise of this correlation looks like that
    verdict = of(clean, noise, known(16, correlation=correlation))
    assert (verdict.worst.row, verdict.worst.col) == (40, 77)


def test_noise_that_grows_with_the_signal_is_explained_by_its_growth():
    clean = scene()
    noise = drawn(Shot(400, 2), clean)
    level = np.sqrt((noise**2).mean(axis=(1, 2)))
    one = np.ones(16, np.float32)
    assert "texture" in of(clean, noise).suspicions
    assert of(clean, noise, known(16, level=level, shot=one / 400, read=one * 2 / 400)).is_clean


LINES = {
    "columns": (ColumnStripes(0.08, 0), LineOffsets(0.0, np.full(16, 0.08, np.float32))),
    "columns with gains": (ColumnStripes(0.08, 0.1), LineOffsets(0.0, np.full(16, 0.08, np.float32), 0.1)),
    "columns whose gains nobody measured": (ColumnStripes(0.08, 0.1), LineOffsets(0.0, np.full(16, 0.08, np.float32))),
    "rows": (RowStripes(0.08, 0), LineOffsets(90.0, np.full(16, 0.08, np.float32))),
}


@pytest.mark.parametrize("name", LINES)
def test_lines_that_were_measured_are_no_loss(name):
    model, lines = LINES[name]
    clean = scene()
    noise = drawn(model, clean) + white(clean.shape, 3)
    assert not of(clean, noise).is_clean
    measured = known(16, lines=(lines,))
    assert of(clean, noise, measured).is_clean
    noise[:, 50, 60] += 4 * SIGMA
    verdict = of(clean, noise, measured)
    assert (verdict.worst.row, verdict.worst.col) == (50, 60)


def test_contrast_that_all_columns_lost_alike_is_no_gain_of_columns():
    clean = scene()
    _, lines = LINES["columns with gains"]
    noise = drawn(ColumnStripes(0.08, 0.02), clean) + white(clean.shape, 3)
    assert "signal" not in of(clean, noise, known(16, lines=(lines,))).suspicions
    assert len(of(clean, noise + 0.03 * clean, known(16, lines=(lines,))).suspicions["signal"]) >= 12


@pytest.mark.parametrize("angle", [12, -35, 80])
def test_oblique_lines_that_were_measured_are_no_loss(angle):
    clean = scene()
    noise = drawn(ObliqueStripes(0.05, 0, 1, angle), clean) + white(clean.shape, 3)
    lines = LineOffsets(float(angle), np.full(16, 0.05, np.float32))
    assert not of(clean, noise).is_clean
    assert of(clean, noise, known(16, lines=(lines,))).is_clean


def test_fringes_that_were_measured_are_no_loss():
    clean = scene()
    row, col = np.mgrid[:128, :120]
    turn = np.radians(30)
    noise = white(clean.shape)
    noise[4] += 0.05 * np.sin(2 * np.pi * (col * np.cos(turn) + row * np.sin(turn)) / 9 + 1)
    assert of(clean, noise).suspicions["space"].tolist() == [4]
    assert of(clean, noise, known(16, fringes=(Fringe(4, 9.0, 30.0, 0.05),))).is_clean


def test_the_fringes_of_the_simulation_are_suspicious_until_they_are_measured():
    clean = scene()
    noise = drawn(Fringes(0.05, 9), clean) + white(clean.shape)
    assert len(of(clean, noise).suspicions["space"]) == 16


def test_rounding_to_coarse_grey_levels_is_said():
    clean = scene()
    noise = np.round((clean + 0.1 * white(clean.shape)) * 15) / 15 - clean
    level = np.full(16, 1 / 15 / np.sqrt(12), np.float32)
    coarse, fine = (of(clean, noise, known(16, level=level, step=step)) for step in (1 / 15, 0.0))
    assert not coarse.is_clean
    assert "rounding alone looks like structure" in coarse.sentence
    assert "rounding" not in fine.sentence
    assert coarse.describe()["is_coarse"]
    assert "rounding" not in of(clean, white(clean.shape), known(16, step=0.05)).sentence  # clean all the same


def test_dead_columns_that_were_measured_do_not_count():
    clean = scene()
    noise = white(clean.shape)
    noise[3, :, [10, 55]] = -clean[3][:, [10, 55]].T  # they were 0
    assert of(clean, noise, known(16, dead=((3, 10), (3, 55)))).is_clean


def test_outliers_are_counted_and_are_no_loss():
    clean = scene()
    noise = white(clean.shape)
    hit = np.random.default_rng(4).random(clean.shape) < 0.002
    noise[hit] = 30
    verdict = of(clean, noise)
    assert verdict.is_clean
    assert verdict.outliers == np.count_nonzero(hit)
    assert f"and {verdict.outliers} outliers" in verdict.sentence
    assert verdict.share < 0.2


# --- odd cubes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 40), (3, 4, 3), (5, 1, 60), (5, 60, 1), (200, 9, 8)])
def test_cubes_of_any_size_get_an_answer(shape):
    clean = np.random.default_rng(0).random(shape, np.float32)
    for measured in (None, known(shape[0])):
        verdict = of(clean, white(shape), measured)
        assert verdict.sentence
        assert verdict.scores.shape == shape[1:]
        assert np.isfinite(verdict.scores).all()


def test_where_nothing_was_removed_there_is_nothing_to_judge():
    clean = scene(20, 20)
    verdict = of(clean, np.zeros_like(clean), known(16))
    assert verdict.sentence == "Nothing was removed that could be judged."
    assert verdict.is_clean
    json.loads(as_json(verdict.describe()))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_was_not_measured_does_not_count(value):
    clean = scene()
    noise = white(clean.shape)
    clean = clean.copy()
    clean[:, 10:30, 40:60] = value
    clean[5] = value
    verdict = of(clean, noise)
    assert verdict.is_clean
    assert np.isnan(verdict.removed[5])
    assert np.isfinite(np.delete(verdict.removed, 5)).all()
    assert (verdict.scores[14:26, 44:56] == 0).all()


def test_no_data_and_scale_are_those_of_the_cubes():
    clean = (10_000 * scene()).astype(np.int16)
    noisy = clean + np.round(10_000 * white(clean.shape)).astype(np.int16)
    noisy[:, :9] = -9999
    verdict = judge(Cube(noisy, no_data=-9999, scale=10_000.0), Cube(clean.astype(np.float32), scale=10_000.0))
    assert verdict.is_clean
    assert verdict.share == pytest.approx(SIGMA / np.sqrt(((clean[:, 9:] / 1e4) ** 2).mean()), rel=0.02)


def test_empty_bands_are_left_out():
    clean = scene()
    noise = white(clean.shape)
    noise[7] = 1000 * clean[7]
    level = np.full(16, SIGMA, np.float32)
    level[7] = np.nan
    verdict = of(clean, noise, known(16, level=level, empty={7: "constant"}))
    assert verdict.is_clean
    assert np.flatnonzero(np.isnan(verdict.space.excess)).tolist() == [7]


def test_cubes_of_two_shapes_are_refused():
    with pytest.raises(CubeError, match=r"b has the shape \(2, 3, 4\), the noisy cube \(2, 3, 5\)"):
        judge(Cube(np.zeros((2, 3, 5)), "a"), Cube(np.zeros((2, 3, 4)), "b"))


def test_the_description_is_json_and_holds_the_sentence():
    clean = scene()
    noise = white(clean.shape)
    noise[:, 40, 77] += 4 * SIGMA
    verdict = of(clean, noise)
    found = json.loads(as_json(verdict.describe()))
    assert found["sentence"] == verdict.sentence
    assert found["places"][0]["row"] == 40
    assert len(found["space"]["excess"]) == 16
    assert found["false_alarm"] == 0.01


def test_it_takes_less_than_two_seconds_for_a_usual_cube():
    clean = scene(512, 512, 31)
    noisy, denoised = Cube(clean + white(clean.shape)), Cube(clean)
    best = np.inf
    for _ in range(3):
        begin = time.process_time()
        judge(noisy, denoised, known(31))
        best = min(best, time.process_time() - begin)
    assert best < 2


# --- gaps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gaps", ["scattered", "border"])
def test_what_was_not_measured_does_not_change_the_verdict(gaps):
    clean, noise = scene(), white((16, 128, 120))
    hidden = np.random.default_rng(1).random(clean.shape) < 0.4
    if gaps == "border":
        hidden = np.zeros(clean.shape, bool)
        hidden[:, :50] = True
    clean = np.where(hidden, np.float32(np.nan), clean)
    verdict = of(clean, noise)
    # with zeros for gaps levels come out half as large: hundreds of outliers, and lost structure
    assert verdict.is_clean, verdict.sentence
    assert verdict.outliers == 0
    assert verdict.removed == pytest.approx(SIGMA / np.sqrt(np.nanmean(clean**2, axis=(1, 2))), rel=0.05)
