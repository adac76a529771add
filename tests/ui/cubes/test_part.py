"""Cropped, moved and reduced layers: what their files may still say of the whole."""

import numpy as np
import pytest

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import KEY, cube_of
from napari_decsc.ui.files.reader import write_cube

MAP = ["UTM", "1", "1", "500000", "4000000", "30", "30", "11", "North", "WGS-84"]
HEADER = {"map info": MAP, "sensor type": "EMIT", "band names": ["a", "b", "c"], "default bands": ["3", "2", "1"]}


@pytest.fixture
def layer(viewer):
    data = np.arange(3 * 8 * 10, dtype=np.float32).reshape(3, 8, 10)
    wavelengths = np.array([400.0, 500.0, 600.0])
    return add_cube_layer(
        viewer, Cube(data, "scene", wavelengths=wavelengths, wavelength_unit="nm", no_data=-9, header=HEADER)
    )


def place(cube):
    """Where on the earth the first pixel's corner lies."""
    return tuple(float(value) for value in cube.header["map info"][3:5])


def cropped(viewer, layer, translate):
    """As another plugin crops: a new layer with the metadata of the old one."""
    return viewer.add_image(
        layer.data[:, 2:6, 3:9], name="part", metadata=dict(layer.metadata), translate=translate, scale=layer.scale
    )


def test_the_map_info_of_a_part_is_that_of_the_part(viewer, layer):
    cube = cube_of(cropped(viewer, layer, (0, 2, 3)))
    # pixel (row 2, col 3) of the whole, which is pixel (0, 0) of the part, keeps its place on the earth
    assert place(cube) == (500000 + 3 * 30, 4000000 - 2 * 30)
    assert cube.header["map info"][5:] == MAP[5:]
    np.testing.assert_array_equal(cube.wavelengths, [400, 500, 600])


def test_a_part_whose_place_nobody_knows_has_no_map_info(viewer, layer):
    cube = cube_of(cropped(viewer, layer, (0, 0, 0)))
    assert "map info" not in cube.header
    assert cube.header["sensor type"] == "EMIT"


def test_a_part_of_a_scaled_layer_is_shifted_by_pixels(viewer, layer):
    layer.scale = (1, 30, 30)
    cube = cube_of(cropped(viewer, layer, (0, 60, 90)))
    assert place(cube) == (500090, 3999940)


@pytest.mark.parametrize("translate", [(0, 5, 0), (0, 0.4, 0), (0, -3, 2)])
def test_a_moved_layer_has_no_map_info(layer, translate):
    layer.translate = translate
    assert "map info" not in cube_of(layer).header
    assert cube_of(layer).header["sensor type"] == "EMIT"
    layer.translate = (0, 0, 0)
    assert cube_of(layer).header["map info"] == MAP


def test_changed_pixels_in_their_place_keep_everything(layer):
    layer.data = layer.data + 1
    assert cube_of(layer).header == HEADER


def test_fewer_bands_keep_the_lines_that_still_hold(viewer, layer):
    made = viewer.add_image(layer.data[1:], name="two bands", metadata=dict(layer.metadata))
    cube = cube_of(made)
    assert cube.wavelengths is None
    assert cube.header == {"map info": MAP, "sensor type": "EMIT"}
    assert cube.no_data == -9


def test_the_file_of_a_part_says_the_same(viewer, layer, tmp_path):
    part = cropped(viewer, layer, (0, 2, 3))
    attributes = {"name": "part", "metadata": part.metadata, "translate": part.translate, "scale": part.scale}
    (written,) = write_cube(str(tmp_path / "part.hdr"), part.data, attributes)
    assert place(read_envi(written)) == (500090, 3999940)
    assert KEY in part.metadata
