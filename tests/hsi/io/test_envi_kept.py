"""What a header says beyond the cube, and what its writer laid out in a way of its own, outlives a round trip."""

from pathlib import Path

import numpy as np
import pytest

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi

HEAD = (
    "ENVI\nsamples = 2\nlines = 1\nbands = 3\nheader offset = 0\nfile type = ENVI Standard\ndata type = 1\n"
    "interleave = bsq\nbyte order = 0\n"
)
NAMES = ["b0, R(400)", "b1, R(450)", "b2 {x}, R(500)"]


def again(folder: Path, fields: str, **changes: object) -> tuple[Cube, str, Cube]:
    (folder / "a.img").write_bytes(bytes(6))
    (folder / "a.hdr").write_text(HEAD + fields)
    first = read_envi(folder / "a.hdr")
    header = write_envi(first.replace(**changes), folder / "b.hdr", overwrite=True)
    return first, header.read_text(), read_envi(header)


@pytest.mark.parametrize(
    "text",
    [
        "{\n" + ",\n".join(NAMES) + "}",
        "{" + ",\n ".join(NAMES) + ",}",
        "{" + ", ".join(NAMES) + "}",  # nobody can tell where a name ends, and still nothing is lost
        "{only, two}",
        "one, two, three",
        '{\n"b0, R(400)",\n"b1, R(450)",\n"b2"}',
    ],
)
def test_band_names_are_written_as_they_were(tmp_path: Path, text: str) -> None:
    first, written, second = again(tmp_path, f"band names = {text}\n")
    field = "\n".join(line.strip() for line in text.split("\n"))
    assert f"band names = {field}\n" in written
    assert second.header["band names"] == first.header["band names"]


def test_names_with_commas_on_lines_are_one_for_each_band(tmp_path: Path) -> None:
    first, *_ = again(tmp_path, "band names = {\n" + ",\n".join(NAMES) + "}\n")
    assert first.header["band names"] == NAMES


def test_names_with_commas_of_other_formats_are_one_for_each_band(tmp_path: Path) -> None:
    cube = Cube(np.zeros((3, 1, 2), np.uint8), header={"band names": NAMES, "x list": ["a, b", "c", "d", "e"]})
    found = read_envi(write_envi(cube, tmp_path / "a.hdr")).header
    assert found["band names"] == NAMES
    assert found["x list"] == ["a; b", "c", "d", "e"]


@pytest.mark.parametrize("name", ["a, }b", "; a, b", "a,,", "{a, b", "a,\nb"])
def test_names_that_no_layout_can_carry_stay_one_for_each_band(tmp_path: Path, name: str) -> None:
    cube = Cube(np.zeros((3, 1, 2), np.uint8), header={"band names": [name, name, "c"], "later": "kept"})
    found = read_envi(write_envi(cube, tmp_path / "a.hdr")).header
    assert len(found["band names"]) == 3
    assert found["later"] == "kept"


def test_lines_that_are_no_field_are_written_again(tmp_path: Path) -> None:
    lines = [
        "; acquired on a cloudy day",
        "a line without an equals sign",
        "= nothing before it",
        "x = {1,",
        "; within",
        "2}",
    ]
    _, written, second = again(tmp_path, "\n".join(lines) + "\n")
    for line in lines[:3]:
        assert f"\n{line}\n" in written
    assert second.header["x"] == ["1", "2"]
    assert again(tmp_path, written.removeprefix(HEAD))[1] == written


def test_lines_of_another_format_cannot_become_fields(tmp_path: Path) -> None:
    cube = Cube(np.zeros((3, 1, 2), np.uint8), header={"": ["samples = 5", "", "fine\nbands = 9", "; ok = 3"]})
    found = read_envi(write_envi(cube, tmp_path / "a.hdr"))
    assert found.shape == (3, 1, 2)
    assert found.header[""] == ["; ok = 3"]


def test_lists_keep_their_layout_and_unknown_keys_their_values(tmp_path: Path) -> None:
    fields = "my key = {1 ,2,\n3,   4}\nother = {a = b, c}\nplain = x = y\n"
    _, written, second = again(tmp_path, fields)
    assert all(line in written.split("\n") for line in fields.strip().split("\n"))
    assert second.header["my key"] == ["1", "2", "3", "4"]


def test_one_value_for_each_band_goes_with_the_bands(tmp_path: Path) -> None:
    fields = "sensor gains = {1, 2, 3}\nband names = {a, b, c}\nmap info = {UTM, 1}\n"
    _, written, _ = again(tmp_path, fields, data=np.zeros((2, 1, 2), np.uint8))
    assert "sensor gains" not in written
    assert "band names" not in written
    assert "map info = {UTM, 1}" in written
