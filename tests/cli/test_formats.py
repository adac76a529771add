"""Commands on files beside ENVI: what the file does not tell is asked for, and type and scale come out as asked."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from napari_decsc import cli
from napari_decsc.cli import main
from napari_decsc.denoising import provenance
from napari_decsc.hsi.io.envi.library import SpectralLibrary, write_library
from napari_decsc.hsi.io.files import open_cube

DATA = (np.indices((6, 7, 8)).sum(axis=0) * 100).astype(np.int16)  # no axis is clearly the bands


@pytest.fixture(autouse=True)
def inside(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.chdir(folder)
    np.savez("two.npz", a=DATA, b=DATA + 1)
    scipy.io.savemat("one.mat", {"cube": DATA})


def test_what_the_file_does_not_tell_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "two.npz"]) == cli.FAILED
    assert "two.npz: holds 2 cubes, a (6 x 7 x 8), b (6 x 7 x 8); choose one" in capsys.readouterr().err
    assert main(["info", "two.npz", "--variable", "b"]) == cli.FAILED
    assert "does not tell which axis of 6 x 7 x 8 counts the bands" in capsys.readouterr().err
    assert main(["info", "two.npz", "--variable", "b", "--band-axis", "1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["bands"], facts["rows"], facts["cols"], facts["minimum"]) == (7, 6, 8, 1)


@pytest.mark.parametrize(("name", "dtype"), [("out.tif", "source"), ("out.npz", "int16"), ("out.hdr", "source")])
def test_type_and_format_come_out_as_asked(name: str, dtype: str) -> None:
    words = ["denoise", "one.mat", name, "--method", "flat", "--strength", "0", "--dtype", dtype, "--band-axis", "0"]
    assert main([*words, "--reference", "one.mat"]) == 0
    cube = open_cube(name)
    assert cube.data.dtype == np.int16
    np.testing.assert_array_equal(cube.data, DATA)
    assert provenance.read(cube.header)["denoising"]["method"] == "flat"
    assert main([*words[:8], "source", *words[9:]]) == cli.FAILED  # it is there already


@pytest.mark.parametrize("method", ["decsc", "flat"])
@pytest.mark.parametrize("name", ["out.hdr", "out.tif", "out.nc", "out.zarr", "out.npz"])
def test_every_format_tells_how_its_cube_was_made(name: str, method: str, capsys: pytest.CaptureFixture[str]) -> None:
    # decsc writes ENVI and TIFF tile by tile, before it is known how the run ends
    assert main(["denoise", "clean.hdr", name, "--method", method]) == 0
    record = provenance.read(open_cube(name).header)["denoising"]
    assert (record["method"], record["input"]["name"]) == (method, "clean")
    assert record["seconds"] > 0
    assert record["convergence"]["residuals"]
    capsys.readouterr()
    assert main(["info", name]) == 0
    assert re.search(rf"Denoised by napari-decsc \S+ on \S+: {method}", capsys.readouterr().out)


def test_noise_into_another_format() -> None:
    assert main(["add-noise", "clean.hdr", "noisy.tif", "--model", "gaussian", "--seed", "1"]) == 0
    assert main(["evaluate", "clean.hdr", "noisy.tif"]) == 0
    cube = open_cube("noisy.tif")
    assert (cube.data.dtype, cube.wavelengths.tolist()) == (np.float32, [400, 500, 600, 700])


@pytest.mark.parametrize("words", [["--overwrite"], []])
def test_the_input_is_never_overwritten(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["add-noise", "two.npz", "two.npz", "--variable", "a", "--band-axis", "0", *words]) == cli.FAILED
    assert "is read by this command" in capsys.readouterr().err


def test_a_type_without_room_is_told_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.io.envi import write_envi

    write_envi(Cube(DATA, no_data=-9999), "nodata.hdr")
    words = ["denoise", "nodata.hdr", "out.hdr", "--method", "flat", "--fail", "--dtype", "uint8"]
    assert main(words) == cli.FAILED
    assert "the no-data value -9999 does not fit into uint8" in capsys.readouterr().err


def test_whole_numbers_for_gaps_are_refused_before_any_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = DATA.astype(np.float32)
    values[2, 5, 6] = np.nan
    np.save("gap.npy", values)
    words = ["denoise", "gap.npy", "out.hdr", "--band-axis", "0", "--method", "flat", "--fail", "--dtype", "int16"]
    assert main(words) == cli.FAILED
    assert "gap: holds NaN or an infinity, which int16 cannot express; set a no-data" in capsys.readouterr().err


def test_info_of_a_library(capsys: pytest.CaptureFixture[str]) -> None:
    write_library(SpectralLibrary(np.array([[0.1, 0.2]]), ("soil",), np.array([400.0, 500.0]), "nm"), "lib")
    assert main(["info", "lib.hdr", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["spectra"], facts["bands"], facts["names"]) == ("spectral library", 1, 2, ["soil"])
    assert main(["info", "lib.sli"]) == 0
    assert "400 to 500 nm" in capsys.readouterr().out
    assert main(["denoise", "lib.hdr", "out.hdr"]) == cli.FAILED
    assert "holds no cube but spectra" in capsys.readouterr().err


def test_an_array_whose_axes_are_alike_is_denoised_into_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cube = np.random.default_rng(0).random((12, 12, 12)).astype(np.float32)
    np.save(tmp_path / "in.npy", cube)
    words = ["--method", "flat", "--strength", "0", "--band-axis", "2"]
    assert main(["denoise", str(tmp_path / "in.npy"), str(tmp_path / "out.npy"), *words]) == 0, capsys.readouterr().err
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), np.moveaxis(cube, 2, 0))
