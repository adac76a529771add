"""Reading ENVI: bytes written by hand, and SPy as independent oracle."""

import contextlib
import os
import struct
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spectral.io import envi

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi import header as header_module
from napari_decsc.hsi.io.envi import is_envi, read_envi

BANDS, LINES, SAMPLES = 3, 2, 4
LETTERS = {1: "B", 2: "h", 3: "i", 4: "f", 5: "d", 12: "H", 13: "I", 14: "q", 15: "Q"}  # of struct
ORDERS = {
    "bsq": [(b, r, c) for b in range(BANDS) for r in range(LINES) for c in range(SAMPLES)],
    "bil": [(b, r, c) for r in range(LINES) for b in range(BANDS) for c in range(SAMPLES)],
    "bip": [(b, r, c) for r in range(LINES) for c in range(SAMPLES) for b in range(BANDS)],
}
EXPECTED = [[[100 * b + 10 * r + c for c in range(SAMPLES)] for r in range(LINES)] for b in range(BANDS)]
FIELDS = {
    "samples": "4",
    "lines": "2",
    "bands": "3",
    "header offset": "0",
    "file type": "ENVI Standard",
    "data type": "2",
    "interleave": "bsq",
    "byte order": "0",
}


def numbers(code=2, interleave="bsq", byte_order=0, offset=0):
    """A data file by hand: the value at (band, row, col) is 100 band + 10 row + col."""
    values = [100 * b + 10 * r + c for b, r, c in ORDERS[interleave]]
    return b"\xee" * offset + struct.pack(f"{'>' if byte_order else '<'}{len(values)}{LETTERS[code]}", *values)


def header_of(**changes):
    """Header text: FIELDS with changes, names with _ for blanks; None leaves a field out."""
    fields = FIELDS | {key.replace("_", " "): value for key, value in changes.items()}
    return "ENVI\n" + "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not None)


def put(folder, text=None, data=None, header="scene.hdr", image="scene.img", **changes):
    """A pair of files; returns the header's path."""
    text = header_of(**changes) if text is None else text
    (folder / header).write_bytes(text if isinstance(text, bytes) else text.encode())
    if image is not None:
        (folder / image).write_bytes(numbers() if data is None else data)
    return folder / header


@pytest.mark.parametrize("offset", [0, 7, 128])
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("code", LETTERS)
def test_every_type_order_and_offset_gives_the_values_written_and_those_of_spy(
    tmp_path, code, interleave, byte_order, offset
):
    # code 1 holds up to 255: 213 is the largest value here
    data = numbers(code, interleave, byte_order, offset)
    fields = {"data_type": code, "interleave": interleave, "byte_order": byte_order, "header_offset": offset}
    header = put(tmp_path, data=data, **fields)
    cube = read_envi(header)
    assert cube.data.dtype.itemsize == struct.calcsize(LETTERS[code])
    np.testing.assert_array_equal(cube.data, EXPECTED)
    np.testing.assert_array_equal(cube.data, envi.open(str(header)).open_memmap(interleave="bsq"))


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_the_data_are_a_read_only_view_of_the_file(tmp_path, interleave):
    cube = read_envi(put(tmp_path, data=numbers(interleave=interleave), interleave=interleave))
    assert isinstance(cube.data, np.memmap)
    assert not cube.data.flags.writeable
    with (tmp_path / "scene.img").open("r+b") as file:
        file.write(struct.pack("<h", 321))
    assert cube.data[0, 0, 0] == 321


@pytest.mark.parametrize(
    ("header", "image"),
    [
        *((("scene.hdr"), f"scene.{end}") for end in ("img", "raw", "dat", "bil", "bip", "bsq", "bin", "IMG", "Dat")),
        ("scene.hdr", "scene"),
        ("scene.img.hdr", "scene.img"),
        ("scene.IMG.HDR", "scene.IMG"),
        ("SCENE.HDR", "SCENE.IMG"),
        ("SCENE.HDR", "scene.img"),
        ("f97.a.rfl.hdr", "f97.a.rfl"),
        ("scene.v2.hdr", "scene.v2"),
        ("ÄÖ µ.hdr", "ÄÖ µ.raw"),
    ],
)
def test_a_cube_opens_by_its_header_and_by_its_data_file(tmp_path, header, image):
    put(tmp_path, header=header, image=image)
    for name in (header, image):
        cube = read_envi(str(tmp_path / name))
        assert is_envi(tmp_path / name)
        assert cube.source == tmp_path / header
        np.testing.assert_array_equal(cube.data, EXPECTED)


def test_of_several_data_files_the_one_of_the_right_size_is_taken(tmp_path):
    header = put(tmp_path, image="scene.raw")
    (tmp_path / "scene.img").write_bytes(b"another thing")
    (tmp_path / "scene").mkdir()
    np.testing.assert_array_equal(read_envi(header).data, EXPECTED)


def test_a_picture_beside_a_header_is_not_its_data(tmp_path):
    put(tmp_path)
    picture = tmp_path / "scene.png"
    picture.write_bytes(b"\x89PNG" + bytes(100))
    assert not is_envi(picture)
    with pytest.raises(FileFormatError, match=r"scene.png: has no header beside it; tried scene.png.hdr"):
        read_envi(picture)


ODD = """ENVI
; a comment = not a field
DESCRIPTION = {
  two lines,
  with {braces} }
Samples=4
LINES   =   2
bands = 3
data type = 2
Interleave = BSQ

a line that says nothing
sensor type =
Wavelength Units = Micrometers
wavelength = {
  0.4,
; a comment = {
  0.5 ,
  0.6,
} ; a comment behind
map info = {UTM, 1.000, 1.000, 500000, 4200000, 30, 30, 11, North, WGS-84}
unknown = a = b
"""
EXPECTED_FIELDS = {
    "description": "two lines,\nwith {braces}",
    "samples": "4",
    "sensor type": "",
    "map info": ["UTM", "1.000", "1.000", "500000", "4200000", "30", "30", "11", "North", "WGS-84"],
    "unknown": "a = b",
    "interleave": "BSQ",
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_odd_headers_mean_what_they_say(tmp_path, encoding, line_end):
    text = ODD.replace("Micrometers", "µm").replace("\n", line_end)
    cube = read_envi(put(tmp_path, text.encode(encoding)))
    assert is_envi(tmp_path / "scene.hdr")
    np.testing.assert_array_equal(cube.data, EXPECTED)  # without a byte order line: little-endian
    np.testing.assert_array_equal(cube.wavelengths, [0.4, 0.5, 0.6])
    assert cube.wavelength_unit == "um"
    assert {key: cube.header[key] for key in EXPECTED_FIELDS} == EXPECTED_FIELDS
    assert "a comment" not in cube.header


def test_a_byte_that_no_encoding_defines_does_not_hide_the_cube(tmp_path):
    assert read_envi(put(tmp_path, header_of(author="X").encode() + b"note = \x81\xff\n")).bands == 3


def test_the_spectral_fields_are_taken(tmp_path):
    cube = read_envi(
        put(
            tmp_path,
            wavelength_units="Nanometers",
            wavelength="{400, 500.5, 6e2}",
            fwhm="{10 11 12}",
            bbl="{1, 0, 1.0}",
            data_ignore_value="-9999.000000e+000",
            reflectance_scale_factor="10000.000000",
        )
    )
    np.testing.assert_array_equal(cube.wavelengths, [400, 500.5, 600])
    np.testing.assert_array_equal(cube.fwhm, [10, 11, 12])
    assert cube.good_bands.tolist() == [True, False, True]
    assert (cube.wavelength_unit, cube.no_data, cube.scale) == ("nm", -9999.0, 10000.0)


def test_without_them_nothing_is_made_up(tmp_path):
    cube = read_envi(put(tmp_path, wavelength="{}", fwhm="", data_ignore_value=""))
    assert (cube.wavelengths, cube.fwhm, cube.good_bands, cube.no_data) == (None, None, None, None)
    assert (cube.wavelength_unit, cube.scale, cube.name) == ("", 1.0, "scene")


@pytest.mark.parametrize(
    ("spelled", "unit", "first"),
    [
        *((unit, "nm", 5.0) for unit in ("nm", "NM", "Nanometers", "nanometer", "Nanometres", "Nanometers (nm)")),
        *((unit, "um", 5.0) for unit in ("um", "µm", "μm", "Micrometers", "micrometre", "Microns", "micron")),
        ("Millimeters", "mm", 5.0),
        ("mm", "mm", 5.0),
        ("m", "m", 5.0),
        ("Meters", "m", 5.0),
        ("Centimeters", "mm", 50.0),
        *((unit, "1/cm", 5.0) for unit in ("Wavenumber", "wavenumbers", "cm-1", "1/cm", "cm^-1", "cm⁻¹")),
        ("Index", "index", 5.0),
        ("GHz", "", 5.0),
        ("Unknown", "", 5.0),  # whole numbers are no micrometres
    ],
)
def test_units_in_their_many_spellings(tmp_path, spelled, unit, first):
    cube = read_envi(put(tmp_path, wavelength="{5, 10, 15}", fwhm="{5, 5, 5}", wavelength_units=spelled))
    assert cube.wavelength_unit == unit
    assert cube.wavelengths[0] == pytest.approx(first)
    assert cube.fwhm[0] == pytest.approx(first)


def test_angstroms_become_nanometres(tmp_path):
    cube = read_envi(put(tmp_path, wavelength="{4000, 5000, 6000}", fwhm="{50}", wavelength_units="Angstroms"))
    assert (cube.wavelength_unit, cube.wavelengths.tolist(), cube.notes) == ("nm", [400, 500, 600], ())
    np.testing.assert_allclose(cube.fwhm, 5)


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ("200, 900, 20000", "nm"),
        ("0.2, 2.5, 20", "um"),
        ("0.4, 1, 2", "um"),
        ("1, 2, 3", "index"),  # numbers of bands
        ("0, 1, 2", "index"),
        ("19, 20, 21", "index"),  # of some bands
        ("1, 3, 7", ""),
        ("8.3, 9.1, nan", "um"),
        ("nan, nan, 500", "nm"),
        ("199, 300, 400", ""),
        ("19000, 20000, 20001", ""),
    ],
)
def test_a_missing_unit_is_guessed_only_in_the_optical_range(tmp_path, values, unit):
    assert read_envi(put(tmp_path, wavelength=f"{{{values}}}")).wavelength_unit == unit


@pytest.mark.parametrize(
    ("names", "unit"),
    [
        ("Band 1 (426.8 Nanometers), Band 2 (500.0 Nanometers), Band 3 (600 Nanometers)", "nm"),
        ("Resize (Band 1:x) (426.820007), Resize (Band 2:x) (500.0), Resize (Band 3:x) (600.0)", "nm"),
        ("0.4268 um, 0.5 um, 0.6 um", "um"),
        ("426.8, 500.0, 600.0", "nm"),
        ("Band 1, Band 2, Band 3", None),
        ("channel_0, channel_1, channel_2", None),
        ("Band (1), Band (2), Band (3)", None),
        ("2001, 2002, 2003", None),  # years of a time series
        ("B8A, B9A, B10A", None),
        ("426.8 nm, 0.5 um, 600 nm", None),
        ("426.8 nm, 500.0 nm", None),
    ],
)
def test_wavelengths_inside_band_names(tmp_path, names, unit):
    cube = read_envi(put(tmp_path, band_names=f"{{{names}}}"))
    if unit is None:
        assert cube.wavelengths is None
        return
    assert cube.wavelength_unit == unit
    np.testing.assert_allclose(cube.wavelengths_nm, [cube.wavelengths_nm[0], 500, 600])
    assert cube.wavelengths_nm[0] == pytest.approx(426.8, abs=0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands": "abc"}, "scene.hdr: bands is 'abc'; it must be a whole number above 0"),
        ({"bands": "0"}, "scene.hdr: bands is '0'; it must be a whole number above 0"),
        ({"lines": "-2"}, "scene.hdr: lines is '-2'; it must be a whole number above 0"),
        ({"samples": "4.5"}, "scene.hdr: samples is '4.5'; it must be a whole number above 0"),
        ({"samples": "1_0"}, "scene.hdr: samples is '1_0'; it must be a whole number above 0"),
        ({"samples": "9" * 5000}, f"scene.hdr: samples is '{'9' * 37}...'; it must be a whole number above 0"),
        ({"lines": None}, "scene.hdr: lines is missing; add a line 'lines = ' with its number"),
        ({"header_offset": "x"}, "scene.hdr: header offset is 'x'; it must be a whole number of 0 or more"),
        ({"byte_order": "2"}, "scene.hdr: byte order is '2'; it must be 0 (little-endian) or 1 (big-endian)"),
        ({"interleave": "tiled"}, "scene.hdr: interleave is 'tiled'; it must be bsq, bil or bip"),
        (
            {"interleave": None},
            "scene.hdr: interleave is missing; add a line 'interleave = ' with bsq, bil or bip",
        ),
        ({"data_type": "7"}, "scene.hdr: data type is '7'; it must be one of 1, 2, 3, 4, 5, 12, 13, 14, 15"),
        ({"data_type": "6"}, "scene.hdr: data type is 6, complex numbers, which are not supported; save the magnitude"),
        ({"data_type": "9"}, "scene.hdr: data type is 9, complex numbers, which are not supported; save the magnitude"),
        (
            {"file_type": "ENVI Spectral Library"},
            "scene.hdr: file type is 'ENVI Spectral Library', which holds no cube",
        ),
        ({"file_compression": "1"}, "scene.hdr: file compression is on; save the file uncompressed"),
        ({"major_frame_offsets": "{0, 8}"}, "scene.hdr: major frame offsets are not supported"),
        (
            {"lines": "3"},
            "scene.img holds 48 bytes but scene.hdr describes 72 (3 bands x 3 lines x 4 samples x 2 bytes, header "
            "offset 0); the file is cut short or the header belongs to another file",
        ),
        ({"header_offset": "1"}, "scene.img holds 48 bytes but scene.hdr describes 49 "),
        ({"samples": "9" * 18, "lines": "9" * 18}, "scene.img holds 48 bytes but scene.hdr describes "),
    ],
)
def test_a_bad_header_is_refused_with_file_field_and_cure(tmp_path, changes, message):
    with pytest.raises(FileFormatError) as refusal:
        read_envi(put(tmp_path, **changes))
    assert str(refusal.value).startswith(message)


LENGTHS = "400, 450, 500"
#: Fields that producers write -> what becomes of them, and what is said.
ODD_FIELDS: dict[str, tuple[dict[str, str], dict[str, object], str]] = {
    "brackets": ({"wavelength": "[ 400. 450. 500. ]"}, {"wavelengths": [400, 450, 500]}, ""),
    "brackets on lines": ({"wavelength": "[400.\n 450.\n 500.]"}, {"wavelengths": [400, 450, 500]}, ""),
    "an array": ({"wavelength": "array([400., 450.,\n  500.])"}, {"wavelengths": [400, 450, 500]}, ""),
    "of numpy": ({"fwhm": "{np.float64(5.5), np.float32(6), 7}"}, {"fwhm": [5.5, 6, 7]}, ""),
    "quotes": ({"wavelength": "{'400', '450', '500'}"}, {"wavelengths": [400, 450, 500]}, ""),
    "an open bracket": ({"wavelength": "[400. 450."}, {"wavelengths": None}, "wavelength has 2 values for 3 bands"),
    "with units": ({"wavelength": "{400 nm, 450nm, 500 nm}"}, {"wavelengths": [400, 450, 500]}, ""),
    "None": ({"wavelength": "None"}, {"wavelengths": None}, "wavelength is 'None'"),
    "Unknown": ({"wavelength": "{Unknown}", "wavelength_units": "Unknown"}, {"wavelengths": None}, "is 'Unknown'"),
    "one short": ({"wavelength": "{400, 450}"}, {"wavelengths": None}, "wavelength has 2 values for 3 bands"),
    "no number": ({"wavelength": "{400, x, 500}"}, {"wavelengths": None}, "value 2 of wavelength is 'x'"),
    "a gap": ({"wavelength": "{400, nan, 500}"}, {"wavelengths": [400, np.nan, 500]}, ""),
    "one width": ({"fwhm": "{5.5}"}, {"fwhm": [5.5, 5.5, 5.5]}, ""),
    "bbl short": ({"bbl": "{1, 1}"}, {"good_bands": None}, "bbl has 2 values for 3 bands"),
    "bbl in words": ({"bbl": "{True, FALSE, yes}"}, {"good_bands": [True, False, True]}, ""),
    "bbl None": ({"bbl": "None"}, {"good_bands": None}, "bbl is 'None'"),
    "no-data None": ({"data_ignore_value": "None"}, {"no_data": None}, "data ignore value is 'None'"),
    "no-data of each band": ({"data_ignore_value": "{1, 2, 3}"}, {"no_data": None}, "data ignore value is '1, 2, 3'"),
    "scale 0": ({"reflectance_scale_factor": "0"}, {"scale": 1}, "reflectance scale factor is '0'"),
    "scale None": ({"reflectance_scale_factor": "none"}, {"scale": 1}, "reflectance scale factor is 'none'"),
    "gains 0": ({"data_gain_values": "{0, 0, 0}"}, {"calibration": None}, "data gain values is '0, 0, 0'"),
    "gains None": ({"data_gain_values": "None"}, {"calibration": None}, "data gain values is 'None'"),
    "other names": ({"wavelength": None, "band_centers": "{400, 450, 500}"}, {"wavelengths": [400, 450, 500]}, ""),
    "many": ({"wavelength": None, "wavelengths": "{.4, .45, .5}"}, {"wavelengths": [0.4, 0.45, 0.5]}, ""),
    "widths": ({"wavelength": "{400, 450, 500}", "bandwidths": "{5, 6, 7}"}, {"fwhm": [5, 6, 7]}, ""),
    "brace on the next line": ({"wavelength": "\n\n{400,\n450, 500}"}, {"wavelengths": [400, 450, 500]}, ""),
    "quoted unit": ({"wavelength": "{1, 2, 3}", "wavelength_units": '"nm"'}, {"wavelength_unit": "nm"}, ""),
    "unit in brackets": ({"wavelength": "{1, 2, 3}", "wavelength_units": "[um]"}, {"wavelength_unit": "um"}, ""),
    "quoted sizes": ({"samples": '"4"', "interleave": "'BSQ'"}, {"no_data": None}, ""),
    "type by name": ({"data_type": "int16"}, {"no_data": None}, ""),
    "byte order None": ({"byte_order": "None", "header_offset": "None"}, {"no_data": None}, ""),
}


@pytest.mark.parametrize("case", ODD_FIELDS)
def test_a_field_that_cannot_be_used_is_left_out_and_said(tmp_path, case):
    changes, facts, said = ODD_FIELDS[case]
    cube = read_envi(put(tmp_path, **changes))
    np.testing.assert_array_equal(cube.data, EXPECTED)
    for name, value in facts.items():
        found = getattr(cube, name)
        assert (found is None) == (value is None)
        if value is not None:
            np.testing.assert_array_equal(found, value)
    assert len(cube.notes) == (said != "")
    if said:
        assert cube.notes[0].startswith("scene.hdr: ")
        assert said in cube.notes[0]
        assert cube.notes[0].endswith("is left out")


@pytest.mark.parametrize("behind", ["", "fwhm = {5, 6, 7}\n"])
def test_an_open_brace_ends_before_the_next_field_and_is_said(tmp_path, behind):
    text = header_of(wavelength="{400,\n 450,\n 500") + behind
    cube = read_envi(put(tmp_path, text))
    np.testing.assert_array_equal(cube.data, EXPECTED)
    np.testing.assert_array_equal(cube.wavelengths, [400, 450, 500])
    assert (cube.fwhm is not None) == (behind != "")
    said = "the brace of wavelength is never closed; it is taken to end before the next field"
    assert cube.notes == (f"scene.hdr: {said}",)


def test_names_with_low_lines_are_names_of_envi(tmp_path):
    lines = [f"{key.replace(' ', '_')} = {value}" for key, value in FIELDS.items()]
    text = "\n".join(["ENVI", *lines, "data_ignore_value = 7", "my_own_field = 1"])
    cube = read_envi(put(tmp_path, text))
    np.testing.assert_array_equal(cube.data, EXPECTED)
    assert cube.no_data == 7
    assert cube.header["my_own_field"] == "1"


def test_missing_files_are_named(tmp_path):
    header = put(tmp_path, image=None)
    with pytest.raises(FileFormatError, match=r"no data file beside it; tried scene.img, scene, scene.dat, .*put it"):
        read_envi(header)
    with pytest.raises(FileFormatError, match=r"nothing.hdr: does not exist; give the name"):
        read_envi(tmp_path / "nothing.hdr")
    with pytest.raises(FileFormatError, match="is a folder; give the name"):
        read_envi(tmp_path)
    with pytest.raises(FileFormatError, match="does not exist"):
        read_envi("a\0b.hdr")


@pytest.mark.parametrize("content", [b"", b"nrows 100\nncols 200\n", bytes(range(256)), b"\xff\xfe", b"envi"])
def test_what_is_no_envi_header_is_refused(tmp_path, content):
    header = put(tmp_path, content)
    assert not is_envi(header)
    assert not is_envi(tmp_path / "scene.img")
    with pytest.raises(FileFormatError, match=r"scene.hdr: is no ENVI header, whose first line is \"ENVI\""):
        read_envi(header)


def test_a_header_of_absurd_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(header_module, "LARGEST_HEADER", 1000)
    with pytest.raises(FileFormatError, match="too large for a header"):
        read_envi(put(tmp_path, header_of(note="x" * 1000)))


def test_many_open_braces_take_no_long_time(tmp_path):
    # a parser that looked ahead from every brace to the end of the file would need many minutes
    began = time.process_time()
    for line in ("x = {{}\n", "x = {{1\n", "x = {{{\n}\n"):
        assert read_envi(put(tmp_path, header_of() + line * 50_000 + "} .")).bands == 3
    assert time.process_time() - began < 20


def test_a_header_names_no_file_of_its_own(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(1000))
    folder = tmp_path / "folder"
    folder.mkdir()
    text = header_of(data_file="../secret", image="{../secret}", file_name=str(secret))
    with pytest.raises(FileFormatError, match="no data file beside it"):
        read_envi(put(folder, text, image=None))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "scene.hdr")
    assert not is_envi(tmp_path / "scene.hdr")
    with pytest.raises(FileFormatError, match="does not exist"):
        read_envi(tmp_path / "scene.hdr")


def test_a_data_file_may_have_more_bytes_than_described(tmp_path):
    np.testing.assert_array_equal(read_envi(put(tmp_path, data=numbers() + b"trailer")).data, EXPECTED)


pieces = st.sampled_from(
    [
        "{",
        "}",
        "=",
        ",",
        ";",
        "\n",
        "\r\n",
        " ",
        "\0",
        "\ufeff",
        "ENVI",
        "µ",
        "nan",
        "inf",
        "-1",
        "1e999",
        "2",
        "٣",
        "9" * 30,
    ]
    + [f"\n{key} = " for key in FIELDS]
    + ["\nwavelength = {1, 2, 3}", "\nband names = {a (400.0), b", "\nbbl = ", "\nfwhm = ", "\ndata ignore value = "]
    + ["\nwavelength units = ", "\nreflectance scale factor = ", "\nfile compression = ", "\nmajor frame offsets = "]
)


@settings(max_examples=100, deadline=None)
@given(text=st.lists(pieces, max_size=12).map("".join), encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-be"]))
def test_whatever_a_header_says_it_is_read_or_refused(text, encoding):
    with tempfile.TemporaryDirectory() as folder:
        header = put(Path(folder), (header_of() + text).encode(encoding))
        with contextlib.suppress(FileFormatError):
            assert read_envi(header).data.nbytes <= 48


REAL = {
    "emit20250324t221005_jpl_unmix_ex": ("", (285, 10, 10), 381.0055927, True),
    "cubus_gamsberg_subset": ("", (189, 25, 10), 426.820007, True),
    "corn-kernel-hyperspectral": (".raw", (580, 31, 43), 366.551, False),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_give_what_spy_gives(real_data, name):
    end, shape, first, has_fwhm = REAL[name]
    folder: Path = real_data / "envi"
    cube = read_envi(folder / f"{name}.hdr")
    assert cube.name == name
    assert cube.shape == shape
    assert cube.wavelength_unit == "nm"
    assert cube.wavelengths[0] == first
    assert (cube.fwhm is not None) == has_fwhm
    fields = envi.read_envi_header(str(folder / f"{name}.hdr"))
    fields.setdefault("byte order", "0")  # SPy insists on it
    kind = {"bsq": envi.BsqFile, "bil": envi.BilFile}[fields["interleave"]]
    parameters = envi.gen_params(fields)
    parameters.filename = str(folder / f"{name}{end}")
    oracle = kind(parameters, fields).load(dtype=np.float64, scale=False)
    np.testing.assert_array_equal(cube.data, np.asarray(oracle).transpose(2, 0, 1))
    assert set(fields) - {"byte order"} <= set(cube.header)


def test_emit_keeps_its_bad_bands_and_no_data(real_data):
    cube = read_envi(real_data / "envi" / "emit20250324t221005_jpl_unmix_ex")
    assert cube.no_data == -9999
    assert int(cube.good_bands.sum()) == 244


def test_gamsberg_without_its_wavelength_field_finds_the_same_wavelengths_in_its_band_names(real_data, tmp_path):
    source = real_data / "envi" / "cubus_gamsberg_subset"
    whole = read_envi(source)
    text = source.with_suffix(".hdr").read_text()
    start = text.index("wavelength units")
    stripped = text[:start] + text[text.index("fwhm", start) :]
    assert "wavelength" not in stripped
    cube = read_envi(put(tmp_path, stripped, data=source.read_bytes()))
    np.testing.assert_allclose(cube.wavelengths, whole.wavelengths, atol=1e-3)
    assert cube.wavelength_unit == "nm"


@pytest.mark.parametrize(
    ("lengths", "spelled", "unit", "note"),
    [
        (
            "{0.4, 0.5, 0.6}",
            "Nanometers",
            "um",
            "wavelengths of 0.4 to 0.6 nm are no light; um is taken for their unit",
        ),
        ("{400, 500, 600}", "Micrometers", "nm", "wavelengths of 400 to 600 um are no light; nm is taken"),
        ("{2, 2.1, 2.5}", "Angstroms", "um", "wavelengths of 2 to 2.5 nm are no light; um is taken"),
        ("{8.1, 9, 12}", "Micrometers", "um", None),
        ("{1, 2, 3}", "Nanometers", "nm", None),
    ],
)
def test_a_unit_in_which_wavelengths_are_no_light_is_not_believed(tmp_path, lengths, spelled, unit, note):
    cube = read_envi(put(tmp_path, wavelength=lengths, wavelength_units=spelled, fwhm="{1, 1, 1}"))
    assert (cube.wavelength_unit, cube.fwhm.tolist()) == (unit, [1, 1, 1])
    assert (note is None and not cube.notes) or note in cube.notes[0]


@pytest.mark.parametrize(("key", "text"), [("fwhm", "{0, 0, 0}"), ("fwhm", "0"), ("bbl", "{0, 0, 0}")])
def test_widths_and_flags_of_0_alone_say_nothing(tmp_path, key, text):
    cube = read_envi(put(tmp_path, wavelength="{400, 500, 600}", **{key: text}))
    assert (cube.fwhm, cube.good_bands) == (None, None)
    assert cube.notes[0].endswith(f"; {key} is left out")


@pytest.mark.parametrize("text", ["4.0", "4 ; cols", " 4."])
def test_sizes_may_have_a_point_or_a_comment(tmp_path, text):
    assert read_envi(put(tmp_path)).shape == read_envi(put(tmp_path, samples=text)).shape


def test_a_data_file_that_goes_on_behind_the_cube_is_told(tmp_path):
    path = put(tmp_path)
    data = next(one for one in tmp_path.iterdir() if one.suffix != ".hdr")
    data.write_bytes(data.read_bytes() + bytes(3))
    assert read_envi(path).notes == ()
    data.write_bytes(data.read_bytes() + bytes(40))
    assert "bytes, 43 more than" in read_envi(path).notes[0]
