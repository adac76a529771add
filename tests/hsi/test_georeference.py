"""Where pixels lie: said in ENVI's words and GeoTIFF's, the same place in both, and moved by a crop."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from napari_decsc.errors import CubeError
from napari_decsc.hsi import crs, georeference
from napari_decsc.hsi.crop import cropped
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube

DATA = np.arange(4 * 20 * 30, dtype=np.float32).reshape(4, 20, 30)
UTM = ["UTM", "1", "1", "500000", "5500000", "30", "20", "33", "North", "WGS-84", "units=Meters"]
#: Kinds of `map info`, the affine map (GDAL's order) each means, and the EPSG code.
PLACES = {
    "utm": (UTM, (500000, 30, 0, 5500000, 0, -20), 32633),
    "reference pixel within": ([*UTM[:1], "1.5", "2.5", *UTM[3:]], (499985, 30, 0, 5500030, 0, -20), 32633),
    "south": ([*UTM[:8], "South", *UTM[9:]], (500000, 30, 0, 5500000, 0, -20), 32733),
    "nad": ([*UTM[:7], "11", "North", "North America 1983"], (500000, 30, 0, 5500000, 0, -20), 26911),
    "geographic": (
        ["Geographic Lat/Lon", "1.0", "1.0", "10.5", "50.25", "0.001", "0.002", "WGS-84", "units=Degrees"],
        (10.5, 0.001, 0, 50.25, 0, -0.002),
        4326,
    ),
}


def texts(numbers: Iterable[float]) -> list[str]:
    return [str(number) for number in numbers]


def without_rasterio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rasterio", None)


@pytest.fixture(params=["with rasterio", "without"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "without":
        without_rasterio(monkeypatch)
    else:
        pytest.importorskip("rasterio")
    return request.param


@pytest.mark.parametrize("kind", PLACES)
def test_envi_becomes_geotiff_and_envi_again(tmp_path: Path, kind: str, either: str) -> None:
    info, transform, code = PLACES[kind]
    envi = save_cube(Cube(DATA, header={"map info": info}), tmp_path / "a.hdr")
    tiff = save_cube(open_cube(envi), tmp_path / "a.tif")
    again = open_cube(save_cube(open_cube(tiff), tmp_path / "b.hdr"))
    for cube in (open_cube(envi), open_cube(tiff), again):
        place = georeference.of_header(cube.header)
        assert place is not None
        np.testing.assert_allclose(place.transform, transform, rtol=1e-12)
        assert place.system.code == code
    assert not any(key.startswith("geotiff") for key in again.header)


@pytest.mark.parametrize("kind", PLACES)
def test_gdal_sees_the_same_place_in_both(tmp_path: Path, kind: str, either: str) -> None:
    if either == "without":
        written = [
            save_cube(Cube(DATA, header={"map info": PLACES[kind][0]}), tmp_path / name) for name in ("a.tif", "b.hdr")
        ]
        assert all(path.exists() for path in written)
        return
    import rasterio

    info, transform, code = PLACES[kind]
    tiff = save_cube(Cube(DATA, header={"map info": info}), tmp_path / "a.tif")
    save_cube(open_cube(tiff), tmp_path / "b.hdr")
    for path in (tiff, tmp_path / "b.img"):
        with rasterio.open(path) as image:
            np.testing.assert_allclose(image.transform.to_gdal(), transform, rtol=1e-12, atol=1e-12)
            assert image.crs.to_epsg() == code


@pytest.mark.parametrize("code", [3035, 2154, 3857, 5070, 32633, 31467])
def test_other_systems_go_through_rasterio(tmp_path: Path, code: int) -> None:
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        count=4,
        height=20,
        width=30,
        dtype="float32",
        crs=f"EPSG:{code}",
        transform=rasterio.Affine(30, 0, 1000, 0, -20, 2000),
    ) as image:
        image.write(DATA)
    save_cube(open_cube(tmp_path / "a.tif"), tmp_path / "b.hdr")
    text = (tmp_path / "b.hdr").read_text()
    assert "coordinate system string = {" in text
    tiff = save_cube(open_cube(tmp_path / "b.hdr"), tmp_path / "c.tif")
    for path in (tmp_path / "b.img", tiff):
        with rasterio.open(path) as image:
            assert image.crs.to_epsg() == code
            assert image.transform.to_gdal() == (1000, 30, 0, 2000, 0, -20)


def test_a_system_without_a_code_goes_through_rasterio(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    mine = "+proj=laea +lat_0=12 +lon_0=34 +datum=WGS84 +units=m"
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        count=4,
        height=20,
        width=30,
        dtype="float32",
        crs=mine,
        transform=rasterio.Affine(30, 0, 1000, 0, -20, 2000),
    ) as image:
        image.write(DATA)
    save_cube(open_cube(tmp_path / "a.tif"), tmp_path / "b.hdr")
    tiff = save_cube(open_cube(tmp_path / "b.hdr"), tmp_path / "c.tif")
    for path in (tmp_path / "b.img", tiff):
        with rasterio.open(path) as image:
            assert image.crs.to_dict()["proj"] == "laea"
            assert image.crs.to_dict()["lon_0"] == 34


def test_without_rasterio_tags_that_are_not_understood_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_rasterio(monkeypatch)
    header = {
        "geotiff 33550": ["30", "20", "0"], "geotiff 33922": ["0", "0", "0", "1000", "2000", "0"],
        "geotiff 34735": ["1", "1", "0", "2", "1024", "0", "1", "1", "3072", "0", "1", "2154"],
    }  # fmt: skip
    again = open_cube(save_cube(Cube(DATA, header=header), tmp_path / "a.hdr")).header
    assert {key: again[key] for key in header} == header
    assert again["map info"][3:7] == ["1000", "2000", "30", "20"]


@pytest.mark.parametrize("turn", [30.0, -75.0, 179.0])
def test_a_turned_image_lies_where_gdal_sees_it(tmp_path: Path, turn: float) -> None:
    rasterio = pytest.importorskip("rasterio")
    info = [*UTM[:5], "30", "30", *UTM[7:], f"rotation={turn}"]
    save_cube(Cube(DATA, header={"map info": info}), tmp_path / "a.hdr")
    tiff = save_cube(open_cube(tmp_path / "a.hdr"), tmp_path / "b.tif")
    save_cube(open_cube(tiff), tmp_path / "c.hdr")
    with rasterio.open(tmp_path / "a.img") as first:
        seen = first.transform.to_gdal()
    assert seen[2] != 0
    for path in (tiff, tmp_path / "c.img"):
        with rasterio.open(path) as image:
            np.testing.assert_allclose(image.transform.to_gdal(), seen, rtol=1e-9)


def test_centres_of_pixels_are_no_corners() -> None:
    header = {
        "geotiff 33550": ["30", "20", "0"], "geotiff 33922": ["0", "0", "0", "1000", "2000", "0"],
        "geotiff 34735": ["1", "1", "0", "1", "1025", "0", "1", "2"],
    }  # fmt: skip
    assert georeference.of_header(header).transform == (985, 30, 0, 2010, 0, -20)


@pytest.mark.parametrize("name", ["a.hdr", "a.tif"])
def test_a_crop_lies_where_its_pixels_lay(tmp_path: Path, name: str) -> None:
    rasterio = pytest.importorskip("rasterio")
    whole = open_cube(
        save_cube(Cube(DATA, header={"map info": [*UTM[:6], "30", *UTM[7:], "rotation=30"]}), tmp_path / name)
    )
    part = cropped(whole, slice(3, 9), slice(-10, None))
    np.testing.assert_array_equal(part.data, DATA[:, 3:9, 20:])
    before, after = (georeference.of_header(cube.header).transform for cube in (whole, part))
    for end in ("hdr", "tif"):
        written = save_cube(part, tmp_path / f"part.{end}")
        with rasterio.open(written.with_suffix(".img") if end == "hdr" else written) as image:
            np.testing.assert_allclose(image.transform.to_gdal(), after, rtol=1e-12)
    for row, col in ((0, 0), (5, 7)):
        new = after[0] + col * after[1] + row * after[2], after[3] + col * after[4] + row * after[5]
        col, row = col + 20, row + 3
        old = before[0] + col * before[1] + row * before[2], before[3] + col * before[4] + row * before[5]
        np.testing.assert_allclose(new, old, rtol=1e-12)


def test_a_crop_moves_everything_that_counts_pixels() -> None:
    header = {
        "x start": "5", "y start": "1", "geo points": ["1", "1", "50", "10", "30", "20", "49", "11"],
        "rpc info": texts(range(93)),
        "geotiff 34264": texts([2, 0, 0, 10, 0, -3, 0, 20, *[0] * 7, 1]),
        "geotiff 33922": ["0", "0", "0", "7", "8", "0", "9", "9", "0", "7", "8", "0"],
        "geotiff 50844": texts(range(92)),
        "map info": ["Arbitrary", "1", "1"], "sensor type": "X",
    }  # fmt: skip
    found = cropped(Cube(DATA, header=header), slice(2, 5), slice(4, 6)).header
    assert (found["x start"], found["y start"], found["sensor type"]) == ("9", "3", "X")
    assert found["geo points"] == ["-3", "-1", "50", "10", "26", "18", "49", "11"]
    assert found["rpc info"][:3] == ["-2", "-3", "2"]
    assert found["geotiff 50844"][:5] == ["0", "1", "0", "-1", "4"]
    assert found["geotiff 33922"] == ["-4", "-2", "0", "7", "8", "0", "5", "7", "0", "7", "8", "0"]
    assert found["geotiff 34264"][3] == "18"
    assert found["geotiff 34264"][7] == "14"
    assert found["map info"] == header["map info"]


@pytest.mark.parametrize("part", [slice(5, 5), slice(40, 50), slice(0, 10, 2), slice(9, 2)])
def test_a_crop_of_nothing_is_refused(part: slice) -> None:
    with pytest.raises(CubeError, match=r"rows|every row"):
        cropped(Cube(DATA), part)


@pytest.mark.parametrize(
    "info", ["words", ["UTM"], ["UTM", "1", "1", "a", "b", "c", "d"], ["U", *["nan"] * 6], [], None]
)
def test_nonsense_tells_no_place(tmp_path: Path, info: object) -> None:
    header = {"map info": info, "geotiff 33550": ["x"], "geotiff 33922": "y", "geotiff 34735": ["1", "2"]}
    assert georeference.of_header(header) is None
    assert open_cube(save_cube(cropped(Cube(DATA, header=header), slice(1, 4)), tmp_path / "a.tif")).shape == (4, 3, 30)


@pytest.mark.parametrize("text", ["", "words", "PROJCS[", 'LOCAL_CS["x"]', 'GEOGCS["mine",DATUM["D_mine"]]'])
def test_texts_that_name_no_system_have_no_code(text: str) -> None:
    assert crs.of_text(text).code is None


def test_a_turned_image_of_oblong_pixels_keeps_its_right_angles() -> None:
    place = georeference.of_map_info({"map info": [*UTM, "rotation=30"]})
    _, across, skew, _, lean, down = place.transform
    np.testing.assert_allclose(
        (np.hypot(across, lean), np.hypot(skew, down), across * skew + lean * down), (30, 20, 0), atol=1e-12
    )
    assert georeference.map_info(place)["map info"][3:7] == ["500000", "5500000", "30", "20"]
