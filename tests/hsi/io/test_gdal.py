"""What GDAL notes of bands is taken from its files, and found by GDAL (through rasterio) in ours."""

import math
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
import tifffile

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi
from napari_decsc.hsi.io.files import new_sink, open_cube, save_cube
from napari_decsc.hsi.no_data import unified

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")

DATA = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)
LENGTHS = [400.0, 500.0, 600.0, 700.0, 800.0]


def item(name: str, value: object, band: int | None = None, **said: str) -> str:
    place = {} if band is None else {"sample": band}
    words = "".join(f' {key}="{text}"' for key, text in {**place, **said}.items())
    return f'<Item name="{name}"{words}>{escape(str(value))}</Item>'


def tiff(path: Path, *items: str, data: np.ndarray = DATA, no_data: str | None = None, **options: object) -> Path:
    tags = [(42112, "s", 0, f"<GDALMetadata>{''.join(items)}</GDALMetadata>", True)] if items else []
    tags += [(42113, "s", 0, no_data, True)] if no_data is not None else []
    options = {"planarconfig": "separate", "photometric": "minisblack", **options}
    tifffile.imwrite(path, data, metadata=None, extratags=tags, **options)
    return path


def of_bands(name: str, values: list[object], **said: str) -> list[str]:
    return [item(name, value, band, **said) for band, value in enumerate(values)]


IMAGERY = {"domain": "IMAGERY"}
ENVI = {"domain": "ENVI"}
WAYS = {
    "bands": [*of_bands("wavelength", LENGTHS), *of_bands("wavelength_units", ["Nanometers"] * 5)],
    "bands without a unit": of_bands("WAVELENGTH", LENGTHS),
    "bands with the unit behind": of_bands("wavelength", [f"{one} nm" for one in LENGTHS]),
    "bands, unit of the image": [*of_bands("wavelength", LENGTHS), item("wavelength_units", "nm")],
    "imagery": of_bands("CENTRAL_WAVELENGTH_UM", [one / 1000 for one in LENGTHS], **IMAGERY),
    "envi": [item("wavelength", "{400,500,600,700,800}", **ENVI), item("wavelength_units", "nm", **ENVI)],
    "image": [item("wavelengths", "[400 500 600 700 800]")],
    "image with commas": [item("wavelength", "400,500,600,700,800"), item("wavelength_units", "Nanometers")],
    "descriptions": of_bands(
        "DESCRIPTION", [f"Band {b} ({one} Nanometers)" for b, one in enumerate(LENGTHS)], role="description"
    ),
    "descriptions with whole numbers": of_bands(
        "DESCRIPTION", [f"B{b}_{one}" for b, one in enumerate(LENGTHS)], role="description"
    ),
    "descriptions that go on": of_bands(
        "DESCRIPTION", [f"{one}nm, band {b}" for b, one in enumerate(LENGTHS)], role="description"
    ),
    "numbered facts": [item(f"wavelength_{b + 1}", one) for b, one in enumerate(LENGTHS)],
    "facts by band": [item(f"Band_{b + 1}_wavelength", f"{one} nm") for b, one in enumerate(LENGTHS)],
    "names of bands": [item(f"Band_{b + 1}", f"{one} nm") for b, one in enumerate(LENGTHS)],
}


@pytest.mark.parametrize("way", WAYS)
def test_wavelengths_are_found_wherever_gdal_keeps_them(tmp_path: Path, way: str) -> None:
    cube = open_cube(tiff(tmp_path / "x.tif", *WAYS[way]))
    np.testing.assert_allclose(cube.wavelengths_nm, LENGTHS)


def test_widths_and_good_bands_are_found_with_them(tmp_path: Path) -> None:
    items = [*WAYS["imagery"], *of_bands("FWHM_UM", [0.01] * 5, **IMAGERY)]
    cube = open_cube(tiff(tmp_path / "x.tif", *items))
    np.testing.assert_allclose(cube.fwhm, 0.01)
    assert cube.wavelength_unit == "um"
    lists = [item("fwhm", "{10,10,10,10,10}", **ENVI), item("bbl", "{1,1,0,1,1}", **ENVI)]
    cube = open_cube(tiff(tmp_path / "y.tif", *WAYS["envi"], *lists))
    assert cube.fwhm.tolist() == [10] * 5
    assert cube.good_bands.tolist() == [True, True, False, True, True]


@pytest.mark.parametrize(
    "items",
    [
        of_bands("wavelength", ["1", "2", "x", "4", "5"]),
        of_bands("wavelength", LENGTHS)[1:],
        [item("wavelength", "{400,500}", **ENVI)],
        [item("wavelength", "{400,500,", **ENVI)],
        [item("wavelength", 400, 70_000), item("wavelength", 400, -1)],
    ],
)
def test_what_is_no_value_for_each_band_is_passed_over(tmp_path: Path, items: list[str]) -> None:
    assert open_cube(tiff(tmp_path / "x.tif", *items)).wavelengths is None


@pytest.mark.parametrize("text", ["<GDALMetadata><Item", '<!DOCTYPE a [<!ENTITY b "c">]><GDALMetadata/>', "<a/>", ""])
def test_damaged_notes_say_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.tif"
    tags = [(42112, "s", 0, text, True)]
    tifffile.imwrite(path, DATA, photometric="minisblack", planarconfig="separate", metadata=None, extratags=tags)
    (tmp_path / "x.tif.aux.xml").write_text(text)
    assert open_cube(path).shape == DATA.shape


def test_one_scale_is_a_scale_and_the_numbers_stay(tmp_path: Path) -> None:
    cube = open_cube(tiff(tmp_path / "x.tif", *of_bands("SCALE", [0.0001] * 5, role="scale")))
    assert (cube.scale, cube.data.dtype) == (10000, np.int16)


def test_scales_and_offsets_of_bands_make_values(tmp_path: Path) -> None:
    scales, offsets = [0.1, 0.2, 0.5, 1, 2], [0, 0, -1, 0, 3]
    items = [*of_bands("SCALE", scales, role="scale"), *of_bands("OFFSET", offsets, role="offset")]
    path = tiff(tmp_path / "x.tif", *items, no_data="7")
    cube = open_cube(path)
    expected = DATA * np.reshape(scales, (5, 1, 1)) + np.reshape(offsets, (5, 1, 1))
    expected[DATA == 7] = np.nan
    np.testing.assert_allclose(cube.physical(), expected, rtol=1e-6)
    rasterio = pytest.importorskip("rasterio")
    written = save_cube(cube, tmp_path / "y.tif", dtype="source")
    with rasterio.open(path) as old, rasterio.open(written) as new:
        np.testing.assert_array_equal(new.read(), old.read())
        assert (new.scales, new.offsets, new.nodata) == (old.scales, old.offsets, old.nodata)


def test_no_data_values_of_bands_become_one(tmp_path: Path) -> None:
    path = tiff(tmp_path / "x.tif", no_data="-1")
    (tmp_path / "x.tif.aux.xml").write_text(
        "<PAMDataset>"
        + "".join(
            f'<PAMRasterBand band="{b + 1}"><NoDataValue>{12 * b}</NoDataValue></PAMRasterBand>' for b in range(3)
        )
        + "</PAMDataset>"
    )
    values = open_cube(path).physical()
    gone = np.zeros(DATA.shape, bool)
    gone[[0, 1, 2], 0, 0] = True
    np.testing.assert_array_equal(np.isnan(values), gone)
    # the measured voxel that has the common value moves by one
    np.testing.assert_array_equal(values[~gone], DATA[~gone])


def test_a_measured_value_does_not_become_the_common_no_data_value() -> None:
    data, value = unified(np.array([[[5, 7, 9]], [[5, 7, 9]]], np.uint8), [(5,), (7, 9)])
    assert value == 5
    np.testing.assert_array_equal(np.asarray(data), [[[5, 7, 9]], [[6, 5, 5]]])
    data, value = unified(np.array([[[5, 7]], [[5, 7]]], np.float32), [(5,), ()])
    assert math.isnan(value)
    np.testing.assert_array_equal(np.asarray(data), [[[np.nan, 7]], [[5, 7]]])
    assert unified(np.zeros((2, 1, 1), np.uint8), [(-1,), (-1,)])[1] is None


def envi(folder: Path, fields: str = "", notes: str = "") -> Path:
    DATA.tofile(folder / "a.img")
    (folder / "a.hdr").write_text(
        f"ENVI\nsamples = 3\nlines = 4\nbands = 5\ndata type = 2\ninterleave = bsq\nbyte order = 0\n{fields}"
    )
    bands = "".join(
        f'<PAMRasterBand band="{b + 1}"><Description>b{b}</Description><NoDataValue>3</NoDataValue><Scale>0.5</Scale>'
        f'<Metadata><MDI key="wavelength">{one}</MDI><MDI key="fwhm">9</MDI></Metadata></PAMRasterBand>'
        for b, one in enumerate(LENGTHS)
    )
    (folder / "a.img.aux.xml").write_text(f"<PAMDataset>{notes}{bands}</PAMDataset>")
    return folder / "a.hdr"


def test_notes_beside_envi_tell_what_its_header_does_not(tmp_path: Path) -> None:
    place = "<SRS>GEOGCS[&quot;WGS 84&quot;]</SRS><GeoTransform> 10.0, 0.5, 0.0, 50.0, 0.0, -0.25</GeoTransform>"
    cube = read_envi(envi(tmp_path, notes=place))
    assert (cube.wavelengths.tolist(), cube.wavelength_unit) == (LENGTHS, "nm")
    assert (cube.fwhm.tolist(), cube.no_data, cube.scale) == ([9] * 5, 3, 2)
    assert cube.header["band names"] == ["b0", "b1", "b2", "b3", "b4"]
    assert cube.header["map info"][:7] == ["Geographic Lat/Lon", "1", "1", "10", "50", "0.5", "0.25"]


def test_the_header_counts_where_it_tells(tmp_path: Path) -> None:
    fields = (
        "wavelength = {1, 2, 3, 4, 6}\nwavelength units = um\ndata ignore value = 0\nreflectance scale factor = 10\n"
        "band names = {v, w, x, y, z}\nmap info = {UTM, 1, 1, 5, 6, 7, 8, 33, North, WGS-84}\n"
    )
    cube = read_envi(envi(tmp_path, fields))
    assert (cube.wavelengths.tolist(), cube.wavelength_unit, cube.fwhm.tolist()) == ([1, 2, 3, 4, 6], "um", [9] * 5)
    assert (cube.no_data, cube.scale, cube.header["band names"]) == (0, 10, ["v", "w", "x", "y", "z"])
    assert cube.header["map info"][3] == "5"


@pytest.mark.parametrize("compression", ["lzw", "zstd", "deflate", "lzma", "packbits", "lerc"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_the_usual_compressions_are_read(tmp_path: Path, compression: str, dtype: str) -> None:
    data = DATA.astype(dtype)
    path = tiff(tmp_path / "x.tif", data=data, compression=compression)
    np.testing.assert_array_equal(open_cube(path).data, data)


@pytest.mark.parametrize("predictor", [2, 3])
def test_predictors_are_undone(tmp_path: Path, predictor: int) -> None:
    data = DATA.astype("f4" if predictor == 3 else "i2")
    path = tiff(tmp_path / "x.tif", data=data, compression="lzw", predictor=predictor)
    np.testing.assert_array_equal(open_cube(path).data, data)


def test_a_compression_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = tiff(tmp_path / "x.tif", data=DATA.astype(np.uint8), compression="jpeg2000")
    with pytest.raises(FileFormatError, match=r"x\.tif: its compression, JPEG2000, is not read; save it with Deflate"):
        open_cube(path)


@pytest.mark.parametrize(
    "names",
    [
        ["1990", "1995", "2000", "2005", "2010"],
        [f"level_{one}" for one in (1000, 850, 700, 500, 300)],
        ["NDVI_305", "NDVI_301", "NDVI_321", "NDVI_337", "NDVI_410"],
        [f"B{b}" for b in range(300, 305)],
        [f"sample_{one}" for one in (400, 500, 600, 700, 800)],
        [f"T{one}" for one in (300, 350, 400, 450, 500)],
    ],
)
def test_years_levels_and_numbers_are_no_wavelengths(tmp_path: Path, names: list[str]) -> None:
    cube = open_cube(tiff(tmp_path / "x.tif", *of_bands("DESCRIPTION", names, role="description")))
    assert cube.wavelengths is None
    assert cube.header["band names"] == names


@pytest.mark.parametrize("where", ["description", "name", "imagej"])
def test_the_names_of_pages_tell_the_wavelengths(tmp_path: Path, where: str) -> None:
    names = [f"{length} nm" for length in LENGTHS]
    if where == "imagej":
        tifffile.imwrite(tmp_path / "x.tif", DATA, imagej=True, metadata={"axes": "ZYX", "Labels": names})
    else:
        with tifffile.TiffWriter(tmp_path / "x.tif") as file:
            for page, name in zip(DATA, names, strict=True):
                told = {"description": name} if where == "description" else {"extratags": [(285, "s", 0, name, True)]}
                file.write(page, metadata=None, **told)
    cube = open_cube(tmp_path / "x.tif")
    np.testing.assert_array_equal(cube.data, DATA)
    assert cube.wavelengths is not None
    assert cube.wavelengths.tolist() == LENGTHS
    assert cube.header["band names"] == names


def test_a_description_in_json_tells_the_wavelengths(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, DATA, photometric="minisblack", metadata={"wavelengths": LENGTHS, "fwhm": [7] * 5})
    cube = open_cube(path)
    assert cube.wavelengths is not None
    assert cube.wavelengths.tolist() == LENGTHS
    assert cube.fwhm is not None


@pytest.mark.parametrize("packing", [None, "deflate", "zstd"])
def test_lerc_may_be_packed_once_more(tmp_path: Path, packing: str | None) -> None:
    path = tiff(tmp_path / "x.tif", data=DATA, compression="lerc", compressionargs={"compression": packing})
    np.testing.assert_array_equal(open_cube(path).data, DATA)


@pytest.mark.parametrize("head", [b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8, b"\x28\xb5\x2f\xfd\x00\x00", b"Lerc2 "])
def test_a_packed_piece_that_has_no_room_is_refused_before_it_is_unpacked(tmp_path: Path, head: bytes) -> None:
    path = tiff(tmp_path / "x.tif", data=DATA, compression="lerc", compressionargs={"compression": "zstd"})
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[0]
    raw = bytearray(path.read_bytes())
    raw[start : start + len(head)] = head
    path.write_bytes(raw)
    with pytest.raises(FileFormatError, match="a piece of a page has no place in it; the file is damaged"):
        open_cube(path)


@pytest.mark.parametrize("compression", ["lerc", "jpeg", "webp"])
def test_a_piece_larger_than_its_page_is_refused(tmp_path: Path, compression: str) -> None:
    import imagecodecs

    large = np.zeros((512, 512, 3) if compression == "webp" else (512, 512), np.uint8)
    options = {"photometric": "rgb", "planarconfig": None} if compression == "webp" else {}
    data = np.zeros((16, 16, 3) if compression == "webp" else (4, 16, 16), np.uint8)
    path = tiff(tmp_path / "x.tif", data=data, compression=compression, **options)
    assert open_cube(path, band_axis=0).data.size == data.size
    piece = getattr(imagecodecs, {"jpeg": "jpeg8"}.get(compression, compression) + "_encode")(large)
    with tifffile.TiffFile(path, mode="r+b") as file:
        tags, end = file.pages[0].tags, path.stat().st_size
        count = len(file.pages[0].dataoffsets)
        tags["StripOffsets"].overwrite([end] * count)
        tags["StripByteCounts"].overwrite([len(piece)] * count)
    with path.open("ab") as out:
        out.write(bytes(end - path.stat().st_size) + piece)
    with pytest.raises(FileFormatError, match="a piece of 512 x 512 pixels has no place in its page"):
        open_cube(path, band_axis=0)


def test_overviews_and_masks_are_no_cubes(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    data = np.arange(5 * 64 * 64, dtype=np.uint16).reshape(5, 64, 64)
    with tifffile.TiffWriter(path) as file:
        file.write(data, planarconfig="separate", photometric="minisblack", metadata=None)
        file.write(data[:, ::2, ::2], planarconfig="separate", photometric="minisblack", metadata=None, subfiletype=1)
        file.write(data[0] >= 0, photometric="mask", metadata=None, subfiletype=4)
    np.testing.assert_array_equal(open_cube(path).data, data)


HEADER = (
    "ENVI\nsamples = 3\nlines = 4\nbands = 5\nfile type = {}\ndata type = 2\ninterleave = bsq\nwavelength units = nm\n"
)


@pytest.mark.parametrize("name", ["a.tif.hdr", "a.hdr", "A.TIF.HDR"])
@pytest.mark.parametrize("kind", ["TIFF", "ENVI Standard"])
def test_a_header_beside_a_tiff_tells_of_its_bands(tmp_path: Path, name: str, kind: str) -> None:
    path = tiff(tmp_path / ("A.TIF" if name[0] == "A" else "a.tif"))
    header = tmp_path / name
    header.write_text(HEADER.format(kind) + "wavelength = {400, 500, 600, 700, 800}\nbbl = {1, 1, 1, 1, 0}\n")
    cube = open_cube(path)
    np.testing.assert_array_equal(cube.data, DATA)
    if name == "a.hdr" and kind != "TIFF":
        assert cube.wavelengths is None  # it may be the header of a data file a.img
        return
    assert cube.wavelengths.tolist() == LENGTHS
    assert cube.good_bands.tolist() == [True] * 4 + [False]
    np.testing.assert_array_equal(open_cube(header).data, DATA)
    assert open_cube(header).wavelengths.tolist() == LENGTHS


def test_a_header_of_another_size_tells_nothing(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif")
    (tmp_path / "a.tif.hdr").write_text(
        HEADER.format("TIFF").replace("bands = 5", "bands = 2") + "wavelength = {1, 2}\n"
    )
    assert open_cube(path).wavelengths is None


def test_an_envi_pair_beside_a_tiff_stays_a_pair(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif")
    (DATA + 1).tofile(tmp_path / "a.img")
    (tmp_path / "a.hdr").write_text(HEADER.format("ENVI Standard"))
    np.testing.assert_array_equal(open_cube(tmp_path / "a.hdr").data, DATA + 1)
    np.testing.assert_array_equal(open_cube(tmp_path / "a.img").data, DATA + 1)


FULL = Cube(
    DATA,
    wavelengths=np.array(LENGTHS),
    wavelength_unit="nm",
    fwhm=np.full(5, 10.0),
    good_bands=np.array([True, True, False, True, True]),
    no_data=-9999.0,
    scale=10000.0,
    header={
        "band names": ["a, b", "<&>", "ü", 'q"', "e"],
        "sensor type": "X",
        "map info": ["UTM", "1", "1", "500000", "5500000", "30", "20", "33", "South", "WGS-84", "units=Meters"],
    },
)


def test_gdal_finds_in_our_geotiff_what_we_know(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(save_cube(FULL, tmp_path / "x.tif")) as image:
        assert (image.count, image.subdatasets, image.nodata) == (5, [], -9999)
        np.testing.assert_array_equal(image.read(), DATA)
        assert image.crs.to_epsg() == 32733
        assert image.transform.to_gdal() == (500000, 30, 0, 5500000, 0, -20)
        assert image.scales == (0.0001,) * 5
        assert list(image.descriptions) == FULL.header["band names"]
        assert [float(image.tags(band)["wavelength"]) for band in image.indexes] == LENGTHS
        assert image.tags(2, ns="IMAGERY") == {"CENTRAL_WAVELENGTH_UM": "0.5", "FWHM_UM": "0.01"}
        assert image.tags(ns="ENVI")["wavelength"] == "{400.0, 500.0, 600.0, 700.0, 800.0}"
        assert image.tags(ns="ENVI")["bbl"] == "{1, 1, 0, 1, 1}"
        assert image.interleaving.name == "band"


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_few_bands_are_bands_too(tmp_path: Path, bands: int) -> None:
    rasterio = pytest.importorskip("rasterio")
    cube = Cube(DATA[:bands])
    written = save_cube(cube, tmp_path / "x.tif")
    with rasterio.open(written) as image:
        assert (image.count, image.colorinterp[-1].name) == (bands, "gray" if bands == 1 else "undefined")
        np.testing.assert_array_equal(image.read(), DATA[:bands])
    np.testing.assert_array_equal(open_cube(written).data, DATA[:bands])


def test_what_gdal_makes_of_our_geotiff_is_read_for_what_it_is(tmp_path: Path) -> None:
    """GDAL copies descriptions from file to file: ours must not tell of another file's values."""
    rasterio = pytest.importorskip("rasterio")
    from rasterio.shutil import copy

    source = save_cube(FULL, tmp_path / "x.tif")
    copy(source, tmp_path / "y.tif", driver="GTiff", compress="lzw", tiled=True, blockxsize=16, blockysize=16)
    cube = open_cube(tmp_path / "y.tif")
    np.testing.assert_array_equal(cube.data, DATA)
    assert (cube.scale, cube.no_data, cube.wavelengths.tolist()) == (10000, -9999, LENGTHS)
    assert (cube.fwhm.tolist(), cube.good_bands.tolist()) == (FULL.fwhm.tolist(), FULL.good_bands.tolist())
    assert cube.header["band names"] == FULL.header["band names"]
    with rasterio.open(source) as old:
        profile = {**old.profile, "height": 2, "driver": "GTiff"}
        with rasterio.open(tmp_path / "z.tif", "w", **profile) as new:
            new.update_tags(**old.tags())
            new.write(old.read()[:, :2])
    assert open_cube(tmp_path / "z.tif").shape == (5, 2, 3)


def test_an_older_file_of_ours_is_still_read_in_full(tmp_path: Path) -> None:
    from napari_decsc.hsi.io.formats import metadata

    tifffile.imwrite(
        tmp_path / "x.tif", DATA, photometric="minisblack", metadata=None, description=metadata.as_json(FULL)
    )
    cube = open_cube(tmp_path / "x.tif")
    assert (cube.scale, cube.wavelengths.tolist(), cube.header["sensor type"]) == (10000, LENGTHS, "X")
    tifffile.imwrite(
        tmp_path / "y.tif", DATA[:4], photometric="minisblack", metadata=None, description=metadata.as_json(FULL)
    )
    assert open_cube(tmp_path / "y.tif", band_axis=0).scale == 1


@pytest.mark.parametrize("dtype", ["float32", "source"])
def test_a_geotiff_is_written_tile_by_tile(tmp_path: Path, dtype: str) -> None:
    rasterio = pytest.importorskip("rasterio")
    whole = FULL.replace(header={**FULL.header, "data type": "2"})
    values = DATA + np.float32(0.25)
    with new_sink(whole, tmp_path / "x.tif", dtype=dtype, extra={"made by": "tiles"}) as sink:
        for rows in (slice(0, 3), slice(3, 4)):
            for cols in (slice(0, 2), slice(2, 3)):
                sink.write(values[:, rows, cols], rows, cols)
    again = open_cube(tmp_path / "x.tif")
    np.testing.assert_array_equal(again.data, values if dtype == "float32" else DATA)
    assert (again.scale, again.no_data, again.header["made by"]) == (10000, -9999, "tiles")
    with rasterio.open(tmp_path / "x.tif") as image:
        np.testing.assert_array_equal(image.read(), again.data)
    with pytest.raises(FileFormatError, match="already exists"), new_sink(whole, tmp_path / "x.tif", dtype=dtype):
        pass
    with pytest.raises(KeyError), new_sink(whole, tmp_path / "y.tif"):
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["x.tif"]


@pytest.mark.parametrize("is_log", [False, True])
def test_what_snap_tells_of_bands(tmp_path: Path, is_log: bool) -> None:
    """The layout of SNAP's GeoTIFF: bands in planes, their scales in a DIMAP document alone."""
    data = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    bands = "".join(
        f"<Spectral_Band_Info><BAND_INDEX>{n}</BAND_INDEX><BAND_NAME>radiance_{n}</BAND_NAME><BAND_WAVELEN>{450.5 + n}"
        f"</BAND_WAVELEN><BANDWIDTH>{5 + n}</BANDWIDTH><SCALING_FACTOR>0.0{n + 1}</SCALING_FACTOR><SCALING_OFFSET>{n}"
        f"</SCALING_OFFSET><LOG10_SCALED>{str(is_log).lower()}</LOG10_SCALED><NO_DATA_VALUE_USED>true"
        f"</NO_DATA_VALUE_USED><NO_DATA_VALUE>7.0</NO_DATA_VALUE></Spectral_Band_Info>"
        for n in range(4)
    )
    virtual = "<Spectral_Band_Info><BAND_INDEX>4</BAND_INDEX><VIRTUAL_BAND>true</VIRTUAL_BAND></Spectral_Band_Info>"
    text = f'<Dimap_Document name="x"><Image_Interpretation>{bands}{virtual}</Image_Interpretation></Dimap_Document>'
    tags = [(65000, "s", 0, text, True)]
    options = {"photometric": "minisblack", "planarconfig": "separate", "metadata": None, "extratags": tags}
    tifffile.imwrite(tmp_path / "x.tif", data, **options)
    cube = open_cube(tmp_path / "x.tif")
    band = np.arange(4)[:, None, None]
    line = data * ((band + 1) / 100) + band
    gap = np.nan if is_log else 7
    meant = np.where(data == 7, gap, 10**line if is_log else line)
    np.testing.assert_allclose(np.asarray(cube.data) / cube.scale, meant, rtol=1e-5)
    assert cube.no_data == (None if is_log else 7)
    # values, not logarithms, are what is written
    again = open_cube(save_cube(cube, tmp_path / "y.hdr", dtype="source"))
    np.testing.assert_allclose(np.asarray(again.data) / again.scale, meant, rtol=1e-5 if is_log else 1e-2)
    assert cube.wavelengths is not None
    assert cube.fwhm is not None
    assert (cube.wavelengths.tolist(), cube.wavelength_unit) == ([450.5, 451.5, 452.5, 453.5], "nm")
    assert cube.fwhm.tolist() == [5, 6, 7, 8]
    assert cube.header["band names"] == [f"radiance_{n}" for n in range(4)]
