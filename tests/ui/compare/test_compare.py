import numpy as np
import pytest

from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.compare.blink import Blink
from napari_decsc.ui.compare.curtain import Curtain
from napari_decsc.ui.compare.side_by_side import Comparison
from napari_decsc.ui.compare.widget import CompareWidget
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import PINS, cube_of
from napari_decsc.ui.viewer_compat import camera, grid


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


def in_grid(viewer):
    """What the grid asks for: the layers, in older versions of napari their number."""
    return viewer.layers if viewer_compat._is_moved(viewer) else len(viewer.layers)


def test_compared_cubes_share_contrast_and_grid(qtbot, viewer, widget, layers):
    stranger = viewer.add_image(np.zeros((5, 5)), name="map")
    layers[0].contrast_limits = (0.3, 0.5)
    compare(qtbot, widget)
    assert grid(viewer).enabled
    assert grid(viewer).actual_shape(in_grid(viewer)) == (1, 3)
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
    assert list(viewer.layers) == layers
    layers[0].contrast_limits = (0.2, 0.3)  # no longer linked
    assert layers[1].contrast_limits == limits[1]


def test_scores_and_band_quality_are_those_of_the_metrics(qtbot, widget, layers, cube):
    compare(qtbot, widget)
    curves = widget.judging.plot.panels[0].lines
    for curve, layer in zip(curves, layers[1:], strict=True):
        expected = score_cubes(cube, cube_of(layer))
        np.testing.assert_allclose(curve.y, expected.band_psnr)
        np.testing.assert_array_equal(curve.x, cube.wavelengths)
        assert f"{expected.mpsnr:.2f}&nbsp;dB" in widget.judging.scores.text()


def test_a_click_in_the_quality_plot_goes_to_the_band(qtbot, viewer, widget, layers):
    compare(qtbot, widget)
    widget.judging.plot.clicked.emit(0, 570.0)
    assert shown_band(viewer, layers[0]) == 3  # 580 nm


def test_what_was_judged_of_a_removed_cube_is_no_longer_shown(qtbot, viewer, widget, layers):
    compare(qtbot, widget)
    viewer.layers.remove(layers[1])
    assert len(widget.judging.plot.panels[0].lines) == 1
    assert "noise 0.1" not in widget.judging.scores.text()
    viewer.layers.clear()
    assert widget.judging.plot.isHidden()
    assert widget.judging.scores.isHidden()
    assert widget.list.height() > widget.list.fontMetrics().height()  # an empty list is still seen


def test_too_few_and_unequal_cubes_are_refused(viewer, widget, layers, cube):
    widget.tick(layers[:1])
    widget.button.click()
    assert "tick 2 to 4" in widget.message.text()
    small = add_cube_layer(viewer, cube.replace(data=cube.data[:, :4], name="small"))
    widget.tick([layers[0], small])
    widget.button.click()
    assert "differ in size: leaf has 6 bands × 8 rows × 10 cols, small has 6 bands × 4 rows" in widget.message.text()
    assert widget.message.is_error
    assert not widget.button.isChecked()
    assert not grid(viewer).enabled


def test_removing_a_compared_cube_ends_the_comparison(qtbot, viewer, widget, layers):
    compare(qtbot, widget)
    viewer.layers.remove(layers[1])
    assert widget.comparison is None
    assert not grid(viewer).enabled
    assert not widget.button.isChecked()


@pytest.fixture
def strangers(viewer, cube):
    """A noisy cube and two that were made from it, none with a clean reference: white noise removed, and a ramp too."""
    noise = np.random.default_rng(1).normal(0, 0.05, (6, 40, 50)).astype(np.float32)
    ramp = np.tile(np.linspace(0, 0.5, 50, dtype=np.float32), (6, 40, 1))
    arrays = {"noisy": ramp + noise, "careful": ramp + noise / 10, "greedy": noise / 10}
    return [add_cube_layer(viewer, cube.replace(data=data, name=name)) for name, data in arrays.items()]


def test_without_a_clean_cube_noise_and_structure_are_estimated(qtbot, strangers, viewer, kept):
    widget = kept(CompareWidget(viewer))
    compare(qtbot, widget)
    assert "no scores" in widget.message.text()
    assert "MPSNR" not in widget.judging.scores.text()
    found = {one.name: one.judgement for one in widget.judging.judged}
    np.testing.assert_allclose(found["noisy"].noise, 0.05, rtol=0.1)
    np.testing.assert_allclose(found["careful"].noise, 0.005, rtol=0.1)
    assert found["noisy"].structure is None
    assert np.abs(found["careful"].structure).max() < 0.1  # 1 / sqrt(2000) is 0.02
    assert found["greedy"].structure.min() > 0.8
    names = [widget.judging.quantity.itemText(item) for item in range(widget.judging.quantity.count())]
    assert names == ["Noise of each band", "Structure of what was removed"]
    widget.judging.quantity.setCurrentIndex(0)
    curves = widget.judging.plot.panels[0].lines
    np.testing.assert_array_equal(curves[0].y, found["noisy"].noise)


def test_every_caption_holds_name_and_scores(qtbot, widget, layers, cube):
    layers[1].name = "decsc · a mixture of noise · coffee (synthetic) · 31 bands of a street scene"
    compare(qtbot, widget)
    captions = {layer: caption.text.split("\n") for layer, caption in widget.comparison.captions.items()}
    for layer in layers[1:]:
        expected = score_cubes(cube, cube_of(layer))
        assert captions[layer][-1] == f"{expected.mpsnr:.2f} dB · {expected.mssim:.4f}"
    assert captions[layers[2]][0] == "noise 0.01"
    assert all(len(line) <= 22 for line in captions[layers[1]])
    assert captions[layers[1]][1].endswith("…")


def test_pins_are_seen_in_every_cell(qtbot, viewer, widget, layers):
    viewer.add_points([[2.0, 3.0], [5.0, 1.0]], name=PINS, axis_labels=("row", "col"))
    compare(qtbot, widget)
    for caption in widget.comparison.captions.values():
        np.testing.assert_array_equal(caption.layer.data[3:], [[2, 3], [5, 1]])
        assert caption.layer.visible
    assert grid(viewer).actual_shape(in_grid(viewer)) == (1, 3)
    cells = [grid(viewer).position(viewer.layers.index(layer), in_grid(viewer)) for layer in layers]
    assert len(set(cells)) == 3
    for layer, cell in zip(layers, cells, strict=True):
        own = widget.comparison.captions[layer].layer
        assert grid(viewer).position(viewer.layers.index(own), in_grid(viewer)) == cell


def test_contrast_is_equal_by_one_switch(qtbot, viewer, widget, layers):
    own = [(0.01 * number, 0.6 + 0.1 * number) for number in range(3)]
    for layer, limits in zip(layers, own, strict=True):
        layer.contrast_limits = limits
    compare(qtbot, widget)
    widget.equal.setChecked(False)
    assert [tuple(layer.contrast_limits) for layer in layers] == own
    layers[0].contrast_limits = (0.2, 0.3)
    assert tuple(layers[1].contrast_limits) == own[1]
    widget.equal.setChecked(True)
    assert [tuple(layer.contrast_limits) for layer in layers] == [(0.2, 0.3)] * 3


def test_the_difference_is_a_layer_in_raw_units(qtbot, viewer, widget, cube):
    data = (cube.data * 1000).astype(np.float32)
    data[0, 0, 0] = -1
    one = cube.replace(data=data, no_data=-1, scale=1000, name="one")
    layers = [add_cube_layer(viewer, one), add_cube_layer(viewer, cube.replace(data=cube.data / 4))]
    widget.tick(layers)
    widget.difference_button.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 6, timeout=5000)
    made = viewer.layers[-1]
    expected = 750 * cube.data
    expected[0, 0, 0] = np.nan
    np.testing.assert_allclose(made.data, expected, rtol=1e-4)
    assert made.contrast_limits[0] == -made.contrast_limits[1]
    assert made.name.startswith("difference · one − leaf")


def test_a_comparison_while_another_is_judged_shows_the_newer_one(qtbot, viewer, widget, layers):
    widget.start()
    widget.tick(layers[:2])
    compare(qtbot, widget)
    assert [one.layer for one in widget.judging.judged] == layers[:2]
    assert len(viewer.layers) == 5  # the captions of the first comparison are gone


def test_another_way_of_looking_at_judged_cubes_needs_no_new_judgement(qtbot, viewer, widget, layers):
    compare(qtbot, widget)
    known = [one.judgement for one in widget.judging.judged]
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.start(Curtain)
    assert all(one.judgement is before for one, before in zip(widget.judging.judged, known, strict=True))
    assert " dB · " in widget.comparison.captions[layers[2]].text
    layers[2].data = layers[2].data + 0.1
    compare(qtbot, widget)
    assert widget.judging.judged[2].judgement is not known[2]


def test_the_band_is_said_below_the_images_and_above_where_one_is_alone(qtbot, viewer, widget, layers):
    from napari_decsc.ui.viewer_compat import canvas_text

    qtbot.waitUntil(lambda: canvas_text(viewer).visible, timeout=5000)
    assert str(canvas_text(viewer).position).endswith("top_left")  # notifications of napari come at the bottom
    compare(qtbot, widget)
    assert str(canvas_text(viewer).position).endswith("bottom_left")
    for layer in layers:
        rows = layer.data.shape[1]
        lowest = widget.comparison.captions[layer].layer.data[:, 0].max()
        assert lowest > rows - 0.5 + 0.1 * rows  # the view that is fitted has room for it below every image
    widget.stop()
    assert str(canvas_text(viewer).position).endswith("top_left")


def test_in_cells_of_half_the_height_the_band_has_twice_the_room(qtbot, viewer, widget, layers, cube):
    """Text on the canvas has a size in points, and the cells of four cubes are half as high."""
    four = [*layers, add_cube_layer(viewer, cube.replace(name="fourth"))]
    widget.tick(four)
    compare(qtbot, widget)
    rows = cube.shape[1]
    for layer in four:
        assert widget.comparison.captions[layer].layer.data[:, 0].max() > rows - 0.5 + 0.25 * rows


def test_noisy_copies_made_one_after_the_other_are_scored_together(qtbot, viewer, widget, cube):
    """Each remembers the clean cube as an object of its own, of one array."""
    clean = add_cube_layer(viewer, cube.replace(name="clean"))
    copies = [
        add_cube_layer(viewer, cube.replace(data=cube.data + 0.1 * place, name=f"copy {place}"), clean=cube_of(clean))
        for place in (1, 2)
    ]
    widget.tick([clean, *copies])
    compare(qtbot, widget)
    scored = {one.name: one.judgement.scores is not None for one in widget.judging.judged}
    assert scored == {"clean": False, "copy 1": True, "copy 2": True}


def test_the_camera_is_where_it_was_when_a_comparison_is_left(qtbot, viewer, widget, layers):
    eye = camera(viewer)
    eye.center, eye.zoom = (0, 3.0, 4.0), 7.5
    for mode in (Curtain, Blink, Comparison):
        with qtbot.waitSignal(widget.scored, timeout=10_000):
            widget.start(mode)
        widget.stop()
        assert (tuple(eye.center)[-2:], eye.zoom) == ((3.0, 4.0), 7.5)


def test_a_cube_that_comes_ends_the_comparison(qtbot, viewer, widget, layers, cube):
    compare(qtbot, widget)
    add_cube_layer(viewer, cube.replace(name="new"))
    qtbot.waitUntil(lambda: widget.comparison is None, timeout=5000)
    assert not grid(viewer).enabled
    assert viewer.layers["new"].visible
