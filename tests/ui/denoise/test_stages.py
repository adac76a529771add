"""What is seen of a run while it goes on: stages, clock, noise model, and that it stops at once, anywhere."""

import time

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise import words
from napari_decsc.ui.denoise.state import READY, VERDICT
from napari_decsc.ui.denoise.widget import DenoiseWidget

STAGES = ("noise model", "subspace", "groups", "equilibrium 1", "equilibrium 2")


@pytest.fixture
def widget(viewer, cube, gates, kept):
    noisy = cube.replace(data=cube.data * 2, name="noisy leaf")
    add_cube_layer(viewer, noisy, clean=cube)
    made = kept(DenoiseWidget(viewer))
    made.resize(360, 700)
    made.show()
    return made


def press(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def until_stage(qtbot, widget, stage):
    qtbot.waitUntil(lambda: widget.state.current == stage, timeout=10_000)


def finished(qtbot, widget, begin):
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        begin()
    qtbot.waitUntil(lambda: not widget.is_running, timeout=5000)
    return done.args[0]


def test_the_strip_names_every_stage_with_its_seconds(qtbot, widget, gates):
    gates["groups"].clear()
    press(widget.run_button)
    until_stage(qtbot, widget, "groups")
    qtbot.waitUntil(lambda: any(text.startswith("groups") for text in widget.view.strip.texts), timeout=2000)
    current = [block.name for block in widget.view.strip.blocks if block.is_current]
    assert current == ["groups"]
    assert widget.message.text() == "Groups"
    finished(qtbot, widget, gates["groups"].set)
    shown = widget.view.strip.blocks
    assert [block.name for block in shown] == [READY, *STAGES, VERDICT]
    assert not any(block.is_current for block in shown)
    whole = float(widget.view.strip.clock.split()[0])
    assert sum(block.seconds for block in shown) == pytest.approx(whole, abs=0.06)


def test_the_clock_runs_while_the_denoiser_says_nothing(qtbot, widget, gates):
    gates["noise model"].clear()
    press(widget.run_button)
    until_stage(qtbot, widget, "noise model")
    seen = set()

    def three_times():
        seen.add((widget.view.strip.clock, widget.view.strip.texts[-1]))
        return len(seen) >= 3

    qtbot.waitUntil(three_times, timeout=3000)  # no event comes meanwhile
    assert "left" not in widget.message.text()  # nothing was measured that would tell
    finished(qtbot, widget, gates["noise model"].set)


def test_the_noise_model_is_drawn_as_soon_as_it_is_known(qtbot, widget, gates):
    gates["subspace"].clear()
    assert not widget.view.noise_curves.isVisible()
    press(widget.run_button)
    qtbot.waitUntil(widget.view.noise_curves.isVisible, timeout=5000)
    assert widget.is_running
    assert not widget.plot.isVisible()  # there is no residual yet
    assert "offsets of columns" in widget.view.noise_curves.panels[0].title
    np.testing.assert_allclose(widget.view.noise_curves.panels[0].lines[0].y, widget.state.noise.level)
    gates["equilibrium 2"].clear()
    gates["subspace"].set()
    qtbot.waitUntil(widget.plot.isVisible, timeout=5000)
    assert not widget.view.noise_curves.isVisible()
    finished(qtbot, widget, gates["equilibrium 2"].set)


def test_every_equilibrium_begins_a_new_stretch_of_the_curve(qtbot, widget):
    finished(qtbot, widget, lambda: press(widget.run_button))
    (curve,) = widget.plot.curves
    assert curve.borders == [0, 3]
    np.testing.assert_allclose(curve.residuals, [1e-1, 1e-2, 1e-3] * 2)
    np.testing.assert_allclose(curve.changes, [1e-2, 1e-3, 1e-4] * 2)
    assert "proved: ×0.80" in widget.plot.panels[0].note[0]
    gaps = [int(np.isnan(line.y).sum()) for line in widget.plot.panels[0].moving if len(line.y) == 7]
    assert gaps == [1, 1]  # residual and change, both parted at the border


def test_an_evaluation_says_by_how_much_it_changed_the_picture(qtbot, widget, gates):
    widget.form.fields["max_iterations"].value = 1000
    press(widget.run_button)
    qtbot.waitUntil(lambda: "picture changes by −" in widget.message.text().replace("-", "−"), timeout=5000)
    assert "Equilibrium 1" in widget.message.text()
    finished(qtbot, widget, lambda: press(widget.stop_button))


@pytest.mark.parametrize("stage", STAGES)
def test_stop_acts_at_once_in_any_stage(qtbot, viewer, widget, gates, stage):
    gates[stage].clear()  # the denoiser is busy inside one long step, and hears nothing
    press(widget.run_button)
    until_stage(qtbot, widget, stage)
    press(widget.stop_button)
    assert widget.message.text().startswith(words.STOPPING)
    assert not widget.stop_button.isEnabled()
    qtbot.waitUntil(widget.run_button.isEnabled, timeout=2000)  # the step itself goes on: its gate is shut
    assert not widget.is_running
    said = widget.message.text()
    assert said.startswith("Stopped by you after ")
    assert f"in the stage “{stage}”" in said
    assert "The layer" in said or "the layer" in said
    assert not any(layer.name.endswith("(running)") for layer in viewer.layers)
    # what the step leaves in the end is taken over, and can be kept
    result = finished(qtbot, widget, gates[stage].set)
    assert result.report["stopped"]
    assert widget.keeping.save_button.isEnabled()
    assert widget.message.text().startswith("Stopped by you after ")


def test_what_is_said_after_a_stop_is_what_the_layer_is(qtbot, viewer, widget, gates, cube):
    gates["noise model"].clear()
    press(widget.run_button)
    until_stage(qtbot, widget, "noise model")
    press(widget.stop_button)
    qtbot.waitUntil(widget.run_button.isEnabled, timeout=2000)
    assert "the layer is the noisy cube, unchanged" in widget.message.text()
    np.testing.assert_array_equal(viewer.layers[-1].data, 2 * cube.data)
    finished(qtbot, widget, gates["noise model"].set)
    assert "the layer is the noisy cube, unchanged" in widget.message.text()
    gates["groups"].clear()
    press(widget.run_button)
    until_stage(qtbot, widget, "groups")
    press(widget.stop_button)
    qtbot.waitUntil(widget.run_button.isEnabled, timeout=2000)
    assert "the first estimate, before any evaluation" in widget.message.text()
    np.testing.assert_allclose(viewer.layers[-1].data, cube.data)


def test_a_new_run_does_not_wait_for_a_step_of_the_one_before(qtbot, viewer, widget, gates):
    gates["groups"].clear()
    press(widget.run_button)
    until_stage(qtbot, widget, "groups")
    press(widget.stop_button)
    qtbot.waitUntil(widget.run_button.isEnabled, timeout=2000)
    kept_layer = viewer.layers[-1]
    press(widget.run_button)
    assert widget.is_running
    assert kept_layer in viewer.layers  # it was said to be the first estimate, so it stays
    result = finished(qtbot, widget, gates["groups"].set)
    assert result.layer is not kept_layer
    assert not result.report["stopped"]


def test_the_seconds_in_the_end_are_those_since_the_click(qtbot, widget, gates):
    gates["groups"].clear()
    begun = time.monotonic()
    press(widget.run_button)
    until_stage(qtbot, widget, "groups")
    qtbot.wait(300)
    finished(qtbot, widget, gates["groups"].set)
    took = time.monotonic() - begun
    said = float(widget.view.strip.clock.split()[0])
    assert 0.3 <= said <= took + 0.06


def test_a_run_gives_birth_to_no_attributes(qtbot, widget):
    before = set(vars(widget))
    finished(qtbot, widget, lambda: press(widget.run_button))
    widget.settings_box.expand(animate=False)
    assert set(vars(widget)) == before
