"""The curtain straight after a run, and the difference, by one key over the image."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_decsc.ui.compare.curtain import Curtain
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import is_difference
from napari_decsc.ui.workbench import Workbench


@pytest.fixture
def bench(qtbot, make_napari_viewer, cube, fake):
    viewer = make_napari_viewer(show=True)
    add_cube_layer(viewer, cube.replace(data=cube.data * 2), clean=cube)
    made = Workbench(viewer)
    viewer.window.add_dock_widget(made, area="right")
    with qtbot.waitSignal(made.denoise.done, timeout=60_000):
        made.denoise.run()
    qtbot.waitUntil(lambda: not made.denoise.is_running, timeout=5000)
    return made


def over_the_image(bench, key):
    QTest.keyClick(bench.viewer.window._qt_viewer.canvas.native, key)


def test_w_draws_the_curtain_over_before_and_after_and_takes_it_away(bench):
    before = [layer.name for layer in bench.viewer.layers]
    over_the_image(bench, Qt.Key.Key_W)
    assert type(bench.compare.comparison) is Curtain
    assert bench.compare.comparison.layers == [bench.denoise.result.source, bench.denoise.result.layer]
    assert bench.tabs.currentWidget() is bench.compare
    over_the_image(bench, Qt.Key.Key_W)
    assert bench.compare.comparison is None
    assert [layer.name for layer in bench.viewer.layers] == before


def test_the_button_does_the_same(bench):
    bench.tabs.setCurrentWidget(bench.denoise)
    QTest.mouseClick(bench.denoise.keeping.compare_button, Qt.MouseButton.LeftButton)
    assert type(bench.compare.comparison) is Curtain


def test_d_shows_what_was_removed_and_hides_it(qtbot, bench):
    over_the_image(bench, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: any(map(is_difference, bench.viewer.layers)), timeout=5000)
    (removed,) = filter(is_difference, bench.viewer.layers)
    qtbot.waitUntil(bench.denoise.keeping.noise_button.isEnabled, timeout=5000)
    over_the_image(bench, Qt.Key.Key_D)
    assert not removed.visible
    over_the_image(bench, Qt.Key.Key_D)
    assert removed.visible
    assert len(list(filter(is_difference, bench.viewer.layers))) == 1


def test_closing_the_workbench_gives_the_keys_back(bench):
    viewer = bench.viewer
    viewer.window.remove_dock_widget(bench)
    assert not [key for key in viewer.keymap if str(key) in ("W", "D")]
