"""What a run kept as rare: a list that leads there, and a layer."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_decsc.denoising.rare_signal import rare_signal
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.workbench import Workbench


@pytest.fixture
def kept_pixels(fake):
    """The fake method keeps two places of its cube of six bands and 8 x 10 pixels."""
    where = np.zeros((8, 10), bool)
    where[2, 3] = where[5, 7] = where[5, 8] = True
    spectra = np.zeros((6, 3), np.float32)
    spectra[1:3, 0], spectra[4, 1], spectra[4, 2] = 4.0, -9.0, 6.0
    fake.rare = rare_signal(where, spectra, slice(0, 8), slice(0, 10))


def run(qtbot, widget):
    with qtbot.waitSignal(widget.done, timeout=10_000):
        widget.run()


def test_a_layer_shows_where_it_is_and_how_far_above_the_noise(qtbot, viewer, cube, kept, kept_pixels):
    noisy = add_cube_layer(viewer, cube)
    noisy.translate = (0, 100, 200)
    widget = kept(DenoiseWidget(viewer))
    assert not widget.keeping.rare_action.isEnabled()
    run(qtbot, widget)
    active = viewer.layers.selection.active
    widget.keeping.rare_action.trigger()
    layer = viewer.layers[-1]
    assert layer.data[5, 7] == 9
    assert layer.data[2, 3] == 4
    assert np.count_nonzero(layer.data) == 3
    np.testing.assert_array_equal(layer.translate, (100, 200))
    assert viewer.layers.selection.active is active
    assert [place["row"] for place in widget.result.report["rare"]["places"]] == [5, 2]


def test_nothing_rare_offers_no_layer(qtbot, viewer, cube, kept, fake):
    add_cube_layer(viewer, cube)
    widget = kept(DenoiseWidget(viewer))
    run(qtbot, widget)
    assert not widget.keeping.rare_action.isEnabled()


def test_the_list_is_beside_the_verdict_and_a_click_leads_there(qtbot, make_napari_viewer, cube, kept_pixels):
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    with qtbot.waitSignal(bench.verdict.judged, timeout=10_000):
        bench.denoise.run()
    bench.tabs.setCurrentWidget(bench.judge)
    listed = bench.verdict.rare
    assert [listed.item(place).text() for place in range(listed.count())] == [
        "row 5, col 7 · 2 pixels · 9.0 noise levels",
        "row 2, col 3 · 1 pixel · 4.0 noise levels",
    ]
    assert [listed.item(place).toolTip() for place in range(2)] == ["strongest in band 5", "strongest in bands 2, 3"]
    assert listed.isVisibleTo(bench.verdict)
    with qtbot.waitSignal(bench.verdict.went) as went:
        at = listed.visualItemRect(listed.item(1)).center()
        QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert went.args == [2, 3]
    with qtbot.waitSignal(bench.verdict.judged, timeout=10_000):
        bench.verdict.judge()
    assert listed.count() == 2  # of the same pair
