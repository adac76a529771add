"""Stripes or outliers alone: what is neither comes back as it came, bit by bit."""

import numpy as np
import pytest

from napari_decsc.denoising.protocol import run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.errors import SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.sample import sample_cube

CLEAN = sample_cube(64, 64, 16)
MIXTURE = add_noise(CLEAN, make_noise("mixture"), seed=3)


def only(kind: str, cube: Cube, **settings) -> np.ndarray:
    previews = []
    steps = DecscDenoiser(DecscSettings(only=kind, **settings)).denoise(cube)
    result = run(steps, lambda iteration: previews.append(iteration.preview))
    assert all(np.isfinite(preview.data).all() for preview in previews if preview is not None)
    return result.data


def with_offsets(kind: str) -> tuple[Cube, np.ndarray]:
    """A cube with an offset for every column and band, an outlier in every 500th voxel; and these."""
    rng = np.random.default_rng(0)
    clean = np.asarray(CLEAN.data, np.float64)
    level = np.sqrt(0.02**2 + 0.003 * clean) if kind == "photon" else 0.02
    values = clean + level * rng.standard_normal(clean.shape) + 0.04 * rng.standard_normal((16, 1, 64))
    wild = rng.random(clean.shape) < 0.002
    values[wild] += 0.7
    return Cube(values.astype(np.float32)), wild


@pytest.mark.parametrize("tile", [0, 32])
def test_stripes_of_single_columns_are_taken_out_and_nothing_else_is_touched(tile):
    result, noisy = only("stripes", MIXTURE, tile=tile), MIXTURE.data
    changed, stuck = result != noisy, (noisy == 0) | (noisy == 1)
    assert not changed[stuck].any()
    columns = changed.any(1)
    assert 0 < columns.mean() < 0.1
    # what was taken from a column is one number for all of its voxels
    spread = np.nanstd(np.where(changed, noisy - result, np.nan)[:, :32].swapaxes(1, 2)[columns], axis=1)
    assert spread.max() < 1e-5
    error = [np.square(cube - CLEAN.data)[changed].mean() for cube in (noisy, result)]
    assert error[1] < 0.8 * error[0]


@pytest.mark.parametrize("tile", [0, 32])
def test_outliers_are_filled_and_neither_noise_nor_stripes_are_touched(tile):
    result, noisy = only("outliers", MIXTURE, tile=tile), MIXTURE.data
    changed, stuck = result != noisy, (noisy == 0) | (noisy == 1)
    assert changed[stuck].all()
    assert changed[~stuck].mean() < 0.03
    error = [np.square(cube - CLEAN.data)[stuck].mean() for cube in (noisy, result)]
    assert error[1] < 0.1 * error[0]


@pytest.mark.parametrize("noise", ["white", "photon"])
def test_offsets_of_every_column_and_outliers_beside_them(noise):
    cube, wild = with_offsets(noise)
    striped, filled = only("stripes", cube), only("outliers", cube)
    # outliers and noise stay, as offsets are one number a column
    means = [np.square((each - CLEAN.data).mean(1)).mean() for each in (cube.data, striped)]
    assert means[1] < 0.1 * means[0]
    assert np.abs(striped - CLEAN.data)[wild].mean() > 0.6
    changed = filled != cube.data
    assert changed[wild].mean() > 0.95
    assert changed[~wild].mean() < 1e-3
    assert np.abs(filled - CLEAN.data)[wild].mean() < 0.1


def test_weights_that_do_not_tell_stripes_from_noise_refuse_it():
    clean = sample_cube(32, 32)
    with pytest.raises(SettingsError, match=r"only is 'stripes'.*choose the weights 'subspace'"):
        run(DecscDenoiser(DecscSettings(only="stripes", weights="paper")).denoise(clean))
