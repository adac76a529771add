import gc
import weakref

import numpy as np
import pytest

from napari_decsc.ui.compare.blink import Blink
from napari_decsc.ui.compare.curtain import Curtain
from napari_decsc.ui.compare.side_by_side import Comparison
from napari_decsc.ui.compare.widget import STEPS, CompareWidget
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import show_band
from napari_decsc.ui.viewer_compat import camera


@pytest.fixture
def layers(viewer, cube):
    """A cube and its negative, in their own contrasts, moved and stretched in the world."""
    place = {"scale": (1, 2, 3), "translate": (0, 5, 7), "axis_labels": ("band", "row", "col")}
    negative = cube.replace(data=1 - cube.data, name="negative")
    return [add_cube_layer(viewer, one, place=place, contrast_limits=(0, 1)) for one in (cube, negative)]


@pytest.fixture
def widget(viewer, layers, kept):
    return kept(CompareWidget(viewer))


@pytest.fixture
def curtain(qtbot, widget):
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.curtain_button.click()
    show_band(widget.viewer, widget.comparison.layers[0], 0)
    return widget.comparison


def composed(cube, band, split):
    """Left of the edge the cube, right of it its negative."""
    return np.where(np.arange(10) < split, cube.data[band], 1 - cube.data[band])


def test_the_picture_is_one_cube_left_and_the_other_right_of_the_edge(viewer, widget, curtain, cube):
    assert isinstance(curtain, Curtain)
    np.testing.assert_allclose(curtain.layer.data, composed(cube, 0, 5), atol=1e-6)
    for value, split in ((STEPS, 10), (0, 0), (STEPS * 3 // 10, 3), (STEPS * 7 // 10, 7)):
        widget.curtain_slider.setValue(value)
        np.testing.assert_allclose(curtain.layer.data, composed(cube, 0, split), atol=1e-6)
    show_band(viewer, curtain.layers[0], 4)
    np.testing.assert_allclose(curtain.layer.data, composed(cube, 4, 7), atol=1e-6)


def test_the_picture_lies_on_its_cubes(curtain):
    left = curtain.layers[0]
    for row, col in ((0, 0), (3, 8), (7, 2)):
        np.testing.assert_allclose(curtain.layer.data_to_world((row, col)), left.data_to_world((0, row, col))[1:])
    # the edge runs between columns 4 and 5, from the first row to the last
    start, direction = curtain.edge.data[0]
    np.testing.assert_allclose(start, (5 - 0.5 * 2, 7 + 4.5 * 3))
    np.testing.assert_allclose(direction, (8 * 2, 0))


def test_the_picture_follows_contrast(widget, curtain, layers, cube):
    layers[0].contrast_limits = (0, 2)
    np.testing.assert_allclose(curtain.layer.data, composed(cube, 0, 5) / 2, atol=1e-6)
    widget.equal.setChecked(False)
    layers[1].contrast_limits = (0, 0.5)
    np.testing.assert_allclose(curtain.layer.data[:, 5:], 2 - 2 * cube.data[0, :, 5:], atol=1e-6)
    layers[0].gamma = 0.5
    assert curtain.layer.gamma == 0.5


class Event:
    """A mouse event at a column of the cube, in the world."""

    def __init__(self, type, col):
        self.type, self.position = type, (0.0, 9.0, 7 + 3 * (col - 0.5))


def test_the_edge_can_be_dragged_while_the_camera_keeps_still(viewer, widget, curtain):
    camera(viewer).zoom = 10
    event = Event("mouse_press", 5)
    drag = curtain._on_press(viewer, event)
    next(drag)
    assert not camera(viewer).mouse_pan
    event.__init__("mouse_move", 8)
    next(drag)
    assert curtain.split == 8
    assert widget.curtain_slider.value() == STEPS * 8 // 10
    event.type = "mouse_release"
    assert next(drag, "over") == "over"
    assert camera(viewer).mouse_pan
    far = curtain._on_press(viewer, Event("mouse_press", 2))
    assert next(far, "not taken") == "not taken"


def test_leaving_the_curtain_takes_its_layers_away(viewer, widget, curtain, layers):
    before = len(viewer.mouse_drag_callbacks)
    widget.curtain_button.click()
    assert list(viewer.layers) == layers
    assert len(viewer.mouse_drag_callbacks) == before - 1
    assert not widget.curtain_button.isChecked()
    viewer.dims.set_point(0, 3)  # nobody listens any more
    assert all(layer.visible for layer in layers)


@pytest.mark.parametrize("mode", [Curtain, Blink])
def test_removing_one_of_two_cubes_ends_it(qtbot, viewer, widget, layers, mode):
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.start(mode)
    viewer.layers.remove(layers[1])
    assert widget.comparison is None
    assert list(viewer.layers) == layers[:1]


def test_blinking_shows_both_in_turn_at_the_rate_that_is_set(qtbot, viewer, widget, layers):
    layers[1].opacity = 0.8
    widget.blink_rate.setValue(10)
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.blink_button.click()
    blink = widget.comparison
    assert blink._timer.interval() == 100
    for _ in range(2):
        qtbot.waitUntil(lambda: blink.shown is layers[1] and layers[1].opacity == 0.8, timeout=2000)
        assert [blink.captions[layer].layer.visible for layer in layers] == [False, True]
        qtbot.waitUntil(lambda: blink.shown is layers[0] and layers[1].opacity == 0, timeout=2000)
        assert [blink.captions[layer].layer.visible for layer in layers] == [True, False]
    widget.blink_rate.setValue(0.5)
    assert blink._timer.interval() == 2000
    widget.leave()
    assert not blink._timer.isActive()
    assert layers[1].opacity == 0.8
    assert list(viewer.layers) == layers


def test_of_three_ticked_cubes_the_two_upper_ones_are_taken(qtbot, viewer, widget, layers, cube):
    third = add_cube_layer(viewer, cube.replace(name="third"))
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.curtain_button.click()
    assert widget.comparison.layers == [layers[1], third]
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.blink_button.click()  # straight from one way to another
    assert widget.blink_button.isChecked()
    assert not widget.curtain_button.isChecked()


@pytest.mark.parametrize("mode", [Curtain, Blink])
@pytest.mark.parametrize("closed", ["dock", "window"])
def test_closing_in_the_middle_leaves_nothing_behind(qtbot, make_napari_viewer, cube, mode, closed):
    viewer = make_napari_viewer()
    layers = [add_cube_layer(viewer, cube.replace(name=name)) for name in ("a", "b")]
    widget = CompareWidget(viewer)
    viewer.window.add_dock_widget(widget)
    moves = len(viewer.mouse_drag_callbacks)
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.start(mode)
    if closed == "window":
        viewer.close()  # the fixture looks for timers and widgets that still live
        return
    viewer.window.remove_dock_widget(widget)
    assert list(viewer.layers) == layers
    assert len(viewer.mouse_drag_callbacks) == moves
    viewer.layers.clear()  # nobody listens any more


def test_a_closed_comparison_is_forgotten(qtbot, viewer, widget, layers):
    """Nothing but the test itself keeps a view that was left: neither the viewer nor its layers."""
    gone = []
    for mode in (Curtain, Blink, Comparison):
        with qtbot.waitSignal(widget.scored, timeout=10_000):
            widget.start(mode)
        gone.append(weakref.ref(widget.comparison))
        widget.stop()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(view() for view in gone), timeout=5000)
