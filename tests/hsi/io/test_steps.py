"""Arrays of four axes, wavelengths that differ along the columns, names of axes and vectors as people choose them."""

from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest
import scipy.io

from napari_decsc.errors import AmbiguousFileError, FileFormatError
from napari_decsc.hsi.io.files import can_open, open_cube

CUBE = np.arange(6 * 4 * 5, dtype=np.float32).reshape(6, 4, 5)
SERIES = np.stack([CUBE, CUBE + 1000, CUBE + 2000])
LENGTHS = np.linspace(400, 900, 6)
SIZES = {"time": 3, "band": 6, "y": 4, "x": 5}


def series(path: Path, axes: tuple[str, ...], kind: str = "NETCDF4") -> Path:
    """A file with three dates."""
    with netCDF4.Dataset(path, "w", format=kind) as file:
        for name in axes:
            file.createDimension(name, SIZES[name])
        order = [list(SIZES).index(name) for name in axes]
        file.createVariable("r", "f4", axes)[:] = SERIES.transpose(order)
        file.createVariable("cloud", "f4", ("time", "y", "x"))[:] = 1
        file.createVariable("wavelength", "f8", ("band",))[:] = LENGTHS
    return path


@pytest.mark.parametrize("kind", ["NETCDF4", "NETCDF3_CLASSIC"])
@pytest.mark.parametrize("axes", [("time", "band", "y", "x"), ("time", "y", "x", "band"), ("y", "x", "band", "time")])
def test_each_date_of_a_file_can_be_taken(tmp_path: Path, axes: tuple[str, ...], kind: str) -> None:
    path = series(tmp_path / "x.nc", axes, kind)
    assert can_open(path)
    with pytest.raises(AmbiguousFileError, match="one for each step of r along time, r@time=1 to r@time=3") as question:
        open_cube(path)
    assert list(question.value.choices) == ["r@time=1", "r@time=2", "r@time=3"]
    for step, name in enumerate(question.value.choices):
        cube = open_cube(path, variable=name)
        np.testing.assert_array_equal(cube.data, SERIES[step])
        assert cube.wavelengths is not None
        assert cube.wavelengths.tolist() == LENGTHS.tolist()


def test_a_file_with_one_date_opens_by_itself(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"], file["wavelength"] = SERIES[:1], LENGTHS
    np.testing.assert_array_equal(open_cube(tmp_path / "x.h5").data, CUBE)


def test_series_without_names_of_axes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"], file["wl"] = SERIES.transpose(2, 3, 1, 0), LENGTHS
    np.testing.assert_array_equal(open_cube(tmp_path / "x.h5", variable="r@axis3=2").data, SERIES[1])
    scipy.io.savemat(tmp_path / "x.mat", {"r": SERIES.transpose(2, 3, 1, 0)})
    np.testing.assert_array_equal(open_cube(tmp_path / "x.mat", variable="r@axis3=3").data, SERIES[2])
    np.save(tmp_path / "x.npy", SERIES)
    np.testing.assert_array_equal(open_cube(tmp_path / "x.npy", variable="x@axis0=3", band_axis=0).data, SERIES[2])


@pytest.mark.parametrize("turned", [False, True])
def test_wavelengths_that_differ_along_the_columns_have_their_means_and_are_said(tmp_path: Path, turned: bool) -> None:
    smile = LENGTHS[:, None] + np.linspace(-1, 1, 5)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"] = CUBE
        file["wavelength"] = smile.T if turned else smile
        file["fwhm"] = np.full(smile.T.shape if turned else smile.shape, 8.0)
    cube = open_cube(tmp_path / "x.h5")
    np.testing.assert_array_equal(cube.data, CUBE)
    assert cube.wavelengths is not None
    assert cube.fwhm is not None
    np.testing.assert_allclose(cube.wavelengths, LENGTHS)
    np.testing.assert_array_equal(cube.fwhm, [8] * 6)
    said = "values of wavelength differ from column to column by up to 2; the means of the columns are taken"
    assert cube.notes == (f"x.h5: {said}",)


def test_one_vector_counts_before_a_table(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"], file["wavelength"], file["a/wavelength"] = CUBE, LENGTHS, LENGTHS[:, None] + np.arange(5)
    cube = open_cube(tmp_path / "x.h5")
    assert cube.notes == ()
    assert cube.wavelengths is not None
    assert cube.wavelengths.tolist() == LENGTHS.tolist()


@pytest.mark.parametrize(
    "axes", [("nx", "ny", "nz"), ("ncol", "nrow", "nband"), ("width", "height", "channel"), ("across", "along", "wl")]
)
def test_names_of_axes_in_many_spellings(tmp_path: Path, axes: tuple[str, str, str]) -> None:
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for name, size in zip(axes, (5, 4, 6), strict=True):
            file.createDimension(name, size)
        file.createVariable("r", "f4", axes)[:] = CUBE.transpose(2, 1, 0)
        file.createVariable("wavelength", "f8", axes[2:])[:] = LENGTHS
    np.testing.assert_array_equal(open_cube(tmp_path / "x.nc").data, CUBE)


def test_labels_of_an_array_name_its_axes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"] = CUBE.transpose(0, 2, 1)
        for axis, label in enumerate(("wavelength", "x", "y")):
            file["r"].dims[axis].label = label
    np.testing.assert_array_equal(open_cube(tmp_path / "x.h5").data, CUBE)


def test_bands_as_variables_may_tell_their_wavelengths_at_length(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.nc", "w") as file:
        for band, length in enumerate(LENGTHS):
            file[f"Band{band + 1}"] = CUBE[band]
            file[f"Band{band + 1}"].attrs["long_name"] = f"Band {band + 1} ({length} nm)"
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, CUBE)
    assert cube.wavelengths is not None
    assert cube.wavelengths.tolist() == LENGTHS.tolist()


def test_names_of_a_fill_value_in_any_spelling(tmp_path: Path) -> None:
    for name in ("_FillValue", "FillValue", "FILL_VALUE", "No_Data_Value"):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["r"], file["wl"] = CUBE, LENGTHS
            file["r"].attrs[name] = -9999.0
        assert open_cube(tmp_path / "x.h5").no_data == -9999


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("band_centers_nm", {}),
        ("q", {"standard_name": "radiation_wavelength"}),
        ("q", {"long_name": "wavelength of the bands"}),
        ("b", {"units": "nm"}),
        ("center_wl", {}),
        ("channels_nm", {}),
    ],
)
def test_wavelengths_are_known_by_what_is_said_of_them(tmp_path: Path, name: str, attributes: dict[str, str]) -> None:
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for axis, size in zip("bij", CUBE.shape, strict=True):
            file.createDimension(axis, size)
        file.createVariable("r", "f4", tuple("bij"))[:] = CUBE
        vector = file.createVariable(name, "f8", ("b",))
        vector[:] = LENGTHS
        vector.setncatts(attributes)
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, CUBE)
    assert cube.wavelengths is not None
    assert cube.wavelengths.tolist() == LENGTHS.tolist()
    assert cube.wavelength_unit == "nm"


@pytest.mark.parametrize("bands_first", [False, True])
def test_a_table_of_pixels_is_a_cube_with_the_sizes_beside_it(tmp_path: Path, bands_first: bool) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        table = CUBE.reshape(6, -1)
        file["spectra"], file["rows"], file["cols"] = table if bands_first else table.T, 4, 5
    np.testing.assert_array_equal(open_cube(tmp_path / "x.h5").data, CUBE)


@pytest.mark.parametrize("version", [2, 3])
def test_the_dates_of_a_zarr_store_have_their_names(tmp_path: Path, version: int) -> None:
    import xarray

    data = xarray.Dataset({"r": (("time", "wavelength", "y", "x"), SERIES)}, {"wavelength": LENGTHS})
    data.to_zarr(tmp_path / "x.zarr", zarr_format=version, consolidated=False)
    assert can_open(tmp_path / "x.zarr")
    np.testing.assert_array_equal(open_cube(tmp_path / "x.zarr", variable="r@time=3").data, SERIES[2])


def test_a_stage_that_counts_in_micrometres_is_no_spectral_axis(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for axis, size in zip("cyx", CUBE.shape, strict=True):
            file.createDimension(axis, size)
        file.createVariable("r", "f4", tuple("cyx"))[:] = CUBE
        for name, values, unit in (("c", LENGTHS, "nm"), ("y", np.arange(4) + 1.5, "um"), ("x", np.arange(5.0), "um")):
            vector = file.createVariable(name, "f8", (name,))
            vector[:], vector.units = values, unit
        thick = file.createVariable("film", "f8", ("y",))
        thick[:], thick.units = [1e5, 2e5, 3e5, 4e5], "nm"
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, CUBE)
    assert cube.wavelengths is not None
    assert cube.wavelengths.tolist() == LENGTHS.tolist()


@pytest.mark.parametrize("texts", [", ".join(map(str, LENGTHS)), list(map(str, LENGTHS)), [f"{n} nm" for n in LENGTHS]])
def test_texts_may_tell_the_wavelengths(tmp_path: Path, texts: str | list[str]) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"], file["wavelengths"] = CUBE, texts
    cube = open_cube(tmp_path / "x.h5")
    assert cube.wavelengths is not None
    assert cube.wavelengths.tolist() == LENGTHS.tolist()


def test_latitudes_say_where_north_is(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for axis, size in zip(("band", "lat", "lon"), CUBE.shape, strict=True):
            file.createDimension(axis, size)
        file.createVariable("r", "f4", ("band", "lat", "lon"))[:] = CUBE
        for name, values, unit in (("lat", np.arange(4.0), "degrees_north"), ("lon", np.arange(5.0), "degrees_east")):
            vector = file.createVariable(name, "f8", (name,))
            vector[:], vector.units = values, unit
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, CUBE[:, ::-1])
    assert cube.header["map info"][:7] == ["Geographic Lat/Lon", "1", "1", "-0.5", "3.5", "1.0", "1.0"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (np.dtype([("a", "f4"), ("b", "f4")]), "cube, a table of a, b; save the field that holds the cube as an array"),
        (np.dtype("c8"), "cube, complex numbers; save the magnitude"),
        (np.dtype("?"), r"cube \(6 x 4 x 5, truths\)"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_named(tmp_path: Path, kind: np.dtype, words: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"] = np.zeros(CUBE.shape, kind)
    with pytest.raises(FileFormatError, match=words):
        open_cube(tmp_path / "x.h5")
