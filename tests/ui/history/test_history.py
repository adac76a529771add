"""Every step of the window can be copied as a command and as Python, and both really make the same values."""

import shlex
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_decsc.classical.settings import E3dtvSettings, FastHydeSettings
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.hsi.noise.models import Gaussian
from napari_decsc.hsi.sample import sample_cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import KEY, mark_good_bands, set_no_data
from napari_decsc.ui.cubes.lineage import STOPPED, begun, described, from_description
from napari_decsc.ui.cubes.origin import lineage_of
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.history.recipe import as_command, as_python
from napari_decsc.ui.history.widget import EMPTY, HistoryPanel
from napari_decsc.ui.noise.widget import NoiseWidget

SCENE = "my scene"  # a name that a shell must not split


class Window:
    """The panels that make cubes, and the history that hears of them as in the workbench."""

    def __init__(self, qtbot, viewer, kept):
        self.qtbot, self.viewer = qtbot, viewer
        self.history, self.noise, self.denoise = (
            kept(panel(viewer)) for panel in (HistoryPanel, NoiseWidget, DenoiseWidget)
        )
        self.denoise.done.connect(lambda result: self.history.note(result.layer, 1.0))
        self.history.show()

    def open(self, path, **chosen):
        cube = open_cube(path, **chosen)
        return add_cube_layer(self.viewer, cube, lineage=begun(cube, chosen))

    def add_noise(self, layer, model, seed, bands=""):
        self.noise.cube.layer = layer
        self.noise.show_settings(model, seed=seed)
        self.noise.bands.setText(bands)
        with self.qtbot.waitSignal(self.noise.done) as done:
            self.noise.run()
        return done.args[0]

    def combine(self, layer, *names):
        self.noise.cube.layer = layer
        self.noise.model.setCurrentText("combination")
        for name in names:
            self.noise.form.ticks[name].setChecked(True)
        with self.qtbot.waitSignal(self.noise.done) as done:
            self.noise.run()
        return done.args[0]

    def run(self, layer, method, settings):
        self.denoise.cube.layer = layer
        self.denoise.show_settings(method, settings)
        with self.qtbot.waitSignal(self.denoise.done) as done:
            self.denoise.run()
        self.qtbot.waitUntil(lambda: not self.denoise.is_running)
        return done.args[0].layer

    def crop(self, layer, rows, cols):
        """As another plugin does: a layer of its own, with the metadata of the whole, at its place."""
        data = layer.data[:, rows, cols]
        place = layer.translate + np.array([0, rows.start, cols.start]) * layer.scale
        return self.viewer.add_image(
            data, name="part", metadata=dict(layer.metadata), scale=layer.scale, translate=place
        )

    def copied(self, button, row=-1):
        self.history.list.setCurrentRow(row % self.history.list.count())
        QApplication.clipboard().clear()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        return QApplication.clipboard().text()


@pytest.fixture
def window(qtbot, viewer, kept):
    return Window(qtbot, viewer, kept)


@pytest.fixture
def scene(tmp_path):
    data = np.random.default_rng(2).uniform(0.2, 0.8, (6, 24, 20)).astype(np.float32)
    return write_envi(Cube(data, SCENE), tmp_path / "data" / f"{SCENE}.hdr")


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    """The folder in which everything is run again: nothing but the file's whole path leads to the data."""
    (tmp_path / "data").mkdir()
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return folder


def run_command(text, folder):
    """Run lines as a shell would, and return the values of the last file that they write."""
    for line in text.splitlines():
        words = shlex.split(line)
        program = {"napari-decsc": [sys.executable, "-m", "napari_decsc.cli"], "python": [sys.executable]}[words[0]]
        subprocess.run([*program, *words[1:]], check=True, cwd=folder, timeout=300)
    return np.asarray(read_envi(folder / words[3]).data)


def run_script(text, folder):
    """Run a script in a process of its own, and return the values of its cube."""
    script = folder / "again.py"
    script.write_text(text + "nd.save_cube(cube, 'again.npy')\n")
    subprocess.run([sys.executable, str(script)], check=True, cwd=folder, timeout=300)
    return np.load(folder / "again.npy")


def check_both(window, layer, empty):
    """Command and script both make the values of a layer."""
    history = window.history
    command, script = (window.copied(button) for button in (history.command_button, history.python_button))
    np.testing.assert_allclose(run_command(command, empty), layer.data, atol=2e-6)
    np.testing.assert_allclose(run_script(script, empty), layer.data, atol=2e-6)


def test_a_chain_of_steps_from_a_cropped_file(window, scene, empty):
    """Crop, noise, other noise upon it, only the stripes taken away, and the result denoised again."""
    part = window.crop(window.open(scene), slice(2, 22), slice(4, 20))
    noisy = window.add_noise(part, Gaussian(sigma=12.5), 7)
    striped = window.add_noise(noisy, Gaussian(sigma=3), 8)
    destriped = window.run(striped, "decsc", DecscSettings(only="stripes"))
    made = window.run(destriped, "fasthyde", FastHydeSettings(rank=3))
    titles = [entry.title for entry in window.history.entries]
    assert titles == [
        f"opened {SCENE}.hdr",
        f"crop, rows [2, 22], cols [4, 20] · {SCENE}.hdr",
        f"gaussian, seed 7, sigma 12.5 · {SCENE}.hdr",
        f"gaussian, seed 8, sigma 3.0 · {SCENE}.hdr",
        f"decsc, only stripes · {SCENE}.hdr · 1.0 s",
        f"fasthyde, rank 3 · {SCENE}.hdr · 1.0 s",
    ]
    check_both(window, made, empty)


def test_an_array_that_was_chosen_and_a_strength(window, tmp_path, empty):
    rng = np.random.default_rng(3)
    arrays = {name: rng.uniform(0.2, 0.8, (5, 20, 22)).astype(np.float32) for name in ("first", "second")}
    np.savez(tmp_path / "data" / "two.npz", **arrays)
    layer = window.open(tmp_path / "data" / "two.npz", variable="second", band_axis=0)
    np.testing.assert_array_equal(layer.data, arrays["second"])
    check_both(window, window.run(layer, "decsc", DecscSettings(strength=0.5, only="outliers")), empty)


def test_the_built_in_scene_needs_no_file(window, empty):
    small = sample_cube(rows=16, cols=20, bands=3)
    clean = add_cube_layer(window.viewer, small, lineage=begun(small))
    window.add_noise(clean, Gaussian(), 1)
    again = window.add_noise(clean, Gaussian(), 1)
    assert again.name.endswith("(2)")  # a name says nothing of where values come from
    check_both(window, window.run(again, "e3dtv", E3dtvSettings(max_iterations=3)), empty)


def test_what_has_no_command_has_a_script(window, scene, empty):
    """Bad bands and a no-data value that were set by hand, and noise of several models on some bands."""
    layer = window.open(scene)
    data = np.asarray(layer.data)
    set_no_data(layer, float(data[0, 3, 4]))
    mark_good_bands(layer, np.arange(6) != 2)
    noisy = window.combine(layer, "gaussian", "impulse")
    noisy = window.add_noise(noisy, Gaussian(sigma=5), 4, bands="1-2, 5")
    made = window.run(noisy, "decsc", DecscSettings())
    assert window.copied(window.history.command_button) == ""
    assert "copy it as Python" in window.history.message.text()
    np.testing.assert_allclose(run_script(window.copied(window.history.python_button), empty), made.data, atol=2e-6)


def test_a_run_that_was_stopped_cannot_be_repeated_and_says_so(window, scene):
    layer = window.open(scene)
    lineage = lineage_of(layer)
    window.run(layer, "fasthyde", FastHydeSettings())
    entry = window.history.entries[-1]
    steps = (replace(entry.lineage.steps[-1], why_not=STOPPED),)
    window.history.entries[-1] = replace(entry, lineage=replace(lineage, steps=steps))
    for button in (window.history.command_button, window.history.python_button):
        assert window.copied(button) == ""
        assert window.history.message.text() == STOPPED


def test_an_opened_file_is_told_by_info(window, scene, empty):
    window.open(scene)
    words = shlex.split(window.copied(window.history.command_button))
    assert words == ["napari-decsc", "info", str(scene)]


@pytest.mark.parametrize("change", ["other values", "moved by half a pixel", "fewer bands"])
def test_values_that_were_changed_elsewhere_say_what_to_do(window, scene, change):
    layer = window.open(scene)
    if change == "other values":
        layer.data = np.asarray(layer.data) * 2
    elif change == "fewer bands":
        layer.data = np.asarray(layer.data)[1:4]
    else:
        layer.data = np.asarray(layer.data)[:, 1:9]
        layer.translate = (0, 0.5, 0)
    window.history.note(layer)
    assert "save the cube first" in window.history.message.text()
    assert not window.history.command_button.isEnabled()


def test_values_that_lie_in_no_file_say_what_to_do(viewer, kept, cube):
    panel = kept(HistoryPanel(viewer))
    assert panel.message.text() == EMPTY
    layer = add_cube_layer(viewer, cube)
    assert "save the cube first" in panel.message.text()
    assert not panel.command_button.isEnabled()
    mark_good_bands(layer, None)
    assert layer.metadata[KEY].lineage is None


def test_a_lineage_survives_json(window, scene):
    layer = window.open(scene)
    window.crop(layer, slice(0, 9), slice(3, 9))
    for entry in window.history.entries:
        again = from_description(described(entry.lineage))
        assert described(again) == described(entry.lineage)
        assert (as_command(again), as_python(again)) == (as_command(entry.lineage), as_python(entry.lineage))
