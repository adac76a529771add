"""Gains and offsets of ENVI headers: applied where values are looked at, undone where whole numbers are written."""

import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_decsc.cli import main
from napari_decsc.hsi.calibration import Calibration
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import open_cube, save_cube

#: 3 bands, 2 rows, 2 cols; -9999 was not measured.
RAW = np.array([[[0, 1], [2, -9999]], [[10, 20], [30, 40]], [[-5, 0], [5, 32767]]], np.int16)
GAINS, OFFSETS = (0.5, 2.0, 0.01), (10.0, -20.0, 0.0)
#: By hand: gain * number + offset.
EXPECTED = [[[10, 10.5], [11, np.nan]], [[0, 20], [40, 60]], [[-0.05, 0], [0.05, 327.67]]]
HEADER = """ENVI
samples = 2
lines = 2
bands = 3
data type = 2
interleave = {}
data ignore value = -9999
data gain values = {{0.50, 2.0, 1e-2}}
data offset values = {{10, -20, 0}}
data reflectance gain values = {{1, 2, 3}}
note = kept
"""
ORDERS = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}


def put(folder, raw=RAW, interleave="bsq", text=HEADER):
    (folder / "scene.hdr").write_text(text.format(interleave))
    (folder / "scene.img").write_bytes(raw.transpose(ORDERS[interleave]).tobytes())
    return folder / "scene.hdr"


@pytest.mark.parametrize("interleave", ORDERS)
def test_gains_and_offsets_are_applied(tmp_path, interleave):
    cube = read_envi(put(tmp_path, interleave=interleave))
    assert (cube.data.dtype, cube.scale, cube.no_data) == (np.float32, 1, -9999)
    np.testing.assert_array_equal(cube.physical(), np.float32(EXPECTED))
    assert np.asarray(cube.data[0, 1, 1]) == -9999  # a gap keeps its mark


KEYS = [1, (slice(None), 0, 1), (slice(1, 3), slice(0, 2), 1), (slice(None), slice(None, None, 2)), ([2, 0],), (..., 1)]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_any_part_has_its_own_gains(tmp_path, key):
    cube = read_envi(put(tmp_path))
    np.testing.assert_array_equal(np.asarray(cube.data[key]), np.nan_to_num(np.float32(EXPECTED), nan=-9999)[key])


def test_nothing_is_read_before_it_is_looked_at(tmp_path):
    header = put(tmp_path)
    size = 3 * 2_000_000 * 2
    text = HEADER.replace("samples = 2", "samples = 1000").replace("lines = 2", "lines = 2000")
    header.write_text(text.format("bsq"))
    os.truncate(tmp_path / "scene.img", size)  # a file full of holes
    cube = read_envi(header)
    with (tmp_path / "scene.img").open("r+b") as file:
        file.seek(2 * 1234)
        file.write(np.int16(7).tobytes())
    assert np.asarray(cube.data[0, 1, 234]) == 13.5


def test_whole_numbers_are_written_as_they_were(tmp_path):
    source = read_envi(put(tmp_path))
    out = save_cube(source, tmp_path / "out.hdr", dtype="source")
    assert (tmp_path / "out.img").read_bytes() == RAW.tobytes()
    again = read_envi(out)
    np.testing.assert_array_equal(again.physical(), source.physical())
    for line in HEADER.splitlines()[6:]:
        assert line.replace("{{", "{").replace("}}", "}") in out.read_text().splitlines()  # to the letter


@pytest.mark.parametrize("suffix", [".hdr", ".tif", ".npz"])
@pytest.mark.parametrize("dtype", ["source", "uint16", "int32", None, "float64"])
def test_no_format_and_no_type_applies_them_twice(tmp_path, suffix, dtype):
    source = read_envi(put(tmp_path, text=HEADER.replace("data ignore value = -9999\n", "")))
    stored = np.where(RAW < 0, 0, RAW) if dtype == "uint16" else RAW
    again = open_cube(save_cube(source, tmp_path / f"out{suffix}", dtype=dtype))
    expected = np.asarray(source.data) if dtype != "uint16" else np.asarray(source.calibration.values(stored, None))
    np.testing.assert_array_equal(np.asarray(again.data, np.float32), np.asarray(expected, np.float32))
    whole = dtype in ("source", "uint16", "int32")
    assert (again.calibration is not None) == whole
    if whole:
        np.testing.assert_array_equal(np.rint(again.as_stored().data), stored)
    assert again.header["note"] == "kept"


def test_a_changed_value_goes_back_through_its_own_gain(tmp_path):
    source = read_envi(put(tmp_path))
    data = np.asarray(source.data).copy()
    data[1, 0] = [1.4, -1e9]  # (1.4 + 20) / 2 = 10.7; far below the range
    data[0, 0, 0] = 10 + 0.5 * -9999  # stands for the no-data value, but is measured
    out = save_cube(source.replace(data=data), tmp_path / "out.hdr", dtype="source")
    raw = np.fromfile(tmp_path / "out.img", np.int16).reshape(3, 2, 2)
    assert raw[1, 0].tolist() == [11, -32768]
    assert raw[0, 0, 0] in (-9998, -10000)
    assert np.isfinite(read_envi(out).physical()).sum() == 11


def test_one_gain_for_all_is_a_scale_and_leaves_the_map_alone(tmp_path):
    text = HEADER.replace("{{0.50, 2.0, 1e-2}}", "{{0.0001, 1e-4, 0.00010}}").replace("{{10, -20, 0}}", "{{0, 0, 0}}")
    source = read_envi(put(tmp_path, text=text))
    assert isinstance(source.data, np.memmap)
    assert (source.data.dtype, source.scale, source.calibration) == (np.int16, 10000, None)
    header = write_envi(source, tmp_path / "out")
    # the gains say it: radiance must not be called reflectance
    assert "reflectance scale factor" not in header.read_text()
    again = read_envi(header)
    assert (again.scale, again.header["data gain values"]) == (10000, ["0.0001", "1e-4", "0.00010"])
    np.testing.assert_array_equal(again.data, RAW)
    changed = read_envi(write_envi(source.replace(scale=5), tmp_path / "changed"))
    assert changed.scale == 5


def test_reflectances_have_their_own_scale(tmp_path):
    """A reflectance scale factor refers to the stored numbers too: both together would calibrate twice."""
    source = read_envi(put(tmp_path, text=HEADER + "reflectance scale factor = 10000\n"))
    assert (source.scale, source.calibration) == (10000, None)
    np.testing.assert_array_equal(source.data, RAW)
    again = read_envi(write_envi(source, tmp_path / "out"))
    assert (again.scale, again.header["data gain values"]) == (10000, ["0.50", "2.0", "1e-2"])


@pytest.mark.parametrize(
    ("gains", "offsets", "calibrated"),
    [
        ("{{1, 1, 1}}", "{{0, 0, 0}}", False),
        ("{{1, 1.0, 1}}", "", False),
        ("", "{{0, 0, 5}}", True),
        ("{{3}}", "{{5}}", True),
        ("3", "5", True),
        ("{{-1 -1 -1}}", "", True),
    ],
)
def test_gains_and_offsets_may_be_missing_or_one_for_all(tmp_path, gains, offsets, calibrated):
    text = HEADER.replace("{{0.50, 2.0, 1e-2}}", gains).replace("{{10, -20, 0}}", offsets)
    source = read_envi(put(tmp_path, text=text))
    assert (source.calibration is not None) == calibrated
    again = read_envi(save_cube(source, tmp_path / "out.hdr", dtype="source"))
    np.testing.assert_array_equal(again.physical(), source.physical())
    assert (tmp_path / "out.img").read_bytes() == RAW.tobytes()


#: What stands in a header, and what is said of it.
UNUSABLE = {
    "gains = {{1, 0, 1}}": "data gain values is '1, 0, 1'; it must be numbers of usual size (to 1e+30, no gain of 0)",
    "gains = {{1, 2}}": "data gain values has 2 values for 3 bands",
    "gains = {{1, x, 2}}": "value 2 of data gain values is 'x'; it must be a number",
    "gains = {{1e-300}}": "data gain values is '1e-300'; it must be numbers of usual size",
    "gains = {{nan}}": "value 1 of data gain values is 'nan'; it must be a number",
    "offsets = {{1, 2}}": "data offset values has 2 values for 3 bands",
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_gains_that_cannot_be_used_are_left_out_with_their_offsets_and_said(tmp_path, case):
    key, _, value = case.partition(" = ")
    text = HEADER.replace("{{0.50, 2.0, 1e-2}}", value) if key == "gains" else _with_offsets(value)
    cube = read_envi(put(tmp_path, text=text))
    np.testing.assert_array_equal(cube.data, RAW)
    assert cube.calibration is None
    assert cube.scale == 1
    (note,) = cube.notes
    assert note.startswith(f"scene.hdr: {UNUSABLE[case].partition(';')[0]}")
    assert note.endswith("; gains and offsets are left out, the values are the stored numbers")
    again = read_envi(write_envi(cube, tmp_path / "again"))
    np.testing.assert_array_equal(again.data, RAW)  # the one field that was right is not applied alone
    assert again.notes == ()


def _with_offsets(value):
    return re.sub(r"data offset values = .*", lambda _: f"data offset values = {value}", HEADER)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4"])
@settings(max_examples=40, deadline=None)
@given(
    gain=st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6),
    offset=st.floats(-1e6, 1e6),
    no_data=st.none() | st.integers(0, 255).map(float),
    values=st.lists(st.integers(0, 255), min_size=4, max_size=4),
)
def test_every_stored_number_comes_back(dtype, gain, offset, no_data, values):
    limits = np.iinfo(dtype)
    stored = np.array([*values, limits.min, limits.max], dtype).reshape(1, 2, 3)
    calibration = Calibration(np.array([gain]), np.array([offset]))
    lazy = calibration.values(stored, no_data)
    cube = Cube(np.asarray(lazy), no_data=no_data, calibration=calibration)
    np.testing.assert_array_equal(np.rint(cube.as_stored().data), stored)
    gone = stored == no_data
    assert np.array_equal(np.isfinite(cube.physical()), ~gone)


def test_other_bands_have_no_calibration(tmp_path):
    cube = read_envi(put(tmp_path))
    assert cube.replace(data=cube.data[:2]).calibration is None
    assert cube.replace(data=cube.data[:, :1]).calibration is cube.calibration


def test_the_command_line_denoises_radiance_and_gives_the_stored_type_back(tmp_path, capsys):
    rng = np.random.default_rng(1)
    raw = rng.integers(100, 2000, (3, 16, 16)).astype(np.int16)
    raw[0, 0, 0] = -9999
    text = HEADER.replace("samples = 2", "samples = 16").replace("lines = 2", "lines = 16")
    put(tmp_path, raw, text=text)
    source, out = str(tmp_path / "scene.hdr"), tmp_path / "out.hdr"
    assert main(["info", source]) == 0
    assert "float32" in capsys.readouterr().out
    words = ["denoise", source, str(out), "--max-iterations", "1", "--device", "cpu", "--dtype", "source"]
    assert main(words) == 0
    done = read_envi(out)
    stored = np.asarray(done.as_stored().data)
    assert stored[0, 0, 0] == -9999
    assert (tmp_path / "out.img").stat().st_size == raw.nbytes
    # denoised in radiance, kept in stored numbers: within the range of the source
    assert 0 < stored.ravel()[1:].min() < stored.max() < 2500
    assert "data gain values = {0.50, 2.0, 1e-2}" in out.read_text()


@pytest.mark.parametrize("window", [np.s_[:, 2:4, 1:3], np.s_[1], np.s_[:, 1, 2], np.s_[2, 1, 1], np.s_[:, 5:5]])
def test_values_are_computed_in_pieces(tmp_path, monkeypatch, window):
    gains = np.linspace(0.5, 2, 4)
    stored = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    header = write_envi(Cube(stored), tmp_path / "x.hdr")
    mapped = open_cube(header).data
    monkeypatch.setattr("napari_decsc.hsi.calibration._AT_ONCE", 7)
    found = Calibration(gains, -gains).values(mapped, 3)[window]
    expected = np.where(stored == 3, 3, (stored - 1.0) * gains[:, None, None]).astype(np.float32)
    expected[(expected == 3) & (stored != 3)] = np.nextafter(np.float32(3), np.float32(9))
    np.testing.assert_array_equal(np.asarray(found), expected[window])
