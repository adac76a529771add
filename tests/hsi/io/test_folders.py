"""Folders of a capture: scenes, references, what is in them."""

import json

import numpy as np
import pytest
import tifffile

from napari_decsc.cli import main
from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.capture import find_capture
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.hsi.io.folders import listed, reference_kind, scenes

NAMES = {
    "DARKREF_scan_001": "dark",
    "WHITEREF_scan_001": "white",
    "WHITEDARKREF_scan_001": "dark",
    "scan_001_darkref": "dark",
    "darkReference": "dark",
    "white-reference": "white",
    "White": "white",
    "dark": "dark",
    "scan_001": None,
    "darkCurrent": "dark",
    "scan_001_dark_frame": "dark",
    "White-Panel_3": "white",
    "white_tile": "white",
    "white_house": None,
    "egg_white": None,
    "darkfield_cells": None,
    "darkreflector": None,
    "darkness_at_noon": None,
    "REFLECTANCE_scan": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_tells_a_reference(name):
    assert reference_kind(f"folder/{name}.hdr") == NAMES[name]


@pytest.fixture
def capture(tmp_path):
    folder = tmp_path / "scan"
    (folder / "capture").mkdir(parents=True)
    (folder / "results").mkdir()
    for name in ("capture/scan", "capture/DARKREF_scan", "capture/WHITEREF_scan", "results/REFLECTANCE_scan"):
        write_envi(Cube(np.ones((4, 5, 6), np.uint16), wavelengths=np.array([400.0, 500, 600, 700])), folder / name)
    (folder / "manifest.xml").write_text("<a/>")
    return folder


@pytest.mark.parametrize("spelled", ["{}_{}", "{}-{}"])
@pytest.mark.parametrize("is_before", [False, True])
def test_a_name_made_of_that_of_a_scene_tells_its_reference(tmp_path, spelled, is_before):
    def name(scene, kind):
        return spelled.format(kind, scene) if is_before else spelled.format(scene, kind)

    cube = Cube(np.ones((4, 5, 6), np.uint16))
    for one in (
        "egg",
        "egg_2",
        "shell_white",
        *(name(one, kind) for one in ("egg", "egg_2") for kind in ("dark", "White")),
    ):
        write_envi(cube, tmp_path / one)
    assert [path.stem for path in scenes(tmp_path)[0]] == ["egg", "egg_2", "shell_white"]
    kinds = {entry.path.stem: entry.kind for entry in listed(tmp_path)}
    assert kinds[name("egg", "White")] == "white reference"
    for one in ("egg", "egg_2"):
        capture = find_capture(tmp_path / f"{one}.hdr")
        assert (capture.dark.stem, capture.white.stem) == (name(one, "dark"), name(one, "White"))


def test_a_capture_is_listed(capture):
    kinds = {entry.path.relative_to(capture).as_posix(): entry.kind for entry in listed(capture)}
    assert kinds == {
        "capture/scan.hdr": "cube",
        "capture/DARKREF_scan.hdr": "dark reference",
        "capture/WHITEREF_scan.hdr": "white reference",
        "results/REFLECTANCE_scan.hdr": "cube",
    }
    cubes, references = scenes(capture)
    assert [path.name for path in cubes] == ["scan.hdr"]
    assert [path.name for path in references] == ["DARKREF_scan.hdr", "WHITEREF_scan.hdr"]


def test_a_product_is_listed_once(tmp_path):
    bands = np.ones((6, 9, 11), np.int16)
    for name in (
        "E-SPECTRAL_IMAGE.TIF",
        "E-QL_PIXELMASK.TIF",
        "L-SPECTRAL_IMAGE_VNIR.TIF",
        "L-SPECTRAL_IMAGE_SWIR.TIF",
    ):
        tifffile.imwrite(tmp_path / name, bands, photometric="minisblack", metadata=None)
    for name in ("E-METADATA.XML", "L-METADATA.XML"):
        (tmp_path / name).write_text("<a/>")
    assert [(entry.path.name, entry.kind) for entry in listed(tmp_path)] == [
        ("E-SPECTRAL_IMAGE.TIF", "cube"),
        ("E-QL_PIXELMASK.TIF", "quality layer"),
        ("L-SPECTRAL_IMAGE_SWIR.TIF", "cube"),
        ("L-SPECTRAL_IMAGE_VNIR.TIF", "cube"),
    ]
    assert len(scenes(tmp_path)[0]) == 3


def test_metadata_of_two_images_name_them(tmp_path):
    for end in ("VNIR", "SWIR"):
        (tmp_path / f"L-SPECTRAL_IMAGE_{end}.TIF").write_bytes(b"II*")
    (tmp_path / "L-METADATA.XML").write_text("<a/>")
    with pytest.raises(FileFormatError, match=r"describes .*SWIR.TIF and .*VNIR.TIF; open one of them"):
        open_cube(tmp_path / "L-METADATA.XML")
    (tmp_path / "M-METADATA.XML").write_text("<a/>")
    with pytest.raises(FileFormatError, match=r"its image M-SPECTRAL_IMAGE.TIF is not there; put it beside it"):
        open_cube(tmp_path / "M-METADATA.XML")


def test_info_lists_a_folder(capture, capsys):
    assert main(["info", str(capture)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4
    assert any(line.endswith("DARKREF_scan.hdr  dark reference  4 x 5 x 6, uint16, 400 to 700 nm") for line in said)
    (capture / "capture" / "scan.img").write_bytes(b"short")
    assert main(["info", str(capture), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert any("cut short" in one["says"] for one in files)
    (capture / "empty").mkdir()
    assert main(["info", str(capture / "empty")]) == 0
    assert "no cube in it" in capsys.readouterr().out


def test_a_batch_leaves_references_alone_and_says_so(capture, tmp_path, capsys):
    assert main(["batch", str(capture), "--out", str(tmp_path / "out"), "--method", "fasthyde"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.hdr")) == ["scan.hdr"]
    assert "DARKREF_scan.hdr: left alone, a reference and no scene" in capsys.readouterr().err
