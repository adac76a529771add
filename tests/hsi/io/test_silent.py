"""Files that would give wrong values without a word: what other programs mean is taken, or said not to be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube

BANDS, ROWS, COLS = 5, 9, 11
WAVES = np.array([400.0, 450, 500, 550, 600])
LAST = 100 + 4000 + 160 + 10


def counts(dtype: str = "i2", bands: int = BANDS) -> np.ndarray:
    """(band, row, col); the last one is `LAST`."""
    band, row, col = np.ogrid[:bands, :ROWS, :COLS]
    return (100 + 1000 * band + 20 * row + col).astype(dtype)


def hdf5(path: Path, attributes: dict[str, Any], **options: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=counts(), **options).attrs.update(attributes)
        file["wavelength"] = WAVES
    return path


def notes(cube: Cube) -> str:
    return " ".join(cube.notes)


@pytest.mark.parametrize(
    ("attributes", "value"),
    [
        ({"slope": np.float32([0.02]), "intercept": np.float32([0])}, LAST * 0.02),
        ({"Slope": 0.02, "Offset": 3.0}, LAST * 0.02 + 3),
        ({"slope": 2.0, "intercept": 1}, LAST * 2 + 1),
        ({"slope": 2.0}, LAST * 2),
        ({"ScaleFactor": 0.02}, LAST * 0.02),
        ({"ScaleFactor": 10000.0}, LAST / 10000),
        ({"Reflectance scale factor": 10000.0}, LAST / 10000),
    ],
)
def test_other_names_of_scale_and_offset(tmp_path: Path, attributes: dict[str, Any], value: float) -> None:
    cube = open_cube(hdf5(tmp_path / "x.h5", attributes))
    assert cube.physical()[-1, -1, -1] == pytest.approx(value, rel=1e-6)
    assert not cube.notes
    # written and read again
    again = open_cube(save_cube(cube, tmp_path / "y.hdr"))
    assert again.physical()[-1, -1, -1] == pytest.approx(value, rel=1e-6)


def test_slopes_of_bands_that_lie_in_arrays_of_their_own(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for band in range(BANDS):
            file[f"Band{band + 1}"] = counts()[band]
            file[f"Band{band + 1}"].attrs.update({"slope": 0.5 + band, "intercept": 1.0})
    assert open_cube(tmp_path / "x.h5").physical()[:, -1, -1].tolist() == [
        (270 + 1000 * band) * (0.5 + band) + 1 for band in range(BANDS)
    ]


@pytest.mark.parametrize("key", ["scale", "multiplier", "Scaling Factor", "radiance_scales", "Reflectance_Scale"])
def test_what_may_be_a_scale_is_said_and_not_applied(tmp_path: Path, key: str) -> None:
    cube = open_cube(hdf5(tmp_path / "x.h5", {key: 0.02}))
    assert cube.scale == 1
    told = key.lower().replace(" ", "_")
    # floating-point numbers are what they say
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file.create_dataset("cube", data=counts("f4")).attrs[key] = 0.02
        file["wavelength"] = WAVES
    assert open_cube(tmp_path / "y.h5").notes == ()
    assert cube.notes == (
        f"x.h5: {told} = 0.02 is not applied, as it is no scale_factor of the array itself; "
        f"the values are the stored numbers",
    )


def test_a_scale_beside_the_array_is_said(tmp_path: Path) -> None:
    from scipy.io import savemat

    savemat(tmp_path / "x.mat", {"cube": counts().transpose(1, 2, 0), "scale_factor": 1e-4})
    np.savez(tmp_path / "x.npz", cube=counts(), wavelengths=WAVES, scale_factor=1e-4)
    with h5py.File(hdf5(tmp_path / "a.h5", {}), "a") as file:
        file["scale_factor"] = 1e-4
    with h5py.File(hdf5(tmp_path / "b.h5", {}), "a") as file:
        file.attrs["scale_factor"] = 1e-4
    for name, told in (("x.mat", ""), ("x.npz", ""), ("a.h5", ""), ("b.h5", " of the file")):
        assert f"{name}: scale_factor{told} = 0.0001 is not applied" in notes(open_cube(tmp_path / name))
    # of a scale that is known nothing has to be said
    with h5py.File(hdf5(tmp_path / "c.h5", {"scale_factor": 1e-4}), "a") as file:
        file.attrs["scale_factor"] = 1e-4
    assert open_cube(tmp_path / "c.h5").notes == ()


@pytest.mark.parametrize("key", ["NoDataValue", "nodata_value", "bad_value", "MissingValue", "Invalid value"])
def test_other_names_of_no_data(tmp_path: Path, key: str) -> None:
    assert open_cube(hdf5(tmp_path / "x.h5", {key: -999})).no_data == -999


def test_a_value_for_no_data_beside_the_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", cube=counts(), wavelengths=WAVES, nodata=-999)
    assert open_cube(tmp_path / "x.npz").no_data == -999


def test_a_fill_value_that_somebody_chose_was_not_measured(tmp_path: Path) -> None:
    assert open_cube(hdf5(tmp_path / "x.h5", {}, fillvalue=-999)).no_data == -999
    assert open_cube(hdf5(tmp_path / "y.h5", {"_FillValue": -1}, fillvalue=-999)).no_data == -1
    assert open_cube(hdf5(tmp_path / "z.h5", {}, fillvalue=0)).no_data is None
    for version, fill, meant in ((2, -999, -999), (3, -999, -999), (3, 0, None), (2, None, None)):
        zarr.create_array(
            tmp_path / "x.zarr", data=counts(), zarr_format=version, fill_value=fill, overwrite=True, chunks=(5, 3, 4)
        )
        assert open_cube(tmp_path / "x.zarr", band_axis=0).no_data == meant


@pytest.mark.parametrize("names", [("y", "x", "spec"), ("lat", "lon", "phony_dim_3"), ("line", "sample", "layer")])
def test_the_axis_beside_rows_and_cols_counts_the_bands(tmp_path: Path, names: tuple[str, ...]) -> None:
    xarray = pytest.importorskip("xarray")
    # by the sizes it would be the 9 rows
    data = np.zeros((9, 45, 50), np.float32)
    xarray.DataArray(data, dims=names).to_dataset(name="r").to_netcdf(tmp_path / "x.nc", engine="netcdf4")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["r"] = data
        for place, name in enumerate(names):
            file["r"].dims[place].label = name
    array = zarr.create_array(tmp_path / "x.zarr", data=data, zarr_format=3, dimension_names=names)
    assert array.shape == data.shape
    for name in ("x.nc", "x.h5", "x.zarr"):
        assert open_cube(tmp_path / name).shape == (50, 9, 45)


def test_dates_in_place_of_bands_are_said(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    # R's terra calls the axis of its layers so
    for shape in ((5, 9, 11), (5, 40, 41)):
        array = xarray.DataArray(np.zeros(shape, np.float32), dims=("time", "lat", "lon"))
        array.to_dataset(name="r").to_netcdf(tmp_path / "x.nc", engine="netcdf4")
        cube = open_cube(tmp_path / "x.nc")
        assert cube.shape == shape
        assert notes(cube) == "x.nc: the axis 'time' is taken for that of the bands, as no other is left"


def test_an_axis_that_is_guessed_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((20, 640, 224), "u1"))
    cube = open_cube(tmp_path / "x.npy")
    assert cube.shape == (20, 640, 224)
    assert notes(cube) == (
        "x.npy: that the axis of 20 counts the bands of 20 x 640 x 224 is guessed from the sizes; if another one does, "
        "choose it with band_axis= (on the command line --band-axis)"
    )
    assert open_cube(tmp_path / "x.npy", band_axis=2).notes == ()
    np.save(tmp_path / "y.npy", np.zeros((20, 64, 60), "u1"))
    assert open_cube(tmp_path / "y.npy").notes == ()


def test_a_transparency_is_no_band(tmp_path: Path) -> None:
    pixels = np.concatenate([counts("u2"), np.full((1, ROWS, COLS), 65535, "u2")]).transpose(1, 2, 0)
    extra = [0, 0, 0, 0, "unassalpha"]
    for name, layout in (("x.tif", pixels), ("y.tif", pixels.transpose(2, 0, 1))):
        planes = "contig" if name == "x.tif" else "separate"
        tifffile.imwrite(
            tmp_path / name, layout, photometric="minisblack", planarconfig=planes, extrasamples=extra, metadata=None
        )
        cube = open_cube(tmp_path / name)
        np.testing.assert_array_equal(cube.data, counts())
        assert "its last sample is the transparency (alpha) of a pixel and no band; it is left out" in notes(cube)


def test_a_fourth_band_that_is_called_transparency_stays(tmp_path: Path) -> None:
    pixels = counts("u1", 4).transpose(1, 2, 0)
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="rgb", extrasamples=["unassalpha"], metadata=None)
    cube = open_cube(tmp_path / "x.tif")
    assert cube.shape == (4, ROWS, COLS)
    assert "is called the transparency (alpha) of a pixel; it counts as a band" in notes(cube)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
@pytest.mark.parametrize("no_data", [None, 7])
def test_a_mask_tells_what_was_not_measured(tmp_path: Path, inside: bool, dtype: str, no_data: int | None) -> None:
    rasterio = pytest.importorskip("rasterio")
    options = {"driver": "GTiff", "width": COLS, "height": ROWS, "count": BANDS, "dtype": np.dtype(dtype).name}
    options |= {"transform": rasterio.Affine(30, 0, 500000, 0, -30, 5000000), "nodata": no_data}
    data, is_measured = counts(dtype), np.eye(ROWS, COLS, dtype=bool)
    data[data == 7] = 8
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(tmp_path / "x.tif", "w", **options) as file:
        file.write(data)
        file.write_mask(is_measured)
    cube = open_cube(tmp_path / "x.tif")
    assert cube.notes == ()
    assert cube.data.dtype == (dtype if no_data else {"u1": "f4", "u2": "f4", "i4": "f8", "f4": "f4"}[dtype])
    np.testing.assert_array_equal(cube.data[:, is_measured], data[:, is_measured])
    gone = cube.data[:, ~is_measured]
    assert cube.no_data == 7 and (gone == 7).all() if no_data else np.isnan(gone).all()
    again = open_cube(save_cube(cube, tmp_path / "y.tif", dtype="source"))
    np.testing.assert_array_equal(again.data, cube.data)


def test_a_mask_of_another_size_is_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", counts("u2"), photometric="minisblack", metadata=None)
    tifffile.imwrite(tmp_path / "x.tif.msk", np.zeros((ROWS, COLS + 1), "u1"), metadata=None)
    cube = open_cube(tmp_path / "x.tif")
    np.testing.assert_array_equal(cube.data, counts("u2"))
    assert "its mask of pixels that were not measured does not fit the bands, and is not read" in notes(cube)


def test_a_mask_of_each_band(tmp_path: Path) -> None:
    mask = np.ones((BANDS, ROWS, COLS), "u1")
    mask[2, 1] = 0
    tifffile.imwrite(tmp_path / "x.tif", counts("f4"), photometric="minisblack", metadata=None)
    tifffile.imwrite(tmp_path / "x.tif.msk", mask, photometric="minisblack", planarconfig="separate", metadata=None)
    cube = open_cube(tmp_path / "x.tif")
    np.testing.assert_array_equal(np.isnan(cube.data), mask == 0)


@pytest.mark.parametrize("is_lazy", [False, True])
def test_a_transparent_pixel_was_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_lazy: bool) -> None:
    pixels = counts("u2", 6).transpose(1, 2, 0).copy()
    pixels[..., -1] = 65535
    pixels[1, 2:4, -1] = 0
    options = {"photometric": "minisblack", "extrasamples": [0, 0, 0, 0, 2], "compression": "zlib", "tile": (16, 16)}
    tifffile.imwrite(tmp_path / "x.tif", pixels, planarconfig="contig", metadata=None, **options)
    if is_lazy:
        monkeypatch.setattr("napari_decsc.hsi.io.formats.tiff_files.fits_in_memory", lambda size: size < pixels.nbytes)
    cube = open_cube(tmp_path / "x.tif")
    assert isinstance(cube.data, np.ndarray) is not is_lazy
    np.testing.assert_array_equal(np.isnan(np.asarray(cube.data)), np.broadcast_to(pixels[..., -1] == 0, cube.shape))
    np.testing.assert_array_equal(np.asarray(cube.data[3:, 2]), pixels[2, :, 3:5].T)
    assert "is left out, and pixels in which it is 0 were not measured" in notes(cube)


def test_the_sign_of_imagej(tmp_path: Path) -> None:
    said = {"axes": "CYX", "cf": 0, "c0": -32768.0, "c1": 1.0, "vunit": "gray value"}
    tifffile.imwrite(tmp_path / "x.tif", counts("u2"), imagej=True, metadata=said)
    np.testing.assert_array_equal(open_cube(tmp_path / "x.tif").physical(), counts("f4") - 32768)
    tifffile.imwrite(tmp_path / "y.tif", counts("u2"), imagej=True, metadata={"axes": "CYX"})
    np.testing.assert_array_equal(open_cube(tmp_path / "y.tif").data, counts("u2"))


def envi(path: Path, fields: str, data: np.ndarray | None = None) -> Path:
    stored = counts("<i2") if data is None else data
    path.with_suffix(".img").write_bytes(stored.tobytes())
    path.write_text(
        f"ENVI\nsamples = {COLS}\nlines = {ROWS}\nbands = {BANDS}\ndata type = {2 if data is None else 4}\n"
        f"interleave = bsq\nbyte order = 0\n{fields}"
    )
    return path


def test_widths_in_nanometres_beside_micrometres(tmp_path: Path) -> None:
    waves = "wavelength units = Micrometers\nwavelength = {0.4, 0.45, 0.5, 0.55, 0.6}\n"
    cube = open_cube(envi(tmp_path / "x.hdr", waves + "fwhm = {10, 10, 10, 10, 10}\n"))
    assert cube.fwhm.tolist() == [0.01] * 5
    assert cube.notes == ("x.hdr: fwhm of 10 um beside bands 0.05 um apart is none; nm is taken for its unit",)
    envi(tmp_path / "x.hdr", waves + "fwhm = {0.01, 0.01, 0.01, 0.01, 0.01}\n")
    assert open_cube(tmp_path / "x.hdr").notes == ()
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cube"], file["wavelength"], file["fwhm"] = counts(), WAVES / 1000, np.full(5, 10.0)
    assert open_cube(tmp_path / "x.h5").fwhm.tolist() == [0.01] * 5


def test_a_scale_factor_to_multiply_by(tmp_path: Path) -> None:
    cube = open_cube(envi(tmp_path / "x.hdr", "reflectance scale factor = 0.0001\n"))
    assert cube.scale == 10000
    assert cube.notes == (
        "x.hdr: reflectance scale factor is 0.0001, by which numbers are multiplied and not divided; 10000 is taken",
    )
    for odd in ("1e-320", "1e-12"):
        assert open_cube(envi(tmp_path / "z.hdr", f"reflectance scale factor = {odd}\n")).scale == float(odd)
    # a scale that is meant so is told in other words, and comes back
    for scale in (0.005, 1 / 300, 1e-4):
        for dtype in (None, "source"):
            path = save_cube(Cube(counts(), scale=scale), tmp_path / "y.hdr", dtype=dtype, overwrite=True)
            again = open_cube(path)
            assert again.scale == pytest.approx(scale, rel=1e-12)
            assert again.notes == ()
            np.testing.assert_array_equal(again.data, counts())


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("-3.40282e+38", -3.4028234663852886e38),
        ("-3.4028235e+38", -3.4028234663852886e38),
        ("3.4028e+38", 3.4028234663852886e38),
        ("-3.40282306074e+38", -3.4028230607370965e38),
        ("-3.4e+38", -3.4e38),
        ("-1e+38", -1e38),
    ],
)
def test_the_least_float32_with_too_few_digits(tmp_path: Path, said: str, stored: float) -> None:
    data = counts("<f4")
    data[:, 0, 0] = stored
    tag = [(42113, "s", 0, said, True)]
    tifffile.imwrite(tmp_path / "x.tif", data, photometric="minisblack", metadata=None, extratags=tag)
    for path in (envi(tmp_path / "x.hdr", f"data ignore value = {said}\n", data), tmp_path / "x.tif"):
        assert np.isnan(open_cube(path).physical()).sum() == BANDS


def test_arrays_of_r_are_as_r_shows_them(tmp_path: Path) -> None:
    # rhdf5 keeps (row, col, band) in the opposite order, marks what it wrote, and has its own "not available"
    data = counts("i4")
    data[:, 0, 0] = -(2**31)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("cube", data=data.transpose(0, 2, 1)).attrs["rhdf5-NA.OK"] = 1
        file["wavelength"] = WAVES
    cube = open_cube(tmp_path / "x.h5")
    np.testing.assert_array_equal(cube.data, data)
    assert cube.no_data == -(2**31)
    assert cube.wavelengths.tolist() == WAVES.tolist()


def _npy(path: Path, data: np.ndarray) -> None:
    np.save(path, data)


def _zarr(path: Path, data: np.ndarray) -> None:
    zarr.create_array(path, data=data)


def _tiff(path: Path, data: np.ndarray) -> None:
    tifffile.imwrite(path, data, metadata=None)


@pytest.mark.parametrize(("name", "make"), [("x.npy", _npy), ("x.zarr", _zarr), ("x.tif", _tiff)])
def test_complex_numbers_are_called_so(tmp_path: Path, name: str, make: Callable[[Path, np.ndarray], None]) -> None:
    make(tmp_path / name, counts("c8"))
    with pytest.raises(FileFormatError, match=r"complex numbers\)?; save the magnitude of the complex numbers"):
        open_cube(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("x.img", b"EHFA_HEADER_TAG\0", r"is ERDAS Imagine, which is not read; .*\(gdal_translate x\.img x\.tif\)"),
        ("x.hdr", b"BYTEORDER I\nLAYOUT BIL\n", r"is a header of Esri's .*\(gdal_translate x\.bil x\.tif\)"),
        ("x.jp2", b"\0\0\0\x0cjP  \r\n\x87\n", "is JPEG 2000, which is not read; convert it with GDAL"),
        ("x.vrt", b"<VRTDataset rasterXSize", "is a virtual raster of GDAL"),
        ("x.fits", b"SIMPLE  =   T", "is FITS, which is not read"),
        ("x.ntf", b"NITF02.10", "is NITF, which is not read"),
        ("x.lbl", b"PDS_VERSION_ID = PDS3", "is PDS, which is not read"),
        ("x.grd", b"[general]\ncreator=R package 'raster'\n", "is the native format of R's raster"),
        ("x.h5", b"\n<!DOCTYPE html><html>404", "is a web page, perhaps .*; download it again"),
        ("x.nc", b"version https://git-lfs.github.com/spec/v1\n", r"is a pointer of Git LFS .*\(git lfs pull\)"),
        ("x.tif", b"\xff\xd8\xff\xe0", "is a picture .JPEG. with colours in place of bands"),
        ("x.img.gz", b"\x1f\x8b\x08", r"is compressed by gzip; unpack it first \(gunzip\)"),
        ("x.npz", b"PK\3\4", "is cut short: the end of the archive is missing"),
    ],
)
def test_files_that_hold_no_cube_are_called_what_they_are(tmp_path: Path, name: str, start: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(start + bytes(300))
    with pytest.raises(FileFormatError, match=said):
        open_cube(tmp_path / name)


@pytest.mark.parametrize("name", ["x.hdr", "x.img", "x.mat", "x.tif", "x.npy", "x.npz", "x.h5", "x.nc", "x.zip", "x"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FileFormatError, match=r"is empty \(0 bytes\); copy or download it again"):
        open_cube(tmp_path / name)


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    (tmp_path / "captures").mkdir()
    with pytest.raises(FileFormatError, match=r"is a folder; open one of .* \(napari-decsc info captures lists them\)"):
        open_cube(tmp_path / "captures")


def test_a_table_beside_a_cell_is_told_first(tmp_path: Path) -> None:
    from scipy.io import savemat

    savemat(tmp_path / "x.mat", {"Y": np.zeros((20, 300)), "names": np.array(["a", "b"], object)})
    with pytest.raises(FileFormatError, match=r"a table of .* needs its rows and cols back"):
        open_cube(tmp_path / "x.mat")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["image"] = np.zeros((30, 40))
    with pytest.raises(FileFormatError, match=r"there is image \(30 x 40\)$"):
        open_cube(tmp_path / "x.h5")


def test_wavelengths_as_texts_in_an_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", cube=counts(), bands=np.array([f"{wave:g} nm" for wave in WAVES]))
    cube = open_cube(tmp_path / "x.npz")
    assert (cube.wavelengths.tolist(), cube.wavelength_unit) == (WAVES.tolist(), "nm")
