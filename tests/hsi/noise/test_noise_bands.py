import json

import numpy as np
import pytest

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.bands import OnBands, noisy_band, on_bands, record
from napari_decsc.hsi.noise.models import NOISE_MODELS, Combined, Gaussian, Impulse, Stripe, add_noise

CLEAN = Cube(np.linspace(0.2, 0.9, 6 * 7 * 9, dtype=np.float32).reshape(6, 7, 9))
SOME = np.array([False, True, True, False, False, True])


def test_other_bands_stay_as_they_are():
    noisy = add_noise(CLEAN, on_bands(Combined((Gaussian(), Stripe(band_share=1))), SOME), 3).data
    changed = (noisy != CLEAN.data).any(axis=(1, 2))
    np.testing.assert_array_equal(changed, SOME)


def test_on_all_bands_it_is_the_model_itself():
    assert on_bands(Gaussian(), np.ones(6, bool)) == Gaussian()


@pytest.mark.parametrize("chosen", [(True,) * 5, (False,) * 6])
def test_the_bands_must_fit_the_cube(chosen):
    with pytest.raises(SettingsError, match="the cube has 6"):
        add_noise(CLEAN, OnBands(Gaussian(), chosen), 3)


@pytest.mark.parametrize("model", [cls() for cls in NOISE_MODELS.values()], ids=lambda model: model.name)
@pytest.mark.parametrize("band", [0, 4])
def test_one_band_alone_is_that_band_of_the_noisy_cube(model, band):
    clean, noisy = noisy_band(CLEAN, model, 11, band, peak=1.0)
    np.testing.assert_array_equal(clean, CLEAN.data[band])
    np.testing.assert_array_equal(noisy, add_noise(CLEAN, model, 11).data[band])


def test_what_was_not_measured_stays_so_in_one_band():
    data = CLEAN.data.copy()
    data[2, 3, 4] = -1
    clean, noisy = noisy_band(CLEAN.replace(data=data, no_data=-1), Gaussian(), 0, 2, peak=1.0)
    assert np.isnan(clean[3, 4])
    assert np.isnan(noisy[3, 4])
    assert np.isfinite(noisy).sum() == noisy.size - 1


def test_the_record_says_everything_and_is_json():
    model = on_bands(Combined((Gaussian(sigma=25), Impulse(fractions=(0.1,)))), SOME)
    found = record(model)
    assert json.loads(json.dumps(found)) == found
    assert found["model"] == "combination"
    assert found["bands"] == "2, 3, 6"
    assert found["settings"]["models"][0] == {"model": "gaussian", "settings": {"sigma": 25.0}}
    assert found["settings"]["models"][1]["settings"]["fractions"] == [0.1]
