"""Noise on cubes: raw units, gaps and metadata; seeds; models by name; one corruption for arrays and tensors."""

import json

import numpy as np
import pytest

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.models import (
    NOISE_MODELS,
    Combined,
    Complex,
    Corruption,
    Deadline,
    Gaussian,
    Mixture,
    Stripe,
    add_noise,
    make_noise,
)
from napari_decsc.settings import as_dict

every_model = pytest.mark.parametrize("name", NOISE_MODELS)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def values(shape: tuple[int, int, int] = (4, 60, 60)) -> np.ndarray:
    """Reflectances from 0.1 to 0.9."""
    return 0.1 + 0.8 * rng(1).random(shape, np.float32)


@every_model
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 6, 5), (2, 5, 6), (31, 8, 8)])
def test_the_generator_alone_decides_and_the_input_is_left_alone(name, shape):
    clean = values(shape)
    before, state = clean.copy(), np.random.get_state()[1].copy()  # noqa: NPY002
    noisy = make_noise(name)(clean, rng(10))
    np.testing.assert_array_equal(noisy, make_noise(name)(clean, rng(10)))
    np.testing.assert_array_equal(clean, before)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert (noisy.dtype, noisy.shape) == (np.float32, shape)
    assert np.isfinite(noisy).all()
    # a converter is no matter of chance; neither is what does not fit into a few voxels
    others = [make_noise(name)(clean, rng(seed)) for seed in range(11, 19)]
    assert clean.size < 400 or name == "quantised" or not all(np.array_equal(noisy, other) for other in others)


@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3)], ids=["one cube", "batch"])
def test_a_corruption_acts_on_tensors_as_on_arrays(seeds):
    torch = pytest.importorskip("torch")
    drawn = [Mixture().draw((9, 6, 20), rng(seed)) for seed in seeds]
    fields = {name: np.stack([getattr(one, name) for one in drawn]) for name in vars(drawn[0])}
    arrays = [rng(seed).random((len(seeds), 9, 6, 20), np.float32) for seed in (1, 2, 3)]
    if len(seeds) == 1:
        fields, arrays = {name: field[0] for name, field in fields.items()}, [array[0] for array in arrays]
    noisy = Corruption(**fields).apply(*arrays, np.where)
    tensors = {name: torch.from_numpy(field) for name, field in fields.items()}
    same = Corruption(**tensors).apply(*map(torch.from_numpy, arrays), torch.where)
    assert (noisy.dtype, same.dtype) == (np.float32, torch.float32)
    np.testing.assert_allclose(same.numpy(), noisy, rtol=1e-6, atol=1e-7)
    if len(seeds) > 1:  # every cube of the batch has its own corruption
        np.testing.assert_array_equal(noisy[2], drawn[2].apply(*(array[2] for array in arrays), np.where))


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("salt", {}, "no noise model 'salt'; choose one of gaussian, .*mixture"),
        ("gaussian", {"level": 5}, "Gaussian has no setting 'level'; it has sigma"),
        ("mixture", {"sigma": 5}, "Mixture has no setting 'sigma'; it has none"),
        ("gaussian", {"sigma": -1}, "sigma is -1; .*0 to 255"),
        ("gaussian", {"sigma": float("nan")}, "sigma is nan"),
        ("non-iid", {"maximum": 256}, "maximum is 256"),
        ("corr", {"eta": 0}, "eta is 0; .*at least 0.01"),
        ("stripe", {"band_share": 1.1}, "band_share is 1.1"),
        ("deadline", {"fewest_columns": 0.2}, "fewest_columns is 0.2; it must not be above most_columns, 0.15"),
        ("complex", {"levels": ()}, r"levels is \[\]"),
        ("complex", {"levels": (10, 300)}, "levels is .*300.* from 0 to 255"),
        ("impulse", {"fractions": (0.1, float("nan"))}, "fractions is .* from 0 to 1"),
        ("impulse", {"band_share": 2}, "band_share is 2"),
    ],
)
def test_settings_that_cannot_be_used_are_named(name, settings, words):
    with pytest.raises(SettingsError, match=words):
        make_noise(name, **settings)


@every_model
def test_settings_survive_json(name):
    model = make_noise(name)
    assert make_noise(name, **json.loads(json.dumps(as_dict(model)))) == model
    assert (model.name, bool(model.summary)) == (name, True)


@pytest.mark.parametrize(
    ("factor", "scale", "dtype", "sigma"),
    [  # sigma 25.5 of 255 is a tenth of the peak, here in raw units
        (1, 1, np.float32, 0.1),  # reflectance: the peak is 1
        (10000, 10000, np.int16, 1000),  # reflectance times 10000
        (4000, 1, np.uint16, 0.1 * 4000 * 0.896),  # counts: the peak is their 99.5th percentile, 0.1 + 0.8 * 0.995
    ],
)
def test_noise_is_relative_to_the_peak_and_comes_in_raw_units(factor, scale, dtype, sigma):
    cube = Cube((values() * factor).astype(dtype), scale=scale)
    noisy = add_noise(cube, Gaussian(25.5), seed=2)
    assert noisy.data.dtype == np.float32
    assert (noisy.data - cube.data).std() == pytest.approx(sigma, rel=0.03)
    assert add_noise(cube, Gaussian(0), seed=2).data == pytest.approx(cube.data.astype(float), rel=1e-5)


def test_metadata_is_kept_and_the_name_tells_the_noise():
    about = {"wavelengths": [1, 2, 3, 4], "wavelength_unit": "um", "fwhm": [1] * 4, "good_bands": [1, 0, 1, 1]}
    cube = Cube(values(), "scene", **about, scale=2.0, header={"sensor type": "EMIT"})
    noisy = add_noise(cube, Stripe(), seed=0)
    changed = {name for name in vars(cube) if getattr(noisy, name) is not getattr(cube, name)}
    assert changed == {"data", "name"}
    assert noisy.name == "scene + stripe"


@pytest.mark.parametrize("no_data", [-9999, 0, 32767])
def test_gaps_stay_gaps_and_no_measured_voxel_becomes_one(no_data):
    data = (values() * 10000).astype(np.int16)
    data[:, 5:9, 7] = no_data
    cube = Cube(data, no_data=no_data, scale=10000)
    # dead columns put measured voxels on 0, which is a gap to many a producer
    noisy = add_noise(cube, Combined((Complex(), Deadline(band_share=1))), seed=3)
    np.testing.assert_array_equal(np.isnan(noisy.physical()), data == no_data)
    assert (noisy.data[data == no_data] == no_data).all()
    assert np.count_nonzero(np.abs(noisy.data) < 1e-30) >= 60


@pytest.mark.parametrize("no_data", [None, -1.0])
def test_nan_stays_unmeasured(no_data):
    data = values()
    data[1, 2, 3] = np.nan
    missing = np.isnan(add_noise(Cube(data, no_data=no_data), Mixture(), seed=3).physical())
    np.testing.assert_array_equal(missing, np.isnan(data))


def test_the_seed_decides_and_must_not_be_negative():
    cube = Cube(values())
    first, again, other = (add_noise(cube, Mixture(), seed).data for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    with pytest.raises(SettingsError, match="seed is -1"):
        add_noise(cube, Mixture(), -1)
