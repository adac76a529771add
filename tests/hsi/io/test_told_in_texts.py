"""Wavelengths and numbers that files tell in texts: names of bands, comments, JSON, letters of MATLAB."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi
from napari_decsc.hsi.io.envi.wavelengths import unit_of, wavelengths_in_names
from napari_decsc.hsi.io.files import open_cube, save_cube

CUBE = np.arange(5 * 9 * 11, dtype=np.int16).reshape(5, 9, 11)
LENGTHS = np.array([410.5, 450.25, 500.0, 550.5, 600.75])
HEAD = "ENVI\nsamples = 11\nlines = 9\nbands = 5\ndata type = 2\ninterleave = bsq\n"


@pytest.mark.parametrize(
    "name",
    [
        "X{0}",
        "X{0}.nm",
        "band.1..{0}.Nanometers.",
        "B1 wavelength={0} nm fwhm=5.5 nm",
        "B1 (fwhm 5.5 nm) at {0} nm",
        "{0} nm / 5.5 nm",
        "{0} nm +- 5.5 nm",
    ],
)
def test_of_a_wavelength_and_a_width_in_a_name_the_one_that_is_light_counts(name: str) -> None:
    values, unit = wavelengths_in_names([name.format(length) for length in LENGTHS], 5, "nm")
    np.testing.assert_array_equal(values, LENGTHS)
    assert unit_of(unit) == ("nm", 1.0)


@pytest.mark.parametrize("spelled", ["nm.", "Wavelength (nm)", "{Nanometers}", "Nanometers (nm)", "[nm]"])
def test_units_with_something_around_them(spelled: str) -> None:
    assert unit_of(spelled) == ("nm", 1.0)


def header(folder: Path, fields: str) -> Path:
    (folder / "x.img").write_bytes(CUBE.tobytes())
    (folder / "x.hdr").write_text(HEAD + fields)
    return folder / "x.hdr"


@pytest.mark.parametrize("between", ["; ", "\n", ", ", " ", ",\n "])
def test_decimal_commas_in_a_list(tmp_path: Path, between: str) -> None:
    listed = between.join(str(length).replace(".", ",") for length in LENGTHS)
    cube = read_envi(header(tmp_path, f"wavelength = {{{listed}}}\n"))
    np.testing.assert_array_equal(cube.wavelengths, LENGTHS)
    assert cube.notes == ()


def test_a_list_of_twice_as_many_whole_numbers_is_left_out_and_said(tmp_path: Path) -> None:
    cube = read_envi(header(tmp_path, "wavelength = {400,5,410,5,420,5,430,5,440,5}\n"))
    assert cube.wavelengths is None
    assert cube.notes == ("x.hdr: wavelength has 10 values for 5 bands; wavelength is left out",)


def test_comments_behind_numbers(tmp_path: Path) -> None:
    fields = "data ignore value = -9999 ; no data\nreflectance scale factor = 10000.0 ; reflectance x 10000\n"
    cube = read_envi(header(tmp_path, fields))
    assert (cube.no_data, cube.scale, cube.notes) == (-9999, 10000, ())


def test_a_unit_that_is_not_known_is_said(tmp_path: Path) -> None:
    cube = read_envi(header(tmp_path, "wavelength units = GHz\nwavelength = {100, 110, 120, 130, 140}\n"))
    assert cube.wavelength_unit == ""
    assert cube.notes == ("x.hdr: wavelength units is 'GHz', which is not known; the wavelengths have no unit",)


@pytest.mark.parametrize("where", ["file", "array"])
@pytest.mark.parametrize("inner", [False, True])
def test_json_in_an_attribute(tmp_path: Path, where: str, inner: bool) -> None:
    text = f'"wavelength": {LENGTHS.tolist()}, "fwhm": [5, 6, 7, 8, 9], "wavelength_units": "nm"'
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"] = CUBE
        (file if where == "file" else file["cube"]).attrs["metadata"] = (
            f'{{"sensor": {{{text}}}}}' if inner else f"{{{text}}}"
        )
    cube = open_cube(tmp_path / "x.h5")
    np.testing.assert_array_equal(cube.data, CUBE)
    assert cube.wavelengths is not None
    assert cube.fwhm is not None
    assert (cube.wavelengths.tolist(), cube.fwhm.tolist()) == (LENGTHS.tolist(), [5, 6, 7, 8, 9])


@pytest.mark.parametrize(
    ("spelled", "factor", "unit"),
    [("Å", 0.1, "nm"), ("cm**-1", 1, "1/cm"), ("1e-9 m", 1, "nm"), ("eV", 1, ""), ("THz", 1, "")],
)
def test_units_of_a_vector(tmp_path: Path, spelled: str, factor: float, unit: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"], file["wavelength"] = CUBE, LENGTHS
        file["wavelength"].attrs["units"] = spelled
    cube = open_cube(tmp_path / "x.h5")
    np.testing.assert_allclose(cube.wavelengths, LENGTHS * factor)
    assert cube.wavelength_unit == unit
    said = f"x.h5: wavelength is in {spelled}, which is not turned into wavelengths"
    assert cube.notes == (() if unit else (said,))


WEAK = ["wv", "nms", "lambda_c", "ch_wl", "spectral_grid"]


@pytest.mark.parametrize("name", ["wavelenghts", "w_length", "centre_wave", *WEAK])
def test_names_that_people_use(tmp_path: Path, name: str) -> None:
    scipy.io.savemat(tmp_path / "x.mat", {"cube": CUBE.transpose(1, 2, 0), name: LENGTHS})
    np.testing.assert_array_equal(open_cube(tmp_path / "x.mat").wavelengths, LENGTHS)


@pytest.mark.parametrize("name", WEAK)
def test_names_that_may_be_of_anything_count_for_wavelengths_alone(tmp_path: Path, name: str) -> None:
    scipy.io.savemat(tmp_path / "x.mat", {"cube": CUBE.transpose(1, 2, 0), name: np.arange(5.0)})
    assert open_cube(tmp_path / "x.mat").wavelengths is None


def test_objects_beside_a_cube_do_not_keep_it_shut(tmp_path: Path) -> None:
    meta = np.array({"sensor": "a"}, object)
    np.savez(tmp_path / "x.npz", cube=CUBE, wl=LENGTHS, meta=meta)
    cube = open_cube(tmp_path / "x.npz")
    np.testing.assert_array_equal(cube.data, CUBE)
    assert cube.wavelengths is not None
    np.savez(tmp_path / "y.npz", meta=meta, wl=LENGTHS)
    with pytest.raises(FileFormatError, match=r"y\.npz: holds Python objects, which could run code and are not read"):
        open_cube(tmp_path / "y.npz")


TEXTS: dict[str, Any] = {
    "cell": np.array([str(length) for length in LENGTHS], object),
    "cell with units": np.array([f"{length} nm" for length in LENGTHS], object),
    "rows": np.array([f"{length:9.2f}" for length in LENGTHS]),
    "one": " ".join(map(str, LENGTHS)),
    "structure": {"wavelength": np.array([f"{length} nm" for length in LENGTHS], object)},
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_letters_of_matlab(tmp_path: Path, name: str, packed: bool) -> None:
    held = {"cube": CUBE.transpose(1, 2, 0), "wavelength": TEXTS[name]}
    scipy.io.savemat(tmp_path / "x.mat", held, do_compression=packed)
    cube = open_cube(tmp_path / "x.mat")
    np.testing.assert_array_equal(cube.data, CUBE)
    np.testing.assert_array_equal(cube.wavelengths, LENGTHS)


@pytest.mark.parametrize("rows", [[" ".join(map(str, LENGTHS))], [f"{length:.2f} nm" for length in LENGTHS]])
def test_letters_of_matlab_in_hdf5_are_no_numbers(tmp_path: Path, rows: list[str]) -> None:
    with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        file["cube"] = CUBE.transpose(0, 2, 1)
        file["wavelength"] = np.array([[ord(letter) for letter in row] for row in rows], "u2").T
        file["cube"].attrs["MATLAB_class"] = np.bytes_("int16")
        file["wavelength"].attrs["MATLAB_class"] = np.bytes_("char")
        file["wl"] = np.array([[ord(letter)] for letter in "abcde"], "u2")
        file["wl"].attrs["MATLAB_class"] = np.bytes_("char")
    cube = open_cube(tmp_path / "x.mat", band_axis=2)
    np.testing.assert_array_equal(cube.data, CUBE)
    np.testing.assert_array_equal(cube.wavelengths, LENGTHS)


def header_with(tmp_path: Path, fields: str) -> Cube:
    """A pair of 6 bands whose header has these fields."""
    save_cube(Cube(np.ones((6, 3, 4), np.float32)), tmp_path / "x.hdr")
    with (tmp_path / "x.hdr").open("a") as file:
        file.write(f"{fields}\n")
    return open_cube(tmp_path / "x.hdr")


@pytest.mark.parametrize("unit", ["Micrometers", "nm"])
@pytest.mark.parametrize("first", [0, 1])
def test_numbers_of_layers_that_are_called_wavelengths(tmp_path: Path, unit: str, first: int) -> None:
    listed = ", ".join(str(float(first + number)) for number in range(6))
    cube = header_with(tmp_path, f"wavelength = {{{listed}}}\nwavelength units = {unit}")
    assert cube.wavelength_unit == "index"
    assert "are numbers of the bands" in " ".join(cube.notes)


def test_numbers_of_layers_that_are_called_wavelengths_in_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"], file["wavelength"] = np.ones((6, 3, 4)), np.arange(1.0, 7)
        file["wavelength"].attrs["units"] = "um"
    cube = open_cube(tmp_path / "x.h5")
    assert cube.wavelength_unit == "index"
    assert "are numbers of the bands" in " ".join(cube.notes)


def test_wavelengths_of_0_are_left_out_and_said(tmp_path: Path) -> None:
    cube = header_with(tmp_path, "wavelength = {0, 0, 0, 0, 0, 0}\nwavelength units = Nanometers")
    assert cube.wavelengths is None
    assert "wavelength is left out" in " ".join(cube.notes)


def test_widths_in_micrometres_beside_nanometres(tmp_path: Path) -> None:
    cube = header_with(tmp_path, "wavelength = {400, 410, 420, 430, 440, 450}\nfwhm = {0.005}\nwavelength units = nm")
    assert cube.fwhm is not None
    np.testing.assert_allclose(cube.fwhm, 5)
    assert "um is taken for its unit" in " ".join(cube.notes)


def test_a_comment_in_parentheses_behind_a_size(tmp_path: Path) -> None:
    header = save_cube(Cube(np.ones((6, 3, 4), np.float32)), tmp_path / "x.hdr")
    text = header.read_text().replace("data type = 4", "data type = 4 (float32)")
    header.write_text(text.replace("byte order = 0", "byte order = 0 (little)"))
    assert open_cube(header).data.dtype == np.float32
