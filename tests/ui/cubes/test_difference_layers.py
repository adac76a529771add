"""A difference of two cubes is no cube of a scene: its colours, and where it is left out."""

import numpy as np
import pytest

from napari_decsc.ui.compare.widget import CompareWidget
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import cube_layers, is_difference, scene_layers
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.noise.widget import NoiseWidget
from napari_decsc.ui.spectra.widget import SpectrumWidget


@pytest.fixture
def difference(viewer, cube):
    add_cube_layer(viewer, cube)
    add_cube_layer(viewer, cube.replace(data=cube.data * 2, name="twice"))
    signed = cube.replace(data=cube.data - 0.4, name="leaf − other")
    return add_cube_layer(viewer, signed, provenance={"difference": "leaf minus other"})


def test_its_colours_diverge_from_zero(difference):
    low, high = difference.contrast_limits
    assert low == -high
    red, green, blue, _ = difference.colormap.map(np.array([0.0, 0.5, 1.0])).T
    assert blue[0] > red[0]
    assert red[2] > blue[2]
    assert min(red[1], green[1], blue[1]) > 0.9


def test_its_contrast_follows_the_band_until_a_person_sets_it(viewer, cube):
    loud = np.array([1, 1, 1, 1, 1, 100], np.float32)[:, None, None]
    made = add_cube_layer(viewer, cube.replace(data=loud * (cube.data - 0.5)), provenance={"difference": "a minus b"})
    viewer.dims.set_point(0, 0)
    quiet = made.contrast_limits[1]
    assert made.contrast_limits[0] == -quiet
    assert quiet < 1
    viewer.dims.set_point(0, 5)
    assert made.contrast_limits[1] > 20
    made.contrast_limits = (-3, 3)
    viewer.dims.set_point(0, 0)
    assert tuple(made.contrast_limits) == (-3, 3)


def test_no_form_and_no_tick_offers_it(viewer, difference, kept):
    assert is_difference(difference)
    assert difference in cube_layers(viewer)
    assert difference not in scene_layers(viewer)
    for panel in (DenoiseWidget, NoiseWidget):
        widget = kept(panel(viewer))
        assert [widget.cube.itemText(place) for place in range(widget.cube.count())] == ["leaf", "twice"]
    compare = kept(CompareWidget(viewer))
    assert [layer.name for layer in compare.ticked()] == ["leaf", "twice"]


def test_equal_contrast_leaves_it_alone(qtbot, viewer, difference, kept):
    compare = kept(CompareWidget(viewer))
    before = list(difference.contrast_limits)
    with qtbot.waitSignal(compare.scored, timeout=10_000):
        compare.curtain_button.click()
    assert [layer.name for layer in compare.comparison.layers] == ["leaf", "twice"]
    assert list(difference.contrast_limits) == before


def test_it_has_no_spectral_angle_and_is_no_reference(viewer, difference, kept):
    spectra = kept(SpectrumWidget(viewer))
    assert len(spectra.plot.curves) == 3  # its spectrum is seen
    assert spectra.differences.text().count("°") == 1  # of "twice" to "leaf" alone
    viewer.layers["leaf"].visible = viewer.layers["twice"].visible = False
    spectra.refresh()
    assert spectra.differences.text() == ""
    low, high = spectra.plot.limits
    assert low < 0 < high


def test_the_difference_of_two_ticked_cubes_is_one(qtbot, viewer, cube, kept):
    for name in ("a", "b"):
        add_cube_layer(viewer, cube.replace(name=name))
    compare = kept(CompareWidget(viewer))
    compare.difference_button.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=5000)
    assert is_difference(viewer.layers[-1])
    assert [layer.name for layer in compare.ticked()] == ["a", "b"]
