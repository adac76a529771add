"""Saving cubes as TIFF and NumPy: what goes in comes out, complete or not at all."""

import errno
import json
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import atomic as replacing
from napari_decsc.hsi.io import conversion
from napari_decsc.hsi.io.envi import read_envi
from napari_decsc.hsi.io.files import can_open, files_of, open_cube, save_cube
from napari_decsc.hsi.io.formats import tiff_write

DATA = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)
FULL = Cube(
    DATA,
    name="leaf",
    wavelengths=np.array([0.45, 0.5, 0.55, 0.6, 0.65]),
    wavelength_unit="um",
    fwhm=np.full(5, 0.01),
    good_bands=np.array([True, True, False, True, True]),
    no_data=-9999.0,
    scale=10000.0,
    header={"sensor type": "Ünknown", "data type": "2", "interleave": "bil", "band names": list("abcde"), "bands": "5"},
)
DESCRIBED = [".tif", ".tiff", ".npz", ".hdr"]


@pytest.mark.parametrize("suffix", DESCRIBED)
def test_everything_known_of_a_cube_comes_back(tmp_path, suffix):
    path = save_cube(FULL, tmp_path / f"leaf{suffix}", extra={"napari-decsc": "made by hand"})
    cube = open_cube(path)
    assert can_open(path)
    np.testing.assert_array_equal(cube.data, DATA)
    assert cube.data.dtype == np.int16
    for field in ("wavelengths", "fwhm", "good_bands"):
        np.testing.assert_array_equal(getattr(cube, field), getattr(FULL, field))
    for field in ("name", "wavelength_unit", "no_data", "scale"):
        assert getattr(cube, field) == getattr(FULL, field)
    assert cube.header["sensor type"] == "Ünknown"
    assert cube.header["band names"] == list("abcde")
    assert cube.header["napari-decsc"] == "made by hand"
    assert cube.header.get("interleave") == ("bsq" if suffix == ".hdr" else None)


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".npz"])
@settings(max_examples=15, deadline=None)
@given(
    data=arrays.arrays(
        st.sampled_from(["<i2", ">u2", "<f4", ">f8", "u1", "<i8", "<f2", "i1"]), st.tuples(*[st.integers(1, 5)] * 3)
    ),
    no_data=st.sampled_from([None, 0.0, float("nan"), float("inf")]),
)
def test_any_values_and_shapes_come_back(suffix, data, no_data):
    with tempfile.TemporaryDirectory() as folder:
        if no_data is not None and np.isnan(no_data) and data.dtype.kind != "f":
            no_data = None
        path = save_cube(Cube(data, no_data=no_data), Path(folder) / f"x{suffix}")
        cube = open_cube(path, band_axis=0)
        np.testing.assert_array_equal(cube.data, data)
        assert cube.data.dtype.newbyteorder("=") == data.dtype.newbyteorder("=")
        if suffix != ".npy":
            assert cube.no_data == no_data or (np.isnan(no_data) and np.isnan(cube.no_data))
            assert open_cube(path).shape == data.shape


def test_other_programs_read_the_values(tmp_path):
    save_cube(FULL, tmp_path / "x.tif")
    save_cube(FULL, tmp_path / "x.npy")
    save_cube(FULL, tmp_path / "x.npz")
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert (len(file.pages), file.pages[0].samplesperpixel) == (1, 5)
        assert file.pages[0].tags[42113].value == "-9999"
        np.testing.assert_array_equal(file.asarray(), DATA)
        assert json.loads(file.pages[0].tags[65123].value)["wavelengths"] == FULL.wavelengths.tolist()
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy", allow_pickle=False), DATA)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["cube"], DATA)
        np.testing.assert_array_equal(file["wavelengths"], FULL.wavelengths)
        assert json.loads(str(file["metadata"]))["scale"] == 10000


@pytest.mark.parametrize("suffix", [*DESCRIBED, ".npy"])
def test_the_sources_type_and_scale_on_request(tmp_path, suffix):
    path = save_cube(FULL, tmp_path / "source.hdr")
    source = open_cube(path)
    values = np.array([[[1.4, 1.6, -9999]], [[40000, -40000, np.nan]]], np.float32)
    denoised = source.replace(data=values, wavelengths=None, fwhm=None, good_bands=None)
    cube = open_cube(save_cube(denoised, tmp_path / f"out{suffix}", dtype="source"), band_axis=0)
    assert cube.data.dtype == np.int16
    # rounded; cut to the range of int16; NaN is the no-data value
    np.testing.assert_array_equal(cube.data, [[[1, 2, -9999]], [[32767, -32768, -9999]]])
    if suffix != ".npy":
        assert (cube.scale, cube.no_data) == (10000, -9999)
    again = open_cube(save_cube(denoised, tmp_path / f"again{suffix}", dtype="float32"), band_axis=0)
    np.testing.assert_array_equal(again.data, values)


def test_the_source_may_be_of_any_format(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = DATA.astype(">u2")
    noisy = open_cube(tmp_path / "x.h5", band_axis=0)
    out = save_cube(noisy.replace(data=noisy.data + np.float32(0.3)), tmp_path / "out.hdr", dtype="source")
    assert read_envi(out).data.dtype == np.uint16
    np.testing.assert_array_equal(read_envi(out).data, DATA)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [("int", None), ("complex64", "data type is 'complex64'"), ("words", "data type is 'words'"), ("uint8", "no-data")],
)
@pytest.mark.parametrize("suffix", DESCRIBED)
def test_types_that_cannot_be_written_are_refused(tmp_path, dtype, message, suffix):
    if message is None:
        assert open_cube(save_cube(FULL, tmp_path / f"x{suffix}", dtype=dtype)).data.dtype == np.int64
        return
    with pytest.raises(FileFormatError, match=message):
        save_cube(FULL, tmp_path / f"x{suffix}", dtype=dtype)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.mat", "x.h5"])
def test_what_can_only_be_read_is_not_written(tmp_path, name):
    with pytest.raises(FileFormatError, match=r"files can only be read; choose \.hdr, \.tif, \.npy, \.npz"):
        save_cube(FULL, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".npz"])
def test_an_old_file_is_kept_unless_it_may_be_replaced(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"precious")
    with pytest.raises(FileFormatError, match="already exists"):
        save_cube(FULL, path)
    assert path.read_bytes() == b"precious"
    assert files_of(path) == (save_cube(FULL, path, overwrite=True),)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".npz"])
def test_a_cube_may_replace_the_file_it_is_mapped_from(tmp_path, suffix):
    path = save_cube(FULL, tmp_path / f"x{suffix}")
    cube = open_cube(path, band_axis=0)
    save_cube(cube.replace(data=cube.data), path, overwrite=True)
    np.testing.assert_array_equal(open_cube(path, band_axis=0).data, DATA)


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".npz"])
@pytest.mark.parametrize("fails", ["converted", "fsync"])
def test_nothing_is_left_when_the_disk_is_full(tmp_path, monkeypatch, suffix, fails):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"precious")
    if fails == "fsync":
        monkeypatch.setattr(replacing.os, "fsync", full)
    else:
        monkeypatch.setattr(conversion, "converted", full)
        monkeypatch.setattr("napari_decsc.hsi.io.formats.numpy_files.converted", full)
    with pytest.raises(FileFormatError, match="nothing was changed; free some space"):
        save_cube(FULL, path, overwrite=True)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [(path.name, b"precious")]


def test_large_files_are_bigtiff(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_write, "_BIG", DATA.nbytes - 1)
    path = save_cube(FULL, tmp_path / "x.tif")
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
    np.testing.assert_array_equal(open_cube(path).data, DATA)


def test_geotiff_tags_are_written_again(tmp_path):
    header = {"geotiff 33550": ["30.0", "30.0", "0.0"], "geotiff 34735": ["1", "1", "0", "0"], "geotiff 34737": "WGS|"}
    path = save_cube(FULL.replace(header=header), tmp_path / "x.tif")
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        assert [tags[code].value for code in (33550, 34735, 34737)] == [(30.0, 30.0, 0.0), (1, 1, 0, 0), "WGS|"]
    assert {key: value for key, value in open_cube(path).header.items() if key in header} == header


@pytest.mark.parametrize("value", [["words"], ["1e999x"], ["-1"], ["70000"]])
def test_geotiff_tags_that_are_no_numbers_are_left_out(tmp_path, value):
    save_cube(FULL.replace(header={"geotiff 34735": value}), tmp_path / "x.tif")
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert 34735 not in file.pages[0].tags
