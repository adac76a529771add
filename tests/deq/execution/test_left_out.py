"""Bands that hold nothing are left out of everything, and come back as they came, or filled."""

from functools import cache

import numpy as np
import pytest

from napari_decsc.denoising.protocol import run
from napari_decsc.denoising.report import Recorder
from napari_decsc.denoising.sinks import ArraySink
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.empty_bands import FLAGGED, JUNK
from napari_decsc.hsi.sample import sample_cube

BANDS, SIDE = 12, 48
EMPTY = [2, 5, 8, 9]
KEPT = [band for band in range(BANDS) if band not in EMPTY]
CLEAN = sample_cube(SIDE, SIDE, BANDS).data.astype(np.float32)
CLEAN /= CLEAN.max()


@cache
def noisy() -> Cube:
    """One band of loud noise, one constant, two bad by the header."""
    rng = np.random.default_rng(0)
    values = (CLEAN + 0.05 * rng.standard_normal(CLEAN.shape)).astype(np.float32)
    values[2], values[5] = 1000 * rng.standard_normal((SIDE, SIDE)), 0.25
    values[9] *= -1
    good = np.ones(BANDS, bool)
    good[[8, 9]] = False
    return Cube(100 * values, good_bands=good, wavelengths=np.linspace(400, 700, BANDS), scale=100)


@cache
def denoised(bad_bands: str = "keep") -> np.ndarray:
    return np.asarray(run(DecscDenoiser(DecscSettings(bad_bands=bad_bands)).denoise(noisy())).data)


def test_they_come_back_as_they_came() -> None:
    result = denoised()
    assert np.array_equal(result[EMPTY], noisy().data[EMPTY].astype(np.float32))


def test_the_others_are_those_of_a_cube_without_them() -> None:
    cube = noisy()
    assert cube.wavelengths is not None
    alone = Cube(cube.data[KEPT], wavelengths=cube.wavelengths[KEPT], scale=100)
    assert np.allclose(denoised()[KEPT], run(DecscDenoiser().denoise(alone)).data, atol=1e-3)


def test_filled_on_request() -> None:
    result = denoised("fill")
    assert np.allclose(result[8], result[7] + (result[10] - result[7]) / 3, atol=1e-3)
    error = np.sqrt(np.mean((result[EMPTY] / 100 - CLEAN[EMPTY]) ** 2, axis=(1, 2)))
    assert (error < 0.1).all()


def test_those_of_the_header_take_part_on_request() -> None:
    result = denoised("denoise")
    before, after = (np.mean((part / 100 - CLEAN[8]) ** 2) for part in (noisy().data[8], result[8]))
    assert after < before / 4
    assert np.array_equal(result[5], noisy().data[5])  # of a constant one nothing can be said


def test_in_tiles_and_into_a_sink() -> None:
    sink = ArraySink(noisy().shape, on_disk=False)
    recorder = Recorder(denoiser := DecscDenoiser(DecscSettings(tile=24)))
    run(denoiser.denoise_into(noisy(), sink), recorder)
    assert np.array_equal(sink.data[EMPTY], noisy().data[EMPTY].astype(np.float32))
    report = recorder.report()
    assert "bands 3 (noise alone, louder than the scene), 6 (no usable voxel" in report["messages"][0]
    assert "9, 10 (bad by the header); they come back as they came" in report["messages"][0]
    assert report["noise"]["empty_bands"]["2"] == JUNK
    assert report["noise"]["empty_bands"]["9"] == FLAGGED


def test_previews_show_them_as_they_came() -> None:
    previews = []
    run(DecscDenoiser().denoise(noisy()), lambda event: previews.append(event.preview) if event.preview else None)
    assert previews
    for preview in previews:
        assert np.array_equal(preview.data[EMPTY], noisy().data[EMPTY][:, preview.rows, preview.cols])


def test_measured_noise_names_them_among_the_others() -> None:
    noise = DecscDenoiser().measure(noisy())
    assert list(noise.empty or {}) == EMPTY
    assert np.isnan(noise.level[EMPTY]).all()
    assert noise.level[KEPT] == pytest.approx(0.05, rel=0.2)
    assert noise.correlation.shape == (BANDS, BANDS)


def test_a_solution_is_not_resumed_with_other_bands() -> None:
    first = DecscDenoiser()
    run(first.denoise(noisy()))
    again = run(first.resume(DecscSettings(bad_bands="denoise")).denoise(noisy()))
    assert np.allclose(again.data, denoised("denoise"), atol=1e-2)


def test_bands_of_rare_signal_are_numbered_as_in_the_cube() -> None:
    values = np.array(noisy().data)
    values[[7, 10], 20, 20] += 100
    recorder = Recorder(denoiser := DecscDenoiser())
    run(denoiser.denoise(noisy().replace(data=values)), recorder)
    kept = [band for place in recorder.report()["rare"]["places"] for band in place["bands"]]
    assert {7, 10} <= set(kept) <= set(KEPT)
