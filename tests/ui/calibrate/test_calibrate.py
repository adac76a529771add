"""Reflectance in the window: references are found, the command line writes, the result opens."""

import shlex
import subprocess
import sys

import npe2
import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.ui.calibrate.widget import CalibrateWidget
from napari_decsc.ui.cubes.layers import cube_of

pytestmark = pytest.mark.slow
PATIENCE = 120_000


@pytest.fixture
def capture(tmp_path):
    """A raw cube of reflectance 0.5, dark 100, white 1100, named as Specim names them."""

    def written(name, values):
        data = np.full((3, 8, 10), values, np.uint16)
        return write_envi(Cube(data, name, wavelengths=np.array([500.0, 600.0, 700.0]), wavelength_unit="nm"),
                          tmp_path / f"{name}.hdr")  # fmt: skip

    written("DARKREF_leaf", 100)
    written("WHITEREF_leaf", 1100)
    return written("leaf", 600)


@pytest.fixture
def panel(viewer, kept):
    npe2.PluginManager.instance().discover()  # a real window does so at its start
    return kept(CalibrateWidget(viewer))


def test_references_beside_the_raw_cube_are_found_and_the_result_opens(qtbot, panel, capture):
    panel.show_raw(capture)
    assert panel.fields["dark"].text().endswith("DARKREF_leaf.hdr")
    assert panel.fields["white"].text().endswith("WHITEREF_leaf.hdr")
    panel.panel.setText("0.9")
    with qtbot.waitSignal(panel.finished, timeout=PATIENCE):
        panel.run_button.click()
    (layer,) = panel.viewer.layers
    assert np.allclose(np.asarray(cube_of(layer).data), 0.5 * 0.9, atol=1e-4)
    assert "leaf_reflectance.hdr" in panel.message.text()
    assert not panel.message.is_error


def test_a_missing_reference_is_said_and_nothing_is_written(qtbot, panel, capture):
    for file in capture.parent.glob("WHITEREF*"):
        file.unlink()
    panel.show_raw(capture)
    assert panel.message.text() == "No white reference lies beside it: choose it."
    with qtbot.waitSignal(panel.finished, timeout=PATIENCE):
        panel.start()
    assert panel.message.is_error
    assert "white" in panel.message.text()
    assert not list(capture.parent.glob("*reflectance*"))


def test_a_result_is_not_replaced_unasked(qtbot, panel, capture):
    panel.show_raw(capture)
    for _ in range(2):
        with qtbot.waitSignal(panel.finished, timeout=PATIENCE):
            panel.start()
    assert panel.message.is_error
    assert "exists already" in panel.message.text()
    panel.replace.setChecked(True)
    with qtbot.waitSignal(panel.finished, timeout=PATIENCE):
        panel.start()
    assert not panel.message.is_error


def test_the_copied_command_makes_the_same_file_in_any_folder(qtbot, panel, capture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.show_raw(capture)
    panel.panel.setText("0.9")
    panel.fields["output"].setText("by hand.hdr")
    panel.copy_button.click()
    words = shlex.split(QApplication.clipboard().text())
    with qtbot.waitSignal(panel.finished, timeout=PATIENCE):
        panel.start()
    made = np.array(read_envi(tmp_path / "by hand.hdr").data)
    for file in tmp_path.glob("by hand*"):
        file.unlink()
    empty = tmp_path / "empty"
    empty.mkdir()
    subprocess.run([sys.executable, "-m", "napari_decsc.cli", *words[1:]], check=True, cwd=empty, timeout=300)
    np.testing.assert_array_equal(read_envi(tmp_path / "by hand.hdr").data, made)


def test_the_copied_command_has_all_that_was_chosen(panel, capture):
    panel.show_raw(capture)
    panel.copy_button.click()
    line = QApplication.clipboard().text()
    assert line.startswith(f"napari-decsc calibrate {capture}")
    assert "--dark" in line
    assert "--white" in line
    assert line.endswith("--panel 1")
