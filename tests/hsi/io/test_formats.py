"""MATLAB, TIFF, HDF5, NetCDF and NumPy files made by other libraries: the cube is found, or asked for."""

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
import tifffile

from napari_decsc.errors import AmbiguousFileError, FileFormatError
from napari_decsc.hsi.io.files import can_open, open_cube, save_cube
from napari_decsc.hsi.io.formats import guards

#: 5 bands, 12 rows, 17 cols: bands are clearly the shortest axis, and no two axes are equal.
DATA = np.arange(5 * 12 * 17, dtype=np.int16).reshape(5, 12, 17)
HWC = DATA.transpose(1, 2, 0)
WAVELENGTHS = np.array([450.0, 500, 550, 600, 650])


def netcdf3(path, data, **options):
    with scipy.io.netcdf_file(str(path), "w") as file:
        for name, size in zip(("band", "y", "x"), data.shape, strict=True):
            file.createDimension(name, size)
        variable = file.createVariable("radiance", data.dtype, ("band", "y", "x"))
        variable[:] = data
        waves = file.createVariable("wavelength", "f8", ("band",))
        waves[:], waves.units = WAVELENGTHS / 1000, "um"
        for key, value in options.items():
            setattr(variable, key, value)


def hdf5(path, data, **attributes):
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("scene/reflectance", data=data)
        dataset.attrs.update(attributes)


def compressed(path, data):
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=data, chunks=(1, 4, 4), compression="gzip")


def matlab73(path, data):
    """As MATLAB does: a block of 512 bytes first, axes in the opposite order, references in a group of their own."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("cube", data=data.transpose(), chunks=True, compression="gzip")
        file.create_dataset("#refs#/a", data=np.zeros((3, 4, 5)))
        file.create_dataset("wl", data=WAVELENGTHS[:, None])


def netcdf4(path, data):
    """As the netCDF library does: dimensions are HDF5's dimension scales."""
    with h5py.File(path, "w") as file:
        variable = file.create_dataset("reflectance", data=data)
        for place, (name, size) in enumerate(zip(("downtrack", "crosstrack", "bands"), data.shape, strict=True)):
            file.create_dataset(name, data=np.arange(size)).make_scale(name)
            variable.dims[place].attach_scale(file[name])
        file.create_dataset("sensor_band_parameters/wavelengths", data=WAVELENGTHS).attrs["units"] = "nm"
        file.create_dataset("sensor_band_parameters/good_wavelengths", data=[1, 1, 0, 1, 1])
        file.create_dataset("sensor_band_parameters/fwhm", data=np.full(5, 8.5))


CASES = {
    "c.npy": lambda path: np.save(path, DATA),
    "hwc.npy": lambda path: np.save(path, HWC),
    "fortran.npy": lambda path: np.save(path, np.asfortranarray(HWC)),
    "big.npy": lambda path: np.save(path, DATA.astype(">i2")),
    "c.npz": lambda path: np.savez(path, cube=DATA, labels=np.zeros((12, 17))),
    "small.npz": lambda path: np.savez_compressed(path, DATA),
    "v5.mat": lambda path: scipy.io.savemat(path, {"paviaU": HWC, "gt": np.zeros((12, 17))}),
    "v7.mat": lambda path: scipy.io.savemat(path, {"paviaU": HWC}, do_compression=True),
    "v73.mat": lambda path: matlab73(path, HWC),
    "pages.tif": lambda path: tifffile.imwrite(path, DATA, photometric="minisblack"),
    "big_endian.tif": lambda path: tifffile.imwrite(path, DATA, photometric="minisblack", byteorder=">"),
    "packed.tif": lambda path: tifffile.imwrite(path, DATA, photometric="minisblack", compression="zlib"),
    "tiled.tif": lambda path: tifffile.imwrite(path, DATA, photometric="minisblack", tile=(16, 16)),
    "samples.tif": lambda path: tifffile.imwrite(path, HWC, photometric="minisblack", planarconfig="contig"),
    "planar.tiff": lambda path: tifffile.imwrite(path, DATA, photometric="minisblack", planarconfig="separate"),
    "plain.h5": lambda path: hdf5(path, DATA),
    "bip.h5": lambda path: hdf5(path, HWC),
    "packed.hdf5": lambda path: compressed(path, DATA),
    "four.nc": lambda path: netcdf4(path, HWC),
    "three.nc": lambda path: netcdf3(path, DATA),
}
MAPPED = ["c.npy", "hwc.npy", "fortran.npy", "big.npy", "c.npz", "pages.tif", "big_endian.tif", "samples.tif"]
MAPPED += ["v5.mat", "planar.tiff", "plain.h5", "bip.h5", "four.nc", "three.nc"]


def root(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@pytest.mark.parametrize("name", CASES)
def test_the_cube_is_found_whatever_the_format_and_the_order_of_its_axes(tmp_path, name):
    path = tmp_path / name
    CASES[name](path)
    cube = open_cube(path)
    np.testing.assert_array_equal(cube.data, DATA)
    assert cube.data.dtype.kind == "i"
    assert (cube.name, cube.source, cube.header["data type"]) == (path.stem, path, "int16")
    assert can_open(path)
    assert isinstance(root(cube.data), np.memmap) == (name in MAPPED)


@pytest.mark.parametrize(
    ("name", "unit", "factor"), [("v73.mat", "nm", 1), ("four.nc", "nm", 1), ("three.nc", "um", 1000)]
)
def test_wavelengths_are_taken(tmp_path, name, unit, factor):
    CASES[name](tmp_path / name)
    cube = open_cube(tmp_path / name)
    assert cube.wavelengths * factor == pytest.approx(WAVELENGTHS)
    assert cube.wavelength_unit == unit


def test_widths_and_good_bands_are_taken(tmp_path):
    CASES["four.nc"](tmp_path / "four.nc")
    cube = open_cube(tmp_path / "four.nc")
    assert cube.fwhm.tolist() == [8.5] * 5
    assert cube.good_bands.tolist() == [True, True, False, True, True]


@pytest.mark.parametrize("save", [scipy.io.savemat, lambda path, arrays: np.savez(path, **arrays)])
def test_wavelengths_tell_the_band_axis(tmp_path, save):
    # no axis is clearly the odd one: only the 11 wavelengths tell
    path = tmp_path / ("x.mat" if save is scipy.io.savemat else "x.npz")
    save(path, {"x": np.zeros((11, 12, 13)), "Wave_Length": np.linspace(400, 800, 11)})
    assert open_cube(path).shape == (11, 12, 13)
    assert open_cube(path).wavelength_unit == "nm"


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((145, 145, 200), 2),  # beside two equal axes, the third
        ((31, 512, 512), 0),
        ((610, 340, 103), 2),  # at most half as long as either of the others
        ((103, 610, 340), 0),
        ((175, 80, 100), None),
        ((10, 10, 10), None),
    ],
)
def test_the_band_axis_is_guessed_or_asked_for(tmp_path, shape, axis):
    path = tmp_path / "x.npy"
    np.save(path, np.broadcast_to(np.int8(0), shape))
    if axis is not None:
        assert open_cube(path).bands == shape[axis]
        return
    with pytest.raises(AmbiguousFileError, match=r"choose 0, 1 or 2 with band_axis= \(on the command line --band-axis"):
        open_cube(path)
    assert can_open(path)


@pytest.mark.parametrize("asked", [1, "1", -2, " 1 "])
def test_the_band_axis_asked_for_counts(tmp_path, asked):
    np.save(tmp_path / "x.npy", DATA)
    np.testing.assert_array_equal(open_cube(tmp_path / "x.npy", band_axis=asked).data, DATA.transpose(1, 0, 2))


def test_a_band_axis_by_name(tmp_path):
    CASES["three.nc"](tmp_path / "x.nc")
    assert open_cube(tmp_path / "x.nc", band_axis="Y").shape == (12, 5, 17)
    with pytest.raises(FileFormatError, match="it must be 0, 1 or 2, or one of band, y, x"):
        open_cube(tmp_path / "x.nc", band_axis="up")


@pytest.mark.parametrize(
    ("shape", "bands"),
    [
        ((512, 217, 204), 204),  # the custom decides where sizes do not
        ((50, 400, 224), None),  # where sizes speak against it, a person does
    ],
)
def test_matlab_cubes_are_row_col_band(tmp_path, shape, bands):
    scipy.io.savemat(tmp_path / "x.mat", {"x": np.zeros(shape, np.uint8)}, do_compression=True)
    if bands is not None:
        assert open_cube(tmp_path / "x.mat").bands == bands
        return
    with pytest.raises(AmbiguousFileError) as question:
        open_cube(tmp_path / "x.mat")
    assert (question.value.option, question.value.choices) == ("band_axis", ("0", "1", "2"))


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">f4", ">i2"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_of_matlab(tmp_path, dtype, packed):
    others = {"text": "abc", "s": {"cube": DATA}, "c": np.array([DATA, "x"], object), "z": DATA * 1j}
    more = {"a_long_name_for_a_variable_31_ch": np.zeros((3, 3)), "sparse": scipy.sparse.eye(4, format="csc")}
    scipy.io.savemat(tmp_path / "x.mat", {**others, "cube": HWC.astype(dtype), **more}, do_compression=packed)
    cube = open_cube(tmp_path / "x.mat")
    np.testing.assert_array_equal(cube.data, DATA.astype(dtype))
    assert cube.data.dtype.newbyteorder("=") == np.dtype(dtype).newbyteorder("=")


def test_of_several_cubes_one_is_asked_for(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["a/vnir"], file["a/swir"], file["mask"] = DATA, DATA + 1, np.zeros((3, 3))
    with pytest.raises(
        AmbiguousFileError, match=r"holds 2 cubes, a/swir \(5 x 12 x 17\), a/vnir .* variable="
    ) as question:
        open_cube(path)
    assert (question.value.option, question.value.choices) == ("variable", ("a/swir", "a/vnir"))
    assert open_cube(path, variable="/a/vnir").data[0, 0, 0] == 0
    assert open_cube(path, variable="a/swir").data[0, 0, 0] == 1
    with pytest.raises(FileFormatError, match=r"holds no cube 'mask'; there is a/swir"):
        open_cube(path, variable="mask")


def test_a_dimension_tells_the_band_axis(tmp_path):
    with h5py.File(tmp_path / "x.nc", "w") as file:
        file["x"], file["bands"] = np.zeros((11, 12, 13)), np.arange(12)
    assert open_cube(tmp_path / "x.nc").bands == 12


def test_the_one_cube_that_wavelengths_fit_is_taken(tmp_path):
    np.savez(tmp_path / "x.npz", a=DATA, b=np.zeros((6, 12, 17)), wavelengths=WAVELENGTHS)
    assert open_cube(tmp_path / "x.npz").bands == 5


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("others", [0, 2])
def test_records_of_a_netcdf_file(tmp_path, version, others):
    """A cube that may grow lies in the file band by band, between the records of other arrays."""
    with scipy.io.netcdf_file(str(tmp_path / "x.nc"), "w", version=version) as file:
        for name, size in (("time", None), ("y", 3), ("x", 5)):
            file.createDimension(name, size)
        file.title = "records"
        values = np.arange(105, dtype=np.int16).reshape(7, 3, 5)
        for name in ["cube", "a", "b"][: others + 1]:
            cube = name == "cube"
            file.createVariable(name, "i2", ("time", "y", "x") if cube else ("time",))[:] = (
                values if cube else values[:, 0, 0]
            )
    cube = open_cube(tmp_path / "x.nc", band_axis="time")
    np.testing.assert_array_equal(cube.data, np.arange(105).reshape(7, 3, 5))
    assert cube.header["title"] == "records"


def test_axes_of_length_one_are_dropped(tmp_path):
    np.save(tmp_path / "x.npy", DATA[None, :, None])
    np.testing.assert_array_equal(open_cube(tmp_path / "x.npy").data, DATA)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 5)), np.zeros((4, 5, 6), complex), np.zeros((2, 2, 2, 2, 2)), np.zeros((0, 5, 6))]
)
def test_files_without_a_cube_say_so(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", x=array)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = array
    for path in tmp_path.iterdir():
        assert not can_open(path)
        with pytest.raises(FileFormatError, match="holds no cube, an array of real numbers with 3 axes; there is"):
            open_cube(path)


@pytest.mark.parametrize(
    ("attributes", "scale", "no_data"),
    [
        ({"scale_factor": np.float32(0.0001), "_FillValue": np.int16(-9999)}, 10000, -9999),
        ({"Scale_Factor": 10000.0, "Data_Ignore_Value": -9999.0}, 10000, -9999),
        ({"scale_factor": 2.0}, 0.5, None),
        ({"scale_factor": 0.0}, 1, None),
        ({}, 1, None),
    ],
)
@pytest.mark.parametrize("write", [hdf5, netcdf3])
def test_scale_and_no_data_come_from_attributes(tmp_path, write, attributes, scale, no_data):
    path = tmp_path / ("x.h5" if write is hdf5 else "x.nc")
    write(path, DATA, units="1", **attributes)
    cube = open_cube(path)
    if write is netcdf3 and no_data is None:
        no_data = -32767  # what the library puts into cells that are never written
    assert (cube.scale, cube.no_data, cube.header["units"]) == (scale, no_data, "1")
    np.testing.assert_array_equal(cube.data, DATA)


def test_an_offset_is_applied(tmp_path):
    hdf5(tmp_path / "x.h5", DATA, scale_factor=0.5, add_offset=10.0, _FillValue=3)
    cube = open_cube(tmp_path / "x.h5")
    assert np.asarray(cube.data[0, 0, :3]).tolist() == [10, 10.5, 11]
    assert np.isnan(cube.physical()[0, 0, 3])
    assert (cube.scale, cube.header["data type"], cube.data.dtype) == (1, "int16", np.float32)
    again = open_cube(save_cube(cube, tmp_path / "out.hdr", dtype="source"))
    assert again.data.dtype == np.float32
    np.testing.assert_array_equal(again.physical(), cube.physical())
    np.testing.assert_array_equal(again.as_stored().data, DATA)


def test_gdal_tags_are_taken(tmp_path):
    items = "".join(f'<Item name="wavelength" sample="{band}">{wave}</Item>' for band, wave in enumerate(WAVELENGTHS))
    tags = [(42112, "s", 0, f"<GDALMetadata>{items}</GDALMetadata>", True), (42113, "s", 0, "-99", True)]
    tags += [(33550, "d", 3, (30.0, 30.0, 0.0), True), (34737, "s", 0, "WGS 84|", True)]
    tifffile.imwrite(
        tmp_path / "geo.tif", HWC, photometric="minisblack", planarconfig="contig", extratags=tags, metadata=None
    )
    cube = open_cube(tmp_path / "geo.tif")
    np.testing.assert_array_equal(cube.data, DATA)
    assert (cube.wavelengths.tolist(), cube.wavelength_unit, cube.no_data) == (WAVELENGTHS.tolist(), "nm", -99)
    assert cube.header["geotiff 33550"] == ["30.0", "30.0", "0.0"]
    assert cube.header["geotiff 34737"] == "WGS 84|"


def test_rows_that_were_taken_for_pages_are_asked_about(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((64, 48, 8), np.uint8), photometric="minisblack")
    with pytest.raises(AmbiguousFileError, match="64 x 48 x 8"):
        open_cube(tmp_path / "x.tif")
    assert open_cube(tmp_path / "x.tif", band_axis=2).shape == (8, 64, 48)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("photo.tif", lambda path: tifffile.imwrite(path, np.zeros((20, 30, 3), np.uint8), photometric="rgb")),
        ("rgba.tif", lambda path: tifffile.imwrite(path, np.zeros((3, 20, 30), np.uint8), photometric="minisblack")),
        ("plane.tif", lambda path: tifffile.imwrite(path, np.zeros((20, 30), np.uint8))),
        ("imagej.tif", lambda path: tifffile.imwrite(path, np.zeros((9, 20, 30), np.uint8), imagej=True)),
        ("ome.tif", lambda path: tifffile.imwrite(path, np.zeros((9, 20, 30), np.uint8), ome=True)),
        ("rgb.npy", lambda path: np.save(path, np.zeros((20, 30, 3)))),
        ("text.tif", lambda path: path.write_bytes(b"text")),
        ("empty.h5", lambda path: path.write_bytes(b"")),
        ("text.mat", lambda path: path.write_bytes(b"1 2 3\n" * 50)),
    ],
)
def test_ordinary_images_are_left_to_others(tmp_path, name, write):
    write(tmp_path / name)
    assert not can_open(tmp_path / name)


def test_what_does_not_fit_into_memory_stays_on_disk(tmp_path, monkeypatch):
    compressed(tmp_path / "x.h5", DATA)
    np.savez_compressed(tmp_path / "x.npz", DATA)
    monkeypatch.setattr(guards, "fits_in_memory", lambda size: size < 1000)
    monkeypatch.setattr("napari_decsc.hsi.io.formats.hdf5_values.fits_in_memory", lambda size: size < 1000)
    cube = open_cube(tmp_path / "x.h5")
    assert not isinstance(cube.data, np.ndarray)
    np.testing.assert_array_equal(np.asarray(cube.data[1:3, 2:5, 3:]), DATA[1:3, 2:5, 3:])
    np.testing.assert_array_equal(cube.physical(), DATA)
    with pytest.raises(FileFormatError, match="more than is free; save it uncompressed"):
        open_cube(tmp_path / "x.npz")


def test_real_cubes_open(real_data):
    jasper = open_cube(real_data / "remote_sensing" / "real_noise" / "jasper-f224.npz")
    assert jasper.shape == (224, 100, 100)
    with pytest.raises(AmbiguousFileError):
        open_cube(real_data / "remote_sensing" / "real_noise" / "hydice-175.npz")
    assert open_cube(next((real_data / "cave" / "val").glob("*.tif"))).shape == (31, 512, 512)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "options",
    [
        {"planarconfig": "separate", "compression": "lzw", "rowsperstrip": 7},
        {"planarconfig": "separate", "compression": "zlib", "tile": (16, 16), "predictor": True},
        {"compression": "zstd", "tile": (16, 16)},
        {"planarconfig": "contig", "compression": "lzw", "rowsperstrip": 7},
    ],
    ids=["planes in strips", "planes in tiles", "pages", "pixels"],
)
def test_a_packed_tiff_beyond_half_of_the_memory_stays_in_its_file(tmp_path, monkeypatch, options):
    data = np.arange(6 * 40 * 50, dtype="u2").reshape(6, 40, 50)
    stored = data.transpose(1, 2, 0).copy() if options.get("planarconfig") == "contig" else data
    tifffile.imwrite(tmp_path / "x.tif", stored, photometric="minisblack", metadata=None, **options)
    monkeypatch.setattr("napari_decsc.hsi.io.formats.tiff_files.fits_in_memory", lambda size: size < data.nbytes)
    cube = open_cube(tmp_path / "x.tif")
    assert (type(cube.data).__module__.partition(".")[0], cube.shape) == ("dask", (6, 40, 50))
    np.testing.assert_array_equal(np.asarray(cube.data[:, 3:18, 20:49]), data[:, 3:18, 20:49])
    np.testing.assert_array_equal(np.asarray(cube.data), data)
    monkeypatch.setattr("napari_decsc.hsi.io.formats.guards.fits_in_memory", lambda size: size < 500)
    with pytest.raises(FileFormatError, match=r"x.tif: a piece of series 0 would take .* more than is free"):
        open_cube(tmp_path / "x.tif")
