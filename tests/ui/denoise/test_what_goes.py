"""Cubes, results and panels that go away: nothing changes without a word, and nothing of them stays."""

import numpy as np
import pytest
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton

from napari_decsc.deq.settings import DecscSettings
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise import parting
from napari_decsc.ui.denoise.form import DenoiseForm
from napari_decsc.ui.denoise.residual_plot import WAITING
from napari_decsc.ui.denoise.widget import DenoiseWidget


@pytest.fixture
def widget(viewer, cube, fake, kept):
    add_cube_layer(viewer, cube.replace(name="noisy"))
    return kept(DenoiseWidget(viewer))


def denoise(qtbot, widget):
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        widget.run_button.click()
    qtbot.waitUntil(lambda: not widget.is_running, timeout=5000)
    return done.args[0]


def test_the_cube_does_not_become_a_result_without_a_word(qtbot, viewer, widget):
    denoise(qtbot, widget)
    viewer.layers.remove("noisy")
    assert widget.cube.layer is None
    assert widget.cube.count() == 1  # the result can still be chosen
    assert not widget.run_button.isEnabled()


def test_another_cube_is_taken_with_a_word(viewer, widget, cube):
    add_cube_layer(viewer, cube.replace(name="other"))
    widget.cube.layer = viewer.layers["noisy"]
    viewer.layers.remove("noisy")
    assert widget.cube.layer is viewer.layers["other"]
    assert widget.message.text() == "'noisy' was removed. The cube is 'other' now."


def test_another_cube_is_taken_with_a_word_in_mid_run_too(qtbot, viewer, widget, cube, fake):
    """The word stays to the end: who presses the button again denoises another cube."""
    add_cube_layer(viewer, cube.replace(name="other"))
    widget.cube.layer = viewer.layers["noisy"]
    fake.gate.clear()
    widget.run_button.click()
    viewer.layers.remove("noisy")
    word = "'noisy' was removed. The cube is 'other' now."
    assert widget.message.text().endswith(word)
    with qtbot.waitSignal(widget.done, timeout=10_000):
        fake.gate.set()
    assert widget.message.text().startswith("Converged after 5 evaluations")
    assert widget.message.text().endswith(word)
    denoise(qtbot, widget)
    assert word not in widget.message.text()


def test_where_all_cubes_go_in_mid_run_none_is_called_the_cube(qtbot, viewer, widget, fake, cube):
    add_cube_layer(viewer, cube.replace(name="other"))
    widget.cube.layer = viewer.layers["noisy"]
    fake.gate.clear()
    with qtbot.waitSignal(widget.done):
        widget.run()
        viewer.layers.clear()
        assert "was removed." in widget.message.text()
        assert "The cube is" not in widget.message.text()
        fake.gate.set()
    assert "The cube is" not in widget.message.text()


def test_the_words_of_a_result_stay_when_its_cube_goes(qtbot, viewer, widget, cube):
    add_cube_layer(viewer, cube.replace(name="other"))
    widget.cube.layer = viewer.layers["noisy"]
    denoise(qtbot, widget)
    said = widget.message.text()
    viewer.layers.remove("noisy")
    assert widget.message.text() == f"{said}\n'noisy' was removed. The cube is 'other' now."
    assert widget.keeping.save_button.isEnabled()


def test_nothing_of_a_removed_result_can_be_pressed_or_read(qtbot, viewer, widget):
    result = denoise(qtbot, widget)
    assert widget.keeping.save_button.isEnabled()
    viewer.layers.remove(result.layer)
    keeping = widget.keeping
    assert not any(one.isEnabled() for one in (keeping.noise_button, keeping.save_button, keeping.report_button))
    assert widget.plot.tiles == []
    assert widget.plot.panels[0].note[0] == WAITING
    assert widget.scores.text() == ""
    assert widget.message.text() == "'fake · noisy' was removed."
    assert widget.run_button.isEnabled()


def test_repeated_results_have_names_of_their_own(qtbot, viewer, widget):
    denoise(qtbot, widget)
    denoise(qtbot, widget)
    assert [layer.name for layer in viewer.layers] == ["noisy", "fake · noisy", "fake · noisy (2)"]


@pytest.fixture
def closed(qtbot, make_napari_viewer, cube, fake):
    """A panel in a window that is seen, closed by its button while its denoiser is at work."""
    viewer = make_napari_viewer(show=True)
    add_cube_layer(viewer, cube)
    widget = DenoiseWidget(viewer)
    widget.form.fields["max_iterations"].value = 1000
    dock = viewer.window.add_dock_widget(widget)
    widget.run()
    qtbot.waitUntil(lambda: bool(widget.plot.tiles), timeout=5000)
    run = widget._running

    def close():
        button = dock.titleBarWidget().findChild(QPushButton, "QTitleBarCloseButton")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        QApplication.processEvents()
        return viewer, widget, run

    return close


def test_a_run_is_finished_when_its_panel_is_closed_and_the_person_says_so(qtbot, closed, monkeypatch, cube):
    asked, told = [], []
    monkeypatch.setattr(parting, "is_to_be_finished", lambda window: asked.append(1) or True)
    monkeypatch.setattr("napari.utils.notifications.show_info", told.append)
    viewer, widget, run = closed()
    assert len(asked) == 1
    with qtbot.waitSignal(run.succeeded, timeout=10_000):
        run.stop()
    widget.deleteLater()
    qtbot.waitUntil(lambda: not parting._going_on, timeout=5000)
    np.testing.assert_allclose(viewer.layers["fake · leaf"].data, cube.data / 2)
    assert told == ["'fake · leaf' is finished; its panel was closed before."]


def test_a_run_is_given_up_when_the_person_says_so(qtbot, closed, monkeypatch):
    monkeypatch.setattr(parting, "is_to_be_finished", lambda window: False)
    viewer, widget, _ = closed()
    qtbot.waitUntil(lambda: not parting._going_on, timeout=5000)
    assert [layer.name for layer in viewer.layers] == ["leaf"]
    widget.deleteLater()


def test_the_question_has_two_buttons_and_escape_throws_nothing_away(qtbot, closed, monkeypatch):
    monkeypatch.setattr("napari.utils.notifications.show_info", lambda text: None)
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QMessageBox

    seen = []

    def press_escape():
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox) and box.isVisible():
            seen.append({button.text() for button in box.buttons()})
            QTest.keyClick(box, Qt.Key.Key_Escape)

    pressing = QTimer()  # until it is heard: a box that has just come may not listen yet
    pressing.timeout.connect(press_escape)
    pressing.start(50)
    _, widget, run = closed()
    qtbot.waitUntil(lambda: bool(seen), timeout=5000)
    pressing.stop()
    assert seen[0] == {parting.FINISH, parting.GIVE_UP}
    assert run in parting._going_on
    with qtbot.waitSignal(run.succeeded, timeout=10_000):
        run.stop()
    qtbot.waitUntil(lambda: not parting._going_on, timeout=5000)
    widget.deleteLater()


def test_an_answer_for_a_form_that_is_gone_does_nothing(qtbot):
    form = DenoiseForm(DecscSettings)
    qtbot.addWidget(form.widget)
    qtbot.addWidget(form.strength)
    form.choices["device"].box.deleteLater()
    qtbot.waitUntil(lambda: not isalive(form.choices["device"].box))
    form.offer("device", {"cpu": "this one"})
