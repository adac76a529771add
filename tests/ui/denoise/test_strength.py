"""The strength as a slider: a denoiser that goes on from its last solution is asked to, in the same layer."""

import threading
from dataclasses import dataclass

import numpy as np
import pytest

from napari_decsc import registry as methods
from napari_decsc.denoising.protocol import Command, Iteration, Preview
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.sample import sample_cube
from napari_decsc.settings import check, described
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import cube_of, provenance_of
from napari_decsc.ui.denoise import words
from napari_decsc.ui.denoise.fields import STEPS
from napari_decsc.ui.denoise.form import DenoiseForm
from napari_decsc.ui.denoise.widget import DenoiseWidget


@dataclass(frozen=True)
class Settings:
    """What the form shows."""

    weights: str = described("small", "Name of weights")
    device: str = described("auto", "Device")
    strength: float = described(1.0, "How loud the noise is", minimum=0, maximum=2)
    max_iterations: int = described(3, "Stop after this many", minimum=1, maximum=1000)

    def __post_init__(self):
        check(self)


class Scaler:
    """Multiplies by 1 - strength / 4; remembers which denoiser it goes on from, and of what cube.

    A ``silent`` one has no estimate before its first evaluation.
    """

    name = "scaler"
    made, error, silent = [], None, False
    gate = threading.Event()

    def __init__(self, settings, before=None):
        self.settings, self.before, self.cube = settings, before, None
        Scaler.made.append(self)

    def resume(self, settings):
        return Scaler(settings, self)

    def describe(self):
        return {"method": "scaler", "settings": {"strength": self.settings.strength}, "weights": None, "device": "cpu"}

    def denoise(self, noisy):
        self.cube = noisy
        data = np.asarray(noisy.data) * np.float32(1 - self.settings.strength / 4)
        preview = Preview(data, slice(0, noisy.shape[1]), slice(0, noisy.shape[2]))
        for number in range(int(Scaler.silent), self.settings.max_iterations + 1):
            if number:
                Scaler.gate.wait(5)
                if Scaler.error is not None:
                    raise Scaler.error
            threading.Event().wait(0.005)
            if (yield Iteration(number, 0.1, 0.1, 0.1 * number, preview=preview)) is Command.STOP:
                break
        return noisy.replace(data=data)


@pytest.fixture
def scaler(monkeypatch):
    monkeypatch.setattr(Scaler, "made", [])
    monkeypatch.setattr(Scaler, "error", None)
    monkeypatch.setattr(Scaler, "silent", False)
    monkeypatch.setattr(Scaler, "gate", threading.Event())
    Scaler.gate.set()
    monkeypatch.setattr(methods, "METHODS", {"scaler": methods.Method("scaler", "Scales", Settings, Scaler)})
    yield Scaler
    Scaler.gate.set()


@pytest.fixture
def widget(viewer, cube, scaler, kept):
    add_cube_layer(viewer, cube)
    return kept(DenoiseWidget(viewer))


def wait_done(qtbot, widget, begin):
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        begin()
    qtbot.waitUntil(lambda: not widget.is_running, timeout=5000)
    return done.args[0]


def slide(widget, strength):
    widget.form.strength.slider.setValue(round(strength * STEPS))


def test_moving_the_strength_goes_on_from_the_last_solution_in_the_same_layer(qtbot, viewer, widget, cube):
    first = wait_done(qtbot, widget, widget.run)
    second = wait_done(qtbot, widget, lambda: slide(widget, 2))
    assert len(viewer.layers) == 2
    assert second.layer is first.layer
    before, after = Scaler.made
    assert after.before is before
    assert after.cube is before.cube  # the very object: that is how a denoiser knows its solution
    np.testing.assert_allclose(cube_of(second.layer).data, cube.data / 2)
    assert provenance_of(second.layer)["denoising"]["settings"] == {"strength": 2.0}
    assert second.layer.name == "scaler · leaf"


def test_a_weaker_strength_gives_back_its_share_at_once(qtbot, viewer, widget, scaler, cube):
    """Before the first evaluation, and in the spectra as well, which read the layer."""
    result = wait_done(qtbot, widget, lambda: widget.run())
    scaler.silent = True
    scaler.gate.clear()
    slide(widget, 0.5)
    qtbot.waitUntil(lambda: widget.is_running, timeout=5000)
    assert widget.state.evaluations == 0
    assert not widget.state.has_estimate
    np.testing.assert_allclose(result.layer.data, cube.data * (1 - 0.5 / 4), rtol=1e-6)
    scaler.error = DenoisingError("no")
    with qtbot.waitSignal(widget.failed):
        scaler.gate.set()
    np.testing.assert_allclose(result.layer.data, cube.data * 0.75, rtol=1e-6)


def test_a_stronger_strength_begins_with_the_last_picture(qtbot, viewer, widget, scaler, cube):
    result = wait_done(qtbot, widget, lambda: widget.run())
    scaler.silent = True
    scaler.gate.clear()
    slide(widget, 2)
    qtbot.waitUntil(lambda: widget.is_running, timeout=5000)
    np.testing.assert_allclose(result.layer.data, cube.data * 0.75, rtol=1e-6)


def test_strength_zero_keeps_everything_and_says_so(qtbot, widget, cube):
    wait_done(qtbot, widget, widget.run)
    result = wait_done(qtbot, widget, lambda: slide(widget, 0))
    np.testing.assert_array_equal(cube_of(result.layer).data, cube.data)
    assert widget.form.strength.about.text() == "keeps all"
    assert widget.form.settings().strength == 0


def test_a_move_in_mid_run_makes_room_for_the_new_strength(qtbot, viewer, widget, scaler, cube):
    widget.form.fields["max_iterations"].value = 1000
    widget.run()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=5000)
    slide(widget, 2)
    qtbot.waitUntil(lambda: len(scaler.made) == 2, timeout=5000)
    qtbot.waitUntil(lambda: bool(widget.plot.tiles), timeout=5000)
    result = wait_done(qtbot, widget, widget.stop)
    assert scaler.made[1].before is scaler.made[0]
    np.testing.assert_allclose(result.denoised.data, cube.data / 2)
    assert len(viewer.layers) == 2


def test_stop_also_takes_back_a_move_that_waits(qtbot, widget, scaler):
    widget.form.fields["max_iterations"].value = 1000
    widget.run()
    qtbot.waitUntil(lambda: bool(widget.plot.tiles), timeout=5000)
    slide(widget, 0.5)
    wait_done(qtbot, widget, widget.stop)
    assert not widget._pause.isActive()
    assert len(scaler.made) == 1


def test_an_error_in_a_later_solve_brings_the_earlier_result_back(qtbot, viewer, widget, scaler, cube):
    first = wait_done(qtbot, widget, widget.run)
    scaler.error = DenoisingError("the memory is used up")
    with qtbot.waitSignal(widget.failed, timeout=10_000):
        slide(widget, 2)
    qtbot.waitUntil(lambda: not widget.is_running, timeout=5000)
    np.testing.assert_allclose(cube_of(first.layer).data, 0.75 * cube.data)
    assert widget.message.text() == "the memory is used up"
    assert widget.run_button.isEnabled()
    assert provenance_of(first.layer)["denoising"]["settings"] == {"strength": 1.0}


@pytest.mark.parametrize("gone", ["result", "source"])
def test_nothing_is_solved_for_a_layer_that_is_gone(qtbot, viewer, widget, scaler, gone):
    result = wait_done(qtbot, widget, widget.run)
    viewer.layers.remove(result.layer if gone == "result" else result.source)
    slide(widget, 2)
    widget._pause.stop()
    widget._solve_again()
    assert not widget.is_running
    assert len(scaler.made) == 1


def test_closing_in_a_later_solve_leaves_the_earlier_result(qtbot, viewer, widget, scaler, cube):
    first = wait_done(qtbot, widget, widget.run)
    widget.form.fields["max_iterations"].value = 1000
    slide(widget, 2)
    qtbot.waitUntil(lambda: np.allclose(first.layer.data, cube.data / 2), timeout=5000)
    with qtbot.waitSignal(widget._running.worker.finished, timeout=5000):
        widget.leave()
    np.testing.assert_allclose(cube_of(first.layer).data, 0.75 * cube.data)


def test_two_viewers_denoise_at_the_same_time(qtbot, scaler, cube, kept):
    from napari.components import ViewerModel

    widgets = []
    for factor in (1, 2):
        viewer = ViewerModel()
        add_cube_layer(viewer, cube.replace(data=cube.data * factor))
        widgets.append(kept(DenoiseWidget(viewer)))
    with qtbot.waitSignals([widget.done for widget in widgets], timeout=10_000):
        for widget in widgets:
            widget.run()
    for factor, widget in zip((1, 2), widgets, strict=True):
        np.testing.assert_allclose(widget.viewer.layers[-1].data, 0.75 * factor * cube.data, rtol=1e-6)


def test_the_status_bar_forgets_that_it_was_running(qtbot, viewer, widget):
    widget.form.fields["max_iterations"].value = 1000
    widget.run()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=5000)
    viewer.status = f"{viewer.layers[-1].name} [1, 2, 3]: 0.5"
    wait_done(qtbot, widget, widget.stop)
    # napari itself may say something new meanwhile
    assert "(running)" not in str(viewer.status)


def test_weights_and_devices_are_chosen_in_words_or_typed(qtbot):
    form = DenoiseForm(Settings)
    qtbot.addWidget(form.widget)
    qtbot.addWidget(form.strength)
    form.offer("device", {"auto": "the fastest", "cuda": "a GPU, 8.0 GB free"})
    box, about = form.choices["device"].box, form.choices["device"].about
    assert [box.itemText(item) for item in range(box.count())] == ["auto", "cuda"]
    assert (box.currentText(), about.text()) == ("auto", "the fastest")
    box.setCurrentIndex(1)
    assert about.text() == "a GPU, 8.0 GB free"
    assert form.settings().device == "cuda"
    form.choices["weights"].box.setEditText("/my/own.safetensors")
    assert form.settings().weights == "/my/own.safetensors"
    form.show(Settings(weights="small", device="cpu", strength=0.5))
    assert (box.currentText(), about.text()) == ("cpu", "")
    assert form.strength.slider.value() == STEPS // 2
    assert form.settings() == Settings(weights="small", device="cpu", strength=0.5)


def test_filling_the_form_solves_nothing(qtbot, widget, scaler):
    wait_done(qtbot, widget, widget.run)
    widget.show_settings("scaler", Settings(strength=0.2))
    assert not widget._pause.isActive()


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0])
def test_every_strength_ends_with_words_and_a_plot_that_hold(qtbot, viewer, kept, strength):
    rng = np.random.default_rng(0)
    clean = sample_cube(rows=32, cols=32)
    noisy = clean.replace(data=clean.data + rng.normal(0, 0.1, clean.shape).astype(np.float32), name="noisy")
    add_cube_layer(viewer, noisy, clean=clean)
    widget = kept(DenoiseWidget(viewer))
    assert widget.form.strength.slider.maximum() == 200  # 0 to 2
    widget.form.fields["strength"].value = strength
    with qtbot.waitSignal(widget.done, timeout=60_000):
        widget.run()
    residuals = [value for tile in widget.plot.tiles for value in tile]
    assert all(0 <= value < 2 for value in residuals)
    note = widget.plot.panels[0].note[0]
    if strength == 0:
        assert widget.message.text().startswith(words.KEPT_ALL)
        assert note == "At strength 0 nothing is solved"
        np.testing.assert_array_equal(widget.result.denoised.data, noisy.data)
    else:
        assert widget.message.text().startswith("Converged after")
        assert residuals
        assert note.startswith("0 at the lower edge") == (residuals[-1] == 0)
        assert "0.00" not in note
