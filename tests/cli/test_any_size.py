"""``denoise`` on cubes of any size: the plan without the work, and results that are written tile by tile."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_decsc import registry as methods
from napari_decsc.cli import main
from napari_decsc.denoising import provenance
from napari_decsc.denoising.protocol import Iteration, Sink
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """A cube of 20.48 GB that takes no room on the disk."""
    header = tmp_path / "large.hdr"
    header.write_text(
        "ENVI\nsamples = 16000\nlines = 16000\nbands = 20\ndata type = 4\ninterleave = bsq\nheader offset = 0\n"
        "file type = ENVI Standard\nbyte order = 0\n"
    )
    with header.with_suffix(".img").open("wb") as file:
        file.truncate(20 * 16000 * 16000 * 4)
    return header


def test_a_dry_run_of_20_gb_tells_the_plan_and_does_nothing(sparse, capsys):
    out = sparse.with_name("out.hdr")
    before = sorted(path.name for path in sparse.parent.iterdir())
    assert main(["denoise", str(sparse), str(out), "--memory", "2GB", "--device", "cpu", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["tiles"] == (-(-16000 // plan["tile_side"])) ** 2 > 100
    assert 1e9 < plan["memory_bytes"] <= plan["budget_bytes"] == 2_000_000_000
    assert 0 < plan["seconds_for_10_evaluations_per_tile"] < plan["seconds_at_most"]
    assert sorted(path.name for path in sparse.parent.iterdir()) == before


def test_a_method_without_tiles_has_no_plan(folder, capsys):
    assert main(["denoise", str(folder / "noisy.hdr"), str(folder / "o.hdr"), "--method", "flat", "--dry-run"]) == 1
    assert "has no plan" in capsys.readouterr().err


class Halves:
    """Writes the cube in two halves, twice as large; may fail between them, or say something."""

    name = "halves"
    fail = False

    def denoise_into(self, noisy: Cube, sink: Sink) -> Generator[Iteration, None, None]:
        for tile, rows in enumerate((slice(0, 8), slice(8, 16)), 1):
            yield Iteration(1, 0.1, 0.1, 0.5, tile, 2, message="" if tile == 1 else "smaller tiles from here on")
            if self.fail and tile == 2:
                raise DenoisingError("no more")
            sink.write(2 * np.asarray(noisy.data[:, rows]), rows, slice(0, 12))

    def denoise(self, noisy: Cube) -> Any:
        raise AssertionError("the result must not be held")

    def describe(self) -> dict[str, Any]:
        return {"method": self.name, "settings": {}, "weights": None, "device": "cpu"}


@pytest.fixture
def halves(monkeypatch, flat) -> type[Halves]:
    settings = methods.METHODS["flat"].settings
    monkeypatch.setitem(methods.METHODS, "halves", methods.Method("halves", "Twice", settings, lambda _: Halves()))
    monkeypatch.setattr(Halves, "fail", False)
    return Halves


def test_a_denoiser_that_streams_writes_into_the_file(folder, halves, capsys):
    report = folder / "report.json"
    words = ["denoise", str(folder / "noisy.hdr"), str(folder / "out.hdr"), "--method", "halves"]
    assert main([*words, "--report", str(report), "--reference", str(folder / "clean.hdr")]) == 0
    noisy, out = read_envi(folder / "noisy.hdr"), read_envi(folder / "out.hdr")
    assert np.array_equal(out.data, 2 * noisy.data)
    assert np.array_equal(out.wavelengths, noisy.wavelengths)
    told = json.loads(report.read_text())
    made = provenance.read(out.header)["denoising"]  # written anew when the run has ended
    assert made["method"] == "halves"
    assert made["messages"] == told["messages"]
    assert told["messages"] == ["smaller tiles from here on"]
    assert told["scores"]["denoised"]["mpsnr"] < told["scores"]["noisy"]["mpsnr"]
    assert "smaller tiles from here on" in capsys.readouterr().err


def test_a_stream_that_fails_leaves_nothing(folder, halves, monkeypatch):
    monkeypatch.setattr(Halves, "fail", True)
    before = sorted(path.name for path in folder.iterdir())
    assert main(["denoise", str(folder / "noisy.hdr"), str(folder / "out.hdr"), "--method", "halves"]) == 1
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_batch_streams_too(folder, halves):
    assert main(["batch", str(folder / "noisy.hdr"), "--out", str(folder / "done"), "--method", "halves"]) == 0
    assert np.array_equal(read_envi(folder / "done" / "noisy.hdr").data, 2 * read_envi(folder / "noisy.hdr").data)
