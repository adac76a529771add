"""The noise of a cube that nobody denoised: curves, table, bad bands."""

import csv

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import LineOffsets, MeasuredNoise
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import cube_of
from napari_decsc.ui.judge import noise_panel
from napari_decsc.ui.judge.noise_panel import NoisePanel
from napari_decsc.ui.judge.ranking import ranked
from napari_decsc.ui.workbench import Workbench


def noise_of(cube, level=(0.01, 0.02, 0.5, 0.01, 0.2, 0.01), empty=None):
    """Band 2 is far noisier than the bands around it; band 4 has more noise than signal."""
    level = np.array(level, np.float32)
    signal = np.array([0.1, 0.1, 10, 0.1, 0.1, 0.1], np.float32)
    lines = (LineOffsets(0.0, np.array([0.3, 0, 0, 0, 0.4, 0], np.float32)), LineOffsets(90.0, np.full(6, 0.4)))
    correlation = np.eye(6, dtype=np.float32) + np.eye(6, k=1) * 0.5 + np.eye(6, k=-1) * 0.5
    zeros, flat = np.zeros(6, np.float32), np.ones((8, 8), np.float32)
    return MeasuredNoise(level, correlation, flat, signal, zeros, level, lines=lines, empty=empty)


@pytest.fixture
def panel(viewer, cube, kept, monkeypatch):
    monkeypatch.setattr(noise_panel, "measure", noise_of)
    add_cube_layer(viewer, cube)
    made = kept(NoisePanel(viewer))
    made.resize(380, 700)
    made.show()
    return made


def measured(qtbot, panel):
    with qtbot.waitSignal(panel.measured, timeout=5000) as found:
        QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.button.isEnabled, timeout=5000)
    return found.args[1]


def test_any_cube_is_measured_without_denoising_it(qtbot, viewer, panel):
    assert "Measure noise" in panel.message.text()
    noise = measured(qtbot, panel)
    assert len(viewer.layers) == 1
    assert panel.words.text() == " ".join(noise.sentences())
    (curve,) = panel.plot.panels[0].lines
    np.testing.assert_allclose(curve.y, 20 * np.log10(noise.signal / noise.level), rtol=1e-5)
    np.testing.assert_array_equal(panel.pictures.matrices[0].values, noise.correlation)


def test_quantities_are_those_of_the_noise_model(qtbot, panel):
    noise = measured(qtbot, panel)
    panel.quantity.setCurrentText("stripes, level")
    (curve,) = panel.plot.panels[0].lines
    np.testing.assert_allclose(curve.y, [0.5, 0.4, 0.4, 0.4, 0.4 * np.sqrt(2), 0.4], rtol=1e-6)
    panel.quantity.setCurrentText("noise level")
    np.testing.assert_allclose(panel.plot.panels[0].lines[0].y, noise.level)
    panel.quantity.setCurrentText("correlation with the next band")
    np.testing.assert_allclose(panel.plot.panels[0].lines[0].y[:-1], 0.5)


def test_before_and_after_are_two_curves(qtbot, viewer, panel, cube):
    measured(qtbot, panel)
    add_cube_layer(viewer, cube.replace(name="denoised"))
    panel.cube.setCurrentIndex(1)
    measured(qtbot, panel)
    assert [name for name, _ in panel.plot.panels[0].names] == ["leaf", "denoised"]
    viewer.layers.remove("leaf")
    assert len(panel.plot.panels[0].lines) == 1
    assert not panel.plot.panels[0].names  # the chosen cube alone needs no legend upon its curve


def test_the_worst_bands_come_first_and_say_why(cube):
    bands = ranked(noise_of(cube, empty={1: "all values are alike"}), cube)
    reasons = {one.band: one.reason for one in bands if one.reason}
    assert reasons == {
        1: "holds nothing (all values are alike)",
        2: "noise 50 times that of the bands around it",  # medians of 0.01, 0.02, 0.01, 0.2 and 0.01
        4: "noise louder than the signal",
    }
    assert [one.band for one in bands][:2] == [1, 4]  # empty; -6 dB
    assert [one.snr for one in bands[1:]] == sorted(one.snr for one in bands[1:])


def test_no_word_of_the_table_is_cut_at_1280_by_800(qtbot, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    wide = Cube(np.ones((6, 8, 10), np.float32), "wide", wavelengths=np.linspace(1000.123, 2500.789, 6))
    layer = add_cube_layer(viewer, wide)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    bench.tabs.setCurrentWidget(bench.judge)
    bench.judge.setCurrentWidget(bench.measured)
    panel = bench.measured
    panel.know(layer, noise_of(wide, level=(0.001234, 0.02, 0.5, 0.001, 0.2345, 0.01), empty={1: "all are alike"}))
    qtbot.waitUntil(lambda: panel.table.isVisible() and panel.table.viewport().width() > 100)
    shown = {one.short for one in panel.table.bands}
    assert {"empty", "all noise"} <= shown
    last = panel.table.columnCount() - 1
    assert panel.table.horizontalScrollBar().maximum() == 0
    needed = max(panel.table.sizeHintForColumn(last), panel.table.horizontalHeader().sectionSizeHint(last))
    assert panel.table.columnWidth(last) >= needed


def test_a_click_on_a_band_shows_it(qtbot, viewer, panel):
    measured(qtbot, panel)
    row = next(row for row, one in enumerate(panel.table.bands) if one.band == 2)
    place = panel.table.visualItemRect(panel.table.item(row, 0)).center()
    QTest.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert shown_band(viewer, viewer.layers[0]) == 2
    assert panel.plot.panels[0].mark == 510.0


def test_suggested_bands_are_marked_on_top_of_those_that_were(qtbot, viewer, panel):
    measured(qtbot, panel)
    assert panel.mark_button.text() == "Mark 2 suggested as bad"
    QTest.mouseClick(panel.mark_button, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(cube_of(viewer.layers[0]).good_bands, [True, True, False, False, False, True])
    assert "3 of 6 bands" in panel.message.text()


def test_the_table_exports(qtbot, panel, tmp_path, monkeypatch):
    measured(qtbot, panel)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "bands.csv"), ""))
    QTest.mouseClick(panel.export_button, Qt.MouseButton.LeftButton)
    rows = list(csv.DictReader((tmp_path / "bands.csv").read_text().splitlines()))
    assert [row["band"] for row in rows] == [str(one.band + 1) for one in panel.table.bands]
    assert rows[0]["wavelength (nm)"] == "660"
    assert rows[0]["suggested_bad"] == "noise louder than the signal"


def test_noise_that_a_run_found_is_known_here(viewer, panel, cube):
    panel.know(viewer.layers[0], noise_of(cube))
    assert panel.noise is not None
    viewer.layers[0].data = np.asarray(viewer.layers[0].data) * 2  # what was measured is of other values
    panel.refresh()
    assert panel.noise is None


def test_an_error_is_one_sentence(qtbot, panel, monkeypatch):
    def fail(cube):
        raise DenoisingError("leaf: has two rows; give at least eight")

    monkeypatch.setattr(noise_panel, "measure", fail)
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.message.is_error, timeout=5000)
    assert panel.message.text() == "leaf: has two rows; give at least eight"
    qtbot.waitUntil(panel.button.isEnabled, timeout=5000)
