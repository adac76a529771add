"""Every peer reads what we write and writes what we read: numbers, axes, wavelengths, no-data, scale, names, place."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_decsc.hsi import georeference
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube

HERE = Path(__file__).parent
BANDS, ROWS, COLS = 6, 8, 9
DATA = np.arange(1, BANDS * ROWS * COLS + 1, dtype=np.int16).reshape(BANDS, ROWS, COLS)
DATA[2, 3, 4] = -9999
LENGTHS = [400.0 + 50 * band for band in range(BANDS)]
PLACE = ["UTM", "1", "1", "500000", "5500000", "30", "20", "33", "North", "WGS-84", "units=Meters"]
CUBE = Cube(
    DATA,
    wavelengths=np.array(LENGTHS),
    wavelength_unit="nm",
    fwhm=np.full(BANDS, 10.0),
    no_data=-9999.0,
    scale=10000.0,
    header={"band names": [f"band {band}" for band in range(BANDS)], "map info": PLACE},
)
FACTS = {
    "wavelengths": LENGTHS,
    "fwhm": [10.0] * BANDS,
    "names": CUBE.header["band names"],
    "no_data": -9999.0,
    "scale": 10000.0,
    "place": [500000.0, 5500000.0, 30.0, 20.0],
    "code": 32633,
}


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def check_said(values: np.ndarray, facts: dict, *expected: str) -> None:
    """The numbers, and all facts that the peer tells; those in ``expected`` it has to tell."""
    np.testing.assert_array_equal(values, DATA)
    assert set(expected) <= set(facts)
    for key, value in facts.items():
        if isinstance(value, float | int | list) and key != "names":
            np.testing.assert_allclose(value, FACTS[key], rtol=1e-9, err_msg=key)
        else:
            assert value == FACTS[key], key


def check_cube(cube: Cube, *known: str, scaled: bool = True) -> None:
    """Our reading of a peer's file: numbers, and the facts in ``known``."""
    values = cube.physical()
    expected = np.where(DATA == -9999, np.nan, DATA / (10000 if scaled else 1))
    if "no_data" not in known:
        expected = np.where(DATA == -9999, values, expected)
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    if "wavelengths" in known:
        np.testing.assert_allclose(cube.wavelengths_nm, LENGTHS)
    if "names" in known:
        assert list(cube.header["band names"]) == FACTS["names"]
    if "place" in known:
        place = georeference.of_header(cube.header)
        np.testing.assert_allclose(np.array(place.transform)[[0, 3, 1, 5]] * [1, 1, 1, -1], FACTS["place"])
        assert place.system.code == 32633


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Our own files of the cube."""
    return {end: save_cube(CUBE, tmp_path / f"{end}_of_ours.{end}") for end in ("hdr", "tif", "nc", "zarr")}


ALL = ("wavelengths", "fwhm", "no_data", "scale", "place")
READERS = [
    ("spy", "hdr", ("wavelengths", "fwhm", "names", "no_data", "scale", "place")),
    ("rasterio", "img", ("no_data", "place", "code")),
    ("rasterio", "tif", (*ALL, "names", "code")),
    ("hylite", "hdr", ("wavelengths",)),
    ("hytools", "img", ("wavelengths", "no_data")),
    ("plantcv", "img", ("wavelengths",)),
    ("xarray", "nc", ALL),
    ("xarray", "zarr", ALL),
    ("zarr", "zarr", ("wavelengths",)),
]


@pytest.mark.parametrize(("peer", "end", "expected"), READERS, ids=lambda one: one if isinstance(one, str) else "")
def test_python_peers_read_ours(files, ask, peer, end, expected):
    path = files["hdr"].with_suffix(".img") if end == "img" else files[end]
    values, facts = ask(peer, path)
    check_said(values, facts, *expected)


WRITERS = [
    ("spy", "theirs.hdr", ("wavelengths", "no_data", "names", "place"), True),
    ("rasterio", "theirs.tif", ("wavelengths", "no_data", "names", "place"), True),
    ("rasterio", "theirs.img", ("wavelengths", "no_data", "place"), True),
    ("hylite", "theirs.hdr", ("wavelengths",), False),
    ("hytools", "theirs.img", ("wavelengths", "no_data"), False),
    ("xarray", "theirs.nc", ("wavelengths", "no_data"), True),
    ("xarray", "theirs.zarr", ("wavelengths", "no_data"), True),
]


@pytest.mark.parametrize(
    ("peer", "name", "known", "scaled"), WRITERS, ids=lambda one: one if isinstance(one, str) else ""
)
def test_we_read_what_python_peers_write(tmp_path, have_write, peer, name, known, scaled):
    have_write(peer, DATA, tmp_path / name)
    check_cube(open_cube(tmp_path / name), *known, scaled=scaled)


@pytest.mark.parametrize("end", ["hdr", "tif", "nc"])
def test_gdal_reads_ours(files, run, tmp_path, end):
    needs("gdalinfo")
    path = {"hdr": files["hdr"].with_suffix(".img"), "nc": f"NETCDF:{files['nc']}:cube"}.get(end, files["tif"])
    said = json.loads(run("gdalinfo", "-json", path))
    bands = said["bands"]
    assert said["geoTransform"] == [500000, 30, 0, 5500000, 0, -20]
    assert "UTM zone 33N" in said["coordinateSystem"]["wkt"] or "UTM_Zone_33N" in said["coordinateSystem"]["wkt"]
    assert [band["noDataValue"] for band in bands] == [-9999] * BANDS
    if end != "hdr":
        np.testing.assert_allclose([band["scale"] for band in bands], 0.0001)
        key = "wavelength" if end == "tif" else "NETCDF_DIM_wavelength"
        assert [float(band["metadata"][""][key]) for band in bands] == LENGTHS
    run("gdal_translate", "-q", "-of", "ENVI", path, tmp_path / "plain.bin")
    np.testing.assert_array_equal(np.fromfile(tmp_path / "plain.bin", "<i2").reshape(DATA.shape), DATA)


OPTIONS = {
    "lzw.tif": ["-co", "COMPRESS=LZW", "-co", "PREDICTOR=2"],
    "deflate.tif": ["-co", "COMPRESS=DEFLATE", "-co", "TILED=YES"],
    "zstd.tif": ["-co", "COMPRESS=ZSTD"],
    "lerc.tif": ["-co", "COMPRESS=LERC"],
    "packbits.tif": ["-co", "COMPRESS=PACKBITS", "-co", "INTERLEAVE=PIXEL"],
    "big.tif": ["-co", "BIGTIFF=YES", "-co", "INTERLEAVE=BAND"],
    "cog.tif": ["-of", "COG"],
    "envi.img": ["-of", "ENVI"],
    "bip.img": ["-of", "ENVI", "-co", "INTERLEAVE=BIP"],
}


@pytest.mark.parametrize("name", OPTIONS)
def test_we_read_what_gdal_makes_of_ours(files, run, tmp_path, name):
    needs("gdal_translate")
    run("gdal_translate", "-q", *OPTIONS[name], files["tif"], tmp_path / name)
    check_cube(open_cube(tmp_path / name), "wavelengths", "names", "no_data", "place")


def test_we_read_netcdf_of_gdal(files, run, tmp_path):
    needs("gdal_translate")
    run("gdal_translate", "-q", "-of", "netCDF", files["tif"], tmp_path / "bands.nc")
    # GDAL writes the southernmost row first
    check_cube(open_cube(tmp_path / "bands.nc"), "no_data")


@pytest.mark.parametrize("end", ["hdr", "tif", "nc"])
def test_terra_reads_ours(files, run, tmp_path, end):
    needs("Rscript")
    path = files["hdr"].with_suffix(".img") if end == "hdr" else files[end]
    run("Rscript", HERE / "terra.R", "read", path, tmp_path / "values.bin", tmp_path / "facts.txt")
    shape, names, place, *_ = (tmp_path / "facts.txt").read_text().splitlines()
    assert shape == f"{ROWS} {COLS} {BANDS}"
    values = np.fromfile(tmp_path / "values.bin").reshape(DATA.shape)
    expected = np.where(DATA == -9999, np.nan, DATA / (1 if end == "hdr" else 10000))
    np.testing.assert_allclose(values, expected, rtol=1e-9)
    np.testing.assert_allclose([float(one) for one in place.split()], FACTS["place"])
    if end == "tif":
        assert names.split("|") == FACTS["names"]


@pytest.mark.parametrize("name", ["theirs.tif", "theirs.img"])
def test_we_read_what_terra_writes(files, run, tmp_path, name):
    needs("Rscript")
    run("Rscript", HERE / "terra.R", "write", files["tif"], tmp_path / name)
    check_cube(open_cube(tmp_path / name), "no_data", "names", "place")


def test_octave_reads_our_envi(files, run, tmp_path):
    needs("octave")
    image, sizes = files["hdr"].with_suffix(".img"), [ROWS, COLS, BANDS]
    run("octave", "--no-gui", "-q", HERE / "octave_peer.m", "read", image, *sizes, tmp_path / "values.bin")
    np.testing.assert_array_equal(np.fromfile(tmp_path / "values.bin").reshape(DATA.shape), DATA)


@pytest.mark.parametrize("name", ["theirs.mat", "theirs.h5", "theirs.txt"])
def test_we_read_what_octave_writes(run, tmp_path, name):
    needs("octave")
    DATA.astype(float).tofile(tmp_path / "values.bin")
    arguments = ("write", tmp_path / "values.bin", ROWS, COLS, BANDS, tmp_path / name)
    run("octave", "--no-gui", "-q", HERE / "octave_peer.m", *arguments)
    cube = open_cube(tmp_path / name)
    np.testing.assert_array_equal(cube.data, DATA)
    np.testing.assert_allclose(cube.wavelengths_nm, LENGTHS)


@pytest.mark.parametrize("end", ["hdr", "tif"])
def test_grass_takes_ours_and_gives_them_back(files, run, tmp_path, end):
    needs("grass")
    path = files["hdr"].with_suffix(".img") if end == "hdr" else files["tif"]
    run(HERE / "grass.sh", path, tmp_path)
    for name in ("grass.tif", "grass.img"):
        check_cube(open_cube(tmp_path / name), "no_data", "place", scaled=False)
