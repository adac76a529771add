"""Ticks of the cubes to compare: they stay as the person set them, and are enough to see scores."""

import threading

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QStyle, QStyleOptionViewItem

from napari_decsc.ui.compare import judging
from napari_decsc.ui.compare.judging import judge
from napari_decsc.ui.compare.widget import CompareWidget
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.workbench import Workbench


@pytest.fixture
def widget(viewer, cube, kept):
    for number in range(4):
        add_cube_layer(viewer, cube.replace(name=f"cube {number}"))
    made = kept(CompareWidget(viewer))
    made.resize(400, 800)
    return made


def click_tick(widget, row):
    """Press on the little square before a name."""
    view, index = widget.list, widget.list.model().index(row, 0)
    option = QStyleOptionViewItem()
    option.rect = view.visualRect(index)
    option.features |= QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
    square = view.style().subElementRect(QStyle.SubElement.SE_ItemViewItemCheckIndicator, option, view)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=square.center())


def names(widget):
    return [layer.name for layer in widget.ticked()]


def test_a_fifth_cube_takes_no_tick_away(viewer, widget, cube):
    assert len(widget.ticked()) == 4
    add_cube_layer(viewer, cube.replace(name="cube 4"))
    assert names(widget) == ["cube 0", "cube 1", "cube 2", "cube 3"]


def test_many_cubes_leave_the_plot_its_room_at_1280_by_800(make_napari_viewer, qtbot, cube):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    for number in range(9):
        add_cube_layer(viewer, cube.replace(name=f"cube {number}"))
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    bench.tabs.setCurrentWidget(bench.compare)
    ticks = bench.compare.list
    qtbot.waitUntil(ticks.isVisible)
    assert ticks.viewport().height() <= 5.5 * ticks.sizeHintForRow(0)
    assert ticks.verticalScrollBar().maximum() > 0  # the others are scrolled to


def test_ticks_stay_as_they_were_set_whatever_the_layers_do(viewer, widget, cube):
    widget.show()
    add_cube_layer(viewer, cube.replace(name="cube 4"))
    click_tick(widget, 0)
    click_tick(widget, 1)
    assert names(widget) == ["cube 2", "cube 3"]
    viewer.layers[3].name = "renamed"
    assert names(widget) == ["cube 2", "renamed"]
    viewer.layers.move(3, 0)
    assert set(names(widget)) == {"cube 2", "renamed"}
    viewer.layers.remove("cube 4")
    assert set(names(widget)) == {"cube 2", "renamed"}
    add_cube_layer(viewer, cube.replace(name="new"))
    assert set(names(widget)) == {"cube 2", "renamed", "new"}  # there is room for one that just came


def test_the_complaint_goes_with_the_tick_that_mends_it(viewer, widget):
    widget.show()
    for row in range(4):
        click_tick(widget, row)
    QTest.mouseClick(widget.button, Qt.MouseButton.LeftButton)
    assert widget.message.text() == "No cubes are ticked; tick 2 to 4 of them to compare"
    click_tick(widget, 2)
    assert widget.message.text() == ""
    assert not widget.message.is_error


def test_scores_come_with_the_ticks(qtbot, viewer, cube, kept):
    add_cube_layer(viewer, cube)
    rng = np.random.default_rng(0)
    for level in (0.1, 0.05):
        noisy = cube.replace(data=cube.data + rng.normal(0, level, cube.shape).astype(np.float32), name=f"{level}")
        add_cube_layer(viewer, noisy, clean=cube)
    widget = kept(CompareWidget(viewer))
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        widget.show()
    assert widget.comparison is None
    assert "MPSNR" in widget.judging.scores.text()
    assert len(widget.judging.judged) == 3
    with qtbot.waitSignal(widget.scored, timeout=10_000):
        click_tick(widget, 1)
    assert [one.name for one in widget.judging.judged] == ["leaf", "0.05"]
    click_tick(widget, 2)
    qtbot.waitUntil(lambda: not widget.judging.judged, timeout=5000)
    assert widget.judging.scores.isHidden()


def test_a_hidden_panel_scores_nothing(qtbot, viewer, widget):
    widget._judge_soon.start()
    qtbot.waitUntil(lambda: not widget._judge_soon.isActive(), timeout=5000)
    assert widget.judging._waited == []


def test_the_square_is_where_the_test_presses(widget):
    widget.show()
    QTest.mouseClick(widget.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 5))
    assert len(widget.ticked()) == 4  # beside it nothing is ticked


def test_scores_that_come_when_the_window_is_gone_find_nobody(qtbot, viewer, cube, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(judging, "judge", lambda cubes, cleans: gate.wait(60) and judge(cubes, cleans))
    for number in range(2):
        add_cube_layer(viewer, cube.replace(name=f"cube {number}"))
    made = CompareWidget(viewer)
    made.show()
    qtbot.waitUntil(lambda: hasattr(made.judging, "_worker"))
    worker = made.judging._worker
    with qtbot.waitSignal(worker.finished):
        made.deleteLater()
        QCoreApplication.sendPostedEvents(made, QEvent.Type.DeferredDelete)
        assert made._left
        gate.set()  # what raises in the window's loop fails the test
