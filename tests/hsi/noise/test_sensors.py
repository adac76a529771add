"""Noise as sensors make it: every kind has the strength, the shape and the law that its settings say."""

import numpy as np
import pytest

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.noise.bands import on_bands
from napari_decsc.hsi.noise.base import Combined, NoiseModel
from napari_decsc.hsi.noise.faults import JunkBands, WildVoxels
from napari_decsc.hsi.noise.lines import ColumnStripes, DeadColumns, Fringes, ObliqueStripes, RowStripes
from napari_decsc.hsi.noise.models import Deadline, Gaussian, Mixture
from napari_decsc.hsi.noise.reality import REALITY
from napari_decsc.hsi.noise.sensors import SENSOR_MODELS, Correlated, PushBroom, Quantised, Shared, Shot
from napari_decsc.settings import descriptions


def flat(value: float, shape: tuple[int, int, int] = (6, 120, 120)) -> np.ndarray:
    return np.full(shape, value, np.float32)


def noise_of(model: NoiseModel, clean: np.ndarray, seed: int = 0) -> np.ndarray:
    return model(clean, np.random.default_rng(seed)).astype(float) - clean


def neighbours(noise: np.ndarray, axis: int) -> float:
    """Correlation of neighbours along an axis."""
    a, b = np.moveaxis(noise, axis, 0)[1:], np.moveaxis(noise, axis, 0)[:-1]
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def correlation(width: float) -> float:
    """That of neighbours of white noise behind weights exp(-k^2 / (2 width^2)): sum w_k w_k+1 / sum w_k^2."""
    weights = np.exp(-(np.arange(-9, 10) ** 2) / (2 * width**2)) if width else np.eye(19)[9]
    return float((weights[1:] * weights[:-1]).sum() / (weights**2).sum())


@pytest.mark.parametrize("law", ["poisson", "normal"])
@pytest.mark.parametrize(("value", "well", "read"), [(1.0, 100, 0), (0.25, 100, 3), (0.0, 100, 3), (-0.5, 100, 3)])
def test_the_variance_of_shot_noise_grows_with_the_signal(law, value, well, read):
    noise = noise_of(Shot(well, read, law), flat(value))
    expected = max(value, 0) / well + (read / well) ** 2
    # 86400 voxels know a variance to half a percent
    assert noise.var() == pytest.approx(expected, rel=0.025)
    assert abs(noise.mean()) < 5 * np.sqrt(expected / noise.size)


def test_electrons_are_counted_unless_their_law_is_normal():
    # with 4 electrons at the peak a voxel of 1/2 has 2 of them: no light at all with the probability exp(-2)
    values = Shot(4, 0)(flat(0.5), np.random.default_rng(0)) * 4
    np.testing.assert_array_equal(values, np.round(values))
    assert (values == 0).mean() == pytest.approx(np.exp(-2), abs=0.006)
    assert Shot(4, 0, "normal")(flat(0.5), np.random.default_rng(0)).min() < 0


@pytest.mark.parametrize("value", [np.nan, 1e30])
def test_shot_noise_of_odd_values_is_no_error(value):
    clean = flat(0.5, (2, 8, 8))
    clean[1, 2, 3] = value
    noisy = Shot()(clean, np.random.default_rng(0))
    assert np.isnan(noisy[1, 2, 3]) == np.isnan(value)
    assert np.isfinite(noisy).sum() == noisy.size - np.isnan(value)


@pytest.mark.parametrize(("across", "along"), [(0, 0), (0.7, 0), (1.5, 0), (0, 0.7), (0.9, 0.6)])
def test_correlated_noise_keeps_its_level_and_has_the_correlation_of_its_window(across, along):
    noise = noise_of(Correlated(0.1, 0, across, along), flat(0.5, (20, 150, 150)))
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    for axis, width in ((0, along), (1, across), (2, across)):
        assert neighbours(noise, axis) == pytest.approx(correlation(width), abs=0.02)


def test_levels_of_bands_are_even_on_a_logarithmic_scale():
    noise = noise_of(Correlated(0.1, 0.7, 0, 0), flat(0.5, (400, 30, 30)))
    logarithm = np.sort(np.log(noise.std(axis=(1, 2)) / 0.1))
    assert -0.75 < logarithm[0] < -0.65
    assert 0.65 < logarithm[-1] < 0.75
    assert np.abs(logarithm - np.linspace(-0.7, 0.7, 400)).max() < 1.4 * 2 / np.sqrt(400)


def test_shared_noise_is_one_image():
    noise = noise_of(Shared(0.03), flat(0.5))
    assert np.linalg.matrix_rank(noise.reshape(6, -1), tol=1e-3) == 1
    levels = noise.std(axis=(1, 2)) / 0.03
    assert (levels > 0.49).all()
    assert (levels < 1.51).all()
    assert np.ptp(levels) > 0.1


@pytest.mark.parametrize(("model", "axis"), [(ColumnStripes, 1), (RowStripes, 2)])
def test_stripes_have_offsets_and_gains_of_their_own(model, axis):
    shape = (40, 200, 200)
    at_0, at_1 = (model(0.05, 0.02)(flat(value, shape), np.random.default_rng(3)).astype(float) for value in (0, 1))
    offset, gain = at_0, at_1 - at_0 - 1
    for found, expected in ((offset, 0.05), (gain, 0.02)):
        assert np.ptp(found, axis=axis).max() < 1e-6  # constant along the line
        # 8000 lines know a standard deviation to 0.8 %
        assert found.std() == pytest.approx(expected, rel=0.04)


def test_a_band_has_stripes_by_chance():
    hit = np.abs(noise_of(RowStripes(0.05, 0, 0.5), flat(0.5, (400, 6, 6)))).max(axis=(1, 2)) > 0
    assert np.count_nonzero(hit) == pytest.approx(200, abs=40)


def test_oblique_stripes_follow_their_angle():
    noise = noise_of(ObliqueStripes(0.05, 0, 1, 45), flat(0.5))
    np.testing.assert_allclose(noise[:, 1:, :-1], noise[:, :-1, 1:], atol=1e-6)  # row + col decides
    other = noise_of(ObliqueStripes(0.05, 0, 1, -45), flat(0.5))
    np.testing.assert_allclose(other[:, 1:, 1:], other[:, :-1, :-1], atol=1e-6)
    for angle, straight in ((0, ColumnStripes), (90, RowStripes)):
        one, same = (noise_of(model, flat(0.5), 7) for model in (ObliqueStripes(0.05, 0, 1, angle), straight(0.05)))
        assert one.std() == pytest.approx(same.std(), rel=0.1)
        assert np.ptp(one, axis=1 if angle == 0 else 2).max() < 1e-6


def test_fringes_are_plane_waves():
    noise = noise_of(Fringes(0.05, 8), flat(0.5, (12, 128, 128)))
    for band in noise:
        assert np.sqrt(2) * band.std() == pytest.approx(0.05, rel=0.05)
        power = np.abs(np.fft.fft2(band)) ** 2
        row, col = np.unravel_index(int(power.argmax()), power.shape)
        frequency = np.hypot(np.fft.fftfreq(128)[row], np.fft.fftfreq(128)[col])
        assert frequency == pytest.approx(1 / 8, abs=1 / 128)


def test_dead_columns_are_stuck_at_one_value():
    clean = 0.5 + 0.4 * np.random.default_rng(1).random((200, 9, 60), np.float32)
    noisy = DeadColumns(0.1, 0.2)(clean, np.random.default_rng(0))
    dead = (noisy != clean).all(axis=1)
    np.testing.assert_array_equal(dead, (noisy != clean).any(axis=1))
    assert dead.mean() == pytest.approx(0.1, abs=0.012)
    for band in np.flatnonzero(dead.any(axis=1)):
        values = np.unique(noisy[band][:, dead[band]])
        assert values.size == 1
        assert 0 <= values[0] <= 0.2


@pytest.mark.parametrize(("model", "steps"), [(Quantised(5), 31), (Quantised(grey_levels=7), 6), (Quantised(), 4095)])
def test_a_converter_knows_its_levels_only(model, steps):
    clean = np.random.default_rng(0).random((3, 50, 50), np.float32)
    noisy = model(clean, np.random.default_rng(0))
    np.testing.assert_allclose(noisy * steps, np.round(noisy * steps), atol=steps * 1e-6)
    assert np.abs(noisy - clean).max() <= 0.5 / steps + 1e-6
    assert (noisy - clean).var() == pytest.approx(1 / steps**2 / 12, rel=0.05)
    np.testing.assert_array_equal(model(noisy, np.random.default_rng(0)), noisy)


def test_wild_voxels_are_few_and_absurd():
    noise = noise_of(WildVoxels(40, 50, 100), flat(0.5, (9, 300, 300)))
    hit = np.abs(noise[noise != 0])
    assert 38 <= hit.size <= 40  # two may fall on one voxel
    assert hit.min() >= 49
    assert hit.max() <= 101
    assert 0.2 < (noise[noise != 0] > 0).mean() < 0.8


def test_junk_bands_hold_nothing_and_say_so():
    clean = np.random.default_rng(0).random((9, 60, 60), np.float32)
    noisy = JunkBands(1000, 1, 3)(clean, np.random.default_rng(0))
    lost = JunkBands().lost(9)
    np.testing.assert_array_equal(np.flatnonzero(lost), [3, 4, 5])
    np.testing.assert_array_equal(noisy[~lost], clean[~lost])
    assert noisy[3].std() == pytest.approx(1000, rel=0.05)
    np.testing.assert_array_equal(noisy[4], 1)
    assert noisy[5].std() == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize(("bands", "lost"), [(1, [0]), (2, [0, 1]), (3, [1, 2]), (31, [10, 11, 12])])
def test_cubes_of_few_bands_lose_what_they_have(bands, lost):
    model = on_bands(Combined((Gaussian(), JunkBands())), np.ones(bands, bool))
    np.testing.assert_array_equal(np.flatnonzero(model.lost(bands)), lost)
    assert np.isfinite(model(flat(0.5, (bands, 4, 5)), np.random.default_rng(0))).all()


def test_a_push_broom_camera_without_faults_is_its_converter():
    clean = np.random.default_rng(0).random((4, 20, 30), np.float32)
    quiet = PushBroom(well=1e9, read=0, along=0, offset=0, gain=0, column_chance=0, bits=8)
    noisy = quiet(clean, np.random.default_rng(0))
    assert np.mean(noisy == Quantised(8)(clean, np.random.default_rng(0))) > 0.99


def test_a_push_broom_camera_has_all_its_faults():
    model = PushBroom(well=400, read=4, along=0.7, offset=0.03, gain=0, column_chance=0, bits=16)
    noise = noise_of(model, flat(0.64, (30, 150, 150)))
    columns = noise.mean(axis=1)
    assert columns.std() == pytest.approx(0.03, rel=0.06)
    rest = noise - columns[:, None]
    assert rest.std() == pytest.approx(np.sqrt(0.64 / 400 + (4 / 400) ** 2), rel=0.02)
    assert neighbours(rest, 0) == pytest.approx(correlation(0.7), abs=0.03)


def test_kinds_act_in_the_order_of_a_sensor_whatever_their_order_in_the_list():
    clean = np.random.default_rng(0).random((5, 30, 40), np.float32)
    kinds = (Quantised(5), WildVoxels(3, 50, 100), ColumnStripes(0.05), Deadline(band_share=1), Gaussian(20))
    for order in (kinds, kinds[::-1]):
        noisy = Combined(order)(clean, np.random.default_rng(1))
        usual = np.abs(noisy) < 40
        assert np.count_nonzero(~usual) == 3
        steps = noisy[usual] * 31
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)


def test_noise_that_needs_more_than_bands_and_columns_is_not_drawn():
    with pytest.raises(SettingsError, match="'shot'"):
        Combined((Gaussian(), Shot())).draw((3, 4, 5), np.random.default_rng(0))
    assert Combined((Gaussian(), Mixture())).is_drawn
    assert not Combined((Gaussian(), Shot())).is_drawn


def test_on_some_bands_others_stay_as_they_are():
    clean, some = flat(0.5), np.array([False, True, True, False, False, True])
    model = on_bands(Combined((Gaussian(), RowStripes(), JunkBands())), some)
    noisy = model(clean, np.random.default_rng(0))
    np.testing.assert_array_equal((noisy != clean).any(axis=(1, 2)), some)
    assert np.flatnonzero(model.lost(6)).tolist() == [2, 5]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Shot(well=0.5), "well is 0.5; .*electrons"),
        (lambda: Shot(statistics="gauss"), "statistics is 'gauss'; choose one of poisson, normal"),
        (lambda: Quantised(grey_levels=1), "grey_levels is 1; give 2 or more"),
        (lambda: Quantised(bits=0), "bits is 0"),
        (lambda: WildVoxels(least=5, most=4), "least is 5; it must not be above most, 4"),
        (lambda: ColumnStripes(offset=-1), "offset is -1"),
        (lambda: Fringes(period=1), "period is 1; .*pixels"),
        (lambda: ObliqueStripes(angle=100), "angle is 100; .*degrees"),
    ],
)
def test_settings_that_cannot_be_used_are_named(make, words):
    with pytest.raises(SettingsError, match=words):
        make()


@pytest.mark.parametrize("model", SENSOR_MODELS, ids=lambda model: model.name)
def test_every_physical_setting_has_a_unit(model):
    for field, about in descriptions(model).items():
        assert about.choices or about.unit, field
        assert len(about.help) > 10, field


@pytest.mark.parametrize("name", REALITY)
def test_every_case_of_reality_makes_noise(name):
    clean = np.random.default_rng(0).random((12, 24, 20), np.float32)
    about, model = REALITY[name]
    noisy = model(clean, np.random.default_rng(2))
    assert about
    assert np.isfinite(noisy).all()
    assert (noisy != clean).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(model(clean, np.random.default_rng(2)), noisy)
