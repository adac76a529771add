import numpy as np
import pytest

from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.ui.band_label import shown_band
from napari_decsc.ui.compare_widget import CompareWidget
from napari_decsc.ui.layers import add_cube_layer, cube_of
from napari_decsc.ui.viewer_compat import grid


@pytest.fixture
def layers(viewer, cube):
    """A clean cube, two that are scored against it, and a stranger."""
    rng = np.random.default_rng(0)
    found = [add_cube_layer(viewer, cube)]
    for level in (0.1, 0.01):
        noise = rng.normal(0, level, cube.shape).astype(np.float32)
        noisy = cube.replace(data=cube.data + noise, name=f"noise {level}")
        found.append(add_cube_layer(viewer, noisy, clean=cube))
    return found


@pytest.fixture
def widget(viewer, layers, kept):
    return kept(CompareWidget(viewer))


def compare(qtbot, widget):
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.start()


def test_compared_cubes_share_contrast_and_grid(qtbot, viewer, widget, layers):
    stranger = viewer.add_image(np.zeros((5, 5)), name="map")
    layers[0].contrast_limits = (0.3, 0.5)
    compare(qtbot, widget)
    assert grid(viewer).enabled
    assert grid(viewer).actual_shape(viewer.layers) == (1, 3)
    assert not stranger.visible
    assert [layer.contrast_limits for layer in layers] == [[0.3, 0.5]] * 3
    layers[2].contrast_limits = (0.1, 0.2)
    assert [layer.contrast_limits for layer in layers] == [[0.1, 0.2]] * 3
    layers[1].gamma = 0.5
    assert layers[0].gamma == 0.5


def test_leaving_restores_everything(qtbot, viewer, widget, layers):
    layers[1].visible = False
    for number, layer in enumerate(layers):
        layer.contrast_limits = (0.01 * number, 0.6 + 0.1 * number)
    before = (grid(viewer).enabled, grid(viewer).shape, grid(viewer).stride, grid(viewer).spacing)
    limits = [list(layer.contrast_limits) for layer in layers]
    compare(qtbot, widget)
    widget.button.click()
    assert (grid(viewer).enabled, grid(viewer).shape, grid(viewer).stride, grid(viewer).spacing) == before
    assert [layer.visible for layer in layers] == [True, False, True]
    assert [layer.contrast_limits for layer in layers] == limits
    assert not any(layer.name_overlay.visible for layer in layers)
    layers[0].contrast_limits = (0.2, 0.3)  # no longer linked
    assert layers[1].contrast_limits == limits[1]


def test_scores_and_band_quality_are_those_of_the_metrics(qtbot, widget, layers, cube):
    compare(qtbot, widget)
    curves = widget.plot.figure.axes[0].lines[:2]
    for curve, layer in zip(curves, layers[1:], strict=True):
        expected = score_cubes(cube, cube_of(layer))
        np.testing.assert_allclose(curve.get_ydata(), expected.band_psnr)
        np.testing.assert_array_equal(curve.get_xdata(), cube.wavelengths)
        assert f"{expected.mpsnr:.2f}&nbsp;dB" in widget.scores.text()


def test_a_click_in_the_quality_plot_goes_to_the_band(qtbot, viewer, widget, layers):
    class Click:
        inaxes, xdata = True, 570.0

    compare(qtbot, widget)
    widget._on_plot_click(Click())
    assert shown_band(viewer, layers[0]) == 3  # 580 nm


def test_too_few_and_unequal_cubes_are_refused(viewer, widget, layers, cube):
    widget.tick(layers[:1])
    widget.button.click()
    assert "tick 2 to 4" in widget.message.text()
    small = add_cube_layer(viewer, cube.replace(data=cube.data[:, :4], name="small"))
    widget.tick([layers[0], small])
    widget.button.click()
    assert "differ in shape" in widget.message.text()
    assert widget.message.is_error
    assert not widget.button.isChecked()
    assert not grid(viewer).enabled


def test_removing_a_compared_cube_ends_the_comparison(qtbot, viewer, widget, layers):
    compare(qtbot, widget)
    viewer.layers.remove(layers[1])
    assert widget.comparison is None
    assert not grid(viewer).enabled
    assert not widget.button.isChecked()


def test_without_a_clean_cube_there_are_no_scores(qtbot, viewer, cube, kept):
    for name in ("a", "b"):
        add_cube_layer(viewer, cube.replace(name=name))
    widget = kept(CompareWidget(viewer))
    compare(qtbot, widget)
    assert widget.scores.text() == ""
    assert "no scores" in widget.message.text()
    assert grid(viewer).enabled
