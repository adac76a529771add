"""The scatter of two bands: a box marks pixels in the image, what is painted in the image is marked in the scatter."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.explore.linked import NAME
from napari_decsc.ui.explore.scatter import Box, density, ends
from napari_decsc.ui.explore.widget import ExploreWidget
from napari_decsc.ui.parts.panel import Panel


@pytest.fixture
def scene():
    """Two materials: the left half is dark in both bands, the right half bright; one voxel was not measured."""
    data = np.zeros((3, 20, 30), np.float32)
    data[:, :, 15:] = 1.0
    data += np.random.default_rng(0).normal(0, 0.02, data.shape).astype(np.float32)
    data[0, 0, 0] = np.nan
    return Cube(data, "two", wavelengths=np.array([500.0, 600.0, 700.0]), wavelength_unit="nm")


@pytest.fixture
def widget(qtbot, viewer, scene, kept):
    layer = add_cube_layer(viewer, scene)
    layer.translate = (0, 10, 20)
    made = kept(ExploreWidget(viewer))
    made.resize(380, 640)
    made.show()
    made.one.setText("500 nm")
    made.other.setText("3")
    QTest.mouseClick(made.scatter_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(made.scatter.panels), timeout=10_000)
    qtbot.waitUntil(made.scatter.isVisible)
    return made


def drag(plot, x, y):
    """Drag a box between values of both axes."""
    place, panel = plot.places()[0], plot.panels[0]

    def at(a, b):
        across, up = float(panel.across(np.asarray(a))), float(panel.up(np.asarray(b)))
        return QPoint(round(place.left() + across * place.width()), round(place.bottom() - up * place.height()))

    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=at(x[0], y[0]))
    QTest.mouseMove(plot, at(x[1], y[1]))
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=at(x[1], y[1]))


def test_a_box_marks_its_pixels_in_the_image(widget):
    drag(widget.scatter, (0.8, 1.05), (0.8, 1.05))
    layer = widget.viewer.layers[NAME]
    chosen = np.asarray(layer.data) > 0
    assert not chosen[:, :15].any()
    assert chosen[:, 15:].mean() > 0.9
    assert tuple(layer.translate) == (10, 20)  # where the cube lies
    assert widget.scatter.panels[0].title.startswith(f"{chosen.sum()} pixels of 600 chosen")


def test_another_box_replaces_the_first_and_a_click_marks_none(widget):
    drag(widget.scatter, (0.8, 1.05), (0.8, 1.05))
    drag(widget.scatter, (-0.05, 0.2), (-0.05, 0.2))
    (layer,) = [layer for layer in widget.viewer.layers if layer.name.startswith(NAME)]
    assert (np.asarray(layer.data)[:, :15] > 0).mean() > 0.9
    QTest.mouseClick(widget.scatter, Qt.MouseButton.LeftButton, pos=widget.scatter.rect().center())
    assert not np.asarray(layer.data).any()
    assert widget.scatter.panels[0].title.startswith("0 pixels of 600")


def test_what_is_painted_in_the_image_is_marked_in_the_scatter(widget):
    drag(widget.scatter, (5, 6), (5, 6))  # nothing lies there
    layer = widget.viewer.layers[NAME]
    assert not np.asarray(layer.data).any()
    layer.mode, layer.brush_size = "paint", 3
    layer.paint((10, 25), 1)
    assert widget.scatter.panels[0].title.startswith(f"{np.count_nonzero(layer.data)} pixels of 600")
    marked = widget.scatter._marked
    place = [(row, col) for row in range(96) for col in range(96) if marked.pixelColor(col, row).alpha()]
    assert place
    assert all(row < 48 and col > 48 for row, col in place)  # bright in both bands: above, on the right


def test_a_selection_that_is_removed_is_forgotten(widget):
    drag(widget.scatter, (0.8, 1.05), (0.8, 1.05))
    widget.viewer.layers.remove(NAME)
    assert widget.scatter._marked is None
    drag(widget.scatter, (0.8, 1.05), (0.8, 1.05))
    assert NAME in widget.viewer.layers


def test_a_band_that_is_not_there_is_said(widget):
    widget.other.setText("9")
    QTest.mouseClick(widget.scatter_button, Qt.MouseButton.LeftButton)
    assert widget.message.is_error


def test_voxels_that_were_not_measured_are_in_no_box():
    x, y = np.array([np.nan, 0.5], np.float32), np.array([0.5, 0.5], np.float32)
    assert Box((0, 1), (0, 1)).holds(x, y).tolist() == [False, True]
    assert ends(np.full(3, np.nan, np.float32))[0] < ends(np.full(3, np.nan, np.float32))[1]


def test_cells_count_from_the_lower_left_of_the_axes():
    panel = Panel((0, 1), (0, 1))
    counts = density(np.array([0.01, 0.01, 0.99]), np.array([0.99, 0.99, 0.01]), panel)
    assert np.isfinite(counts).sum() == 2
    assert counts[0, 0] == pytest.approx(np.log(2) + 1)  # two pixels, above on the left
    assert counts[-1, -1] == pytest.approx(1)
