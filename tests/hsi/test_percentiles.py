"""Percentiles of bands, against those of NumPy."""

import numpy as np

from napari_decsc.hsi.percentiles import percentiles


def test_they_are_those_of_what_is_not_nan():
    rng = np.random.default_rng(2)
    bands = rng.normal(size=(5, 13, 7)).astype(np.float32)
    bands[rng.random(bands.shape) < 0.3] = np.nan
    bands[2] = np.nan
    bands[2, 4, 4] = 3  # a single one
    wanted = np.nanpercentile(bands, (0, 0.5, 50, 99.5, 100), axis=(1, 2))
    np.testing.assert_allclose(percentiles(bands, (0, 0.5, 50, 99.5, 100)), wanted, rtol=1e-6)


def test_a_band_without_any_has_none():
    assert np.isnan(percentiles(np.full((1, 2, 3), np.nan, np.float32), (50,))).all()
