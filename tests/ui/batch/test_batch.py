"""Many files from the window: the command line does the work, a table shows what it found, and Stop loses nothing."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import npe2
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_decsc.classical.settings import FastHydeSettings
from napari_decsc.errors import SettingsError
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.ui.batch.report import REPORT, rows_of
from napari_decsc.ui.batch.widget import STOPPED, BatchWidget

pytestmark = pytest.mark.slow
PATIENCE = 120_000


@pytest.fixture
def files(tmp_path, cube):
    """Three small cubes in a folder, the last of which is cut short."""
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("leaf", "root", "stem"):
        noise = rng.normal(0, 0.02, cube.shape)
        write_envi(cube.replace(data=(np.asarray(cube.data) + noise).astype(np.float32)), folder / f"{name}.hdr")
    data = folder / "stem.img"
    data.write_bytes(data.read_bytes()[:100])
    return folder


@pytest.fixture
def panel(viewer, kept, tmp_path):
    npe2.PluginManager.instance().discover()  # a real window does so at its start
    made = kept(BatchWidget(viewer))
    made.recipe = lambda: ("fasthyde", FastHydeSettings())
    made.folder.setText(str(tmp_path / "out"))
    return made


def ended(qtbot, panel, start):
    with qtbot.waitSignal(panel.finished, timeout=PATIENCE):
        start()


def test_a_folder_is_denoised_and_its_verdicts_stand_in_the_table(qtbot, panel, files):
    panel.add(files)
    assert panel.run_button.isEnabled()
    ended(qtbot, panel, panel.run_button.click)
    states = {row.source.stem: row.state for row in panel.rows}
    assert states == {"leaf": "done", "root": "done", "stem": "failed"}
    assert "2 cubes done, 1 failed" in panel.message.text()
    table = {panel.table.item(n, 0).text(): panel.table.item(n, 4).text() for n in range(panel.table.rowCount())}
    assert table["leaf.hdr"] in {"like noise", "to be looked at"}
    assert table["stem.hdr"] == ""
    panel.table.setCurrentCell(0, 0)
    assert panel.message.text().startswith("Removed")
    before = (panel.rows[0].output).stat().st_mtime_ns
    ended(qtbot, panel, panel.start)  # nothing is left to do
    assert panel.rows[0].output.stat().st_mtime_ns == before
    panel.table.cellActivated.emit(0, 0)
    assert [layer.name for layer in panel.viewer.layers] == ["leaf", "denoised · leaf"]
    panel.table.cellActivated.emit([row.state for row in panel.rows].index("failed"), 0)
    assert panel.message.is_error
    assert "cut short" in panel.message.text()


def test_other_settings_replace_nothing_unless_that_is_wanted(qtbot, panel, files):
    panel.add(files / "leaf.hdr")
    ended(qtbot, panel, panel.start)
    panel.recipe = lambda: ("fasthyde", FastHydeSettings(search=8))
    ended(qtbot, panel, panel.start)
    assert panel.message.is_error
    assert "with other settings" in panel.rows[0].verdict
    panel.replace.setChecked(True)
    ended(qtbot, panel, panel.start)
    assert [row.state for row in panel.rows] == ["done"]
    assert not panel.message.is_error


def test_stop_keeps_what_is_done_and_start_goes_on(qtbot, panel, files, tmp_path):
    panel.add(files / "leaf.hdr", files / "root.hdr")
    with qtbot.waitSignal(panel.finished, timeout=PATIENCE):
        panel.command.said.connect(lambda line: panel.stop() if "leaf.hdr: done" in line else None)
        panel.start()
    assert panel.message.text() == STOPPED
    assert next(row.state for row in rows_of(tmp_path / "out")) == "done"
    panel.command.said.disconnect()
    panel.command.said.connect(panel._on_said)
    ended(qtbot, panel, panel.start)
    assert [row.state for row in panel.rows] == ["done", "done"]


def test_what_the_command_refuses_is_said(qtbot, panel, tmp_path):
    panel.add(tmp_path / "nowhere.hdr")
    ended(qtbot, panel, panel.start)
    assert panel.message.is_error
    assert not panel.command.is_running
    assert panel.run_button.isEnabled()


def test_a_folder_with_a_report_shows_its_table_at_once(qtbot, panel, files, viewer, kept):
    panel.add(files / "leaf.hdr")
    ended(qtbot, panel, panel.start)
    other = kept(BatchWidget(viewer))
    other.folder.setText(panel.folder.text())
    assert [row.state for row in other.rows] == ["done"]
    other.folder.setText(str(files))
    assert other.table.rowCount() == 0


def test_the_copied_command_makes_the_same_files_in_any_folder(qtbot, panel, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.add(Path("in/leaf.hdr"), Path("in/root.hdr"))
    panel.folder.setText("by hand")
    panel.copy_button.click()
    words = shlex.split(QApplication.clipboard().text())
    ended(qtbot, panel, panel.start)
    made = {name: np.array(read_envi(tmp_path / "by hand" / f"{name}.hdr").data) for name in ("leaf", "root")}
    (tmp_path / "by hand").rename(tmp_path / "from the window")
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [sys.executable, "-m", "napari_decsc.cli", *words[1:]]
    subprocess.run(command, check=True, cwd=empty, timeout=300)
    for name, values in made.items():
        np.testing.assert_array_equal(read_envi(tmp_path / "by hand" / f"{name}.hdr").data, values)
    assert not list(empty.iterdir())


def test_the_copied_command_is_what_runs(qtbot, panel, files):
    panel.add(files, files)
    assert panel.inputs.count() == 1
    panel.copy_button.click()
    line = QApplication.clipboard().text()
    assert line.startswith("napari-decsc batch ")
    assert line.endswith("--method fasthyde")


def test_a_residual_of_zero_is_written_as_zero(tmp_path):
    entry = {"input": "leaf.hdr", "output": "leaf.hdr", "state": "done", "tiles": [{"relative_residual": [0.1, 0.0]}]}
    (tmp_path / REPORT).write_text(json.dumps([entry]))
    (row,) = rows_of(tmp_path)
    assert row.residual == "0"


@pytest.mark.parametrize(("share", "said"), [(0.0033, "0.33 %"), (0.56, "56 %"), (1.234, "123 %"), (0.0, "0 %")])
def test_shares_are_written_without_powers(tmp_path, share, said):
    entry = {"input": "a.hdr", "output": "a.hdr", "state": "done", "verdict": {"removed_share": share}}
    (tmp_path / REPORT).write_text(json.dumps([entry]))
    (row,) = rows_of(tmp_path)
    assert row.removed == said


def test_settings_that_are_out_of_range_are_said(panel, files):
    def wrong():
        raise SettingsError("tolerance is 'small'; write a number")

    panel.add(files)
    panel.recipe = wrong
    panel.start()
    assert panel.message.text() == "tolerance is 'small'; write a number"
    assert not panel.command.is_running


def test_without_cubes_or_a_folder_nothing_can_be_started(qtbot, panel, files):
    assert not panel.run_button.isEnabled()
    panel.add(files)
    panel.inputs.setCurrentRow(0)
    assert panel.run_button.isEnabled()
    qtbot.mouseClick(panel.remove_button, Qt.MouseButton.LeftButton)
    assert not panel.run_button.isEnabled()
    assert panel.inputs.count() == 0


def test_closing_the_panel_ends_the_command(qtbot, panel, files):
    panel.add(files)
    with qtbot.waitSignal(panel.command.said, timeout=PATIENCE):
        panel.start()
    panel.leave()
    assert not panel.command.is_running
