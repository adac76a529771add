"""``convert``: other formats, parts of cubes, Cloud-Optimized GeoTIFF."""

from pathlib import Path

import numpy as np
import pytest

from napari_decsc.cli import main
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.files import open_cube, save_cube

DATA = np.arange(4 * 600 * 700, dtype=np.int16).reshape(4, 600, 700)
PLACE = ["UTM", "1", "1", "500000", "5500000", "30", "20", "33", "North", "WGS-84"]
CUBE = Cube(
    DATA,
    wavelengths=np.array([400.0, 500, 600, 700]),
    wavelength_unit="nm",
    no_data=-9999.0,
    scale=10000.0,
    header={"map info": PLACE},
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return save_cube(CUBE, tmp_path / "in.hdr")


@pytest.mark.parametrize("end", ["hdr", "tif", "nc", "zarr", "npz"])
def test_a_part_is_written_in_any_format(tmp_path: Path, source: Path, end: str) -> None:
    out = tmp_path / f"out.{end}"
    assert main(["convert", str(source), str(out), "--rows", "10:20", "--cols", "5:"]) == 0
    found = open_cube(out)
    np.testing.assert_array_equal(np.asarray(found.data), DATA[:, 10:20, 5:])
    assert (found.no_data, found.scale, found.wavelengths.tolist()) == (-9999, 10000, CUBE.wavelengths.tolist())
    if end == "tif":
        assert found.header["map info"][3:5] == ["500150", "5499800"]


@pytest.mark.parametrize(("option", "said"), [("--rows", "a"), ("--rows", "5"), ("--cols", "-3:"), ("--rows", "900:")])
def test_parts_that_are_none_are_refused(
    tmp_path: Path, source: Path, option: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(source), str(tmp_path / "out.hdr"), f"{option}={said}"]) == 1
    assert "give " in capsys.readouterr().err
    assert not (tmp_path / "out.hdr").exists()


def test_cloud_optimized(tmp_path: Path, source: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    out = tmp_path / "out.tif"
    assert main(["convert", str(source), str(out), "--cog"]) == 0
    with rasterio.open(out) as image:
        assert image.overviews(1) == [2]
        assert image.block_shapes[0] == (512, 512)
        assert image.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert image.scales[0] == 0.0001
        np.testing.assert_array_equal(image.read(), DATA)
    found = open_cube(out)
    np.testing.assert_array_equal(found.data, DATA)
    assert (found.no_data, found.scale, found.wavelengths.tolist()) == (-9999, 10000, CUBE.wavelengths.tolist())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.hdr", "in.img", "out.tif"]


def test_cloud_optimized_says_what_it_needs(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rasterio", None)
    assert main(["convert", str(source), str(tmp_path / "out.tif"), "--cog"]) == 1
    assert 'needs rasterio; install it (pip install "napari-decsc[geo]")' in capsys.readouterr().err
    assert main(["convert", str(source), str(tmp_path / "out.hdr"), "--cog"]) == 1
    assert "is a .tif" in capsys.readouterr().err
