"""From the text of a header and bytes by hand through a cube to new files: all that was said is said again."""

import os
import string
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spectral.io import envi

from napari_decsc.hsi.io.envi import is_envi, read_envi, write_envi
from napari_decsc.hsi.io.files import can_open, open_cube, save_cube

LETTERS = {1: "B", 2: "h", 3: "i", 4: "f", 5: "d", 12: "H", 13: "I", 14: "q", 15: "Q"}
NAMES = {1: "uint8", 2: "int16", 3: "int32", 4: "float32", 5: "float64", 12: "uint16", 13: "uint32", 14: "int64"}
NAMES[15] = "uint64"
BASE = {"samples": "2", "lines": "2", "bands": "3", "data type": "2", "interleave": "bsq", "byte order": "0"}
VALUES = struct.pack("<12h", *range(12))


def put(folder, fields, data=VALUES, end="\n", encoding="utf-8", header="x.hdr", image="x.img"):
    text = end.join(["ENVI", *(f"{key} = {value}" for key, value in fields.items()), ""])
    (folder / header).write_bytes(text.encode(encoding))
    (folder / image).write_bytes(data)
    return folder / header


#: A field as a producer writes it -> the lines of the header that is written from it, to the letter.
KEPT = {
    "map info": ("{UTM, 1.000, 1.000, 500000.0, 4200000.0, 3e1, 30, 11, North, WGS-84, units=Meters, rotation=29.5}",),
    "coordinate system string": ('{PROJCS["UTM, zone 11",GEOGCS["WGS 84",DATUM["D_WGS_1984"]]]}',),
    "band names": ("{Band 1 (blue), ß, 3}",),
    "default bands": ("{3, 2, 1}",),
    "default stretch": ("0.000000 1000.000000 linear",),
    "description": ("{two words = kept}",),
    "sensor type": ("Unknown",),
    "acquisition time": ("2013-06-12T18:02:00Z",),
    "z plot titles": ("{Wavelength (µm), Reflectance}",),
    "x-unknown.key": ("a = b; c {d}",),
    "data reflectance gain values": ("{1.0e-3, 2, 3}",),
    "bbl": ("{1, 0, 1}",),
    "fwhm": ("{10.5, 11.0, 9.25}",),
    "data ignore value": ("-9999",),
    "reflectance scale factor": ("10000",),
    "cloud cover": ("",),
}


@pytest.mark.parametrize("key", KEPT)
@pytest.mark.parametrize("suffix", [".hdr", ".tif", ".npz"])
def test_each_field_is_written_again_as_it_was(tmp_path, key, suffix):
    """For TIFF and .npz by way of a second ENVI file."""
    (value,) = KEPT[key]
    cube = open_cube(save_cube(read_envi(put(tmp_path, BASE | {key: value})), tmp_path / f"y{suffix}"))
    assert f"{key} = {value}".rstrip() in [
        line.rstrip() for line in write_envi(cube, tmp_path / "z").read_text().splitlines()
    ]
    np.testing.assert_array_equal(read_envi(tmp_path / "z.hdr").data.ravel(), range(12))


@pytest.mark.parametrize(
    ("spelled", "unit", "values"),
    [
        ("Nanometers", "nm", "{400.0, 500.5, 650.0}"),
        ("nm", "nm", "{400.0, 500.5, 650.0}"),
        ("Micrometers", "um", "{0.4, 0.5005, 2.5}"),
        ("um", "um", "{0.4, 0.5005, 2.5}"),
        ("µm", "um", "{0.4, 0.5005, 2.5}"),
        ("Index", "index", "{1.0, 2.0, 3.0}"),
        ("Wavenumber", "1/cm", "{1000.0, 2000.0, 3000.0}"),
        ("cm-1", "1/cm", "{1000.0, 2000.0, 3000.0}"),
        ("Millimeters", "mm", "{1.0, 2.0, 3.0}"),
    ],
)
@pytest.mark.parametrize("suffix", [".hdr", ".tif", ".npz"])
def test_units_of_wavelengths_are_written_as_the_producer_spelled_them(tmp_path, spelled, unit, values, suffix):
    source = read_envi(put(tmp_path, BASE | {"wavelength units": spelled, "wavelength": values, "fwhm": values}))
    cube = open_cube(save_cube(source, tmp_path / f"y{suffix}"))
    assert cube.wavelength_unit == source.wavelength_unit == unit
    np.testing.assert_array_equal(cube.fwhm, source.wavelengths)
    if suffix == ".hdr":
        assert {f"wavelength units = {spelled}", f"wavelength = {values}"} <= set(
            (tmp_path / "y.hdr").read_text().splitlines()
        )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1.#IND", np.nan),
        ("1.#QNAN00", np.nan),
        ("-1.#INF", -np.inf),
        ("-9.999D+003", -9999.0),
        ("1d2", 100.0),
        ("-nan", np.nan),
        ("{-9999, -9999, -9999}", -9999.0),
    ],
)
def test_numbers_as_other_programs_spell_them(tmp_path, text, value):
    np.testing.assert_equal(read_envi(put(tmp_path, BASE | {"data ignore value": text})).no_data, value)


@pytest.mark.parametrize("image", ["x.float", "x.refl3", "x.rad3", "x.bsq.bak"])
def test_an_unusual_extension_is_found_by_the_size(tmp_path, image):
    header = put(tmp_path, BASE, image=image)
    (tmp_path / "x.png").write_bytes(b"a picture")
    if image == "x.bsq.bak":  # its name without the extension is another
        header = header.rename(tmp_path / "x.bsq.hdr")
    np.testing.assert_array_equal(read_envi(header).data.ravel(), range(12))
    assert can_open(header)
    # a second file of that size: which one is meant?
    (tmp_path / f"{header.stem}.other").write_bytes(VALUES)
    with pytest.raises(Exception, match=r"no data file beside it.* a file of 24 bytes"):
        read_envi(header)


def test_a_data_file_of_unusual_name_leads_to_its_header(tmp_path):
    put(tmp_path, BASE, image="x.float")
    assert not is_envi(tmp_path / "x.float")
    with pytest.raises(Exception, match=r"x\.float: is of no known format; to open it as ENVI open its header x\.hdr"):
        open_cube(tmp_path / "x.float")


numbers = st.floats(2**-10, 2**13, width=32).map(lambda value: repr(float(value)))
free = st.text(string.ascii_letters + "äß0123456789 .:/()+-", min_size=1, max_size=12).map(str.strip).filter(bool)


@st.composite
def headers(draw):
    """Fields of a header, the values it describes (band, row, col), and how both are spelled."""
    bands, rows, cols = (draw(st.integers(1, 4)) for _ in range(3))
    code = draw(st.sampled_from(list(LETTERS)))
    element = st.floats(allow_nan=False, width=32) if code in (4, 5) else st.integers(0, 255)
    values = np.array(draw(st.lists(element, min_size=bands * rows * cols, max_size=bands * rows * cols)))
    values = values.reshape(bands, rows, cols)
    interleave, order = draw(st.sampled_from(["bsq", "bil", "bip"])), draw(st.sampled_from([0, 1]))
    offset = draw(st.sampled_from([0, 0, 3, 512]))
    fields = {
        "samples": cols,
        "lines": rows,
        "bands": bands,
        "data type": code,
        "interleave": draw(st.sampled_from([interleave, interleave.upper()])),
        "header offset": offset,
        "byte order": order,
    }
    if order == 0 and draw(st.booleans()):
        del fields["byte order"]
    if offset == 0 and draw(st.booleans()):
        del fields["header offset"]
    per_band = st.lists(numbers, min_size=bands, max_size=bands)
    more = {
        "wavelength": per_band,
        "fwhm": per_band,
        "bbl": st.lists(st.sampled_from("01"), min_size=bands, max_size=bands),
        "band names": st.lists(free.map("n {} x".format), min_size=bands, max_size=bands),
        "data ignore value": st.sampled_from(["0", "-9999", "255", "nan"]),
        "wavelength units": st.sampled_from(["Nanometers", "Micrometers", "Index", "Wavenumber", "Unknown"]),
        "map info": st.lists(free, min_size=1, max_size=8),
        "x unknown": free,
        "x list": st.lists(free, min_size=1, max_size=3),
        "description": free,
    }
    said = {key: draw(more[key]) for key in draw(st.lists(st.sampled_from(list(more)), unique=True))}
    axes = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave]
    data = struct.pack(f"{'<>'[order]}{values.size}{LETTERS[code]}", *values.transpose(axes).ravel().tolist())
    return fields, said, bytes(offset) + data, values.astype(NAMES[code])


def spelled(key, value, separator):
    if key == "description":
        return "{" + value + "}"
    return "{" + separator.join(value) + "}" if isinstance(value, list) else value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    made=headers(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
    case=st.sampled_from([str.lower, str.upper, str.title]),
    separator=st.sampled_from([", ", ",", " ,\n  ", ",\r\n"]),
    names=st.sampled_from([("x.hdr", "x.img"), ("x.img.hdr", "x.img"), ("x.hdr", "x"), ("X.HDR", "x.dat")]),
    byte_order=st.integers(0, 1),
    interleave=st.sampled_from(["bsq", "bil", "bip"]),
)
def test_every_generated_header_and_shape_goes_round(
    made, end, encoding, case, separator, names, byte_order, interleave
):
    fields, said, data, values = made
    lines = {case(key): spelled(key, value, separator) for key, value in {**fields, **said}.items()}
    with tempfile.TemporaryDirectory() as folder:
        source = read_envi(put(Path(folder), lines, data, end, encoding, *names))
        np.testing.assert_array_equal(source.data, values)
        header = write_envi(source, Path(folder) / "again", byte_order=byte_order, interleave=interleave)
        again = read_envi(header)
        np.testing.assert_array_equal(again.data, values)
        np.testing.assert_array_equal(envi.open(str(header)).open_memmap(interleave="bsq"), values)
        assert again.data.dtype.name == values.dtype.name
        for key, expected in (("wavelength", source.wavelengths), ("fwhm", source.fwhm), ("bbl", source.good_bands)):
            # widths and flags of 0 alone say nothing
            idle = key != "wavelength" and not any(float(value) for value in said.get(key, ()))
            assert (expected is None) == (idle or key not in said)
            if expected is not None:
                np.testing.assert_array_equal(expected, [float(value) for value in said[key]])
        for name in ("wavelengths", "fwhm", "good_bands", "no_data", "scale"):
            np.testing.assert_equal(getattr(again, name), getattr(source, name))
        assert again.wavelength_unit == source.wavelength_unit
        for key in ("band names", "map info", "x unknown", "x list", "description"):
            if key in said:
                texts = said[key] if isinstance(said[key], list) else [said[key]]
                found = again.header[key] if isinstance(again.header[key], list) else [again.header[key]]
                # only a description keeps its blanks as they are
                assert found == [text.strip() if key == "description" else " ".join(text.split()) for text in texts]
        assert sorted(os.listdir(folder)) == sorted([*names, "again.hdr", "again.img"])
