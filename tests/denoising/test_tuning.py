"""The error on hidden voxels ranks denoisers as their true error does."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.denoising.tuning import Hidden, tune
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.sample import sample_cube

SIGMA = 0.05
CLEAN = sample_cube(64, 60, 12).data
NOISY = CLEAN + SIGMA * np.random.default_rng(0).standard_normal(CLEAN.shape, np.float32)


class Made:
    """A denoiser that is a function of the cube's data."""

    name = "made"

    def __init__(self, function):
        self.function = function

    def denoise(self, noisy: Cube):
        yield Iteration(1, 1.0, 1.0, 0.0)
        return noisy.replace(data=self.function(np.asarray(noisy.data)))

    def describe(self):
        return {}


def blurred(width: float) -> Made:
    return Made(lambda data: gaussian_filter(data, (0, width, width)))


def true_error(denoiser: Made) -> float:
    return float(np.sqrt(np.mean((denoiser.function(NOISY) - CLEAN) ** 2)))


def test_a_perfect_denoiser_is_one_noise_level_away():
    (tried,) = tune(Cube(NOISY), {"perfect": Made(lambda data: CLEAN)}, share=0.1)
    # about 3800 hidden voxels know a standard deviation to 1.2 %
    assert tried.distance == pytest.approx(1, abs=0.05)
    assert (tried.behind, tried.doubt) == (0, 0)


def test_denoisers_are_ranked_as_by_their_true_error():
    rng = np.random.default_rng(1)
    errors = {size: SIGMA * size * rng.standard_normal(CLEAN.shape, np.float32) for size in (0.0, 0.4, 0.8, 1.2)}
    makers = {f"error {size}": Made(lambda data, error=error: CLEAN + error) for size, error in errors.items()}
    makers |= {f"blur {width}": blurred(width) for width in (0.6, 1.0, 3.0)}
    found = list(tune(Cube(NOISY), makers, share=0.1))
    assert found[0].name == "error 0.0"
    # blurring knows what a hidden voxel was replaced by, which is less noise than there was: a little better off
    exact = [one.name for one in found if one.name.startswith("error")]
    assert exact == sorted(exact)
    by_name = {one.name: one for one in found}
    for size in (0.4, 0.8, 1.2):
        assert by_name[f"error {size}"].behind == pytest.approx(size**2, rel=0.2)
        assert not by_name[f"error {size}"].is_as_good
    blurs = {width: true_error(blurred(width)) for width in (0.6, 1.0, 3.0)}
    assert min(blurs, key=blurs.get) == min(blurs, key=lambda width: by_name[f"blur {width}"].distance)


def test_what_cannot_be_told_apart_is_said():
    makers = {"one": Made(lambda data: CLEAN), "twin": Made(lambda data: CLEAN + 1e-4 * SIGMA)}
    assert all(one.is_as_good for one in tune(Cube(NOISY), makers))


def test_a_hidden_value_is_not_seen_and_others_are_untouched():
    hidden = Hidden(Cube(NOISY, scale=2.0), share=0.05)
    inside = hidden.places[:, 1:-1, 1:-1]
    assert 0.02 < hidden.places.mean() < 0.05
    assert not (hidden.places[:, 1:] & hidden.places[:, :-1]).any()
    np.testing.assert_array_equal(hidden.cube.data[~hidden.places], NOISY[~hidden.places])
    near = (NOISY[:, :-2, 1:-1] + NOISY[:, 2:, 1:-1] + NOISY[:, 1:-1, :-2] + NOISY[:, 1:-1, 2:]) / 4
    np.testing.assert_allclose(hidden.cube.data[:, 1:-1, 1:-1][inside], near[inside], rtol=1e-5)
    np.testing.assert_allclose(hidden.values, NOISY[hidden.places] / 2, rtol=1e-6)


def test_what_was_not_measured_is_not_hidden_and_outliers_do_not_count():
    noisy = NOISY.copy()
    noisy[np.random.default_rng(3).random(noisy.shape) < 0.01] = 1e6
    noisy[:, 10:20] = np.nan
    (tried,) = tune(Cube(noisy), {"perfect": Made(lambda data: CLEAN)}, share=0.1)
    assert 1 <= tried.distance < 1.3
    assert not Hidden(Cube(noisy)).places[:, 10:20].any()


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 1, 1)])
def test_a_cube_that_is_too_small_is_named(shape):
    with pytest.raises(DenoisingError, match="tiny has too few voxels"):
        list(tune(Cube(np.ones(shape), "tiny"), {}))
