import copy

import numpy as np
import pytest

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.band_label import label_bands
from napari_decsc.ui.cubes.bands import band_text, show_band, shown_band
from napari_decsc.ui.cubes.contrast import contrast
from napari_decsc.ui.cubes.layers import clean_of, cube_of, drawable, is_cube_layer, provenance_of
from napari_decsc.ui.viewer_compat import canvas_text


def test_a_layer_gives_back_its_cube(viewer, cube):
    layer = add_cube_layer(viewer, cube, clean=cube, provenance={"noise": {"seed": 3}})
    found = cube_of(layer)
    assert found.data is cube.data
    np.testing.assert_array_equal(found.wavelengths, cube.wavelengths)
    assert clean_of(layer) is cube
    assert provenance_of(layer) == {"noise": {"seed": 3}}


def test_a_renamed_layer_renames_its_cube(viewer, cube):
    layer = add_cube_layer(viewer, cube)
    layer.name = "oak"
    assert cube_of(layer).name == "oak"


def test_a_derived_layer_stands_where_its_source_stands(viewer, cube):
    source = add_cube_layer(viewer, cube)
    source.scale, source.translate = (1, 2.5, 2.5), (0, 7, -3)
    source.contrast_limits = (0.2, 0.4)
    derived = add_cube_layer(viewer, cube.replace(data=cube.data * 2), like=source)
    for name in ("scale", "translate"):
        np.testing.assert_array_equal(getattr(derived, name), getattr(source, name))
    assert derived.axis_labels == source.axis_labels == ("band", "row", "col")
    assert derived.units == source.units
    assert derived.contrast_limits == [0.2, 0.4]


def test_a_cropped_layer_keeps_what_is_known_of_its_bands(viewer, cube):
    layer = add_cube_layer(viewer, cube, clean=cube)
    layer.data = cube.data[:, 2:5, :4]
    found = cube_of(layer)
    assert found.shape == (6, 3, 4)
    assert found.wavelength_unit == "nm"
    assert clean_of(layer) is None  # the clean cube has another shape


def test_any_image_with_three_axes_is_a_cube(viewer):
    layer = viewer.add_image(np.zeros((4, 5, 6)), name="plain")
    assert cube_of(layer).shape == (4, 5, 6)
    assert cube_of(layer).wavelengths is None


@pytest.mark.parametrize(
    ("shape", "options"), [((5, 6), {}), ((2, 3, 5, 6), {}), ((5, 6, 3), {"rgb": True})], ids=["2-D", "4-D", "rgb"]
)
def test_other_images_are_no_cubes(viewer, shape, options):
    layer = viewer.add_image(np.zeros(shape), name="photo", **options)
    assert not is_cube_layer(layer)
    with pytest.raises(CubeError, match="photo"):
        cube_of(layer)


def test_duplicating_a_layer_does_not_copy_what_it_remembers(viewer, cube):
    layer = add_cube_layer(viewer, cube)
    copied = copy.deepcopy(layer.metadata)
    assert copied["napari_decsc"] is layer.metadata["napari_decsc"]


def test_foreign_byte_order_is_turned_lazily_and_the_cube_stays(viewer, cube):
    foreign = cube.replace(data=cube.data.astype(">f4"))
    layer = add_cube_layer(viewer, foreign)
    assert layer.data.dtype.isnative
    assert cube_of(layer).data is foreign.data
    np.testing.assert_array_equal(np.asarray(drawable(foreign.data)), cube.data)


def test_contrast_ignores_what_was_not_measured():
    data = np.linspace(0, 1000, 1001, dtype=np.float32).reshape(1, 7, 143)
    data[0, 0, :3] = -9999
    low, high = contrast(Cube(data, no_data=-9999, scale=10.0))
    assert low == pytest.approx(8, abs=1)  # 0.5 % of what begins at 3
    assert high == pytest.approx(995, abs=1)


def test_band_text_names_band_wavelength_and_bad_bands(cube):
    assert band_text(cube, 0) == "band 1 of 6 · 400.0 nm"
    assert band_text(cube, 3) == "band 4 of 6 · 580.0 nm · marked as bad"
    assert band_text(Cube(cube.data), 5) == "band 6 of 6"
    micrometres = cube.replace(wavelengths=cube.wavelengths / 1000, wavelength_unit="um")
    assert band_text(micrometres, 1) == "band 2 of 6 · 0.450 µm"


def test_the_canvas_says_which_band_is_shown(viewer, cube):
    layer = add_cube_layer(viewer, cube)
    show_band(viewer, layer, 2)
    assert shown_band(viewer, layer) == 2
    assert canvas_text(viewer).text == "band 3 of 6 · 510.0 nm"
    viewer.layers.clear()
    assert canvas_text(viewer).text == ""


def test_a_persons_own_text_on_the_canvas_stays(viewer, cube):
    label_bands(viewer)
    canvas_text(viewer).text = "figure 3"
    layer = add_cube_layer(viewer, cube)
    show_band(viewer, layer, 2)
    assert canvas_text(viewer).text == "figure 3"


def test_the_status_bar_forgets_a_name_that_is_gone(viewer, cube):
    layer = add_cube_layer(viewer, cube.replace(name="leaf (running)"))
    viewer.status = {"layer_name": "leaf (running)", "coords": "[0 0 0]"}
    layer.name = "leaf"
    assert viewer.status == "Ready"
    viewer.status = told = {"layer_name": "leaf", "coords": "[0 0 0]"}
    add_cube_layer(viewer, cube.replace(name="oak"))
    assert viewer.status == told


def test_where_the_layer_list_tells_of_no_new_name_the_layers_do(viewer, cube):
    first, heard = add_cube_layer(viewer, cube.replace(name="oak")), []
    emitter = viewer_compat.renames(viewer)
    assert viewer_compat.renames(viewer) is emitter
    emitter.connect(lambda event: heard.append([layer.name for layer in viewer.layers]))
    first.name = "elm"
    second = add_cube_layer(viewer, cube.replace(name="ash"))
    second.name = "fir"
    assert heard == [["elm"], ["elm", "fir"]]
