import threading

import numpy as np
import pytest
from matplotlib.image import imread

from napari_decsc.hsi.noise.models import Gaussian, add_noise
from napari_decsc.ui import workbench
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.demo import run_demo, save_pictures
from napari_decsc.ui.viewer_compat import grid
from napari_decsc.ui.workbench import Workbench


@pytest.fixture
def run(make_napari_viewer, qtbot, cube, fake):
    """Run the demonstration to its end; returns the viewer, the workbench and the result."""

    def start(**options):
        viewer, results = make_napari_viewer(**options), []
        bench = run_demo(viewer, cube, Gaussian(), 4, "fake", None, results.append)
        qtbot.waitUntil(lambda: bool(results), timeout=90_000)
        assert len(results) == 1
        return viewer, bench, results[0]

    return start


def test_the_demo_goes_from_a_clean_cube_to_a_comparison(run, cube, tmp_path):
    viewer, bench, result = run(show=True)
    noisy = add_noise(cube, Gaussian(), 4).data
    assert result.error == ""
    np.testing.assert_array_equal(result.clean.data, cube.data)
    np.testing.assert_array_equal(result.noisy.data, noisy)
    np.testing.assert_array_equal(result.denoised.data, noisy / 2)
    assert result.report["method"] == "fake"
    assert grid(viewer).enabled
    assert len(bench.compare.comparison.layers) == 3
    assert len(bench.spectra.pins) == 2
    for path in save_pictures(viewer, bench, tmp_path):
        picture = imread(path)
        assert min(picture.shape[:2]) > 300
        assert np.ptp(picture[..., :3]) > 0.5  # something is drawn
    assert {path.name for path in tmp_path.iterdir()} == {"screenshot.png", "residual.png", "spectra.png"}


def test_a_failure_is_told_once(run, fake):
    fake.error = RuntimeError("out of memory")
    _, _, result = run()
    assert "memory is not enough" in result.error
    assert result.noisy is not None
    assert result.denoised is None


def test_the_workbench_brings_a_sample_and_lets_go_when_closed(make_napari_viewer, cube, fake, monkeypatch, qtbot):
    monkeypatch.setattr(workbench, "sample_cube", lambda: cube)
    viewer = make_napari_viewer()
    _, bench = viewer.window.add_plugin_dock_widget("napari-decsc", "DECSC workbench")
    assert isinstance(bench, Workbench)
    assert bench.view.message.text() == workbench.MAKING
    qtbot.waitUntil(lambda: [layer.name for layer in viewer.layers] == ["leaf"], timeout=10_000)
    assert bench.view.message.text() == workbench.FIRST
    viewer.window.remove_dock_widget(bench)
    assert "Spectra" not in viewer.window.dock_widgets
    viewer.layers.clear()


def test_a_person_who_is_quicker_gets_no_sample(make_napari_viewer, cube, fake, monkeypatch, qtbot):
    may_go_on = threading.Event()
    monkeypatch.setattr(workbench, "sample_cube", lambda: may_go_on.wait(10) and cube)
    viewer = make_napari_viewer()
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    qtbot.waitUntil(lambda: hasattr(bench, "_making"), timeout=10_000)
    mine = add_cube_layer(viewer, cube.replace(name="mine"))
    with qtbot.waitSignal(bench._making.finished, timeout=10_000):
        may_go_on.set()
    assert list(viewer.layers) == [mine]
    assert bench.view.message.text() == workbench.NEXT


def test_spectra_follow_the_estimate_while_it_forms(make_napari_viewer, cube, fake, monkeypatch, qtbot):
    monkeypatch.setattr(workbench, "sample_cube", lambda: cube)
    viewer = make_napari_viewer()
    _, bench = viewer.window.add_plugin_dock_widget("napari-decsc", "DECSC workbench")
    qtbot.waitUntil(lambda: bench.denoise.cube.layer is not None, timeout=10_000)
    bench.denoise.form.fields["max_iterations"].value = 1000
    bench.denoise.run()
    half = np.where(cube.good_bands, cube.data[:, 4, 5] / 2, np.nan)
    qtbot.waitUntil(
        lambda: (
            len(bench.spectra.plot.panels[0].moving) == 2
            and np.allclose(bench.spectra.plot.panels[0].moving[1].y, half, equal_nan=True)
        ),
        timeout=10_000,
    )
    with qtbot.waitSignal(bench.denoise.done, timeout=10_000):
        bench.denoise.stop()
