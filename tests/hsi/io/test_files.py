"""Opening files of any format."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
import scipy.io

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import files, known_formats
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.files import can_open, open_cube, save_cube

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
        ("esri.hdr", b"nrows 3", "esri.hdr: is a header of Esri's (BIL, BIP, BSQ), which is not read"),
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
    monkeypatch.setattr(known_formats, "FORMATS", (*files.FORMATS, other))
    assert can_open("scene.oth")
    assert open_cube("scene.oth").name == "scene"


def test_importing_the_readers_is_cheap():
    heavy = "{'torch', 'napari', 'qtpy', 'spectral', 'scipy', 'skimage', 'matplotlib'}"
    code = f"import sys, napari_decsc.hsi.io.files; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.parametrize("name", ["x", "x.bak", "x.netcdf", "x.dat", "x.img", "x.tif", "x.nc", "x.npy"])
@pytest.mark.parametrize("kind", [".tif", ".nc", ".h5", ".mat", ".npy"])
def test_a_file_with_a_wrong_name_opens_by_its_content(tmp_path, kind, name):
    data = np.arange(5 * 12 * 17, dtype=np.float32).reshape(5, 12, 17)
    right = tmp_path / f"right{kind}"
    if kind == ".h5":
        with h5py.File(right, "w") as file:
            file["cube"] = data
    elif kind == ".mat":
        scipy.io.savemat(right, {"cube": data.transpose(1, 2, 0)})
    else:
        save_cube(Cube(data), right)
    right.rename(tmp_path / name)
    np.testing.assert_array_equal(open_cube(tmp_path / name, band_axis=None if kind == ".mat" else 0).data, data)


def test_a_classic_file_called_hdf5_and_hdf4_called_tiff(tmp_path):
    with scipy.io.netcdf_file(str(tmp_path / "x.h5"), "w", mmap=False) as file:
        for name, size in (("band", 5), ("y", 12), ("x", 17)):
            file.createDimension(name, size)
        file.createVariable("r", "f4", ("band", "y", "x"))[:] = 1
    assert open_cube(tmp_path / "x.h5").shape == (5, 12, 17)
    (tmp_path / "x.tif").write_bytes(b"\x0e\x03\x13\x01" + bytes(100))
    with pytest.raises(FileFormatError, match="is HDF4, which is not read"):
        open_cube(tmp_path / "x.tif")
