"""Many cubes: one report, resumed runs, failures that cost only their own cube."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_decsc import cli
from napari_decsc.cli import main
from napari_decsc.denoising import provenance
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi


@pytest.fixture(autouse=True)
def inside(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The folder of clean.hdr and noisy.hdr, here called "in"."""
    (folder / "in").mkdir()
    for file in [path for path in folder.iterdir() if path.is_file()]:
        file.rename(folder / "in" / file.name)
    monkeypatch.chdir(folder)


def batch(*words: str, inputs: tuple[str, ...] = ("in",)) -> int:
    return main(["batch", *inputs, "--out", "out", "--method", "flat", *words])


def report() -> dict[str, Any]:
    return {entry["output"]: entry for entry in json.loads(Path("out/report.json").read_text())}


def times() -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in Path("out").iterdir() if path.suffix == ".img"}


def test_every_cube_of_a_folder_is_denoised(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/notes.txt").write_text("no cube")
    assert batch("--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["done"], answer["skipped"], answer["failed"]) == (2, 0, 0)
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "clean.hdr", "clean.img", "noisy.hdr", "noisy.img", "report.json",
    ]  # fmt: skip
    # "flat" replaces every band by its mean: the noise of the fixture has mean 0
    assert read_envi("out/noisy.hdr").data == pytest.approx(read_envi("in/clean.hdr").data, abs=1e-6)
    entry = report()["noisy.hdr"]
    assert (entry["state"], entry["method"], entry["input"]) == ("done", "flat", "in/noisy.hdr")
    assert {"settings", "weights", "device", "seconds", "versions", "tiles"} <= entry.keys()
    assert provenance.read(read_envi("out/noisy.hdr").header)["denoising"]["method"] == "flat"


def test_the_type_of_the_source_and_its_scale_come_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Reflectance x 10000 in int16 comes out so; a result of another type is another result."""
    levels = np.broadcast_to(np.array([2000, 4000], np.int16)[:, None, None], (2, 9, 8))
    write_envi(Cube(np.array(levels), scale=10000, no_data=-9999), "counts.hdr")
    assert batch("--dtype", "source", inputs=("counts.hdr",)) == 0
    cube = read_envi("out/counts.hdr")
    assert (cube.data.dtype, cube.scale, cube.no_data) == (np.dtype("int16"), 10000, -9999)
    assert np.array_equal(cube.data, levels)
    assert batch("--dtype", "source", inputs=("counts.hdr",)) == 0
    assert "1 skipped" in capsys.readouterr().out
    assert batch(inputs=("counts.hdr",)) == cli.FAILED
    assert "made from another input or with other settings" in capsys.readouterr().err
    assert batch("--dtype", "uint8", "--overwrite", inputs=("counts.hdr",)) == cli.FAILED
    assert "the no-data value -9999 does not fit into uint8" in capsys.readouterr().err


def test_the_band_axis_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("stack.npy", np.broadcast_to(np.arange(5.0), (3, 4, 5)))
    assert batch(inputs=("stack.npy",)) == cli.FAILED
    assert "counts the bands; choose 0, 1 or 2" in capsys.readouterr().err
    assert batch("--band-axis", "2", inputs=("stack.npy",)) == 0
    assert read_envi("out/stack.hdr").shape == (5, 3, 4)


def test_a_report_of_an_older_version_still_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert batch() == 0
    new = ("dtype", "variable", "band_axis")
    entries = [{key: entry[key] for key in entry if key not in new} for entry in report().values()]
    Path("out/report.json").write_text(json.dumps(entries))
    capsys.readouterr()
    assert batch() == 0
    assert "2 skipped" in capsys.readouterr().out


@pytest.mark.parametrize("inputs", [("in/noisy.hdr", "in/noisy.img"), ("in/noisy.hdr", "in")])
def test_a_cube_named_twice_is_done_once(capsys: pytest.CaptureFixture[str], inputs: tuple[str, ...]) -> None:
    assert batch(inputs=inputs) == 0
    assert capsys.readouterr().err.count("in/noisy.hdr: done") == 1


def test_what_is_done_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert batch() == 0
    before, entries = times(), report()
    capsys.readouterr()
    assert batch() == 0
    out, err = capsys.readouterr()
    assert "0 done, 2 skipped, 0 failed" in out
    assert "noisy.hdr is up to date" in err
    assert times() == before
    assert report() == entries


def test_a_changed_input_is_done_again_with_consent_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert batch() == 0
    before, entries = times(), report()
    os.utime("in/noisy.img", ns=(1, 1))
    assert batch() == cli.FAILED
    assert "in/noisy.hdr: failed: out/noisy.hdr was made from another input" in capsys.readouterr().err
    assert times() == before
    # the record of the finished cube stays, with the refusal beside it
    assert report()["noisy.hdr"].items() >= entries["noisy.hdr"].items()
    assert batch("--overwrite") == 0
    assert times()["noisy.img"] > before["noisy.img"]
    assert times()["clean.img"] == before["clean.img"]
    assert "error" not in report()["noisy.hdr"]


def test_other_settings_are_another_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert batch("--steps", "2") == 0
    assert batch("--steps", "2") == 0
    assert "2 skipped" in capsys.readouterr().out
    assert batch("--steps", "3") == cli.FAILED
    assert "add --overwrite" in capsys.readouterr().err
    assert report()["noisy.hdr"]["settings"]["steps"] == 2


def test_a_lost_output_is_made_again() -> None:
    assert batch() == 0
    before = times()
    Path("out/clean.img").unlink()
    assert batch() == cli.FAILED  # its header is in the way: nobody said that it may go
    Path("out/clean.hdr").unlink()
    assert batch() == 0
    assert times()["noisy.img"] == before["noisy.img"]


def test_a_failure_is_told_and_the_rest_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/clean.img").write_bytes(b"short")
    assert batch("--json") == cli.FAILED
    out, err = capsys.readouterr()
    assert (json.loads(out)["done"], json.loads(out)["failed"]) == (1, 1)
    assert "in/clean.hdr: failed: clean.img holds 5 bytes" in err
    assert report()["clean.hdr"]["state"] == "failed"
    assert "holds 5 bytes" in report()["clean.hdr"]["error"]
    assert not Path("out/clean.hdr").exists()
    assert Path("out/noisy.hdr").exists()


def test_even_an_error_of_our_own_costs_one_cube_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_decsc.hsi.io import files

    true = files.open_cube
    monkeypatch.setattr(
        files, "open_cube", lambda path, **asked: 1 / 0 if path.stem == "clean" else true(path, **asked)
    )
    assert batch() == cli.FAILED
    assert report()["clean.hdr"]["error"] == "ZeroDivisionError: division by zero"
    assert report()["noisy.hdr"]["state"] == "done"


def test_a_cube_that_no_batch_made_is_never_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").mkdir()
    write_envi(Cube(np.ones((1, 2, 2)), name="precious"), "out/noisy.hdr")
    before = Path("out/noisy.img").read_bytes()
    for _ in range(2):  # the failure that the first run records must not pass for consent
        assert batch() == cli.FAILED
        assert "noisy.hdr exists already; add --overwrite" in capsys.readouterr().err
        assert Path("out/noisy.img").read_bytes() == before
    assert report()["clean.hdr"]["state"] == "done"


@pytest.mark.parametrize("moment", ["while denoising", "while writing", "after writing"])
def test_a_run_that_was_stopped_goes_on(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Stopped at the second cube (in the order of names: noisy): the first is kept, the second made anew."""
    from napari_decsc.cli import denoise, outputs

    name = "denoise" if moment == "while denoising" else "save_cube"
    module = denoise if name == "denoise" else outputs
    true = getattr(module, name)

    def stopped(cube: Cube, *args: Any, **kwargs: Any) -> Any:
        if moment == "after writing" or cube.name.startswith("clean"):
            result = true(cube, *args, **kwargs)
        if cube.name.startswith("clean"):
            return result
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, stopped)
        assert batch() == cli.INTERRUPTED
    assert {key: entry["state"] for key, entry in report().items()} == {"clean.hdr": "done", "noisy.hdr": "begun"}
    first = times()["clean.img"]
    assert batch() == 0
    assert {entry["state"] for entry in report().values()} == {"done"}
    assert times()["clean.img"] == first
    assert read_envi("out/noisy.hdr").shape == (4, 16, 12)


def test_a_report_of_something_else_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").mkdir()
    Path("out/report.json").write_text('{"method": "decsc"}')
    assert batch() == cli.FAILED
    assert "report.json: is no report of a batch; move it away" in capsys.readouterr().err
    assert [path.name for path in Path("out").iterdir()] == ["report.json"]


def test_what_cannot_be_done_is_told_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("other").mkdir()
    write_envi(read_envi("in/clean.hdr"), "other/Clean.hdr")
    assert batch(inputs=("empty",)) == cli.FAILED
    assert "empty: no cube in it" in capsys.readouterr().err
    assert batch(inputs=("in", "other")) == cli.FAILED
    assert "have the same name; rename one" in capsys.readouterr().err
    assert main(["batch", "in", "--out", "in", "--method", "flat"]) == cli.FAILED
    assert "in is a folder of inputs; choose another" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_missing_cube_is_a_failure_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert batch(inputs=("in/noisy.hdr", "in/nothing.hdr")) == cli.FAILED
    assert "in/nothing.hdr: does not exist" in capsys.readouterr().err
    assert report()["noisy.hdr"]["state"] == "done"
