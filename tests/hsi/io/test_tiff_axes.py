"""Stacks of pages whose description tells what they count: OME-XML, ImageJ's hyperstacks, tifffile's JSON."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_decsc.errors import AmbiguousFileError
from napari_decsc.hsi.io.files import open_cube

BANDS, ROWS, COLS = 6, 9, 11
DATA = np.arange(BANDS * ROWS * COLS, dtype=np.uint16).reshape(BANDS, ROWS, COLS)
LENGTHS = np.array([410.5, 450, 500, 550, 600, 655])
CHANNELS: dict[str, Any] = {
    "emission": {"Channel": {"EmissionWavelength": LENGTHS.tolist(), "EmissionWavelengthUnit": ["nm"] * BANDS}},
    "names": {"Channel": {"Name": [f"{length} nm" for length in LENGTHS]}},
}


def ome(path: Path, stack: np.ndarray, axes: str, channels: str = "emission", **options: Any) -> Path:
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": axes, **CHANNELS[channels]}, **options)
    return path


@pytest.mark.parametrize("channels", CHANNELS)
def test_channels_of_an_ome_tiff_tell_wavelengths(tmp_path: Path, channels: str) -> None:
    cube = open_cube(ome(tmp_path / "x.ome.tif", DATA, "CYX", channels))
    np.testing.assert_array_equal(cube.data, DATA)
    np.testing.assert_allclose(cube.wavelengths, LENGTHS)
    assert cube.wavelength_unit == "nm"


@pytest.mark.parametrize("axes", ["TCYX", "CTYX", "ZCYX", "CZYX"])
@pytest.mark.parametrize("packed", [False, True])
def test_channels_are_told_from_times_and_depths(tmp_path: Path, axes: str, packed: bool) -> None:
    stack = np.stack([DATA, DATA + 7], axis=0 if axes[1] == "C" else 1)
    path = ome(tmp_path / "x.ome.tif", stack, axes, compression="zlib" if packed else None)
    name = "time" if "T" in axes else "depth"
    with pytest.raises(AmbiguousFileError, match=f"one for each step of series 0 along {name}") as asked:
        open_cube(path)
    cube = open_cube(path, variable=asked.value.choices[1])
    np.testing.assert_array_equal(cube.data, DATA + 7)
    np.testing.assert_allclose(cube.wavelengths, LENGTHS)


def test_planes_in_an_order_of_their_own_are_left_as_they_lie(tmp_path: Path) -> None:
    path = ome(tmp_path / "x.ome.tif", np.stack([DATA, DATA + 7]), "TCYX")
    places = "".join(
        f'<TiffData IFD="{2 * band + time}" FirstC="{band}" FirstT="{time}" FirstZ="0" PlaneCount="1"/>'
        for time in range(2)
        for band in range(BANDS)
    )
    text = tifffile.tiffcomment(path).replace('<TiffData IFD="0" PlaneCount="12"/>', places)
    assert 'IFD="11"' in text
    tifffile.tiffcomment(path, text.encode())
    assert open_cube(path).shape == (2 * BANDS, ROWS, COLS)


@pytest.mark.parametrize("text", ["<OME><Image><Pixels", '<!DOCTYPE x><OME xmlns="x"/>', "<OME><Image/></OME>", "<a/>"])
def test_damaged_descriptions_tell_nothing(tmp_path: Path, text: str) -> None:
    tifffile.imwrite(tmp_path / "x.tif", DATA, photometric="minisblack", metadata=None, description=text)
    cube = open_cube(tmp_path / "x.tif")
    np.testing.assert_array_equal(cube.data, DATA)
    assert cube.wavelengths is None


def test_imagejs_hyperstacks_name_their_axes(tmp_path: Path) -> None:
    stack = np.stack([DATA, DATA + 7])
    tifffile.imwrite(tmp_path / "x.tif", stack, imagej=True, metadata={"axes": "TCYX"})
    cube = open_cube(tmp_path / "x.tif", variable="series 0@time=2")
    np.testing.assert_array_equal(cube.data, DATA + 7)


@pytest.mark.parametrize(
    ("axes", "order"), [("YXC", (1, 2, 0)), ("CYX", (0, 1, 2)), ("YCX", (1, 0, 2)), ("XCY", (2, 0, 1))]
)
def test_axes_that_tifffile_writes_count(tmp_path: Path, axes: str, order: tuple[int, int, int]) -> None:
    stack = DATA.transpose(order).copy()
    tifffile.imwrite(tmp_path / "x.tif", stack, photometric="minisblack", metadata={"axes": axes})
    np.testing.assert_array_equal(open_cube(tmp_path / "x.tif").data, DATA)
