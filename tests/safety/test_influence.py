"""What was not measured has no influence, and units have none either."""

import numpy as np
import pytest
from odd_cubes import NO_DATA, gaps, scene, with_value

from napari_decsc.denoising.protocol import run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.masks import stuck_values
from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.scaling import peak

#: Ways to say "not measured": value in the gaps, no-data value of the cube.
MARKS = [(NO_DATA, NO_DATA), (0.0, 0.0), (1e30, 1e30), (0.5, 0.5), (np.nan, None), (np.inf, None), (-np.inf, None)]


def denoised(cube: Cube) -> np.ndarray:
    return run(DecscDenoiser(DecscSettings(max_iterations=3, device="cpu")).denoise(cube)).data


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    """The result where gaps are NaN, which nothing can be computed from."""
    return denoised(with_value(np.nan))[~gaps()]


@pytest.mark.parametrize(("value", "no_data"), MARKS)
def test_the_mark_of_a_gap_changes_nothing(value: float, no_data: float | None, plain: np.ndarray) -> None:
    cube, measured = with_value(value, no_data), ~gaps()
    assert np.array_equal(denoised(cube)[measured], plain)
    assert peak(cube) == peak(with_value(np.nan))
    assert stuck_values(cube) == stuck_values(with_value(np.nan))
    noisy = add_noise(cube, make_noise("non-iid"), 5)
    assert np.array_equal(noisy.data[measured], add_noise(with_value(np.nan), make_noise("non-iid"), 5).data[measured])
    other = with_value(np.nan).replace(data=scene() ** 2)
    expected = score_cubes(with_value(np.nan), other).summary()
    assert score_cubes(cube, other).summary() == expected


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 255.0, 1e4, 1e6])
def test_the_scale_is_undone(factor: float) -> None:
    """Raw values times a factor with that factor as scale: the same scene, so the same result times the factor."""
    one = Cube(scene())
    other = Cube(scene() * np.float32(factor), scale=factor)
    assert denoised(other) / np.float32(factor) == pytest.approx(denoised(one), rel=1e-3, abs=1e-4)


def test_a_gap_is_denoised_around() -> None:
    """Voxels beside a gap gain as much as the others: the gap is no edge to them."""
    clean = scene_without_noise()
    result, measured = denoised(with_value(NO_DATA, NO_DATA)), ~gaps()
    before, after = (scene() - clean)[measured], (result - clean)[measured]
    assert np.mean(after**2) < 0.5 * np.mean(before**2)
    beside = measured & (np.roll(gaps(), 1, 1) | np.roll(gaps(), -1, 1) | np.roll(gaps(), 1, 2))
    assert np.mean((result - clean)[beside] ** 2) < 0.75 * np.mean((scene() - clean)[beside] ** 2)


def scene_without_noise() -> np.ndarray:
    row, col = np.mgrid[:18, :20]
    share = 0.5 + 0.5 * np.sin(row / 5) * np.cos(col / 7)
    one, two = np.linspace(0.2, 0.8, 6), np.linspace(0.7, 0.3, 6)
    return share * one[:, None, None] + (1 - share) * two[:, None, None]
