"""The keyboard's focus stays where a person works, though the pressed button cannot be pressed again at once."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.workbench import Workbench


@pytest.fixture
def form(qtbot):
    """A field, a start and a stop button, and something after them."""
    made = QWidget()
    made.start = PressButton("Start")
    made.stop = PressButton("Stop", partner=made.start)
    made.field, made.after = QLineEdit(), QPushButton("other")
    column = QVBoxLayout(made)
    for one in (made.field, made.start, made.after, made.stop):
        column.addWidget(one)
    made.stop.setEnabled(False)
    qtbot.addWidget(made)
    made.show()
    made.start.setFocus()
    return made


def test_stop_has_the_focus_while_start_cannot_be_pressed(form):
    form.start.setEnabled(False)
    form.stop.setEnabled(True)
    assert form.focusWidget() is form.stop
    form.stop.setEnabled(False)  # it takes a moment until all has ended
    form.start.setEnabled(True)
    assert form.focusWidget() is form.start


def test_it_is_the_same_whichever_is_switched_first(form):
    form.stop.setEnabled(True)
    form.start.setEnabled(False)
    assert form.focusWidget() is form.stop
    form.start.setEnabled(True)
    form.stop.setEnabled(False)
    assert form.focusWidget() is form.start


def test_who_went_elsewhere_is_left_there(form):
    form.start.setEnabled(False)
    form.field.setFocus()
    form.start.setEnabled(True)
    assert form.focusWidget() is form.field


def test_a_run_is_started_stopped_and_started_again_by_space_alone(make_napari_viewer, qtbot, cube, fake):
    viewer = make_napari_viewer(show=True)
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    bench.tabs.setCurrentWidget(bench.denoise)
    panel = bench.denoise
    panel.form.fields["max_iterations"].value = 1000
    panel.run_button.setFocus()
    for _ in range(2):
        fake.gate.clear()
        QTest.keyClick(panel.run_button, Qt.Key.Key_Space)
        assert panel.is_running
        QApplication.processEvents()
        assert panel.window().focusWidget() is panel.stop_button
        with qtbot.waitSignal(panel.done):
            QTest.keyClick(panel.window().focusWidget(), Qt.Key.Key_Space)
            fake.gate.set()
        qtbot.waitUntil(lambda: not panel.is_running)
        assert panel.window().focusWidget() is panel.run_button
