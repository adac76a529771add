"""The record of a run: histories per tile, time, memory, versions; JSON that every reader accepts."""

import json
import math
import platform
from importlib import metadata

import numpy as np
import pytest

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.denoising.rare_signal import rare_signal
from napari_decsc.denoising.report import PACKAGES, Recorder, as_json, peak_memory_bytes, versions
from napari_decsc.hsi.noise.measured import MeasuredNoise

ABOUT = {"method": "fake", "settings": {"tolerance": 0.001}, "weights": None, "device": "cpu"}


class Fake:
    """A denoiser of which only the description matters."""

    name = "fake"

    def denoise(self, noisy):
        raise NotImplementedError

    def describe(self):
        return dict(ABOUT)


def heard(*iterations: Iteration) -> Recorder:
    recorder = Recorder(Fake())
    for iteration in iterations:
        assert recorder(iteration) is None  # a command would end the run
    return recorder


def test_the_report_has_the_promised_keys_and_what_is_added():
    report = heard().report(seed=7)
    assert {name: report[name] for name in ABOUT} == ABOUT
    assert set(report) == {*ABOUT, "seconds", "peak_memory_bytes", "versions", "tiles", "seed"}
    assert (report["seconds"], report["tiles"], report["seed"]) == (0, [], 7)


def test_every_tile_has_its_history_and_the_start_estimate_is_none():
    report = heard(
        Iteration(0, math.nan, math.nan, 0.1, tile=1, tiles=3),
        Iteration(1, 9.0, 0.5, 0.2, tile=1, tiles=3),
        Iteration(2, 4.0, 0.25, 0.3, tile=1, tiles=3),
        Iteration(0, 2.0, 0.75, 0.4, tile=2, tiles=3),
        Iteration(1, 1.0, 0.125, 1.23456, tile=3, tiles=3),
    ).report()
    histories = [tile["relative_residual"] for tile in report["tiles"]]
    assert histories == [[0.5, 0.25], [], [0.125]]
    assert report["seconds"] == 1.235


@pytest.mark.parametrize(("bounds", "told"), [((0.9, 0.9), 0.9), ((0.9, math.nan), None)])
def test_a_contraction_is_proved_where_it_is_proved_of_every_stage(monkeypatch, bounds, told):
    monkeypatch.setattr(Fake, "describe", lambda self: {**ABOUT, "contraction": 0.9})
    report = heard(*(Iteration(n, 1.0, 0.5, 0.1, bound=bound) for n, bound in enumerate(bounds, 1))).report()
    assert report["contraction"] == told


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_residual_that_is_no_number_is_left_out_but_its_time_counts(odd):
    report = heard(Iteration(1, 1.0, 0.5, 1.0), Iteration(2, odd, odd, 2.0)).report()
    assert report["tiles"] == [{"relative_residual": [0.5]}]
    assert report["seconds"] == 2


def test_an_earlier_report_does_not_lose_what_it_said():
    recorder = heard(Iteration(1, 1.0, 0.5, 1.0))
    before = json.dumps(recorder.report()["tiles"])
    recorder(Iteration(2, 1.0, 0.25, 2.0))
    assert before == '[{"relative_residual": [0.5]}]'
    assert recorder.report()["tiles"] == [{"relative_residual": [0.5, 0.25]}]


def test_peak_memory_is_in_bytes_and_never_falls():
    first = peak_memory_bytes()
    if first is None:
        pytest.skip("this system does not tell the peak memory of a process")
    assert 2e7 < first < 1e11  # Python with NumPy; a wrong unit is off by 1024
    block = np.ones(2**23)  # 64 MiB
    assert peak_memory_bytes() >= max(first, block.nbytes)


def test_versions_are_those_of_python_and_of_installed_packages():
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    assert found["napari-decsc"] == metadata.version("napari-decsc")
    assert set(found) <= {"python", *PACKAGES}


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr("napari_decsc.denoising.report.PACKAGES", ("numpy", "no-such-package-of-ours"))
    assert set(versions()) == {"python", "numpy"}


def test_json_has_null_where_a_number_is_not_finite():
    text = as_json({"a": [1.5, math.nan, (math.inf, {"b": -math.inf})], 2: np.float64("nan"), "c": True, "d": None})
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": [1.5, None, [None, {"b": None}]],
        "2": None,
        "c": True,
        "d": None,
    }


def test_json_has_the_numbers_of_numpy():
    report = {"a": np.float32(0.5), "b": np.int64(3), "c": np.array([1.5, np.nan]), "d": np.bool_(True)}
    assert json.loads(as_json(report)) == {"a": 0.5, "b": 3, "c": [1.5, None], "d": True}


def test_a_whole_report_survives_json():
    report = heard(Iteration(1, 1.0, 0.5, 1.0)).report(scores={"mpsnr": math.inf})
    read = json.loads(as_json(report), parse_constant=pytest.fail)
    assert read == {**report, "scores": {"mpsnr": None}}


def test_rare_signal_of_all_tiles_is_listed_the_strongest_first():
    def kept(row: int, levels: float) -> Iteration:
        where = np.zeros((4, 5), bool)
        where[1, 2] = where[2, 3] = True  # they touch by a corner
        spectra = np.array([[0.1, 0.0], [-levels, 0.2], [0.6 * levels, 0.1]], np.float32)
        rare = rare_signal(where, spectra, slice(row, row + 4), slice(10, 15))
        return Iteration(0, math.nan, math.nan, 0.2, stage="equilibrium 2", rare=rare)

    told = heard(Iteration(1, 9.0, 0.5, 0.1), kept(0, 3.0), kept(4, 7.0)).report()
    assert [tile["relative_residual"] for tile in told["tiles"]] == [[0.5]]
    assert told["rare"]["pixels"] == 4
    assert told["rare"]["places"] == [
        {"row": 5, "col": 12, "pixels": 2, "noise_levels": 7.0, "bands": [1, 2]},
        {"row": 1, "col": 12, "pixels": 2, "noise_levels": 3.0, "bands": [1, 2]},
    ]
    assert "2 places (4 pixels), the strongest at row 5, col 12: 7 noise levels" in told["rare"]["sentence"]
    json.loads(as_json(told))
    assert "rare" not in heard(Iteration(1, 9.0, 0.5, 0.1)).report()


def test_the_noise_that_was_measured_last_is_told():
    def noise(level: float) -> MeasuredNoise:
        one = np.ones(2, np.float32)
        return MeasuredNoise(level * one, np.eye(2, dtype=np.float32), np.ones((8, 8), np.float32), one, 0 * one, one)

    first, last = noise(0.1), noise(0.2)
    recorder = heard(
        Iteration(0, math.nan, math.nan, 0.1, noise=first),
        Iteration(1, 9.0, 0.5, 0.2),
        Iteration(0, math.nan, math.nan, 0.3, message="measured again", noise=last),
        Iteration(2, 4.0, 0.25, 0.4),
    )
    assert recorder.noise is last
    assert recorder.report()["noise"]["level"] == [0.2, 0.2]
    json.loads(as_json(recorder.report()))
