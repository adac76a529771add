import json

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_decsc.hsi.io.envi import read_envi
from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import clean_of, cube_of, provenance_of
from napari_decsc.ui.denoise import result_layer
from napari_decsc.ui.denoise.run import removed_noise
from napari_decsc.ui.denoise.widget import DenoiseWidget


@pytest.fixture
def widget(viewer, cube, fake, kept):
    """Ready to denoise a cube whose clean reference is known: twice the cube is 'noisy', the fake denoiser halves."""
    noisy = cube.replace(data=cube.data * 2, name="noisy leaf")
    add_cube_layer(viewer, noisy, clean=cube, provenance={"noise": {"seed": 5}})
    return kept(DenoiseWidget(viewer))


def denoise(qtbot, widget):
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        widget.run()
    qtbot.waitUntil(lambda: not widget.is_running, timeout=5000)
    return done.args[0]


def test_the_result_is_a_layer_with_scores_and_provenance(qtbot, viewer, widget, cube):
    source = viewer.layers[0]
    result = denoise(qtbot, widget)
    assert result.layer is viewer.layers[-1]
    np.testing.assert_array_equal(cube_of(result.layer).data, cube.data)
    np.testing.assert_array_equal(cube_of(result.layer).wavelengths, cube.wavelengths)
    assert clean_of(result.layer) is cube
    assert result.layer.contrast_limits == source.contrast_limits
    report = provenance_of(result.layer)["denoising"]
    assert report["method"] == "fake"
    assert report["input"]["noise"] == {"seed": 5}
    assert report["scores"]["noisy"] == score_cubes(cube, cube_of(source)).summary()
    assert report["tiles"] == [{"relative_residual": pytest.approx([0.1, 0.01, 1e-3, 1e-4, 1e-5])}]
    assert "∞" in widget.scores.text()  # halving brings the clean cube back exactly


def test_the_verdict_on_what_was_removed_is_said_and_kept(qtbot, widget):
    result = denoise(qtbot, widget)
    # half of every value went, which is as much as was left
    assert result.verdict.share == pytest.approx(1, rel=1e-3)
    first = result.verdict.sentence.partition(" (root mean square)")[0]
    assert f"{first}; not all of it looks like noise: see Judge." in widget.message.text().splitlines()
    assert widget.message.toolTip() == result.verdict.sentence
    assert result.report["verdict"]["sentence"] == result.verdict.sentence
    assert provenance_of(result.layer)["denoising"]["verdict"]["removed_share"] == result.verdict.share


def test_the_plot_shows_every_residual_and_the_form_is_usable_again(qtbot, widget):
    denoise(qtbot, widget)
    np.testing.assert_allclose(widget.plot.tiles, [[0.1, 0.01, 1e-3, 1e-4, 1e-5]])
    assert widget.plot.tolerance == 1e-3
    assert widget.message.text().startswith("Converged after 5 evaluations")
    assert widget.run_button.isEnabled()
    assert not widget.stop_button.isEnabled()
    assert widget.keeping.save_button.isEnabled()


def test_stop_keeps_the_best_estimate(qtbot, widget, cube):
    widget.form.fields["max_iterations"].value = 1000
    widget.run()
    qtbot.waitUntil(lambda: bool(widget.plot.tiles), timeout=5000)
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        widget.stop_button.click()
    np.testing.assert_array_equal(done.args[0].denoised.data, cube.data)
    assert done.args[0].report["stopped"]
    assert widget.message.text().startswith("Stopped by you")


def test_a_runtime_error_is_said_once_and_the_form_is_usable_again(qtbot, viewer, widget, fake):
    fake.error = RuntimeError("out of memory")
    told = []
    widget.failed.connect(told.append)
    with qtbot.waitSignal(widget.failed, timeout=10_000):
        widget.run()
    qtbot.waitUntil(lambda: not widget.is_running, timeout=5000)
    assert told == ["The memory is not enough; set a smaller tile in the settings, or a limit for the memory."]
    assert widget.message.is_error
    assert widget.message.text() == told[0]
    assert widget.run_button.isEnabled()
    assert len(viewer.layers) == 1  # no half-finished layer stays
    fake.error = None
    denoise(qtbot, widget)
    assert not widget.message.is_error


@pytest.mark.parametrize("most", [0, result_layer.WHOLE_VOXELS])
def test_the_estimate_is_seen_while_it_runs(qtbot, viewer, widget, cube, monkeypatch, most):
    # large cubes are copied beside the window, and of an estimate only the shown band is written
    monkeypatch.setattr(result_layer, "WHOLE_VOXELS", most)
    widget.form.fields["max_iterations"].value = 1000
    widget.run()
    assert viewer.layers[-1].name.endswith("(running)")  # at once, with the noisy cube in it
    np.testing.assert_array_equal(viewer.layers[-1].data, viewer.layers[0].data)
    band = slice(None) if most else shown_band(viewer, viewer.layers[0])
    qtbot.waitUntil(lambda: np.array_equal(viewer.layers[-1].data[band], cube.data[band]), timeout=5000)
    assert viewer.layers[0].data.max() > cube.data.max()  # the noisy cube stays as it was
    with qtbot.waitSignal(widget.done, timeout=10_000):
        widget.stop()
    assert [layer.name for layer in viewer.layers] == ["noisy leaf", "fake · noisy leaf"]


def test_the_noisy_layer_may_go_in_mid_run(qtbot, viewer, widget, fake, cube):
    viewer.layers[0].translate = (0, 3, 4)
    fake.gate.clear()
    widget.run()
    viewer.layers.clear()
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        fake.gate.set()
    np.testing.assert_array_equal(done.args[0].layer.translate, (0, 3, 4))
    np.testing.assert_array_equal(done.args[0].layer.data, cube.data)


def test_a_removed_preview_is_said_at_once_and_does_not_lose_the_result(qtbot, viewer, widget, fake):
    widget.form.fields["max_iterations"].value = 1000
    widget.run()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=5000)
    fake.gate.clear()  # nothing comes from the denoiser that could be the occasion
    viewer.layers.pop()
    assert "layer was removed; it runs on, and the result will be in a new one" in widget.message.text()
    fake.gate.set()
    qtbot.waitUntil(lambda: sum(map(len, widget.plot.tiles)) > 20, timeout=5000)
    assert "will be in a new one" in widget.message.text()  # and stays
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        widget.stop()
    assert done.args[0].layer in viewer.layers
    assert len(viewer.layers) == 2
    assert "removed while it ran; the result is in a new one" in widget.message.text()
    assert "will be" not in widget.message.text()
    widget.form.fields["max_iterations"].value = 5
    assert denoise(qtbot, widget).note == ""  # nothing was removed this time
    assert "removed" not in widget.message.text()


def test_what_the_denoiser_says_is_seen_while_it_runs_and_afterwards(qtbot, widget, fake):
    fake.says = "the memory of cpu is used up; going on with tiles of 64 x 64 pixels"
    widget.form.fields["max_iterations"].value = 1000
    widget.run()
    qtbot.waitUntil(lambda: "The memory of cpu is used up" in widget.message.text(), timeout=5000)
    assert widget.is_running
    with qtbot.waitSignal(widget.done, timeout=10_000):
        widget.stop()
    assert widget.message.text().startswith("Stopped by you")
    assert "tiles of 64 x 64 pixels." in widget.message.text()


@pytest.fixture
def docked(qtbot, make_napari_viewer, cube, fake):
    """A widget in a real window, its denoiser at work."""
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    widget = DenoiseWidget(viewer)
    widget.form.fields["max_iterations"].value = 1000
    viewer.window.add_dock_widget(widget)
    widget.run()
    qtbot.waitUntil(lambda: bool(widget.plot.tiles), timeout=5000)
    return viewer, widget


def test_closing_the_dock_in_mid_run_ends_the_work(qtbot, docked):
    viewer, widget = docked
    with qtbot.waitSignal(widget._running.worker.finished, timeout=10_000):
        viewer.window.remove_dock_widget(widget)
    assert not widget.is_running
    assert not [layer for layer in viewer.layers if layer.name.startswith("fake")]
    viewer.layers.clear()  # nobody listens any more


def test_closing_the_window_in_mid_run_ends_the_work(qtbot, docked):
    viewer, widget = docked
    worker = widget._running.worker
    with qtbot.waitSignal(worker.finished, timeout=10_000):
        viewer.close()


def test_removed_noise_is_noisy_minus_denoised(qtbot, viewer, widget, cube):
    denoise(qtbot, widget)
    widget.keeping.noise_button.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=5000)
    layer = viewer.layers[-1]
    np.testing.assert_allclose(layer.data, cube.data, rtol=1e-6)  # 2 x - x
    low, high = layer.contrast_limits
    assert low == -high


def test_removed_noise_is_unknown_where_nothing_was_measured(cube):
    data = np.asarray(cube.data * 100)
    data[0, 0, 0] = -1
    noisy = cube.replace(data=data, no_data=-1, scale=100)
    difference = removed_noise(noisy, noisy.replace(data=data * np.float32(0.5), no_data=None))
    assert np.isnan(difference.data[0, 0, 0])
    np.testing.assert_allclose(difference.data[1], data[1] / 2, rtol=1e-5)


def test_the_result_and_its_report_can_be_kept(qtbot, widget, cube, tmp_path, monkeypatch):
    denoise(qtbot, widget)
    names = iter([tmp_path / "out.hdr", tmp_path / "report.json"])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(next(names)), ""))
    widget.keeping.save_button.save()
    qtbot.waitUntil(lambda: widget.message.text().startswith("Wrote"), timeout=5000)
    np.testing.assert_array_equal(read_envi(tmp_path / "out.hdr").data, cube.data)
    widget.keeping.report_action.trigger()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["input"]["name"] == "noisy leaf"
    assert report["scores"]["denoised"]["mpsnr"] is None  # infinite, which JSON has not


def test_a_report_that_cannot_be_written_is_said(qtbot, widget, tmp_path, monkeypatch):
    denoise(qtbot, widget)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "report.json"), ""))
    widget.keeping.report_action.trigger()
    assert widget.message.is_error
    assert "no/report.json" in widget.message.text()


def test_the_choice_stays_on_the_noisy_cube(qtbot, viewer, widget):
    noisy = widget.cube.layer
    denoise(qtbot, widget)
    assert viewer.layers.selection.active is not noisy
    assert widget.cube.layer is noisy
