"""NetCDF as we write it: by the CF rules, for xarray and GDAL, and for ourselves."""

from pathlib import Path

import numpy as np
import pytest

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube

DATA = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
LENGTHS = [400.0, 500.0, 600.0, 700.0, 800.0]
PLACE = ["UTM", "1", "1", "500000", "5500000", "30", "20", "33", "North", "WGS-84"]
FULL = Cube(
    DATA,
    wavelengths=np.array(LENGTHS),
    wavelength_unit="nm",
    fwhm=np.full(5, 10.0),
    good_bands=np.array([True, True, False, True, True]),
    no_data=-9999.0,
    scale=10000.0,
    header={"sensor type": "X", "band names": list("abcde"), "map info": PLACE},
)


@pytest.mark.parametrize("dtype", [None, "float32", "float64", "uint8", "float16"])
def test_a_cube_goes_round_and_stays_a_map(tmp_path: Path, dtype: str | None) -> None:
    cube = FULL.replace(no_data=0.0)
    again = open_cube(save_cube(cube, tmp_path / "x.nc", dtype=dtype))
    np.testing.assert_array_equal(again.data, DATA)
    assert isinstance(again.data, np.memmap)
    assert (again.wavelengths.tolist(), again.wavelength_unit, again.fwhm.tolist()) == (LENGTHS, "nm", [10] * 5)
    assert again.good_bands.tolist() == FULL.good_bands.tolist()
    assert (again.no_data, again.scale, again.header["sensor type"]) == (0, 10000, "X")
    assert again.header["map info"][3:8] == ["500000.0", "5500000.0", "30.0", "20.0", "33"]


def test_xarray_finds_what_we_know(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(save_cube(FULL, tmp_path / "x.nc"), decode_coords="all", engine="h5netcdf") as found:
        assert found.attrs["Conventions"] == "CF-1.11"
        assert found.cube.dims == ("wavelength", "y", "x")
        assert set(found.cube.coords) == {"wavelength", "fwhm", "good_bands", "x", "y", "crs"}
        np.testing.assert_allclose(found.cube.sel(wavelength=500).values, DATA[1] / 10000)
        assert found.wavelength.attrs["standard_name"] == "radiation_wavelength"
        np.testing.assert_allclose((found.x[0], found.y[0]), (500015, 5499990))
        assert found.crs.attrs["grid_mapping_name"] == "transverse_mercator"


def test_netcdf4_reads_it_too(tmp_path: Path) -> None:
    netcdf = pytest.importorskip("netCDF4")
    with netcdf.Dataset(save_cube(FULL, tmp_path / "x.nc")) as file:
        np.testing.assert_allclose(file["cube"][:], DATA / 10000)
        assert file["cube"]._FillValue == -9999


def test_wavelengths_that_do_not_rise_are_no_axis(tmp_path: Path) -> None:
    cube = FULL.replace(wavelengths=np.array([400.0, 500, 450, 600, 600]))
    again = open_cube(save_cube(cube, tmp_path / "x.nc"))
    assert again.wavelengths.tolist() == cube.wavelengths.tolist()
    assert again.shape == DATA.shape


def test_degrees_are_latitudes_and_longitudes(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    header = {"map info": ["Geographic Lat/Lon", "1", "1", "10", "50", "0.5", "0.25", "WGS-84", "units=Degrees"]}
    with xarray.open_dataset(save_cube(FULL.replace(header=header), tmp_path / "x.nc"), engine="h5netcdf") as found:
        assert found.cube.dims == ("wavelength", "latitude", "longitude")
        assert (float(found.latitude[0]), float(found.longitude[0])) == (49.875, 10.25)
    assert open_cube(tmp_path / "x.nc").header["map info"][0] == "Geographic Lat/Lon"


def test_one_gain_is_said_and_gains_of_bands_are_refused(tmp_path: Path) -> None:
    header = {"data gain values": ["0.5"] * 5, "data offset values": ["1"] * 5}
    path = save_cube(Cube(DATA, header=header), tmp_path / "x.nc")
    np.testing.assert_allclose(open_cube(path).physical(), DATA * 0.5 + 1)
    header["data gain values"] = ["0.5", "1", "1", "1", "1"]
    with pytest.raises(FileFormatError, match="gains of their own, which NetCDF and Zarr cannot say; choose float32"):
        save_cube(Cube(DATA, header=header), tmp_path / "y.nc")
    assert not (tmp_path / "y.nc").exists()


def test_a_replaced_file_loses_the_notes_on_the_old_one(tmp_path: Path) -> None:
    path = save_cube(FULL, tmp_path / "x.nc")
    (tmp_path / "x.nc.aux.xml").write_text("old")
    save_cube(FULL, path, overwrite=True)
    assert [one.name for one in tmp_path.iterdir()] == ["x.nc"]


def test_envi_from_netcdf_speaks_envis_words(tmp_path: Path) -> None:
    save_cube(open_cube(save_cube(FULL, tmp_path / "x.nc")), tmp_path / "x.hdr")
    text = (tmp_path / "x.hdr").read_text()
    assert "map info = {UTM, 1, 1, 500000.0, 5500000.0, 30.0, 20.0, 33, North, WGS-84, units=Meters}" in text
    assert 'coordinate system string = {PROJCS["WGS_1984_UTM_Zone_33N"' in text


@pytest.mark.parametrize("name", ["x.nc", "x.zarr", "x.npz", "x.tif"])
def test_fields_of_a_header_come_again_by_their_names(tmp_path: Path, name: str) -> None:
    names = ["a, near", "b", "c", "d", "e"]
    header = {"sensor type": "X", "band names": names, "napari-decsc": "record {}", "default bands": ["1", "2", "3"]}
    long = {"history of all": "x" * 50_000}
    again = open_cube(save_cube(FULL.replace(header={**header, **long}), tmp_path / name)).header
    assert {key: again.get(key) for key in (*header, *long)} == {**header, **long}
    third = open_cube(save_cube(open_cube(tmp_path / name), tmp_path / "x.hdr")).header
    assert list(third["band names"]) == names
    assert not {"title", "conventions", "napari_decsc_fields"} & set(third)


def test_what_another_program_changed_in_an_attribute_counts(tmp_path: Path) -> None:
    import h5py

    header = {"sensor type": "X", "band names": list("abcde")}
    save_cube(FULL.replace(header=header), tmp_path / "x.nc")
    with h5py.File(tmp_path / "x.nc", "a") as file:
        file.attrs["sensor_type"], file.attrs["band_names"] = "Y", "{new}"
    again = open_cube(tmp_path / "x.nc").header
    assert (again["sensor type"], again["band names"]) == ("Y", "{new}")
    with h5py.File(tmp_path / "x.nc", "a") as file:
        file.attrs["napari_decsc_fields"] = "[1, {"
    assert open_cube(tmp_path / "x.nc").header["sensor_type"] == "Y"
