"""Writing ENVI: what goes in comes out, and nothing is lost when writing fails."""

import errno
import os
import string
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from spectral.io import envi

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import atomic as replacing
from napari_decsc.hsi.io import conversion
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import save_cube

TYPES = ["uint8", "int16", "int32", "float32", "float64", "uint16", "uint32", "int64", "uint64"]
DATA = np.array([[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]], dtype=np.int16)  # 2 bands, 2 rows, 3 cols
BYTES = {"bsq": range(12), "bil": [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11], "bip": [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]}


def assert_same(cube, other):
    """All that a file keeps of a cube is the same."""
    assert cube.data.dtype.newbyteorder("=") == other.data.dtype.newbyteorder("=")
    np.testing.assert_array_equal(cube.data, other.data)
    for field in ("wavelengths", "fwhm", "good_bands"):
        a, b = getattr(cube, field), getattr(other, field)
        assert (a is None) == (b is None), field
        if a is not None:
            np.testing.assert_array_equal(a, b)
    assert (cube.wavelength_unit, cube.scale) == (other.wavelength_unit, other.scale)
    # what lies beyond float32 is infinite in it; its largest number is 2**128 - 2**104, half a step more is beyond
    beyond = cube.data.dtype.name == "float32" and cube.no_data is not None and abs(cube.no_data) >= 2**128 - 2**103
    np.testing.assert_equal(np.copysign(np.inf, cube.no_data) if beyond else cube.no_data, other.no_data)


@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("interleave", BYTES)
def test_the_bytes_are_those_of_the_format(tmp_path, interleave, byte_order):
    header = write_envi(Cube(DATA), tmp_path / "scene.hdr", interleave=interleave, byte_order=byte_order)
    order = "big" if byte_order else "little"
    expected = b"".join(value.to_bytes(2, order) for value in BYTES[interleave])
    assert (tmp_path / "scene.img").read_bytes() == expected
    assert header == tmp_path / "scene.hdr"
    assert header.read_text().startswith("ENVI\nsamples = 3\nlines = 2\nbands = 2\n")


@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("interleave", BYTES)
@pytest.mark.parametrize("dtype", TYPES)
def test_spy_reads_what_is_written(tmp_path, dtype, interleave, byte_order):
    header = write_envi(Cube(DATA), tmp_path / "s.hdr", dtype=dtype, interleave=interleave, byte_order=byte_order)
    oracle = envi.open(str(header))
    np.testing.assert_array_equal(oracle.open_memmap(interleave="bsq"), DATA)
    assert np.dtype(oracle.dtype).name == dtype


@pytest.mark.parametrize("interleave", BYTES)
def test_slabs_make_no_difference(tmp_path, monkeypatch, interleave):
    data = np.arange(3 * 7 * 5, dtype=np.float32).reshape(3, 7, 5)
    monkeypatch.setattr(conversion, "SLAB_BYTES", 3 * 5 * 8 * 2)  # two rows
    np.testing.assert_array_equal(read_envi(write_envi(Cube(data), tmp_path / "s", interleave=interleave)).data, data)


@pytest.mark.parametrize(
    ("path", "header", "data"),
    [
        ("scene", "scene.hdr", "scene.img"),
        ("scene.hdr", "scene.hdr", "scene.img"),
        ("scene.img", "scene.hdr", "scene.img"),
        ("scene.img.hdr", "scene.img.hdr", "scene.img"),
        ("scene.v2", "scene.v2.hdr", "scene.v2.img"),
        ("SCENE.HDR", "SCENE.HDR", "SCENE.img"),
    ],
)
def test_names_of_the_pair(tmp_path, path, header, data):
    assert write_envi(Cube(DATA), str(tmp_path / path)) == tmp_path / header
    assert sorted(os.listdir(tmp_path)) == sorted([header, data])
    assert_same(read_envi(tmp_path / data), Cube(DATA))


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12).map(
    lambda text: " ".join(text.split())
)
items = words.map(lambda text: text.replace(",", " ").strip()).filter(bool)
values = words.filter(lambda text: not text.startswith("{")) | st.lists(items, max_size=3)
unknown = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=3, max_size=8).map("x {}".format), values, max_size=3
)
positive = st.floats(1e-6, 1e6)


@st.composite
def cubes(draw):
    shape = draw(arrays.array_shapes(min_dims=3, max_dims=3, max_side=4))
    dtype = np.dtype(draw(st.sampled_from(TYPES))).newbyteorder(draw(st.sampled_from("<>")))
    per_band = st.lists(st.floats(21, 199), min_size=shape[0], max_size=shape[0])  # of no unit's range: never guessed
    wavelengths = draw(st.none() | per_band)
    return Cube(
        draw(arrays.arrays(dtype, shape)),
        wavelengths=wavelengths,
        wavelength_unit=""
        if wavelengths is None
        else draw(st.sampled_from(["nm", "um", "mm", "m", "1/cm", "index", ""])),
        fwhm=draw(st.none() | per_band),
        # flags that call every band bad are no flags
        good_bands=draw(st.none() | st.lists(st.booleans(), min_size=shape[0], max_size=shape[0]).filter(any)),
        no_data=draw(st.none() | st.floats()),
        scale=draw(st.just(1.0) | positive),
        header=draw(unknown | unknown.map(lambda fields: {"description": "two\nlines", **fields})),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cube=cubes(), interleave=st.sampled_from(["bsq", "bil", "bip"]), byte_order=st.integers(0, 1))
def test_every_cube_comes_back_as_it_was(cube, interleave, byte_order):
    with tempfile.TemporaryDirectory() as folder:
        again = read_envi(write_envi(cube, Path(folder) / "cube", interleave=interleave, byte_order=byte_order))
        assert_same(cube, again)
        assert {key: again.header[key] for key in cube.header} == dict(cube.header)
        twice = read_envi(write_envi(again, Path(folder) / "again", interleave=interleave, byte_order=byte_order))
        assert twice.header == again.header


@pytest.mark.parametrize(
    "name", ["emit20250324t221005_jpl_unmix_ex", "cubus_gamsberg_subset", "corn-kernel-hyperspectral"]
)
@pytest.mark.parametrize("interleave", BYTES)
def test_real_cubes_come_back_as_they_were(real_data, tmp_path, name, interleave):
    cube = read_envi(real_data / "envi" / f"{name}.hdr")
    again = read_envi(write_envi(cube, tmp_path / name, interleave=interleave))
    assert_same(cube, again)
    kept = set(cube.header) - {"interleave", "wavelength", "fwhm", "bbl", "wavelength units"}
    assert {key: again.header[key] for key in kept} == {key: cube.header[key] for key in kept}
    oracle = envi.open(str(tmp_path / f"{name}.hdr"))
    np.testing.assert_array_equal(oracle.open_memmap(interleave="bsq"), cube.data)
    assert oracle.bands.centers == cube.wavelengths.tolist()


def test_fields_of_the_header(tmp_path):
    header = {
        "description": "a scene",
        "map info": ["UTM", "1.0"],
        "band names": ["one", "two"],
        "default bands": ["2", "1"],
        "data gain values": ["1", "2"],
        "header offset": "99",
        "file compression": "0",
        "wavelength units": "nm",
    }
    cube = Cube(DATA, wavelengths=[400, 500.5], wavelength_unit="nm", no_data=-9999, scale=10000, header=header)
    text = write_envi(cube, tmp_path / "scene", extra={"Made  by": "line\nbreak", "bands": "9"}).read_text()
    assert text == (
        "ENVI\ndescription = {a scene}\nsamples = 3\nlines = 2\nbands = 2\nheader offset = 0\n"
        "file type = ENVI Standard\ndata type = 2\ninterleave = bsq\nbyte order = 0\n"
        "map info = {UTM, 1.0}\nband names = {one, two}\ndefault bands = {2, 1}\ndata gain values = {1, 2}\n"
        "wavelength units = nm\nwavelength = {400.0, 500.5}\ndata ignore value = -9999\n"
        "reflectance scale factor = 10000\nmade by = line break\n"
    )


def test_fields_that_have_become_wrong_are_left_out(tmp_path):
    header = {
        "band names": ["a", "b", "c"],
        "default bands": ["3", "2", "1"],
        "wavelength": ["1", "2", "3"],
        "bbl": "1",
    }
    again = read_envi(write_envi(Cube(DATA, header=header), tmp_path / "scene"))
    assert not {"band names", "default bands", "wavelength", "bbl"} & set(again.header)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([-0.6, 0.5, 1.5, 2.4, 300.0, 1e30], "uint8", [0, 0, 2, 2, 255, 255]),  # rounded half to even, cut
        ([-4e4, 4e4, -1e30, -0.5, 0.51, 7], "int16", [-32768, 32767, -32768, 0, 1, 7]),
        ([3e9, -3e9, 1, 2, 3, 4], "int32", [2147483647, -2147483648, 1, 2, 3, 4]),
        ([-1, 5, 1e30, 0, 0, 0], "uint64", [0, 5, 18446744073709549568, 0, 0, 0]),  # the last float below 2**64
    ],
)
@pytest.mark.parametrize("source", ["float32", "float64"])
def test_whole_number_types_round_and_cut(tmp_path, values, dtype, expected, source):
    cube = Cube(np.array(values, dtype=source).reshape(1, 2, 3))
    again = read_envi(write_envi(cube, tmp_path / "scene", dtype=dtype))
    assert again.data.ravel().tolist() == expected


def test_narrower_whole_numbers_are_cut(tmp_path):
    cube = Cube(np.array([-5, 300, 7], dtype=np.int64).reshape(1, 1, 3))
    assert read_envi(write_envi(cube, tmp_path / "s", dtype="uint8")).data.ravel().tolist() == [0, 255, 7]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_becomes_the_no_data_value_or_is_refused(tmp_path, odd):
    cube = Cube(np.array([odd, 1, 2], dtype=np.float32).reshape(1, 1, 3), name="scene")
    again = read_envi(write_envi(cube.replace(no_data=-9999), tmp_path / "s", dtype="int16"))
    assert again.data.ravel().tolist() == [-9999, 1, 2]
    with pytest.raises(FileFormatError, match="scene: holds NaN or an infinity, which int16 cannot express; set a"):
        write_envi(cube, tmp_path / "other", dtype="int16")
    with pytest.raises(FileFormatError, match="scene: the no-data value -9999 does not fit into uint16; choose a"):
        write_envi(cube.replace(no_data=-9999), tmp_path / "other", dtype="uint16")
    assert sorted(os.listdir(tmp_path)) == ["s.hdr", "s.img"]


@pytest.mark.parametrize(
    ("source", "dtype", "no_data", "values", "expected"),
    [
        # rounding: the no-data value and its neighbours on both sides
        ("float32", "int16", 0, [0, 0.3, -0.3, 0.5, 1, -1], [0, 1, -1, 1, 1, -1]),
        # cutting: at the ends of the range there is one side only
        (
            "float32",
            "int16",
            -32768,
            [-32768, -40000, -32767.6, 5, np.nan, np.inf],
            [-32768, -32767, -32767, 5] + [-32768] * 2,
        ),
        ("float64", "uint8", 255, [255, 300, 254.7, 1e30, -1, 7], [255, 254, 254, 254, 0, 7]),
        ("int32", "uint8", 0, [0, -5, 300, 1, 2, 3], [0, 1, 255, 1, 2, 3]),
        # float64 has numbers that float32 takes for 0
        ("float64", "float32", 0, [0, 1e-60, -1e-60, 1, 2, 3], [0, 1e-45, -1e-45, 1, 2, 3]),
        ("float64", "float32", -9999, [-9999, -9999.0000000001, 1, 2, 3, 4], [-9999, -9999.001, 1, 2, 3, 4]),
    ],
)
def test_what_was_measured_never_becomes_no_data(tmp_path, source, dtype, no_data, values, expected):
    cube = Cube(np.array(values, source).reshape(1, 2, 3), no_data=float(no_data))
    again = read_envi(write_envi(cube, tmp_path / "s", dtype=dtype))
    np.testing.assert_array_equal(again.data.ravel(), np.array(expected, dtype))
    finite = np.isfinite(values) & (np.array(values) != no_data)
    assert np.array_equal(np.isfinite(again.physical()).ravel(), finite)


@pytest.mark.parametrize(("no_data", "written"), [(1e300, "inf"), (-1.7976931348623157e308, "-inf")])
def test_a_no_data_value_beyond_float32_is_infinite_there(tmp_path, no_data, written):
    cube = Cube(np.array([no_data, 1, 2]).reshape(1, 1, 3), no_data=no_data)
    header = write_envi(cube, tmp_path / "s", dtype="float32")
    assert f"data ignore value = {written}\n" in header.read_text()
    again = read_envi(header)
    assert again.data.ravel().tolist() == [float(written), 1, 2]
    assert np.isfinite(again.physical()).ravel().tolist() == [False, True, True]
    np.testing.assert_array_equal(read_envi(write_envi(cube, tmp_path / "same")).data, cube.data)
    # a result in float32 of such a cube
    single = cube.replace(data=again.data)
    assert np.isfinite(single.physical()).ravel().tolist() == [False, True, True]
    with pytest.raises(FileFormatError, match=r"the no-data value -?1\S+ does not fit into int16; choose a data type"):
        write_envi(cube, tmp_path / "whole", dtype="int16")


@pytest.mark.parametrize(("source", "wider"), [("int8", "int16"), ("float16", "float32")])
def test_types_that_envi_lacks_are_widened(tmp_path, source, wider):
    cube = Cube(DATA.astype(source))
    assert read_envi(write_envi(cube, tmp_path / "s")).data.dtype == wider
    # also where that type is asked for by its name, as "source" does
    again = read_envi(save_cube(cube.replace(header={"data type": source}), tmp_path / "t.hdr", dtype="source"))
    assert again.data.dtype == wider
    assert np.array_equal(again.data, cube.data)


def test_braces_within_a_text_of_several_lines_stay_where_they_can(tmp_path):
    def back(text):
        return read_envi(write_envi(Cube(DATA, header={"description": text}), tmp_path / "s", overwrite=True)).header

    assert back("a {scene},\nof {two} lines")["description"] == "a {scene},\nof {two} lines"
    # a line that ends with a brace would end the text
    assert back("a {scene}\nof two lines")["description"] == "a (scene)\nof two lines"
    assert back("left { open\nhere")["description"] == "left { open\nhere"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interleave": "tiled"}, "interleave is 'tiled'; choose bsq, bil or bip"),
        ({"byte_order": 2}, "byte order is 2; choose 0"),
        ({"dtype": "complex64"}, "ENVI has no data type complex64; choose one of uint8, int16"),
        ({"dtype": "nonsense"}, "ENVI has no data type nonsense; choose one of"),
        ({"path": "none/scene.hdr"}, "none does not exist; create it or choose another"),
        ({"path": ""}, "is no file name; give one such as scene.hdr"),
        ({"path": "a\0b"}, "is no file name; give one such as scene.hdr"),
        ({"path": "x" * 300}, "nothing was changed; choose a shorter name"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFormatError, match=message):
        write_envi(Cube(DATA), **{"path": "scene", **options})
    assert os.listdir(tmp_path) == []


# what is there is safe


def contents(folder):
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


@pytest.mark.parametrize("present", ["scene.hdr", "scene.img"])
def test_an_existing_file_is_replaced_only_with_consent(tmp_path, present):
    (tmp_path / present).write_bytes(b"precious")
    with pytest.raises(FileFormatError, match=f"{present} already exists; choose another name or allow overwriting"):
        write_envi(Cube(DATA), tmp_path / "scene")
    assert contents(tmp_path) == {present: b"precious"}
    write_envi(Cube(DATA), tmp_path / "scene", overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["scene.hdr", "scene.img"]
    assert_same(read_envi(tmp_path / "scene.hdr"), Cube(DATA))


def test_a_folder_of_that_name_is_never_replaced(tmp_path):
    (tmp_path / "scene.img").mkdir()
    with pytest.raises(FileFormatError, match="is a folder; choose another name"):
        write_envi(Cube(DATA), tmp_path / "scene", overwrite=True)
    assert os.listdir(tmp_path) == ["scene.img"]


@pytest.mark.parametrize("image", ["scene.img", "scene.raw", "scene"])
@pytest.mark.parametrize("interleave", BYTES)
def test_a_cube_can_be_written_onto_its_own_source(tmp_path, monkeypatch, interleave, image):
    monkeypatch.setattr(conversion, "SLAB_BYTES", 1)  # one row at a time: the source is read while the new file grows
    write_envi(Cube(DATA), tmp_path / "scene")
    (tmp_path / "scene.img").rename(tmp_path / image)
    cube = read_envi(tmp_path / "scene.hdr")
    assert isinstance(cube.data, np.memmap)
    write_envi(cube, tmp_path / "scene.hdr", overwrite=True, interleave=interleave, dtype="float32")
    assert sorted(os.listdir(tmp_path)) == sorted(["scene.hdr", image])  # no orphaned data file beside a new header
    for name in ("scene.hdr", image):
        np.testing.assert_array_equal(read_envi(tmp_path / name).data, DATA)
    np.testing.assert_array_equal(cube.data, DATA)


class Disk:
    """Lets the first ``good`` system calls of a kind pass, then fails as a full disk does."""

    def __init__(self, call, good, error):
        self.call, self.good, self.error = call, good, error

    def __call__(self, *args, **options):
        self.good -= 1
        if self.good < 0 and self.good >= -1:
            raise self.error
        return self.call(*args, **options)


FULL = OSError(errno.ENOSPC, "No space left on device")
DENIED = PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("other_layout", [False, True])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("call", "good", "error"),
    [
        *(("fsync", good, FULL) for good in range(2)),  # of the data, of the header
        *(("replace", good, DENIED) for good in range(2)),
        ("replace", 0, KeyboardInterrupt()),
        ("replace", 1, KeyboardInterrupt()),
    ],
)
def test_a_failure_at_any_step_leaves_the_old_pair_and_nothing_else(
    tmp_path, monkeypatch, call, good, error, overwrite, other_layout
):
    if overwrite:
        write_envi(Cube(DATA), tmp_path / "scene")
    before = contents(tmp_path)
    monkeypatch.setattr(replacing.os, call, Disk(getattr(os, call), good, error))
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else FileFormatError
    with pytest.raises(expected) as refusal:
        write_envi(Cube(DATA + 100), tmp_path / "scene", overwrite=overwrite, dtype="float32" if other_layout else None)
    assert contents(tmp_path) == before
    if expected is FileFormatError:
        cure = "free some space" if error is FULL else "choose a folder you may write to"
        assert f"{tmp_path / 'scene.hdr'}: cannot be written ({error.strerror}), nothing was changed; {cure}" in str(
            refusal.value
        )


@pytest.mark.parametrize("links", [True, False])
def test_a_failing_write_in_the_middle_leaves_the_old_pair(tmp_path, monkeypatch, links):
    write_envi(Cube(DATA), tmp_path / "scene")
    before = contents(tmp_path)
    monkeypatch.setattr(conversion, "SLAB_BYTES", 1)
    monkeypatch.setattr(conversion, "converted", Disk(conversion.converted, 1, FULL))  # after the first row
    if not links:  # as on a memory card
        monkeypatch.setattr(replacing.os, "link", Disk(os.link, 0, OSError(errno.EPERM, "Operation not permitted")))
    with pytest.raises(FileFormatError, match="No space left on device"):
        write_envi(Cube(DATA + 100), tmp_path / "scene", overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("interleave", BYTES)
def test_at_no_moment_is_there_a_wrong_cube_under_the_name(tmp_path, monkeypatch, interleave, links):
    """Whoever looks, or kills the writer, between two system calls finds the old cube, the new one, or no header."""
    old, new = Cube(DATA), Cube(DATA + 100)
    write_envi(old, tmp_path / "scene")
    seen = []

    def looked_at(call):
        def then(*args):
            result = call(*args)
            try:
                data = read_envi(tmp_path / "scene.hdr").data
                seen.append("old" if np.array_equal(data, old.data) else "new")
                assert np.array_equal(data, old.data if seen[-1] == "old" else new.data)
            except FileFormatError:
                seen.append("none")
            return result

        return then

    def no_link(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(replacing.os, "link", looked_at(os.link) if links else no_link)
    monkeypatch.setattr(replacing.os, "replace", looked_at(os.replace))
    write_envi(new, tmp_path / "scene", overwrite=True, interleave=interleave)
    assert seen[-1] == "new"
    if interleave == "bsq" and links:
        assert "none" not in seen  # same layout: the pair is whole at every moment
    assert sorted(os.listdir(tmp_path)) == ["scene.hdr", "scene.img"]


def test_new_files_have_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    header = write_envi(Cube(DATA), tmp_path / "scene")
    plain = (tmp_path / "plain").stat().st_mode
    assert header.stat().st_mode == (tmp_path / "scene.img").stat().st_mode == plain
