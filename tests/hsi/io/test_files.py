"""Opening files of any format."""

import subprocess
import sys

import numpy as np
import pytest

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import files
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.files import can_open, open_cube

DATA = np.arange(12, dtype=np.float32).reshape(2, 2, 3)


@pytest.mark.parametrize("name", ["scene.hdr", "scene.img"])
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_header_and_its_data_file_open(tmp_path, name, kind):
    write_envi(Cube(DATA), tmp_path / "scene")
    assert can_open(kind(tmp_path / name))
    np.testing.assert_array_equal(open_cube(kind(tmp_path / name)).data, DATA)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.hdr", None, "missing.hdr: does not exist; check the name"),
        ("esri.hdr", b"nrows 3", 'esri.hdr: is no ENVI header, whose first line is "ENVI"'),
        ("alone.img", b"1234", "alone.img: has no header beside it; tried alone.img.hdr, alone.hdr"),
        ("x" * 300 + ".hdr", None, ".hdr: does not exist; check the name"),
        ("text.txt", b"ENVI", "text.txt: is of no known format; open one of ENVI (.hdr)"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_a_cure(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert not can_open(tmp_path / name)
    with pytest.raises(FileFormatError) as refusal:
        open_cube(tmp_path / name)
    assert message in str(refusal.value)


@pytest.mark.parametrize("path", ["", "\0", "x" * 5000, None, ["a.hdr"], 3])
def test_can_open_never_raises(path):
    assert can_open(path) is False


def test_a_format_is_one_line_in_the_table(tmp_path, monkeypatch):
    other = files.Format(
        "other", (".oth",), lambda path: path.suffix == ".oth", lambda path: Cube(DATA, name=path.stem)
    )
    monkeypatch.setattr(files, "FORMATS", (*files.FORMATS, other))
    assert can_open("scene.oth")
    assert open_cube("scene.oth").name == "scene"


def test_importing_the_readers_is_cheap():
    heavy = "{'torch', 'napari', 'qtpy', 'spectral', 'scipy', 'skimage', 'matplotlib'}"
    code = f"import sys, napari_decsc.hsi.io.files; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
