"""Science products: small files after the layout of each, with the values that its documents say they mean."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from napari_decsc.errors import AmbiguousFileError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.files import open_cube, save_cube

ROWS, COLS = 9, 11
F4 = np.float32


def counts(bands: int, dtype: str = "u2", first: int = 100) -> np.ndarray:
    """(band, row, col): first + 1000 band + 20 row + col."""
    band, row, col = np.ogrid[:bands, :ROWS, :COLS]
    return (first + 1000 * band + 20 * row + col).astype(dtype)


def lat_lon() -> tuple[np.ndarray, np.ndarray]:
    row, col = np.mgrid[:ROWS, :COLS]
    return 45 - 0.01 * row, 10 + 0.01 * col


def prisma(path: Path, level: str) -> None:
    fields = f"HDFEOS/SWATHS/PRS_L{level}_HCO/"
    with h5py.File(path, "w") as file:
        for name, lengths in (("Vnir", [970, 700, 410, 0, 0]), ("Swir", [2490, 1500, 960, 0])):
            stored = counts(len(lengths), first=100 if name == "Vnir" else 200).transpose(1, 0, 2)
            file[f"{fields}Data Fields/{name.upper()}_Cube"] = stored
            error = "PIXEL_SAT_ERR_MATRIX" if level == "1" else "PIXEL_L2_ERR_MATRIX"
            file[f"{fields}Data Fields/{name.upper()}_{error}"] = np.zeros(stored.shape, "u1")
            file.attrs[f"List_Cw_{name}"] = np.array(lengths, F4)
            file.attrs[f"List_Cw_{name}_Flags"] = (np.array(lengths) > 0).astype("i4")
            file.attrs[f"List_Fwhm_{name}"] = np.where(lengths, 10 + np.arange(len(lengths)), 0).astype(F4)
            file.attrs[f"L2Scale{name}Min"], file.attrs[f"L2Scale{name}Max"] = F4(0.25), F4(1.5)
            file.attrs[f"ScaleFactor_{name}"], file.attrs[f"Offset_{name}"] = F4(100), F4(2)
        if level == "1":
            file.copy(file[fields + "Data Fields"], file, "HDFEOS/SWATHS/PRS_L1_HRC/Data Fields")
        end = "_VNIR" if level == "1" else ""
        file[f"{fields}Geolocation Fields/Latitude{end}"], file[f"{fields}Geolocation Fields/Longitude{end}"] = (
            lat_lon()
        )
        if level == "2D":
            file.attrs["Epsg_Code"] = 32633
            file.attrs["Product_ULcorner_easting"], file.attrs["Product_ULcorner_northing"] = 500015.0, 4999985.0


def emit(path: Path, name: str) -> None:
    with h5py.File(path, "w") as file:
        file[name] = counts(6, "f4").transpose(1, 2, 0)
        file[name][0, 0] = -9999
        file[name].attrs["_FillValue"] = F4(-9999)
        file["sensor_band_parameters/wavelengths"] = np.linspace(381, 2493, 6, dtype=F4)
        file["sensor_band_parameters/wavelengths"].attrs["units"] = "nm"
        file["sensor_band_parameters/fwhm"] = np.full(6, 8.5, F4)
        file["sensor_band_parameters/good_wavelengths"] = np.array([1, 1, 0, 1, 1, 1], "u1")
        file["location/lat"], file["location/lon"] = lat_lon()
        file["location/glt_x"] = np.zeros((20, 30), "i4")
        file.attrs["geotransform"], file.attrs["spatial_ref"] = [10.0, 1e-3, 0, 45, 0, -1e-3], "GEOGCS[...]"


def oci_l1b(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["_NCProperties"] = "version=2"
        for name, lengths, first in (
            ("blue", [340, 500, 605], 0),
            ("red", [600, 700, 890], 10),
            ("SWIR", [940, 2260], 20),
        ):
            data = file.create_dataset(f"observation_data/rhot_{name}", data=counts(len(lengths), "f4", first))
            data[0, 0, 0] = -32767
            data.attrs["_FillValue"] = F4(-32767)
            file[f"observation_data/qual_{name}"] = np.zeros((len(lengths), ROWS, COLS), "u1")
            file[f"sensor_band_parameters/{name}_wavelength"] = np.array(lengths, F4)
            file[f"sensor_band_parameters/{name}_wavelength"].attrs["units"] = "nm"
            file[f"sensor_band_parameters/{name}_solar_irradiance"] = np.ones(len(lengths), F4)
        file["geolocation_data/latitude"], file["geolocation_data/longitude"] = lat_lon()


def oci_l2(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["_NCProperties"] = "version=2"
        data = file.create_dataset("geophysical_data/Rrs", data=counts(4, "i2").transpose(1, 2, 0))
        data[0, 0] = -32767
        data.attrs.update({"scale_factor": F4(2e-6), "add_offset": F4(0.05), "_FillValue": np.int16(-32767)})
        data.attrs.update({"valid_min": np.int16(-30000), "valid_max": np.int16(25000)})
        file["geophysical_data/l2_flags"] = np.zeros((ROWS, COLS), "i4")
        file["sensor_band_parameters/wavelength"] = np.linspace(315, 2258, 8, dtype=F4)
        file["sensor_band_parameters/wavelength_3d"] = np.array([400, 500, 600, 700], F4)
        file["navigation_data/latitude"], file["navigation_data/longitude"] = lat_lon()


def tanager(path: Path) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_dataset("HDFEOS/SWATHS/HYP/Data Fields/toa_radiance", data=counts(5, "f4"))
        data[0, 0, 0] = -9999
        attributes = {"wavelengths": np.linspace(376, 2499, 5), "fwhm": np.full(5, 5.5), "_FillValue": F4(-9999)}
        data.attrs.update({**attributes, "units": "W/(m^2 sr um)"})
        file["HDFEOS/SWATHS/HYP/Data Fields/toa_radiance_uncertainty"] = counts(5, "f4")
        file["HDFEOS/SWATHS/HYP/Data Fields/nodata_pixels"] = np.zeros((ROWS, COLS), "u1")
        lat, lon = lat_lon()
        file["HDFEOS/SWATHS/HYP/Geolocation Fields/Latitude"] = lat
        file["HDFEOS/SWATHS/HYP/Geolocation Fields/Longitude"] = lon


def tanager_ortho(path: Path) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_dataset("HDFEOS/GRIDS/HYP/Data Fields/surface_reflectance", data=counts(5, "f4"))
        data[0, 0, 0] = -9999
        attributes = {"wavelengths": np.linspace(376, 2499, 5), "fwhm": np.full(5, 5.5), "_FillValue": F4(-9999)}
        data.attrs.update(attributes)
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(
            'GROUP=GridStructure\n\tGROUP=GRID_1\n\t\tGridName="HYP"\n\t\tXDim=11\n\t\tYDim=9\n'
            "\t\tUpperLeftPointMtrs=(500000.000000,4000000.000000)\n\t\tLowerRightMtrs=(500330.000000,3999730.000000)\n"
            "\t\tProjection=HE5_GCTP_UTM\n\t\tZoneCode=-33\n"
        )


def aviris3(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["_NCProperties"] = "version=2"
        file["reflectance/reflectance"] = counts(5, "f4")
        file["reflectance/reflectance"][0, 0, 0] = -9999
        file["reflectance/reflectance"].attrs["_FillValue"] = F4(-9999)
        file["reflectance/wavelength"], file["reflectance/fwhm"] = np.linspace(390, 2500, 5), np.full(5, 7.5)
        file["reflectance/wavelength"].attrs["units"] = "nm"
        file["easting"], file["northing"] = 500000 + 5.0 * np.arange(COLS), 4000000 - 5.0 * np.arange(ROWS)
        grid = file.create_dataset("transverse_mercator", data=np.bytes_(b""))
        wkt = 'PROJCS["WGS 84 / UTM zone 11N",GEOGCS["WGS 84"]]'
        grid.attrs.update({"spatial_ref": wkt, "GeoTransform": "499997.5 5.0 0.0 4000002.5 0.0 -5.0"})


def hico(path: Path) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_dataset("products/Lt", data=counts(5, "i2").transpose(1, 2, 0))
        told = {"wavelengths": np.linspace(353, 1080, 5, dtype=F4), "fwhm": np.full(5, 5.5), "wavelength_units": "nm"}
        data.attrs.update({"slope": F4([0.02]), "intercept": F4([0.0]), **told})
        file["images/true_color"], file["quality/flags"] = np.zeros((ROWS, COLS, 3), "u1"), np.zeros((ROWS, COLS), "u1")
        file["navigation/latitudes"], file["navigation/longitudes"] = lat_lon()


def neon(path: Path) -> None:
    with h5py.File(path, "w") as file:
        place = "SITE/Reflectance/"
        data = file.create_dataset(f"{place}Reflectance_Data", data=counts(5, "i2").transpose(1, 2, 0))
        data[0, 0] = -9999
        data.attrs.update({"Scale_Factor": 10000.0, "Data_Ignore_Value": -9999.0})
        file[f"{place}Metadata/Spectral_Data/Wavelength"] = np.linspace(381, 2510, 5)
        file[f"{place}Metadata/Spectral_Data/Wavelength"].attrs["Units"] = "nanometers"
        file[f"{place}Metadata/Spectral_Data/FWHM"] = np.full(5, 5.8)
        file[f"{place}Metadata/Coordinate_System/Map_Info"] = (
            "UTM, 1.000, 1.000, 500000, 4000000, 1, 1, 11, North, WGS-84"
        )


def dlr(path: Path, kind: str, bands: int, subset: str = "") -> None:
    tags = [(33550, "d", 3, (30.0, 30.0, 0.0), True), (33922, "d", 6, (0, 0, 0, 5e5, 5e6, 0), True)]
    tags.append((34735, "H", 12, (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633), True))
    own = counts(bands, "i2", -100)
    own[:, 0, 0] = -32768
    tifffile.imwrite(path, own, photometric="minisblack", planarconfig="separate", extratags=tags, metadata=None)
    total = bands if not subset else 2 * bands
    if kind == "EnMAP":
        band = (
            '<bandID number="{0}"><wavelengthCenterOfBand>{1}</wavelengthCenterOfBand><FWHMOfBand>{2}</FWHMOfBand>'
            "<GainOfBand>{3}</GainOfBand><OffsetOfBand>{4}</OffsetOfBand></bandID>"
        )
        end, void = "METADATA.XML", "<backgroundValue>-32768</backgroundValue>"
    else:
        band = (
            "<band><bandNumber>{0}</bandNumber><wavelengthCenterOfBand>{1}</wavelengthCenterOfBand>"
            "<wavelengthWidthOfBand>{2}</wavelengthWidthOfBand><gainOfBand>{3}</gainOfBand><offsetOfBand>{4}</offsetOfBand>"
            "<wavelengths>1,2</wavelengths></band>"
        )
        end, void = "METADATA.xml", "<noDataValue>-32768</noDataValue>"
    # numbers above 9, and not in order: they are numbers, not texts
    listed = [band.format(n, 400 + 10 * n, 6 + n, 0.5 * n, -n) for n in range(1, total + 1)][::-1]
    text = (
        f"<level_X><specific>{void}<bandCharacterisation>{''.join(listed)}</bandCharacterisation></specific></level_X>"
    )
    path.with_name(path.name.split("SPECTRAL")[0] + end).write_text(text)


def envi(path: Path, data: str, interleave: str, dtype: str, fields: str, bands: int = 5) -> None:
    order = {"bil": (1, 0, 2), "bip": (1, 2, 0), "bsq": (0, 1, 2)}[interleave]
    code = {"u2": 12, "i2": 2, "f4": 4}[dtype]
    path.with_name(data).write_bytes(counts(bands, f"<{dtype}").transpose(order).tobytes())
    path.write_text(
        f"ENVI\nSamples = {COLS}\nlines = {ROWS}\nBands = {bands}\nheader offset = 0\nfile type = ENVI\n"
        f"data type = {code}\nInterleave = {interleave}\nbyte order = 0\n{fields}"
    )


@dataclass(frozen=True)
class Product:
    """How a file is made, and what must be known of it: ``value`` is the physical value of the last voxel."""

    make: Callable[[Path], None]
    bands: int
    ends: tuple[float, float]
    value: float
    fwhm: float | None
    no_data: float | None = None
    place: str | None = None


LAST = 20 * (ROWS - 1) + COLS - 1  # of a band of `counts`, without what differs from band to band
UTM = "coordinate system string"
WAVES = "wavelength units = nm\nwavelength = {400, 450, 500, 550, 600}\nfwhm = {5, 5, 5, 5, 5}\n"
PRODUCTS = {
    "PRS_L1.he5": Product(lambda p: prisma(p, "1"), 6, (410, 2490), (200 + LAST) / 100 - 2, 10, None, "geo points"),
    "PRS_L2D.he5": Product(
        lambda p: prisma(p, "2D"), 6, (410, 2490), 0.25 + (200 + LAST) * 1.25 / 65535, 10, None, "map info"
    ),
    "EMIT_L1B_RAD.nc": Product(lambda p: emit(p, "radiance"), 6, (381, 2493), 5100 + LAST, 8.5, -9999, "geo points"),
    "EMIT_L2A_RFL.nc": Product(lambda p: emit(p, "reflectance"), 6, (381, 2493), 5100 + LAST, 8.5, -9999, "geo points"),
    "PACE_OCI.L1B.nc": Product(oci_l1b, 8, (340, 2260), 1020 + LAST, None, -32767, "geo points"),
    "PACE_OCI.L2.AOP.nc": Product(oci_l2, 4, (400, 700), 0.05 + 2e-6 * (3100 + LAST), None, -32767, "geo points"),
    "tanager_basic_radiance.h5": Product(tanager, 5, (376, 2499), 4100 + LAST, 5.5, -9999, "geo points"),
    "tanager_ortho_sr.h5": Product(tanager_ortho, 5, (376, 2499), 4100 + LAST, 5.5, -9999, "map info"),
    "AV3_L2A_RFL.nc": Product(aviris3, 5, (390, 2500), 4100 + LAST, 7.5, -9999, UTM),
    "HICO_L1B.h5": Product(hico, 5, (353, 1080), (4100 + LAST) * 0.02, 5.5, None, "geo points"),
    "NEON_D01_reflectance.h5": Product(neon, 5, (381, 2510), (4100 + LAST) / 10000, 5.8, -9999, "map info"),
    "ENMAP01_L2A-SPECTRAL_IMAGE.TIF": Product(
        lambda p: dlr(p, "EnMAP", 12), 12, (410, 520), 6 * (10900 + LAST) - 12, 18, -32768, "geotiff 34735"
    ),
    "ENMAP01_L2A-SPECTRAL_IMAGE_COG.TIF": Product(
        lambda p: dlr(p, "EnMAP", 12), 12, (410, 520), 6 * (10900 + LAST) - 12, 18, -32768, "geotiff 34735"
    ),
    "ENMAP01_L1B-SPECTRAL_IMAGE_VNIR.TIF": Product(
        lambda p: dlr(p, "EnMAP", 12, "VNIR"), 12, (410, 520), 6 * (10900 + LAST) - 12, 18, -32768, "geotiff 34735"
    ),
    "ENMAP01_L1B-SPECTRAL_IMAGE_SWIR.TIF": Product(
        lambda p: dlr(p, "EnMAP", 12, "SWIR"), 12, (530, 640), 12 * (10900 + LAST) - 24, 30, -32768, "geotiff 34735"
    ),
    "DESIS-HSI-L2A-SPECTRAL_IMAGE.tif": Product(
        lambda p: dlr(p, "DESIS", 12), 12, (410, 520), 6 * (10900 + LAST) - 12, 18, -32768, "geotiff 34735"
    ),
    "ang20180812t225112_rfl_v2.hdr": Product(  # AVIRIS-NG
        lambda p: envi(
            p, p.stem, "bil", "f4",
            WAVES + "data ignore value = -9999\nmap info = {UTM, 1, 1, 5e5, 4e6, 5, 5, 11, North, WGS-84}\n",
        ), 5, (400, 600), 4100 + LAST, 5, -9999, "map info",
    ),
    "SWIR_384.hdr": Product(  # HySpex
        lambda p: envi(p, "SWIR_384.hyspex", "bil", "u2", WAVES + "pixelsize x = 0.00073\nintegration time = 4500\n"),
        5, (400, 600), 4100 + LAST, 5,
    ),
    "2020-01-01_001.hdr": Product(  # Specim
        lambda p: envi(
            p, "2020-01-01_001.raw", "bil", "u2",
            "fps = 50.00\ntint = 8.0\nbinning = {4, 2}\ndefault bands = {1, 2, 3}\nhimg = {1, 1024}\n"
            "Wavelength = {\n400.0,\n450.0,\n500.0,\n550.0,\n600.0\n}\n\nfwhm = {\n5.0,\n5.0,\n5.0,\n5.0,\n5.0\n}\n",
        ), 5, (400, 600), 4100 + LAST, 5,
    ),
    "raw_0_rd_rf.hdr": Product(  # Headwall
        lambda p: envi(
            p, "raw_0_rd_rf", "bip", "u2", WAVES + "reflectance scale factor = 10000\nsample binning = 1\nRx = 0\n"
        ), 5, (400, 600), (4100 + LAST) / 10000, 5,
    ),
    "scan.bil.hdr": Product(  # Resonon
        lambda p: envi(
            p, "scan.bil", "bil", "u2",
            "bit depth = 12\nshutter = 9.5\ngain = 0\nreflectance scale factor = 0\nwavelength units = nanometers\n"
            "wavelength = {400.0, 450.0, 500.0, 550.0, 600.0}\nrotation = {{1, 0}, {0, 1}}\nlabel = a\n",
        ), 5, (400, 600), 4100 + LAST, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_opens_by_itself_with_all_that_it_tells(tmp_path, name):
    product = PRODUCTS[name]
    product.make(tmp_path / name)
    cube = open_cube(tmp_path / name)
    assert cube.shape == (product.bands, ROWS, COLS)
    assert (cube.wavelengths_nm[0], cube.wavelengths_nm[-1]) == pytest.approx(product.ends)
    assert np.all(np.diff(cube.wavelengths_nm) > 0)
    assert (None if cube.fwhm is None else cube.fwhm[-1]) == product.fwhm
    assert cube.no_data == product.no_data
    physical = cube.physical()
    assert physical[-1, -1, -1] == pytest.approx(product.value, rel=1e-5)
    assert np.isnan(physical).any() == (product.no_data is not None and not name.startswith("ang"))
    assert product.place is None or product.place in cube.header


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_comes_through_envi_as_it_is(tmp_path, name):
    PRODUCTS[name].make(tmp_path / name)
    cube = open_cube(tmp_path / name)
    (tmp_path / "out").mkdir()
    again = open_cube(save_cube(cube, tmp_path / "out" / "again.hdr"))
    np.testing.assert_array_equal(again.physical(), cube.physical())
    np.testing.assert_array_equal(again.wavelengths, cube.wavelengths)


def test_the_detectors_of_prisma_are_there_one_by_one(tmp_path):
    prisma(tmp_path / "x.he5", "2D")
    base = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/"
    vnir = open_cube(tmp_path / "x.he5", variable=f"{base}VNIR_Cube")
    assert vnir.wavelengths.tolist() == [970, 700, 410, 0, 0]
    assert vnir.wavelength_unit == "nm"
    assert vnir.fwhm.tolist() == [10, 11, 12, 0, 0]
    assert vnir.physical()[2, -1, -1] == pytest.approx(0.25 + (2100 + LAST) * 1.25 / 65535, rel=1e-5)
    swir = open_cube(tmp_path / "x.he5", variable=f"{base}SWIR_Cube")
    assert swir.wavelengths.tolist() == [2490, 1500, 960, 0]


def test_the_bands_of_prisma_are_in_the_order_of_their_wavelengths(tmp_path):
    prisma(tmp_path / "x.he5", "2D")
    cube = open_cube(tmp_path / "x.he5")
    assert cube.wavelengths.tolist() == [410, 700, 960, 970, 1500, 2490]
    stored = np.asarray(cube.as_stored().data)[:, 0, 0]
    assert np.rint(stored).tolist() == [2100, 1100, 2200, 100, 1200, 200]
    place = ["UTM", "1", "1", "500000.0", "5000000.0", "30.0", "30.0", "33", "North", "WGS-84", "units=Meters"]
    assert cube.header["map info"] == place


def test_the_grid_of_an_hdfeos_file(tmp_path):
    tanager_ortho(tmp_path / "x.h5")
    place = ["UTM", "1", "1", "500000.0", "4000000.0", "30.0", "30.0", "33", "South", "WGS-84", "units=Meters"]
    assert open_cube(tmp_path / "x.h5").header["map info"] == place


def test_the_corners_of_a_swath(tmp_path):
    emit(tmp_path / "x.nc", "radiance")
    points = [float(value) for value in open_cube(tmp_path / "x.nc").header["geo points"]]
    assert points == pytest.approx([1, 1, 45, 10, COLS, 1, 45, 10.1, 1, ROWS, 44.92, 10, COLS, ROWS, 44.92, 10.1])


def test_large_products_stay_in_their_files(tmp_path, monkeypatch):
    from napari_decsc.hsi.io.formats import joined

    prisma(tmp_path / "x.he5", "2D")
    whole = open_cube(tmp_path / "x.he5").physical()
    monkeypatch.setattr(joined, "_AT_ONCE", 0)
    cube = open_cube(tmp_path / "x.he5")
    assert not isinstance(cube.data, np.ndarray)
    np.testing.assert_array_equal(cube.physical(), whole)
    np.testing.assert_array_equal(np.asarray(cube.data[1:5:2, 3, 2:4]), np.asarray(cube.data)[1:5:2, 3, 2:4])


def test_metadata_open_the_image_they_describe(tmp_path):
    name = "ENMAP01_L2A-SPECTRAL_IMAGE.TIF"
    PRODUCTS[name].make(tmp_path / name)
    np.testing.assert_array_equal(
        open_cube(tmp_path / "ENMAP01_L2A-METADATA.XML").data, open_cube(tmp_path / name).data
    )


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<a>",
        "<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]><x>&c;</x>",
        "<level_X><specific><bandCharacterisation/></specific></level_X>",
        "<level_X/>",
    ],
)
def test_metadata_that_cannot_be_used_are_left_out_and_said(tmp_path, text):
    name = "ENMAP01_L2A-SPECTRAL_IMAGE.TIF"
    PRODUCTS[name].make(tmp_path / name)
    (tmp_path / "ENMAP01_L2A-METADATA.XML").write_text(text)
    cube = open_cube(tmp_path / name)
    assert cube.wavelengths is None
    assert cube.shape == (12, ROWS, COLS)
    assert cube.notes[0].startswith("ENMAP01_L2A-METADATA.XML: ")


def test_a_tiff_with_a_header_that_only_tells_wavelengths(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", counts(5), photometric="minisblack", metadata=None)
    fields = f"ENVI\nsamples = {COLS}\nlines = {ROWS}\nbands = 5\nfile type = TIFF\ndata type = 12\ninterleave = bsq\n"
    for header in ("a.tif.hdr", "a.hdr"):
        (tmp_path / header).write_text(fields + WAVES + "bbl = {1, 1, 0, 1, 1}\nsensor type = X\n")
        for opened in ("a.tif", header):
            cube = open_cube(tmp_path / opened)
            np.testing.assert_array_equal(cube.data, counts(5))
            assert cube.wavelengths.tolist() == [400, 450, 500, 550, 600]
            assert cube.good_bands.tolist() == [True, True, False, True, True]
            assert cube.header["sensor type"] == "X"
        (tmp_path / header).unlink()


def test_a_raw_file_named_tif_stays_raw(tmp_path):
    # its header describes numbers at a place in it, whatever it begins with
    raw = b"II*\0" + bytes(4) + counts(5).tobytes()
    (tmp_path / "a.tif").write_bytes(raw)
    fields = f"ENVI\nsamples = {COLS}\nlines = {ROWS}\nbands = 5\nheader offset = 8\ndata type = 12\ninterleave = bsq\n"
    (tmp_path / "a.tif.hdr").write_text(fields)
    np.testing.assert_array_equal(open_cube(tmp_path / "a.tif").data, counts(5))


def test_a_data_file_called_envi(tmp_path):
    write_envi(Cube(counts(5)), tmp_path / "scene.hdr")
    (tmp_path / "scene.img").rename(tmp_path / "scene.envi")
    for name in ("scene.envi", "scene.hdr"):
        np.testing.assert_array_equal(open_cube(tmp_path / name).data, counts(5))


def test_prisma_with_names_in_other_cases(tmp_path):
    prisma(tmp_path / "x.he5", "2D")
    whole = open_cube(tmp_path / "x.he5")
    with h5py.File(tmp_path / "x.he5", "a") as file:
        for name, value in list(file.attrs.items()):
            del file.attrs[name]
            file.attrs[name.upper()] = value
        fields = file["HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"]
        fields.move("VNIR_Cube", "Vnir_cube")
    cube = open_cube(tmp_path / "x.he5")
    np.testing.assert_array_equal(cube.physical(), whole.physical())
    assert cube.wavelengths.tolist() == whole.wavelengths.tolist()
    assert cube.header["map info"] == whole.header["map info"]


def test_metadata_of_a_schema_and_in_other_cases(tmp_path):
    name = "ENMAP01_L2A-SPECTRAL_IMAGE.TIF"
    PRODUCTS[name].make(tmp_path / name)
    whole = open_cube(tmp_path / name)
    path = tmp_path / "ENMAP01_L2A-METADATA.XML"
    text = path.read_text().replace("<level_X>", '<level_X xmlns="http://example.org/schema">')
    path.write_text(text.replace("GainOfBand", "gainOfBand").replace("FWHMOfBand", "FwhmOfBand"))
    cube = open_cube(tmp_path / name)
    np.testing.assert_array_equal(cube.physical(), whole.physical())
    assert (cube.wavelengths.tolist(), cube.fwhm.tolist()) == (whole.wavelengths.tolist(), whole.fwhm.tolist())


def neon_radiance(path: Path, **options: str) -> np.ndarray:
    """The file, and its radiance (band, row, col); the first pixel was not measured."""
    radiance = counts(5).transpose(1, 2, 0) / 50.0
    whole, behind = np.floor(radiance), np.round((radiance % 1) * 50000)
    whole[0, 0], behind[0, 0], radiance[0, 0] = 255, 65535, np.nan
    with h5py.File(path, "w") as file:
        radiances = file.create_group("SERC/Radiance")
        parts = {"Integer": (whole.astype("u1"), 255.0, 1.0), "Decimal": (behind.astype("u2"), 65535.0, 50000.0)}
        for name, (values, ignored, factor) in parts.items():
            part = radiances.create_dataset(f"Radiance{name}Part", data=values, chunks=(4, 5, 2), **options)
            part.attrs["Data_Ignore_Value"], part.attrs["Scale_Factor"] = ignored, factor
        radiances["Metadata/Spectral_Data/Wavelength"] = np.linspace(400, 2400, 5)
        radiances["Metadata/Ancillary_Rasters/OBS_Data"] = np.zeros((ROWS, COLS, 10), "f4")
        radiances["Metadata/Ancillary_Rasters/IGM_Data"] = np.zeros((ROWS, COLS, 3), "f4")
        radiances["Metadata/Coordinate_System/Map_Info"] = "UTM, 1, 1, 500000, 4300000, 1, 1, 18, North, WGS-84"
    return radiance.transpose(2, 0, 1)


@pytest.mark.parametrize("is_lazy", [False, True])
def test_the_radiance_of_neon_is_the_sum_of_two_arrays(tmp_path, monkeypatch, is_lazy):
    truth = neon_radiance(tmp_path / "x.h5", compression="gzip")
    if is_lazy:
        monkeypatch.setattr("napari_decsc.hsi.io.formats.hdf5_values.fits_in_memory", lambda size: size < truth.size)
    cube = open_cube(tmp_path / "x.h5")
    assert isinstance(cube.data, np.ndarray) is not is_lazy
    values = np.asarray(cube.data)
    assert (values[:, 0, 0] == cube.no_data).all()
    np.testing.assert_allclose(np.where(np.isnan(truth), np.nan, values), truth, rtol=1e-6)
    assert cube.wavelengths.tolist() == [400, 900, 1400, 1900, 2400]
    assert "map info" in cube.header


@pytest.mark.parametrize("view", [1, 2])
def test_a_view_of_pace_l1c(tmp_path, view):
    import netCDF4

    sizes = {"bins_along_track": ROWS, "bins_across_track": COLS, "number_of_views": 2, "intensity_bands_per_view": 5}
    cube, lengths = counts(5, "f4"), np.array([400, 500, 600, 700, 800], F4)
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        for name, size in sizes.items():
            file.createDimension(name, size)
        file.createVariable("observation_data/i", "f4", tuple(sizes), fill_value=-32767)[:] = np.stack(
            [cube.transpose(1, 2, 0), cube.transpose(1, 2, 0) + 7], axis=2
        )
        file.createVariable("observation_data/number_of_observations", "i2", tuple(sizes)[:3])[:] = 1
        said = file.createVariable("sensor_views_bands/intensity_wavelength", "f4", tuple(sizes)[2:])
        said[:], said.units = np.stack([lengths, lengths]), "nm"
    with pytest.raises(AmbiguousFileError, match="one for each step of observation_data/i along number_of_views"):
        open_cube(tmp_path / "x.nc")
    found = open_cube(tmp_path / "x.nc", variable=f"observation_data/i@number_of_views={view}")
    np.testing.assert_array_equal(found.data, cube + 7 * (view - 1))
    assert (found.wavelengths.tolist(), found.wavelength_unit, found.notes) == (lengths.tolist(), "nm", ())


def test_nominal_wavelengths_of_sentinel_5p(tmp_path):
    lengths = 400 + 0.2 * np.arange(5)[None] + 0.001 * np.arange(COLS)[:, None]
    with h5py.File(tmp_path / "x.nc", "w") as file:
        mode = file.create_group("BAND4_RADIANCE/STANDARD_MODE")
        mode["OBSERVATIONS/radiance"] = counts(5, "f4").transpose(1, 2, 0)[None]
        mode["INSTRUMENT/nominal_wavelength"] = lengths[None]
        mode["INSTRUMENT/nominal_wavelength"].attrs["units"] = "nm"
    cube = open_cube(tmp_path / "x.nc")
    np.testing.assert_array_equal(cube.data, counts(5, "f4"))
    np.testing.assert_allclose(cube.wavelengths, lengths.mean(axis=0))
    assert "differ from column to column by up to 0.01; the means of the columns are taken" in cube.notes[0]


def test_a_header_beside_a_tiff_tells_gains(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", counts(2, "f4"), photometric="minisblack", metadata=None)
    (tmp_path / "x.tif.hdr").write_text("ENVI\nfile type = TIFF\nbands = 2\ndata gain values = {0.5, 0.25}\n")
    cube = open_cube(tmp_path / "x.tif")
    np.testing.assert_array_equal(np.asarray(cube.data), counts(2, "f4") * np.array([0.5, 0.25])[:, None, None])
    again = open_cube(write_envi(cube, tmp_path / "y.hdr"))
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(cube.data))


@pytest.mark.parametrize("name", ["y.hdr", "y.tif", "y.nc", "y.npz"])
def test_a_place_beyond_all_numbers_is_none(tmp_path, name):
    tags = [(33550, 12, 3, [1.9e185] * 3), (33922, 12, 6, [1.9e185] * 6)]
    tifffile.imwrite(tmp_path / "x.tif", counts(5), photometric="minisblack", metadata=None, extratags=tags)
    again = open_cube(save_cube(open_cube(tmp_path / "x.tif"), tmp_path / name))
    np.testing.assert_array_equal(again.data, counts(5))
