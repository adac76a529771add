"""What stands beside an array and tells of it: letters, tables, groups of axes, CF's attributes; and Octave's text."""

import json
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import h5py
import netCDF4
import numpy as np
import pytest
import tifffile
import zarr

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube

BANDS, ROWS, COLS = 9, 6, 7
WAVES = np.linspace(400, 800, BANDS)
VALUES = np.arange(BANDS * ROWS * COLS, dtype=np.float32).reshape(BANDS, ROWS, COLS)


def netcdf(path: Path, kind: str = "NETCDF4", *, letters: int = 12, bands: str = "band") -> netCDF4.Dataset:
    file = netCDF4.Dataset(path, "w", format=kind)
    for name, size in ((bands, BANDS), ("y", ROWS), ("x", COLS), ("letter", letters)):
        file.createDimension(name, size)
    file.createVariable("rho", "f4", (bands, "y", "x"))[:] = VALUES
    return file


def lengths(cube: Cube) -> list[float]:
    assert cube.wavelengths is not None
    return [pytest.approx(value, rel=1e-5) for value in cube.wavelengths.tolist()]


@pytest.mark.parametrize("kind", ["NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_DATA"])
@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("wavelength", "{:.1f}"),
        ("band_wavelength", "{:.1f} nm"),
        ("band_name", "Rrs_{:.1f}nm"),
        ("band_name", "{:.1f}"),
    ],
)
def test_a_row_of_letters_for_each_band(tmp_path: Path, kind: str, name: str, spelled: str) -> None:
    with netcdf(tmp_path / "x.nc", kind) as file:
        texts = np.array([spelled.format(wave) for wave in WAVES], "S12")
        file.createVariable(name, "S1", ("band", "letter"))[:] = netCDF4.stringtochar(texts)
    cube = open_cube(tmp_path / "x.nc")
    assert lengths(cube) == WAVES.tolist()
    assert cube.wavelength_unit == "nm"
    assert name != "band_name" or cube.header["band names"][1] == spelled.format(450)


@pytest.mark.parametrize("kind", ["NETCDF4", "NETCDF3_CLASSIC"])
def test_letters_that_are_one_text(tmp_path: Path, kind: str) -> None:
    text = ", ".join(f"{wave:.1f}" for wave in WAVES).encode()
    with netcdf(tmp_path / "x.nc", kind, letters=len(text)) as file:
        file.createVariable("wavelength", "S1", ("letter",))[:] = np.frombuffer(text, "S1")
    assert lengths(open_cube(tmp_path / "x.nc")) == WAVES.tolist()


@pytest.mark.parametrize("spelled", ["{:.1f} nm", "{:.1f}"])
def test_each_band_tells_its_wavelength_in_a_text(tmp_path: Path, spelled: str) -> None:
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for name, size in (("y", ROWS), ("x", COLS)):
            file.createDimension(name, size)
        for number, wave in enumerate(WAVES):
            band = file.createVariable(f"radiance_{number + 1}", "f4", ("y", "x"))
            band[:], band.wavelength = VALUES[number], spelled.format(wave)
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, VALUES)
    assert lengths(cube) == WAVES.tolist()
    assert cube.wavelength_unit == "nm"


@pytest.mark.parametrize("spelled", ["m", "meters"])
def test_metres_are_told_in_nanometres(tmp_path: Path, spelled: str) -> None:
    with netcdf(tmp_path / "x.nc", bands="wavelength") as file:
        vector = file.createVariable("wavelength", "f8", ("wavelength",))
        vector[:], vector.units = WAVES * 1e-9, spelled
        widths = file.createVariable("fwhm", "f8", ("wavelength",))
        widths[:], widths.units = 5e-9, spelled
    cube = open_cube(tmp_path / "x.nc")
    assert lengths(cube) == WAVES.tolist()
    assert cube.wavelength_unit == "nm"
    assert cube.fwhm is not None
    np.testing.assert_allclose(cube.fwhm, 5)


def test_the_vector_that_is_called_as_the_axis_counts(tmp_path: Path) -> None:
    """The layout of PACE OCI L2, whose bands of multispectral products stand beside those of the cube."""
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for name, size in (("number_of_lines", ROWS), ("pixels_per_line", COLS), ("wavelength_3d", BANDS)):
            file.createDimension(name, size)
        values = file.createVariable("data/Rrs", "f4", ("number_of_lines", "pixels_per_line", "wavelength_3d"))
        values[:] = VALUES.transpose(1, 2, 0)
        file.createVariable("parameters/wavelength", "f8", ("wavelength_3d",))[:] = WAVES + 1
        file.createVariable("parameters/wavelength_3d", "f8", ("wavelength_3d",))[:] = WAVES
    assert lengths(open_cube(tmp_path / "x.nc")) == WAVES.tolist()


def test_a_vector_of_widths_that_only_its_description_tells(tmp_path: Path) -> None:
    with netcdf(tmp_path / "x.nc") as file:
        centre = file.createVariable("c", "f8", ("band",))
        centre[:], centre.units, centre.standard_name = WAVES, "nm", "sensor_band_central_radiation_wavelength"
        widths = file.createVariable("w", "f8", ("band",))
        widths[:], widths.units, widths.long_name = 5, "nm", "Full width at half maximum of each band"
    cube = open_cube(tmp_path / "x.nc")
    assert lengths(cube) == WAVES.tolist()
    assert cube.fwhm is not None
    assert cube.fwhm.tolist() == [5] * BANDS


@pytest.mark.parametrize(
    ("name", "of_cube", "of_it"),
    [
        ("rho_1sigma", {"ancillary_variables": "count rho_1sigma"}, {}),
        ("pixel_state", {}, {"flag_values": np.int16([1, 2]), "flag_meanings": "clear cloud"}),
        ("rho_b", {}, {"standard_name": "surface_bidirectional_reflectance standard_error"}),
        ("white_reference", {}, {}),
        ("darkCurrent", {}, {}),
    ],
)
def test_what_cf_says_of_an_array_beside_the_cube(tmp_path: Path, name: str, of_cube: dict, of_it: dict) -> None:
    with netcdf(tmp_path / "x.nc") as file:
        file["rho"].setncatts(of_cube)
        beside = file.createVariable(name, "i2", ("band", "y", "x"))
        beside.setncatts(of_it)
        beside[:] = 1
    np.testing.assert_array_equal(open_cube(tmp_path / "x.nc").data, VALUES)
    assert open_cube(tmp_path / "x.nc", variable=name).data.max() == 1


def test_a_table_with_a_row_for_each_band(tmp_path: Path) -> None:
    table = np.zeros(BANDS, [("name", "S8"), ("center_wavelength", "f4"), ("fwhm", "f8"), ("index", "i4")])
    table["center_wavelength"], table["fwhm"], table["index"] = WAVES / 1000, 0.006, np.arange(BANDS)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"], file["bands"] = VALUES, table
    cube = open_cube(tmp_path / "x.h5")
    assert lengths(cube) == (WAVES / 1000).tolist()
    assert cube.wavelength_unit == "um"
    assert cube.fwhm is not None
    assert cube.fwhm.tolist() == [0.006] * BANDS


def test_a_list_of_names_tells_the_axis_of_the_bands(tmp_path: Path) -> None:
    names = [f"Band {number} ({wave:.2f} nm)" for number, wave in enumerate(WAVES)]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("cube", data=VALUES.transpose(1, 2, 0)).attrs["band_names"] = names
    cube = open_cube(tmp_path / "x.h5")
    np.testing.assert_array_equal(cube.data, VALUES)
    assert lengths(cube) == WAVES.tolist()


def axes_of_hyperspy(*, images: bool, units: str) -> list[dict[str, Any]]:
    """What HyperSpy notes of the axes (y, x, bands), or of images one for each wavelength (bands, y, x)."""
    place = {"_type": "UniformDataAxis", "scale": 0.5, "offset": 0.0, "units": "µm", "is_binned": False}
    bands = {**place, "scale": 50.0, "offset": 400.0, "units": units, "name": "Wavelength", "size": BANDS}
    pixels = [{**place, "name": name, "size": size} for name, size in (("y", ROWS), ("x", COLS))]
    if images:
        return [{**bands, "navigate": True}, *({**one, "navigate": False} for one in pixels)]
    return [*({**one, "navigate": True} for one in pixels), {**bands, "navigate": False}]


def hyperspy(path: Path, *, images: bool = False, uneven: bool = False, units: str = "nm") -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["file_format"] = "HyperSpy"
        group = file.create_group("Experiments/a scene")
        data = VALUES if images else VALUES.transpose(1, 2, 0)
        group.create_dataset("data", data=data, chunks=(3, 3, 3), compression="gzip")
        for place, axis in enumerate(axes_of_hyperspy(images=images, units=units)):
            one = group.create_group(f"axis-{place}")
            is_uneven = uneven and axis["size"] == BANDS
            left_out = ("scale", "offset") if is_uneven else ()
            one.attrs.update({key: value for key, value in axis.items() if key not in left_out})
            if is_uneven:
                one["axis"] = WAVES
    return path


@pytest.mark.parametrize("name", ["x.hspy", "x.hdf5"])
@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("images", [False, True])
def test_files_of_hyperspy(tmp_path: Path, name: str, uneven: bool, images: bool) -> None:
    cube = open_cube(hyperspy(tmp_path / name, images=images, uneven=uneven))
    np.testing.assert_array_equal(cube.data, VALUES)
    assert lengths(cube) == WAVES.tolist()
    assert cube.wavelength_unit == "nm"


def test_energies_of_hyperspy_are_said(tmp_path: Path) -> None:
    cube = open_cube(hyperspy(tmp_path / "x.hspy", units="eV"))
    np.testing.assert_array_equal(cube.data, VALUES)
    assert "is in eV" in " ".join(cube.notes)


def test_a_zarr_store_of_hyperspy(tmp_path: Path) -> None:
    store = zarr.open_group(str(tmp_path / "x.zspy"), mode="w", zarr_format=2)
    group = store.create_group("Experiments/a scene")
    group.create_array("data", data=VALUES.transpose(1, 2, 0), chunks=(3, 3, BANDS))
    for place, axis in enumerate(axes_of_hyperspy(images=False, units="nm")):
        group.create_group(f"axis-{place}").attrs.update(axis)
    cube = open_cube(tmp_path / "x.zspy")
    np.testing.assert_array_equal(cube.data, VALUES)
    assert lengths(cube) == WAVES.tolist()


def test_wavelengths_among_the_attributes_of_a_group_of_zarr(tmp_path: Path) -> None:
    store = zarr.open_group(str(tmp_path / "x.zarr"), mode="w", zarr_format=3)
    group = store.create_group("vnir", attributes={"wavelengths": WAVES.tolist(), "wavelength_units": "nm"})
    group.create_array("radiance", data=VALUES)
    assert lengths(open_cube(tmp_path / "x.zarr")) == WAVES.tolist()


@pytest.mark.parametrize("newer", [False, True])
def test_the_bands_of_stac_in_a_geotiff(tmp_path: Path, newer: bool) -> None:
    domain = "eo:" if newer else ""
    names = f"{domain}center_wavelength", f"{domain}full_width_half_max"
    bands = [{"name": f"B{n}", names[0]: wave / 1000, names[1]: 0.006} for n, wave in enumerate(WAVES)]
    text = escape(json.dumps({"properties": {"bands" if newer else "eo:bands": bands}}))
    tags = [(42112, "s", 0, f'<GDALMetadata><Item name="stac">{text}</Item></GDALMetadata>', True)]
    options = {"photometric": "minisblack", "planarconfig": "separate", "metadata": None, "extratags": tags}
    tifffile.imwrite(tmp_path / "x.tif", VALUES, **options)
    cube = open_cube(tmp_path / "x.tif")
    assert lengths(cube) == (WAVES / 1000).tolist()
    assert cube.fwhm is not None
    assert cube.fwhm.tolist() == [0.006] * BANDS


@pytest.mark.parametrize("spelled", ["nm{:.1f}", "Rrs({:.0f})", "nm{:.0f}", "b{:03.0f}_0nm", "wl_{:.0f}_0_nm"])
def test_wavelengths_in_names_of_bands(tmp_path: Path, spelled: str) -> None:
    cube = Cube(VALUES, header={"band names": [spelled.format(wave) for wave in WAVES]})
    again = open_cube(save_cube(cube, tmp_path / "x.hdr"))
    assert lengths(again) == WAVES.tolist()


def test_a_width_in_every_name_is_no_wavelength(tmp_path: Path) -> None:
    cube = Cube(VALUES, header={"band names": [f"mean of 10 nm, {letter}" for letter in "abcdefghi"]})
    assert open_cube(save_cube(cube, tmp_path / "x.hdr")).wavelengths is None


def octave_text(path: Path, end: str = "\n", values: str | None = None) -> Path:
    """A file as Octave's `save` writes it: a cube, a vector, a range, truths, a structure and a text."""
    listed = values or "\n".join(f" {value:g}" for value in VALUES.transpose(1, 2, 0).ravel(order="F"))
    text = f"""# Created by Octave 7.3.0, Sat Nov 28 05:15:46 2026 UTC <someone@somewhere>
# name: valid
# type: bool matrix
# ndims: 3
 {ROWS} {COLS} {BANDS}
 1
 0


# name: s
# type: scalar struct
# ndims: 2
 1 1
# length: 1
# name: cube
# type: float matrix
# ndims: 3
 {ROWS} {COLS} {BANDS}
{listed}


# name: wl
# type: matrix
# rows: {BANDS}
# columns: 1
{chr(10).join(f" {wave:g}" for wave in WAVES)}


# name: fwhm
# type: double_range
# base, limit, increment
1 9 1


# name: note
# type: sq_string
# elements: 1
# length: 5
hello


# name: table
# type: int16 matrix
# rows: 2
# columns: 2
 1 2
 3 4


"""
    path.write_bytes(text.replace("\n", end).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["x.mat", "x.txt"])
def test_text_of_octave(tmp_path: Path, end: str, name: str) -> None:
    cube = open_cube(octave_text(tmp_path / name, end))
    np.testing.assert_array_equal(cube.data, VALUES)
    assert cube.data.dtype == np.float32
    assert lengths(cube) == WAVES.tolist()
    assert cube.fwhm is not None
    assert cube.fwhm.tolist() == list(range(1, 10))


def test_what_octave_calls_not_available_was_not_measured(tmp_path: Path) -> None:
    numbers = ["NA", "NaN", "Inf", *["2.5e-3"] * (VALUES.size - 3)]
    data = open_cube(octave_text(tmp_path / "x.mat", values="\n".join(f" {one}" for one in numbers))).data
    assert np.isnan(data).sum() == 2
    assert np.isinf(data).sum() == 1
    assert data[-1, -1, -1] == np.float32(2.5e-3)


@pytest.mark.parametrize("values", [" 1\n 2", " 1\n words\n", "1" * 3000])
def test_text_of_octave_that_is_damaged(tmp_path: Path, values: str) -> None:
    with pytest.raises(FileFormatError, match=r"x\.mat: "):
        open_cube(octave_text(tmp_path / "x.mat", values=values))


def test_no_room_is_made_for_numbers_that_are_not_there(tmp_path: Path) -> None:
    path = octave_text(tmp_path / "x.mat")
    path.write_bytes(path.read_bytes().replace(f" {ROWS} {COLS} {BANDS}".encode(), b" 99999999 99999999 9"))
    with pytest.raises(FileFormatError, match="cube ends too early; the file is cut short"):
        open_cube(path)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"Octave-1-L\0", "is of Octave's own binary format .*-v7"),
        (np.array([0, 6, 7, 0, 2], "<i4").tobytes() + b"x\0", "is a MATLAB file of version 4, .*-v7"),
        (b"anything at all, and more of it", "is no MATLAB file .*-v7"),
    ],
)
def test_what_octave_and_old_programs_write_is_called_what_it_is(tmp_path: Path, start: bytes, said: str) -> None:
    (tmp_path / "x.mat").write_bytes(start)
    with pytest.raises(FileFormatError, match=said):
        open_cube(tmp_path / "x.mat")


def test_a_compressed_data_file_of_envi_is_named(tmp_path: Path) -> None:
    save_cube(Cube(VALUES), tmp_path / "x.hdr")
    (tmp_path / "x.img").rename(tmp_path / "x.img.gz")
    with pytest.raises(FileFormatError, match=r"x\.img\.gz: the data of x\.hdr are compressed; unpack them first"):
        open_cube(tmp_path / "x.hdr")


def test_snaps_own_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.dim").write_text('<?xml version="1.0" encoding="ISO-8859-1"?>\n<Dimap_Document name="x.dim">')
    with pytest.raises(FileFormatError, match=r"is BEAM-DIMAP of SNAP, .*export it from SNAP"):
        open_cube(tmp_path / "x.dim")
