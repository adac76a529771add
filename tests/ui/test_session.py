"""A session is saved and reopened: layers, clean cubes, results, pins, regions, settings, history, view."""

import json

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.ui import session
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import clean_of, cube_of, provenance_of
from napari_decsc.ui.cubes.lineage import begun, noise_step
from napari_decsc.ui.workbench import Workbench


@pytest.fixture
def bench(qtbot, make_napari_viewer, cube, fake, tmp_path):
    """A cube from a file, a noisy copy and a result of it, a pin, a region."""
    viewer = make_napari_viewer()
    clean = read_envi(write_envi(cube, tmp_path / "leaf.hdr"))
    add_cube_layer(viewer, clean, lineage=begun(clean))
    noisy = clean.replace(data=np.asarray(clean.data) * 2, name="noisy leaf")
    noise = {"model": "gaussian", "settings": {}, "seed": 3}
    lineage = begun(clean).then(noise_step(noise))
    add_cube_layer(viewer, noisy, clean=clean, provenance={"noise": noise}, lineage=lineage)
    made = Workbench(viewer)
    viewer.window.add_dock_widget(made)
    made.denoise.cube.layer = viewer.layers["noisy leaf"]
    made.denoise.form.fields["max_iterations"].value = 4
    with qtbot.waitSignal(made.denoise.done, timeout=60_000):
        made.denoise.run()
    qtbot.waitUntil(lambda: not made.denoise.is_running, timeout=5000)
    made.spectra.refresh()
    made.spectra.board.pin(3, 4, keep=True)
    made.spectra.board.rename(0, "vein")
    made.spectra.board.draw_roi()
    viewer.layers["ROIs"].add_rectangles(np.array([(1, 1), (1, 4), (5, 4), (5, 1)]))
    made.spectra.board.read_regions()
    made.spectra.board.rename(1, "blade")
    viewer.dims.set_point(0, 2)
    return made


@pytest.fixture
def reopened(bench, make_napari_viewer, tmp_path, monkeypatch):
    """The same in another window, by the buttons."""
    path = tmp_path / "work.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    QTest.mouseClick(bench.history.save_button, Qt.MouseButton.LeftButton)
    assert not bench.history.message.is_error, bench.history.message.text()
    viewer = make_napari_viewer()
    made = Workbench(viewer)
    viewer.window.add_dock_widget(made)
    QTest.mouseClick(made.history.open_button, Qt.MouseButton.LeftButton)
    assert not made.history.message.is_error, made.history.message.text()
    return made


def cubes(bench):
    return {layer.name: layer for layer in bench.viewer.layers if layer.ndim == 3}


def test_layers_results_and_clean_cubes_are_there_again(bench, reopened, cube):
    before, after = cubes(bench), cubes(reopened)
    assert list(after) == list(before) == ["leaf", "noisy leaf", "fake · noisy leaf"]
    for name, layer in before.items():
        np.testing.assert_array_equal(cube_of(after[name]).data, cube_of(layer).data)
        np.testing.assert_array_equal(cube_of(after[name]).good_bands, cube.good_bands)
        assert after[name].contrast_limits == pytest.approx(layer.contrast_limits)
    np.testing.assert_array_equal(clean_of(after["noisy leaf"]).data, cube.data)
    assert {name: cube_of(layer).name for name, layer in after.items()} == {name: name for name in after}
    assert clean_of(after["noisy leaf"]).name == "leaf"
    assert provenance_of(after["noisy leaf"])["noise"]["seed"] == 3
    assert provenance_of(after["fake · noisy leaf"])["denoising"]["method"] == "fake"


def test_a_file_is_kept_by_its_path_and_what_lies_in_none_beside_the_session(reopened, tmp_path):
    found = json.loads((tmp_path / "work.json").read_text())
    files = [layer["file"] for layer in found["layers"]]
    assert files[0] == str(tmp_path / "leaf.hdr")
    assert files[1:] == ["work-cubes/noisy_leaf.hdr", "work-cubes/fake_noisy_leaf.hdr"]


def test_pins_regions_settings_history_and_view_are_there_again(bench, reopened):
    pins = reopened.spectra.pins
    assert [(pin.name, pin.row, pin.col) for pin in pins if pin.area is None] == [("vein", 3, 4)]
    (region,) = [pin for pin in pins if pin.area is not None]
    assert region.name == "blade"
    np.testing.assert_array_equal(region.area, next(pin for pin in bench.spectra.pins if pin.area is not None).area)
    assert reopened.denoise.form.settings().max_iterations == 4
    # layers that the session brings are no steps of their own
    assert [one.title for one in reopened.history.entries] == [one.title for one in bench.history.entries]
    assert reopened.viewer.dims.point[0] == 2


def test_steps_that_are_there_already_do_not_come_twice(bench, tmp_path):
    path = session.save(bench, tmp_path / "work.json")
    before = [one.title for one in bench.history.entries]
    session.restore(bench, path)
    assert [one.title for one in bench.history.entries] == before


def test_a_file_that_is_gone_is_said_and_the_others_open(bench, make_napari_viewer, tmp_path):
    path = session.save(bench, tmp_path / "work.json")
    (tmp_path / "leaf.hdr").unlink()
    viewer = make_napari_viewer()
    made = Workbench(viewer)
    viewer.window.add_dock_widget(made)
    (lost,) = session.restore(made, path)
    assert "leaf.hdr" in lost
    assert [layer.name for layer in viewer.layers if layer.ndim == 3] == ["noisy leaf", "fake · noisy leaf"]


def test_other_json_is_no_session(bench, tmp_path):
    (tmp_path / "other.json").write_text('{"kind": "something"}')
    with pytest.raises(FileFormatError, match="is no session"):
        session.restore(bench, tmp_path / "other.json")
