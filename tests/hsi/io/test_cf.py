"""NetCDF by the rules of CF and NUG: the netCDF library itself, xarray, and numbers worked out by hand as oracles."""

import warnings

import h5py
import netCDF4
import numpy as np
import pytest
import scipy.io
import xarray

from napari_decsc.hsi.io import memory_map
from napari_decsc.hsi.io.files import open_cube, save_cube
from napari_decsc.hsi.io.formats import cf

SHAPE = (5, 12, 17)
COUNTS = np.arange(np.prod(SHAPE), dtype=np.int64).reshape(SHAPE)
FORMATS = ["NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]


def write(path, stored, attributes, kind="NETCDF4", *, fill=None, unlimited=False, skip=0, group="", waves=None):
    """A file of the netCDF library; the last ``skip`` rows are never written."""
    with netCDF4.Dataset(path, "w", format=kind) as file:
        place = file.createGroup(group) if group else file
        for name, size in zip(("band", "y", "x"), stored.shape, strict=True):
            place.createDimension(name, None if unlimited and name == "band" else size)
        variable = place.createVariable("radiance", stored.dtype, ("band", "y", "x"), fill_value=fill)
        variable.set_auto_maskandscale(False)
        variable.setncatts(attributes)
        variable[:, : stored.shape[1] - skip] = stored[:, : stored.shape[1] - skip]
        axis = place.createVariable("wavelength", "f4", ("band",), fill_value=np.float32(-999))
        axis[:] = np.linspace(400, 600, stored.shape[0]) if waves is None else waves
        axis.units = "nm"


def by_the_library(path, group=""):
    """Physical values as netCDF4-python gives them: masked cells NaN."""
    with warnings.catch_warnings(), netCDF4.Dataset(path) as file:
        warnings.simplefilter("ignore")
        values = (file[group] if group else file)["radiance"][...]
    return np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)


I2, U1, F4 = np.int16, np.uint8, np.float32
#: Name -> stored numbers, attributes, options of `write`.
CASES = {
    "plain": (COUNTS.astype(F4), {}, {}),
    "scale": (COUNTS.astype(I2), {"scale_factor": 0.01}, {}),
    "negative scale": (COUNTS.astype(I2), {"scale_factor": -0.01}, {}),
    "offset": (COUNTS.astype(I2), {"scale_factor": 0.5, "add_offset": -20.0}, {}),
    "offset alone": (COUNTS.astype(I2), {"add_offset": 7.0}, {}),
    "fill": (COUNTS.astype(I2), {"scale_factor": 0.5, "add_offset": 3.0}, {"fill": I2(17)}),
    "fill of floats": (COUNTS.astype(F4), {}, {"fill": F4(1e20), "skip": 2}),
    "NaN as fill": (np.where(COUNTS == 5, np.nan, COUNTS).astype(F4), {"missing_value": F4(9)}, {"fill": F4("nan")}),
    "default fill of shorts": (COUNTS.astype(I2), {"scale_factor": 2.0}, {"skip": 3}),
    "default fill of floats": (COUNTS.astype(F4), {}, {"skip": 3}),
    "default fill of doubles": (COUNTS.astype("f8"), {}, {"skip": 1}),
    "missing value": (COUNTS.astype(F4), {"missing_value": F4(4)}, {"skip": 2}),
    "several missing values": (COUNTS.astype(I2), {"missing_value": np.array([3, 50, 700], I2)}, {}),
    "missing and fill": (COUNTS.astype(I2), {"missing_value": I2(30), "scale_factor": 0.1}, {"fill": I2(1), "skip": 1}),
    "valid_min": (COUNTS.astype(I2), {"valid_min": I2(100)}, {}),
    "valid_max": (COUNTS.astype(F4), {"valid_max": F4(900.5)}, {}),
    "valid_range": (COUNTS.astype(I2), {"valid_range": np.array([20, 800], I2), "scale_factor": 2.0}, {"fill": I2(55)}),
    "valid_range of floats": (COUNTS.astype(F4), {"valid_range": np.array([20, 800], F4)}, {}),
    "unlimited": (COUNTS.astype(I2), {"scale_factor": 0.5}, {"unlimited": True, "fill": I2(3)}),
    "unsigned": ((COUNTS * 60).astype("u2").view(I2), {"_Unsigned": "true", "scale_factor": 1e-4}, {"fill": I2(-16)}),
    "unsigned bytes": ((COUNTS % 256).astype(U1).view("i1"), {"_Unsigned": "true"}, {"fill": np.int8(-1)}),
    "unsigned range": (
        (COUNTS * 60).astype("u2").view(I2),
        {"_Unsigned": "true", "valid_range": np.array([0, -5536], I2)},
        {"fill": I2(-1)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_the_netcdf_library(tmp_path, name, kind):
    stored, attributes, options = CASES[name]
    write(tmp_path / "x.nc", stored, attributes, kind, **options)
    truth = by_the_library(tmp_path / "x.nc")
    cube = open_cube(tmp_path / "x.nc")
    assert cube.wavelengths.tolist() == [400, 450, 500, 550, 600]
    np.testing.assert_allclose(cube.physical(), truth, rtol=2e-6, atol=1e-6)
    # and the same once more, from what is written of it
    again = open_cube(save_cube(cube, tmp_path / "out.hdr"))
    np.testing.assert_allclose(again.physical(), truth, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["scale", "negative scale", "offset", "fill", "several missing values", "unsigned"])
def test_values_are_those_of_xarray_where_it_decodes(tmp_path, name):
    stored, attributes, options = CASES[name]
    write(tmp_path / "x.nc", stored, attributes, "NETCDF4", **{"fill": I2(-32767), **options})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of several fill values
        truth = xarray.open_dataset(tmp_path / "x.nc", engine="h5netcdf")["radiance"].values
    np.testing.assert_allclose(open_cube(tmp_path / "x.nc").physical(), truth, rtol=2e-6)


@pytest.mark.parametrize("name", ["default fill of floats", "valid_range of floats"])
def test_xarray_takes_for_measured_what_was_not(tmp_path, name):
    # why CF is not left to xarray; once this fails, it could be
    stored, attributes, options = CASES[name]
    write(tmp_path / "x.nc", stored, attributes, "NETCDF4", **options)
    values = xarray.open_dataset(tmp_path / "x.nc", engine="h5netcdf")["radiance"].values
    assert np.isfinite(values).all()
    assert not np.isfinite(by_the_library(tmp_path / "x.nc")).all()


def test_a_range_of_floats_beside_packed_numbers_is_one_of_values(tmp_path):
    # 0.25 to 2.5 are the stored numbers 25 to 250; netCDF4-python leaves such a range out, with a warning
    write(tmp_path / "x.nc", COUNTS.astype(I2), {"scale_factor": 0.01, "valid_range": np.array([0.25, 2.5])})
    values = open_cube(tmp_path / "x.nc").physical()
    np.testing.assert_array_equal(np.isfinite(values), (COUNTS >= 25) & (COUNTS <= 250))


def test_a_gap_of_whole_numbers_has_a_value_outside_of_the_range(tmp_path):
    write(tmp_path / "x.nc", COUNTS.astype(I2), {"valid_min": I2(100)}, fill=I2(200))
    cube = open_cube(tmp_path / "x.nc")
    assert cube.no_data == 200
    assert cf.Gaps((), -40000.0, 100.0).no_data(np.dtype(I2)) == 32767  # the default fill lies within
    assert cf.Gaps((), 0.0, 100.0).no_data(np.dtype(I2)) == -32767
    assert cf.Gaps((), 0.0, 255.0).no_data(np.dtype(U1)) is None  # nothing lies outside


def test_bytes_have_no_default_fill_value(tmp_path):
    # NUG: without a _FillValue all bytes are valid. netCDF4-python 1.7 takes 255 for unwritten all the same
    write(tmp_path / "x.nc", (COUNTS % 256).astype(U1), {})
    np.testing.assert_array_equal(open_cube(tmp_path / "x.nc").physical(), COUNTS % 256)


def test_a_scale_of_nothing_is_left_out_and_said(tmp_path):
    write(tmp_path / "x.nc", COUNTS.astype(I2), {"scale_factor": 0.0})
    cube = open_cube(tmp_path / "x.nc")
    assert (cube.scale, cube.notes) == (1, ("x.nc: scale_factor cannot be meant; scale_factor is left out",))
    assert cube.physical().max() == COUNTS.max()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_wavelength_that_was_never_given_is_a_gap(tmp_path, kind):
    write(tmp_path / "x.nc", COUNTS.astype(F4), {}, kind, waves=np.array([400, 450, -999, 550, 600]))
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.wavelengths, [400, 450, np.nan, 550, 600])
    assert cube.wavelength_unit == "nm"
    again = open_cube(save_cube(cube, tmp_path / "out.hdr"))
    np.testing.assert_array_equal(again.wavelengths, cube.wavelengths)


def test_groups_keep_to_their_own_wavelengths(tmp_path):
    for group, first in (("vnir", 400), ("swir", 1000)):
        write(tmp_path / f"{group}.nc", COUNTS.astype(F4), {}, group=f"data/{group}", waves=first + 10 * np.arange(5))
    with h5py.File(tmp_path / "x.nc", "w") as file:
        for group in ("vnir", "swir"):
            with h5py.File(tmp_path / f"{group}.nc") as one:
                file.copy(one[f"data/{group}"], f"data/{group}")
    for group, first in (("vnir", 400), ("swir", 1000)):
        cube = open_cube(tmp_path / "x.nc", variable=f"data/{group}/radiance")
        assert cube.wavelengths[0] == first
        np.testing.assert_array_equal(cube.data, COUNTS)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("axes", [("band", "y", "x"), ("y", "x", "band"), ("y", "band", "x")])
def test_the_name_of_a_dimension_tells_the_bands_of_a_cube_of_equal_sides(tmp_path, kind, axes):
    values = np.arange(6**3, dtype=F4).reshape(6, 6, 6)
    with netCDF4.Dataset(tmp_path / "x.nc", "w", format=kind) as file:
        for name in axes:
            file.createDimension(name, 6)
        file.createVariable("radiance", "f4", axes)[:] = values
    place = axes.index("band")
    truth = values.transpose(place, *(other for other in range(3) if other != place))
    np.testing.assert_array_equal(open_cube(tmp_path / "x.nc").data, truth)


@pytest.mark.parametrize("kind", FORMATS)
def test_numbers_of_layers_are_no_wavelengths(tmp_path, kind):
    write(tmp_path / "x.nc", COUNTS.astype(F4), {}, kind)
    with netCDF4.Dataset(tmp_path / "x.nc", "a") as file:
        file["wavelength"][:] = np.arange(1, 6)
        file["wavelength"].units = "unknown"
    cube = open_cube(tmp_path / "x.nc")
    assert (cube.wavelength_unit, cube.wavelengths_nm) == ("index", None)


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
@pytest.mark.parametrize("order", [("band", "y", "x"), ("y", "x", "band"), ("time", "band", "y", "x")])
def test_what_xarray_wrote_comes_with_its_place(tmp_path, engine, order):
    # as rioxarray lays it out; equal sides, so that only names tell the axes
    values = np.arange(343, dtype=F4).reshape(7, 7, 7)
    array = xarray.DataArray(
        values,
        dims=("band", "y", "x"),
        name="reflectance",
        attrs={"grid_mapping": "spatial_ref", "long_name": "r"},
        coords={
            "band": np.arange(1, 8),
            "y": 50 - 0.1 * np.arange(7),
            "x": 8 + 0.1 * np.arange(7),
            "wavelength": ("band", np.linspace(400, 700, 7)),
            "spatial_ref": 0,
        },
    )
    array.spatial_ref.attrs.update({"crs_wkt": 'GEOGCRS["WGS 84"]', "GeoTransform": "7.95 0.1 0 50.05 0 -0.1"})
    array = array.expand_dims("time") if "time" in order else array
    array.transpose(*order).to_netcdf(tmp_path / "x.nc", engine=engine)
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, values)
    assert cube.wavelengths.tolist() == np.linspace(400, 700, 7).tolist()
    assert cube.header["map info"][:7] == ["Geographic Lat/Lon", "1", "1", "7.95", "50.05", "0.1", "0.1"]
    assert cube.header["coordinate system string"] == 'GEOGCRS["WGS 84"]'


@pytest.mark.parametrize("kind", FORMATS)
def test_bands_as_variables_are_one_cube(tmp_path, kind):
    # as gdal_translate and rioxarray's band_as_variable write them
    with netCDF4.Dataset(tmp_path / "x.nc", "w", format=kind) as file:
        file.createDimension("lat", 12)
        file.createDimension("lon", 17)
        for band in (2, 10, 1):
            variable = file.createVariable(f"Band{band}", "i2", ("lat", "lon"), fill_value=-1)
            variable.setncatts({"scale_factor": 0.1 * band, "wavelength": 400.0 + band, "wavelength_units": "nm"})
            variable.set_auto_maskandscale(False)
            variable[:] = band * 100 + np.arange(17, dtype=I2)
            variable[0, 0] = -1
        file.createVariable("crs", "S1").grid_mapping_name = "latitude_longitude"
        file.createVariable("lat", "f8", ("lat",))[:] = 50 - 0.5 * np.arange(12)
        file.createVariable("lon", "f8", ("lon",))[:] = 8 + 0.5 * np.arange(17)
    cube = open_cube(tmp_path / "x.nc")
    assert cube.shape == (3, 12, 17)
    assert cube.wavelengths.tolist() == [401, 402, 410]
    assert cube.wavelength_unit == "nm"
    np.testing.assert_allclose(cube.physical()[:, 1, 3], [0.1 * 103, 0.2 * 203, 1 * 1003], rtol=1e-6)
    assert np.isnan(cube.physical()[:, 0, 0]).all()
    assert cube.header["map info"][:7] == ["Geographic Lat/Lon", "1", "1", "7.75", "50.25", "0.5", "0.5"]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of affine, which rasterio uses
@pytest.mark.parametrize("bottom_up", [False, True])
@pytest.mark.parametrize("kind", ["NC", "NC4"])
def test_what_gdal_wrote_is_the_right_way_up(tmp_path, kind, bottom_up):
    rasterio = pytest.importorskip("rasterio")
    from rasterio import shutil
    from rasterio.transform import from_origin

    stored = COUNTS.astype(I2)
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 30, 30), "nodata": -1}
    size = dict(zip(("count", "height", "width"), stored.shape, strict=True))
    with rasterio.open(tmp_path / "x.tif", "w", driver="GTiff", dtype="int16", **size, **place) as file:
        file.write(stored)
        file.scales, file.offsets = [0.5] * 5, [1.0] * 5
        for band in range(1, 6):
            file.update_tags(band, wavelength=str(400 + 50 * band), wavelength_units="nm", fwhm="10")
    options = {"FORMAT": kind, "WRITE_BOTTOMUP": "YES" if bottom_up else "NO"}
    shutil.copy(tmp_path / "x.tif", tmp_path / "x.nc", driver="netCDF", **options)
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_allclose(cube.physical(), stored * 0.5 + 1.0)
    assert cube.wavelengths.tolist() == [450, 500, 550, 600, 650]
    assert cube.fwhm.tolist() == [10] * 5
    assert cube.header["map info"][:8] == ["UTM", "1", "1", "500000.0", "5000000.0", "30.0", "30.0", "33"]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore:.*no geotransform.*")
@pytest.mark.parametrize("kind", ["NC", "NC4"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_pictures_of_gdal_without_a_place(tmp_path, kind, dtype):
    rasterio = pytest.importorskip("rasterio")
    from rasterio import shutil

    stored = (COUNTS % 250).astype(dtype)
    size = dict(zip(("count", "height", "width"), stored.shape, strict=True))
    with rasterio.open(tmp_path / "x.tif", "w", driver="GTiff", dtype=dtype, nodata=7, **size) as file:
        file.write(stored)
    shutil.copy(tmp_path / "x.tif", tmp_path / "x.nc", driver="netCDF", FORMAT=kind)
    np.testing.assert_array_equal(open_cube(tmp_path / "x.nc").physical(), np.where(stored == 7, np.nan, stored))


def test_a_turned_map_of_a_file_is_still_one(tmp_path):
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for name, size in zip(("band", "y", "x"), SHAPE, strict=True):
            file.createDimension(name, size)
        file.createVariable("radiance", "f4", ("band", "y", "x"), fill_value=F4(-1))[:] = COUNTS
        file.createVariable("y", "f8", ("y",))[:] = np.arange(12)
        file.createVariable("x", "f8", ("x",))[:] = np.arange(17)
        file.createVariable("crs", "i4").crs_wkt = 'PROJCS["WGS 84 / UTM zone 11S"]'
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, COUNTS[:, ::-1])
    assert cube.header["map info"][3:8] == ["-0.5", "11.5", "1.0", "1.0", "11"]
    place = memory_map.reference(cube.data)
    assert place is not None
    np.testing.assert_array_equal(place.open(), cube.data)
    np.testing.assert_array_equal(memory_map.read(cube.data[:, 2:9]), cube.data[:, 2:9])


@pytest.mark.parametrize("kind", FORMATS)
def test_a_dimension_without_values_has_none(tmp_path, kind):
    with netCDF4.Dataset(tmp_path / "x.nc", "w", format=kind) as file:
        for name, size in zip(("wavelength", "y", "x"), SHAPE, strict=True):
            file.createDimension(name, size)
        file.createVariable("radiance", "f4", ("y", "x", "wavelength"))[:] = COUNTS.transpose(1, 2, 0)
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, COUNTS)
    assert cube.wavelengths is None


def test_rows_of_no_known_map_stay_as_they_are(tmp_path):
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for name, size in zip(("band", "lat", "lon"), SHAPE, strict=True):
            file.createDimension(name, size)
        file.createVariable("radiance", "f4", ("band", "lat", "lon"))[:] = COUNTS
        file.createVariable("lat", "f8", ("lat",))[:] = np.arange(12)
        file.createVariable("lon", "f8", ("lon",))[:] = np.arange(17)
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, COUNTS)
    assert "map info" not in cube.header  # which would put the first row in the north


def test_wavelengths_in_the_names_of_bands(tmp_path):
    with h5py.File(tmp_path / "x.nc", "w") as file:
        for length in (555, 412, 443):
            file[f"geophysical_data/Rrs_{length}"] = np.full((12, 17), length, F4)
    cube = open_cube(tmp_path / "x.nc")
    assert cube.wavelengths.tolist() == [412, 443, 555]
    assert cube.data[:, 3, 3].tolist() == [412, 443, 555]


@pytest.mark.parametrize("bands_at", [0, 1, 2])
@pytest.mark.parametrize("names", [("x", "y"), ("lon", "lat"), ("crosstrack", "downtrack"), ("samples", "lines")])
def test_rows_and_cols_are_what_their_names_say(tmp_path, names, bands_at):
    data = np.arange(4 * 5 * 7, dtype="i2").reshape(4, 5, 7)  # (band, row, col)
    for way in (names, names[::-1]):
        stored = np.moveaxis(data if way == names[::-1] else data.transpose(0, 2, 1), 0, bands_at)
        axes = list(way)
        axes.insert(bands_at, "wavelength")
        with scipy.io.netcdf_file(str(tmp_path / "x.nc"), "w") as file:
            for name, size in zip(axes, stored.shape, strict=True):
                file.createDimension(name, size)
            file.createVariable("r", "i2", tuple(axes))[:] = stored
        np.testing.assert_array_equal(open_cube(tmp_path / "x.nc").data, data)


@pytest.mark.parametrize(
    ("names", "unit"),
    [
        (["r_400.5nm", "r_450.5nm", "r_1000.5nm", "r_1200.5nm"], "nm"),
        (["r_0.4um", "r_0.45um", "r_1.0um", "r_1.2um"], "um"),
        (["r_400.5", "r_450.5", "r_1000.5", "r_1200.5"], "nm"),
    ],
)
def test_bands_with_wavelengths_in_the_names_of_variables(tmp_path, names, unit):
    with h5py.File(tmp_path / "x.nc", "w") as file:
        for band, name in enumerate(names):
            file[name] = np.full((5, 6), band, "f4")
    cube = open_cube(tmp_path / "x.nc")
    assert np.asarray(cube.data)[:, 0, 0].tolist() == [0, 1, 2, 3]
    lengths = [float(name.removeprefix("r_").removesuffix(unit)) for name in names]
    assert (cube.wavelengths.tolist(), cube.wavelength_unit) == (lengths, unit)


def test_names_of_bands_as_rioxarray_keeps_them(tmp_path):
    names = ["400 nm", "450 nm", "1000 nm", "near, far 1200 nm"]
    with h5py.File(tmp_path / "x.nc", "w") as file:
        file["band_data"] = np.zeros((4, 9, 8), "i2")
        file["band_data"].attrs["long_name"] = np.array(names, dtype=h5py.string_dtype())
    cube = open_cube(tmp_path / "x.nc", band_axis=0)
    assert (cube.header["band names"], cube.wavelengths.tolist()) == (names, [400, 450, 1000, 1200])
    assert cube.wavelength_unit == "nm"
