"""Every step can be copied as a command and as Python, and both really run."""

import shlex
import subprocess
import sys

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_decsc.classical.settings import E3dtvSettings
from napari_decsc.denoising.protocol import run
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.noise.bands import record
from napari_decsc.hsi.noise.models import Gaussian, add_noise
from napari_decsc.registry import make_denoiser
from napari_decsc.settings import as_dict
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.history.recipe import described, from_description, recipe_of
from napari_decsc.ui.history.widget import EMPTY, HistoryPanel

SETTINGS = E3dtvSettings(max_iterations=3)


@pytest.fixture
def scene(tmp_path):
    """A cube in a file whose name a shell must not split."""
    data = np.random.default_rng(2).uniform(0.2, 0.8, (4, 24, 20)).astype(np.float32)
    return read_envi(write_envi(Cube(data, "my scene"), tmp_path / "my scene.hdr"))


@pytest.fixture
def steps(scene):
    """The cube, with noise, and denoised: each with what it was made by."""
    model = Gaussian(sigma=12.5)
    noisy = add_noise(scene, model, 7).replace(name="gaussian · my scene")
    noise = {"noise": {**record(model), "seed": 7}}
    made = run(make_denoiser("e3dtv", SETTINGS).denoise(noisy))
    denoising = {"method": "e3dtv", "settings": as_dict(SETTINGS)}
    return (scene, {}), (noisy, noise), (made.replace(name="e3dtv · my scene"), {**noise, "denoising": denoising})


@pytest.fixture
def panel(viewer, steps, kept):
    made = kept(HistoryPanel(viewer))
    assert made.message.text() == EMPTY
    for cube, made_by in steps:
        add_cube_layer(viewer, cube, provenance=made_by)
    made.show()
    return made


def copied(panel, row, button):
    panel.list.setCurrentRow(row)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    return QApplication.clipboard().text()


def test_steps_are_listed_as_they_are_done(panel):
    titles = [entry.title for entry in panel.entries]
    assert titles == [
        "opened my scene.hdr",
        "gaussian, seed 7, sigma 12.5 · my scene.hdr",
        "e3dtv, max_iterations 3 · my scene.hdr",
    ]


def test_the_command_makes_the_same_cube(panel, steps, tmp_path):
    text = copied(panel, 2, panel.command_button)
    first, second = text.splitlines()
    assert shlex.split(first)[:3] == ["napari-decsc", "add-noise", str(tmp_path / "my scene.hdr")]
    for line in (first, second):
        words = shlex.split(line)
        subprocess.run([sys.executable, "-m", "napari_decsc.cli", *words[1:]], check=True, cwd=tmp_path, timeout=120)
    made = read_envi(tmp_path / shlex.split(second)[3])
    np.testing.assert_allclose(made.data, steps[2][0].data, atol=1e-6)


def test_the_script_makes_the_same_cube(panel, steps, tmp_path):
    text = copied(panel, 2, panel.python_button)
    script = tmp_path / "again.py"
    script.write_text(text + "nd.save_cube(cube, 'again.npy')\n")
    subprocess.run([sys.executable, str(script)], check=True, cwd=tmp_path, timeout=120)
    np.testing.assert_allclose(np.load(tmp_path / "again.npy"), steps[2][0].data, atol=1e-6)


def test_the_built_in_scene_needs_no_file(viewer, kept, tmp_path):
    from napari_decsc.hsi.sample import sample_cube

    small = sample_cube(rows=16, cols=20, bands=3)
    panel = kept(HistoryPanel(viewer))
    add_cube_layer(viewer, small)
    script = copied(panel, 0, panel.python_button)
    found = {}
    exec(script, found)
    np.testing.assert_array_equal(found["cube"].data, small.data)
    line = copied(panel, 0, panel.command_button)
    words = shlex.split(line)
    assert words[:2] == ["python", "-c"]
    subprocess.run([sys.executable, *words[1:]], check=True, cwd=tmp_path, timeout=60)
    np.testing.assert_allclose(read_envi(tmp_path / "sample.hdr").data, small.data)


def test_values_that_lie_in_no_file_say_what_to_do(viewer, kept, cube):
    panel = kept(HistoryPanel(viewer))
    add_cube_layer(viewer, cube)
    assert "save the cube first" in panel.message.text()
    assert not panel.command_button.isEnabled()


def test_noise_on_some_bands_has_no_command_and_says_so(viewer, kept, scene):
    made_by = {"noise": {**record(Gaussian()), "seed": 1, "bands": "1-2"}}
    panel = kept(HistoryPanel(viewer))
    add_cube_layer(viewer, scene.replace(data=scene.data * 2), provenance=made_by)
    panel.list.setCurrentRow(0)
    QTest.mouseClick(panel.command_button, Qt.MouseButton.LeftButton)
    assert panel.message.is_error


def test_a_recipe_survives_json(steps):
    recipe = recipe_of(*steps[2])
    again = from_description(described(recipe))
    assert described(again) == described(recipe)
