"""What a person is told of the noise is what a run takes away."""

import numpy as np
import pytest

from napari_decsc.deq.denoiser import measure_noise
from napari_decsc.hsi.noise.faults import WildVoxels
from napari_decsc.hsi.noise.models import Case2, Case3, Case4, Gaussian, Mixture, add_noise
from napari_decsc.hsi.sample import sample_cube

STRIPES, DEAD, IMPULSES = "offsets of columns", "dead columns", "outliers"


@pytest.fixture(scope="module")
def clean():
    return sample_cube(rows=96, cols=96)


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        (Gaussian(sigma=25), set()),
        (Case2(), {STRIPES}),
        (Case3(), {DEAD}),
        (Case4(), {IMPULSES}),
        (Mixture(), {STRIPES, DEAD, IMPULSES}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_kinds_of_a_mixture_are_named_and_no_others(clean, model, kinds):
    found = measure_noise(add_noise(clean, model, 7))
    assert set(found.kinds) == kinds
    white = "It is white in space and between bands." in found.sentences()
    assert white == (not kinds)


def test_impulses_and_dead_columns_are_counted(clean):
    noisy = add_noise(clean, Case4(), 7)
    at_ends = np.count_nonzero((noisy.data == 0) | (noisy.data == 1))
    assert measure_noise(noisy).outliers == pytest.approx(at_ends, rel=0.01)
    noisy = add_noise(clean, Case3(), 7)
    dead = {(band, col) for band, col in np.argwhere((noisy.data == 0).all(1))}
    assert set(measure_noise(noisy).dead) == dead


def test_wild_voxels_are_outliers_and_saturation_is_none(clean):
    noisy = add_noise(clean, Gaussian(sigma=10), 7)
    assert measure_noise(add_noise(noisy, WildVoxels(voxels=12), 7)).outliers == 12
    bright = np.array(clean.data)
    bright[:, 20:60, 20:60] *= 3
    rng = np.random.default_rng(0)
    bright = np.clip(bright + 0.02 * rng.standard_normal(bright.shape), 0, 1).astype(np.float32)
    found = measure_noise(clean.replace(data=bright))
    assert found.hidden > 1000
    assert found.outliers == 0
