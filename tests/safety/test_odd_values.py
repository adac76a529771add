"""Odd values, through everything: nothing fails or warns, gaps have no influence and come back exactly."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
from odd_cubes import ODD_CUBES, missing

from napari_decsc.cli import main
from napari_decsc.denoising.protocol import run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.masks import blank_pixels, stuck_values, usable
from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.scaling import peak, sample

SHORT = DecscSettings(max_iterations=3, device="cpu")

pytestmark = pytest.mark.parametrize("name", ODD_CUBES)


@pytest.fixture
def cube(name: str) -> Cube:
    return ODD_CUBES[name]()


@functools.cache
def denoised(name: str) -> np.ndarray:
    cube = ODD_CUBES[name]()
    result = run(DecscDenoiser(SHORT).denoise(cube))
    assert result.no_data is cube.no_data
    assert result.scale == cube.scale
    return result.data


def raw32(cube: Cube) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.asarray(cube.data, np.float32)


def test_denoised(cube: Cube, name: str) -> None:
    result = denoised(name)
    gone = missing(cube)
    assert result.dtype == np.float32
    assert result.shape == cube.shape
    # bit for bit, the sign of an infinity and every NaN included
    assert np.array_equal(result[gone], raw32(cube)[gone], equal_nan=True)
    assert np.isfinite(result[~gone]).all()
    if cube.no_data is not None:
        with np.errstate(over="ignore"):
            assert not (result[~gone] == np.float32(cube.no_data)).any()


def test_denoised_values_stay_near_those_measured(cube: Cube, name: str) -> None:
    """A result beyond the range of what was measured, and far beyond, would be made up."""
    physical = cube.physical()
    measured = np.isfinite(physical)
    if not measured.any():
        return
    low, high = np.min(physical[measured]), np.max(physical[measured])
    reach = max(float(high) - float(low), peak(cube))
    result = denoised(name)[measured] / np.float32(cube.scale)
    assert result.min() >= low - reach
    assert result.max() <= high + reach


def test_bands_without_information_come_back(cube: Cube, name: str) -> None:
    """A band whose voxels all have one value, whichever, is not taken for noise around nothing."""
    result = denoised(name)
    for band, raw in zip(result, raw32(cube), strict=True):
        if raw.size > 1 and np.ptp(raw) == 0:
            assert np.array_equal(band, raw)


def test_peak_and_sample(cube: Cube) -> None:
    assert np.isfinite(peak(cube))
    assert peak(cube) > 0
    values = sample(cube)
    assert values.dtype == np.float32
    assert np.array_equal(np.isfinite(values), ~missing(cube))  # small cubes are their own sample


def test_stuck_values_and_blank_pixels(cube: Cube) -> None:
    stuck = stuck_values(cube)
    assert all(np.isfinite(stuck))
    assert cube.no_data not in stuck
    mask = usable(cube.physical(), stuck)
    assert not mask[missing(cube)].any()
    assert np.array_equal(blank_pixels(mask), ~mask.any(axis=0))


@pytest.mark.parametrize("model", ["mixture", "corr"])
def test_noise(cube: Cube, model: str) -> None:
    """A mixture has noise of every kind, dead columns and impulses too, which must not fill a gap."""
    noisy = add_noise(cube, make_noise(model), 1)
    gone = missing(cube)
    assert np.array_equal(missing(noisy), gone)
    assert np.array_equal(noisy.data[gone], raw32(cube)[gone], equal_nan=True)


def test_scores_of_a_cube_against_itself(cube: Cube) -> None:
    scores = score_cubes(cube, cube)
    if missing(cube).all():
        assert all(np.isnan(list(scores.summary().values())))
        return
    assert scores.mpsnr == np.inf
    assert scores.mssim == pytest.approx(1, abs=1e-3)
    assert scores.sam == pytest.approx(0, abs=1e-6)
    assert scores.ergas == 0 or np.isnan(scores.ergas)  # NaN: every band has mean 0


def test_scores_leave_out_what_is_missing(cube: Cube) -> None:
    noisy = add_noise(cube, make_noise("gaussian"), 1)
    scores = score_cubes(cube, noisy)
    dead = missing(cube).all(axis=(1, 2))
    assert np.array_equal(np.isnan(scores.band_psnr), dead)
    assert np.array_equal(np.isnan(scores.band_ssim), dead)
    if not dead.all():
        assert np.isfinite([scores.mpsnr, scores.mssim, scores.sam]).all()


def test_command_line(cube: Cube, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean, out = str(write_envi(cube, tmp_path / "in.hdr")), str(tmp_path / "out.hdr")
    assert main(["info", clean]) == 0
    capsys.readouterr()
    assert main(["info", clean, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [facts["bands"], facts["rows"], facts["cols"]] == list(cube.shape)
    assert facts["sampled_voxels"] == np.count_nonzero(~missing(cube))
    assert main(["denoise", clean, out, "--max-iterations", "1", "--device", "cpu"]) == 0
    result = read_envi(out)
    gone = missing(cube)
    assert np.array_equal(result.data[gone], raw32(cube)[gone], equal_nan=True)
    assert np.isfinite(result.data[~gone]).all()
