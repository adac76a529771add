"""Components with their SNR, and ratios of bands."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.band_label import label_bands
from napari_decsc.ui.cubes.layers import cube_layers
from napari_decsc.ui.explore.components import components, ratio
from napari_decsc.ui.explore.widget import NOT_BOTH, ExploreWidget
from napari_decsc.ui.viewer_compat import canvas_text


@pytest.fixture
def scene():
    """Two smooth sources in eight bands; the noise of band 3 is loud."""
    rng = np.random.default_rng(4)
    rows, cols = np.mgrid[0:48, 0:64] / 10
    sources = np.stack([np.sin(rows), np.cos(cols)])
    mixed = np.einsum("bs,srx->brx", rng.uniform(0.5, 2, (8, 2)), sources)
    sigma = np.full(8, 0.05)
    sigma[3] = 3.0
    noisy = mixed + rng.normal(size=mixed.shape) * sigma[:, None, None] + 5
    return Cube(noisy.astype(np.float32), "mixed", wavelengths=np.linspace(500, 850, 8), wavelength_unit="nm")


def test_noise_fractions_put_the_signal_first_where_variance_puts_a_loud_band(scene):
    by_noise, by_variance = components(scene, by_noise=True), components(scene, by_noise=False)
    assert (by_noise.snr[:2] > 15).all()
    assert not (np.nan_to_num(by_noise.snr[2:], nan=-99) > 0).any()  # two sources, and the rest is noise
    assert by_noise.snr[0] > by_variance.snr[0] + 10  # the first component by variance is the noise of band 3


def test_a_component_is_the_projection_on_the_axes_of_the_covariance(scene):
    data = scene.data.reshape(8, -1).astype(float)
    values, axes = np.linalg.eigh(np.cov(data))
    expected = axes[:, -1] @ (data - data.mean(axis=1, keepdims=True))
    found = components(scene, by_noise=False).stack[0].ravel()
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)
    assert np.var(found) == pytest.approx(values[-1], rel=1e-3)


def test_a_ratio_is_unknown_where_the_denominator_is_zero():
    data = np.array([[[4.0, 1.0]], [[2.0, 0.0]]], np.float32)
    np.testing.assert_array_equal(ratio(Cube(data), 0, 1, normalised=False), [[2.0, np.nan]])
    np.testing.assert_allclose(ratio(Cube(data), 0, 1, normalised=True), [[2 / 6, 1.0]])


@pytest.fixture
def widget(viewer, scene, kept):
    layer = add_cube_layer(viewer, scene)
    layer.translate = (0, 10, 20)
    made = kept(ExploreWidget(viewer))
    made.show()
    return made


def press(qtbot, widget, button):
    with qtbot.waitSignal(widget.added, timeout=10_000) as added:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(button.isEnabled, timeout=5000)
    return added.args[0]


def test_components_come_as_a_stack_in_the_place_of_the_cube(qtbot, widget, scene):
    stack = press(qtbot, widget, widget.mnf_button)
    assert stack.data.shape == (8, 48, 64)
    np.testing.assert_array_equal(stack.translate, (0, 10, 20))
    assert widget.listing.text().startswith("MNF: SNR of the components in dB: ")
    assert widget.listing.text().endswith("noise")


def test_components_are_no_cube(qtbot, widget, viewer):
    """Else the next button would take components of components, and nobody would see it."""
    label_bands(viewer)
    scene, first = widget.cube.layer, press(qtbot, widget, widget.pca_button)
    assert viewer.layers.selection.active is first
    assert widget.cube.layer is scene
    assert press(qtbot, widget, widget.mnf_button).name == "MNF · mixed"
    assert cube_layers(viewer) == [scene]
    qtbot.waitUntil(lambda: canvas_text(viewer).text.startswith("MNF 1 of 8 · SNR "))
    viewer.dims.set_point(0, 7)
    assert canvas_text(viewer).text == "MNF 8 of 8 · noise"


def test_what_has_no_components_says_so(scene):
    for values, words in ((np.nan, "that were measured"), (1.0, "all pixels are alike")):
        with pytest.raises(CubeError, match=words):
            components(scene.replace(data=np.full_like(scene.data, values)), by_noise=True)


def test_two_bands_without_a_common_pixel_say_so(qtbot, widget, viewer, scene):
    scene.data[3] = np.nan
    widget.one.setText("1")
    widget.other.setText("4")
    for button in (widget.ratio_button, widget.scatter_button):
        widget.message.say("")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: widget.message.is_error)
        assert widget.message.text() == NOT_BOTH
        qtbot.waitUntil(button.isEnabled)
    assert len(viewer.layers) == 1


def test_a_ratio_is_typed_by_wavelength_or_number(qtbot, widget, scene):
    widget.one.setText("840 nm")
    widget.other.setText("4")
    widget.normalised.setChecked(True)
    layer = press(qtbot, widget, widget.ratio_button)
    assert layer.name == "bands (8 − 4) / (8 + 4) · mixed"
    np.testing.assert_allclose(layer.data, ratio(scene, 7, 3, normalised=True))
    np.testing.assert_array_equal(layer.translate, (10, 20))


def test_a_band_that_cannot_be_understood_is_said(widget):
    widget.one.setText("1-3")
    widget.other.setText("4")
    QTest.mouseClick(widget.ratio_button, Qt.MouseButton.LeftButton)
    assert widget.message.text() == "'1-3' names 3 bands; write one, such as 12 or 860 nm"


def test_what_stands_in_grey_is_taken_where_nothing_is_written(qtbot, widget, scene, viewer):
    assert (widget.one.placeholderText(), widget.other.placeholderText()) == ("7", "3")  # 860 nm is not in 500-850
    layer = press(qtbot, widget, widget.ratio_button)
    assert layer.name == "bands 7 / 3 · mixed"
    wider = scene.replace(wavelengths=np.linspace(400, 1000, 8), name="wider")
    widget.cube.layer = add_cube_layer(viewer, wider)
    assert (widget.one.placeholderText(), widget.other.placeholderText()) == ("860 nm", "650 nm")


def test_one_band_taken_twice_is_said(widget):
    widget.one.setText("4")
    widget.other.setText("4")
    QTest.mouseClick(widget.scatter_button, Qt.MouseButton.LeftButton)
    assert widget.message.text() == "Both are band 4; take two bands."
