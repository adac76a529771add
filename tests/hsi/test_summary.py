"""A cube in words and in a notebook."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from napari_decsc.hsi.cube import Cube


def cube_of_colours(rows: int = 4, cols: int = 6) -> Cube:
    """Red on the left, blue on the right."""
    data = np.zeros((3, rows, cols), np.float32)
    data[2, :, : cols // 2] = 1
    data[0, :, cols // 2 :] = 1
    return Cube(data, "flag <1>", np.array([450.0, 550, 650]), "nm")


def picture(cube: Cube) -> np.ndarray:
    found = re.search(r"base64,([A-Za-z0-9+/=]+)'", cube._repr_html_())
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found.group(1)))))


def test_a_cube_is_one_line() -> None:
    assert repr(cube_of_colours()) == "Cube 'flag <1>': 3 bands × 4 × 6, float32, 450 to 650 nm"
    assert repr(Cube(np.zeros((1, 2, 3), np.int16))) == "Cube 'cube': 1 band × 2 × 3, int16"


def test_a_notebook_shows_the_colours() -> None:
    shown = picture(cube_of_colours())
    np.testing.assert_array_equal(shown[0, 0], [255, 0, 0])
    np.testing.assert_array_equal(shown[0, -1], [0, 0, 255])


def test_a_notebook_shows_what_is_known_and_nothing_else() -> None:
    cube = cube_of_colours()
    assert "&lt;1&gt;" in cube._repr_html_()
    assert "bad bands" not in cube._repr_html_()
    known = cube.replace(good_bands=np.array([True, False, True]), no_data=-9999.0, scale=10000.0)._repr_html_()
    for text in ("bad bands</th><td style='text-align:left'>1<", "-9999", "10000 stands for 1", "288 bytes"):
        assert text in known


@pytest.mark.parametrize("rows", [193, 1000])
def test_the_picture_of_a_large_cube_is_small(rows: int) -> None:
    assert max(picture(cube_of_colours(rows, 20)).shape[:2]) <= 192


def test_a_cube_that_nobody_measured_is_shown_too() -> None:
    assert picture(Cube(np.full((2, 3, 4), np.nan))).max() == 0
