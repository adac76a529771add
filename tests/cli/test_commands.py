"""info, add-noise, denoise and evaluate on small cubes, with a denoiser whose result is known by hand."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_decsc import cli
from napari_decsc.cli import main
from napari_decsc.denoising import provenance
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.noise.measured import MeasuredNoise


@pytest.fixture(autouse=True)
def inside(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.chdir(folder)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == cli.FAILED
    out, err = capsys.readouterr()
    assert out == ""
    return err


def listing() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path().iterdir()}


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    facts = answer(capsys, "info", "clean.hdr")
    assert (facts["bands"], facts["rows"], facts["cols"]) == (4, 16, 12)
    assert facts["wavelengths"] == {"first": 400.0, "last": 700.0, "unit": "nm", "has_fwhm": False}
    assert (facts["data_type"], facts["interleave"], facts["bad_bands"]) == ("float32", "bsq", [])
    assert facts["minimum"] == pytest.approx(0.2)
    assert facts["maximum"] == pytest.approx(0.8)
    assert facts["peak"] == 1
    assert main(["info", "clean.hdr"]) == 0
    assert "400 to 700 nm" in capsys.readouterr().out


def test_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    # every error is 0.1, the peak is 1: 20 dB in every band
    scores = answer(capsys, "evaluate", "clean.hdr", "noisy.hdr", "--per-band")
    assert scores["mpsnr"] == pytest.approx(20, abs=1e-4)
    assert [band["band"] for band in scores["bands"]] == [0, 1, 2, 3]
    assert [band["psnr"] for band in scores["bands"]] == pytest.approx([20] * 4, abs=1e-4)


def test_identical_cubes_are_said_and_give_json_that_every_reader_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    scores = answer(capsys, "evaluate", "clean.hdr", "clean.hdr", "--per-band")
    assert (scores["mpsnr"], scores["identical_bands"]) == (None, 4)
    assert [band["psnr"] for band in scores["bands"]] == [None] * 4
    assert main(["evaluate", "clean.hdr", "clean.hdr"]) == 0
    assert "Every band that was measured is identical in both cubes" in capsys.readouterr().out


@pytest.mark.parametrize(("kept", "which"), [([1], "1 band is"), ([0, 3], "2 bands are")])
def test_identical_bands_do_not_make_mpsnr_infinite(
    kept: list[int], which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy = read_envi("noisy.hdr")
    data = np.array(noisy.data)
    data[kept] = read_envi("clean.hdr").data[kept]
    write_envi(noisy.replace(data=data), Path("some.hdr"))
    scores = answer(capsys, "evaluate", "clean.hdr", "some.hdr")
    # 20 dB in every band that was left noisy
    assert scores["mpsnr"] == pytest.approx(20, abs=1e-4)
    assert scores["identical_bands"] == len(kept)
    assert main(["evaluate", "clean.hdr", "some.hdr"]) == 0
    assert f"{which} identical in both cubes; MPSNR is the mean over the other {4 - len(kept)}." in (
        capsys.readouterr().out
    )


def test_add_noise_is_seeded_and_reaches_the_header(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("add-noise", "clean.hdr")
    for name in ("a.hdr", "b.hdr"):
        answer(capsys, *words, name, "--model", "gaussian", "--sigma", "25.5", "--seed", "3")
    answer(capsys, *words, "c.hdr", "--model", "gaussian", "--sigma", "25.5", "--seed", "4")
    a, b, c = (read_envi(name) for name in ("a.hdr", "b.hdr", "c.hdr"))
    assert np.array_equal(a.data, b.data)
    assert not np.array_equal(a.data, c.data)
    # 25.5 of 255 is 0.1; 768 voxels tell it within a tenth
    assert float(np.std(a.data - read_envi("clean.hdr").data)) == pytest.approx(0.1, rel=0.1)
    noise = provenance.read(a.header)["noise"]
    assert (noise["model"], noise["seed"]) == ("gaussian", 3)
    assert a.wavelengths is not None


def test_denoise_writes_cube_and_report(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--reference", "clean.hdr", "--report", "r.json")
    said = answer(capsys, *words, "--steps", "2", "--strength", "0.5")
    assert said == json.loads(Path("r.json").read_text())
    assert said["settings"] == {"steps": 2, "strength": 0.5, "fail": False}
    assert said["tiles"] == [{"relative_residual": [0.1, 0.01]}]
    assert said["seconds"] == 1.0
    assert {"weights", "device", "peak_memory_bytes", "versions"} <= said.keys()
    # half of the error is gone: 20 dB + 20 log10(2)
    assert said["scores"]["noisy"]["mpsnr"] == pytest.approx(20, abs=1e-3)
    assert said["scores"]["denoised"]["mpsnr"] == pytest.approx(20 + 6.0206, abs=1e-3)
    out = read_envi("out.hdr")
    assert out.data.dtype == np.float32
    assert out.wavelengths == pytest.approx([400, 500, 600, 700])
    assert np.abs(out.data - read_envi("clean.hdr").data).max() == pytest.approx(0.05, abs=1e-6)


def test_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "noisy.hdr", "out.hdr", "--method", "flat"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Wrote out.hdr: flat, 1.5 s, relative residual 1.0e-03.")
    assert "evaluation 1, residual 1.0e-01" in err
    assert "evaluation 3, residual 1.0e-03" in err


def test_existing_output_is_refused_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.img").write_bytes(b"precious")
    Path("r.json").write_text("{}")
    before = listing()
    # --fail would tell that the work had begun
    said = complaint(capsys, "denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--fail")
    assert "out.img exists already; add --overwrite" in said
    said = complaint(capsys, "denoise", "noisy.hdr", "new.hdr", "--method", "flat", "--fail", "--report", "r.json")
    assert "r.json exists already" in said
    assert "exists already" in complaint(capsys, "add-noise", "clean.hdr", "out.hdr")
    assert listing() == before


def test_overwrite_replaces(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--strength", "0"]) == 0
    assert main(["denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--overwrite"]) == 0
    assert read_envi("out.hdr").data == pytest.approx(read_envi("clean.hdr").data, abs=1e-6)


@pytest.mark.parametrize("name", ["noisy.hdr", "noisy.img", "noisy"])
def test_the_input_is_never_overwritten(capsys: pytest.CaptureFixture[str], name: str) -> None:
    before = listing()
    assert "is read by this command" in complaint(
        capsys, "denoise", "noisy.hdr", name, "--method", "flat", "--overwrite"
    )
    words = ("denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--overwrite", "--report", "noisy.img")
    assert "is read by this command" in complaint(capsys, *words)
    assert listing() == before


def test_report_and_cube_need_two_names(capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, "denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--report", "out.hdr")
    assert "a name of its own" in said


def test_a_missing_folder_is_told_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("denoise", "noisy.hdr", "--method", "flat", "--fail")
    assert "the folder nowhere does not exist" in complaint(capsys, *words, "nowhere/out.hdr")
    assert "the folder nowhere does not exist" in complaint(capsys, *words, "out.hdr", "--report", "nowhere/r.json")


def test_a_reference_of_another_shape_is_told_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.io.envi import write_envi

    write_envi(Cube(np.zeros((4, 5, 6), np.float32), name="small"), "small.hdr")
    words = ("denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--fail", "--reference", "small.hdr")
    assert "give the reference of this cube" in complaint(capsys, *words)


def test_nothing_is_left_of_a_run_that_failed(capsys: pytest.CaptureFixture[str]) -> None:
    before = listing()
    words = ("denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--fail", "--report", "r.json")
    assert "use smaller tiles" in complaint(capsys, *words)
    assert listing() == before


def test_an_option_of_another_method_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, "denoise", "noisy.hdr", "out.hdr", "--method", "flat", "--tolerance", "0.1")
    assert "--tolerance does not belong to flat" in said


def test_denoise_judges_what_it_removed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("denoise", "noisy.hdr", "out.hdr", "--method", "flat")
    verdict = answer(capsys, *words, "--report", "r.json")["verdict"]
    assert json.loads(Path("r.json").read_text())["verdict"] == verdict
    # a checkerboard of +-0.1 went: 0.1 of the root mean square of 0.2, 0.4, 0.6 and 0.8
    assert verdict["removed_share"] == pytest.approx(0.1 / np.sqrt(0.3), rel=1e-3)
    # it was the same in all bands, and diagonal neighbours were alike
    assert set(verdict["suspicions"]) == {"space", "bands"}
    assert main([*words, "--overwrite"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == verdict["sentence"]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> MeasuredNoise:
    """What every cube's noise is found to be: of 0.1, alike in all bands; the last band is empty."""
    four = np.ones(4, np.float32)
    level = np.array([0.1, 0.1, 0.1, np.nan], np.float32)
    noise = MeasuredNoise(
        level, np.ones((4, 4), np.float32), np.ones((8, 8), np.float32), four, 0 * four, level, empty={3: "constant"}
    )
    denoiser = import_module("napari_decsc.deq.denoiser")
    monkeypatch.setattr(denoiser, "measure_noise", lambda cube, settings=None: noise, raising=False)
    return noise


def test_info_tells_the_noise(measured: MeasuredNoise, capsys: pytest.CaptureFixture[str]) -> None:
    noise = answer(capsys, "info", "noisy.hdr", "--noise")["noise"]
    assert noise["level"] == [0.1, 0.1, 0.1, None]
    assert noise["snr_db"][0] == pytest.approx(20, abs=1e-3)
    assert main(["info", "noisy.hdr", "--noise"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for sentence in measured.sentences():
        assert sentence in lines
    assert [line.split() for line in lines[-5:]] == [
        ["band", "wavelength/nm", "level", "SNR/dB"],
        ["1", "400", "0.1", "20.0"],
        ["2", "500", "0.1", "20.0"],
        ["3", "600", "0.1", "20.0"],
        ["4", "700", "constant"],
    ]
    assert "noise" not in answer(capsys, "info", "noisy.hdr")


def test_only_cubes_have_noise_to_be_measured(measured: MeasuredNoise, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no cube" in complaint(capsys, "info", ".", "--noise")


def test_evaluate_without_a_reference_judges_what_was_removed(
    measured: MeasuredNoise, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = answer(capsys, "evaluate", "noisy.hdr", "clean.hdr", "--no-reference")["verdict"]
    assert verdict["removed_share_of_bands"] == pytest.approx([0.5, 0.25, 0.1667, None], abs=1e-4)
    # that all bands are alike is what the noise is; the empty one is not judged
    assert "bands" not in verdict["suspicions"]
    assert main(["evaluate", "noisy.hdr", "clean.hdr", "--no-reference", "--per-band"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == verdict["sentence"]
    assert lines[2].split() == ["band", "removed/%", "pixels", "bands", "signal", "texture"]
    assert lines[3].split()[:2] == ["1", "50"]
    assert len(lines) == 7


def test_tune_ranks_methods_and_strengths(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("tune", "noisy.hdr", "--methods", "flat", "--strengths", "0", "0.5", "1")
    found = answer(capsys, *words)
    # the bands are constant: the flatter, the better
    assert found["best"] == "--method flat --strength 1"
    assert [one["name"].split()[-1] for one in found["tried"]] == ["1", "0.5", "0"]
    assert found["tried"][0]["distance"] == pytest.approx(0.6745, abs=0.01)  # all values are +-0.1
    assert main(list(words)) == 0
    assert "Take --method flat --strength 1." in capsys.readouterr().out


def test_tune_names_what_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 or more" in complaint(capsys, "tune", "noisy.hdr", "--methods", "flat", "--crop", "-1")
    assert "strength" in complaint(capsys, "tune", "noisy.hdr", "--methods", "flat", "--strengths", "7")
