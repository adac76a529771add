"""How a cube was made, in the file that holds it."""

import json

import numpy as np
import pytest

from napari_decsc import __version__
from napari_decsc.denoising import provenance
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube

REPORT = {
    "method": "decsc",
    "settings": {"tolerance": 0.001, "strength": 1.0},
    "weights": {"name": "subspace", "hash": "abcdef0123456789"},
    "device": "cpu",
    "seconds": 1.5,
    "versions": {"torch": "2"},
    "noise": {"level": [0.25, 0.5, float("nan")], "kinds": ["offsets of columns"]},
    "tiles": [{"relative_residual": [0.1, 0.0005]}, {"relative_residual": [0.1, 0.01, 0.0009]}],
    "input": {"name": "leaf", "noise": {"model": "gaussian", "seed": 5}},
}
NOISE = {"model": "gaussian", "settings": {"sigma": 30.0}, "seed": 5}
CUBE = Cube(np.zeros((2, 3, 4), np.float32), "leaf", header={"description": "flown over {a} lake, at noon"})


@pytest.mark.parametrize("ending", [".hdr", ".tif", ".npz"])
def test_every_format_carries_the_whole_record(tmp_path, ending):
    extra = provenance.fields({"noise": NOISE, "denoising": REPORT}, CUBE.header)
    again = open_cube(save_cube(CUBE, tmp_path / f"leaf{ending}", extra=extra))
    found = provenance.read(again.header)
    assert found["version"] == __version__
    assert found["date"].endswith("Z")
    assert found["noise"] == NOISE
    made = found["denoising"]
    assert made["weights"] == REPORT["weights"]
    assert made["settings"] == REPORT["settings"]
    assert made["input"] == REPORT["input"]
    assert made["noise"] == {"level": [0.25, 0.5, None], "kinds": ["offsets of columns"]}
    assert made["convergence"] == {
        "evaluations": 3,
        "relative_residual": 0.0009,
        "converged": True,
        "tiles": 2,
        "residuals": [0.1, 0.01, 0.0009],
    }


def test_the_description_says_what_was_done_and_keeps_what_it_said():
    fields = provenance.fields({"denoising": REPORT}, CUBE.header)
    text = fields["description"]
    assert text.startswith(f"Denoised by napari-decsc {__version__} on ")
    assert "decsc, weights subspace abcdef012345, 3 evaluations, relative residual 9.0e-04, converged." in text
    assert text.endswith("Before: flown over {a} lake, at noon")
    again = provenance.fields(provenance.read(fields), fields)
    assert again["description"] == text  # saved once more, nothing is said twice


def test_a_reader_of_envi_headers_sees_one_text_and_no_list(tmp_path):
    import spectral.io.envi as spy

    extra = provenance.fields({"denoising": REPORT}, CUBE.header)
    header = spy.read_envi_header(str(save_cube(CUBE, tmp_path / "leaf.hdr", extra=extra)))
    assert json.loads(header["napari-decsc"].removeprefix("record "))["denoising"]["method"] == "decsc"


@pytest.mark.parametrize(
    "text", ["", "made by hand", "record ", "record {", "record [1]", 'record {"noise": 3}', "record " + "[" * 100_000]
)
def test_what_is_no_record_is_none(text):
    assert provenance.read({"napari-decsc": text}) == {}


def test_a_run_that_iterates_nothing_has_no_residual():
    report = {"method": "fasthyde", "settings": {}, "weights": None, "tiles": []}
    assert provenance.sentence({"denoising": report}) == "Denoised by napari-decsc: fasthyde."
    stopped = {**report, "stopped": True, "tiles": [{"relative_residual": [float("nan")]}]}
    assert "stopped by hand" in provenance.sentence({"denoising": stopped})


def test_a_person_reads_settings_and_the_noise_that_was_measured():
    text = "\n".join(provenance.lines({"noise": NOISE, "denoising": REPORT}))
    assert "gaussian, seed 5" in text
    assert "tolerance 0.001, strength 1" in text
    assert "Noise measured in the input: 0.5 in the median band." in text
    assert "offsets of columns" in text
    assert provenance.lines({}) == []
