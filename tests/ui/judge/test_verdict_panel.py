"""The verdict: a sentence, curves, a map, and places that a click leads to."""

from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.judge import verdict_panel
from napari_decsc.ui.judge.verdict_panel import MAP, VerdictPanel
from napari_decsc.ui.workbench import Workbench


def verdict_of(noisy, denoised, noise):
    """What `napari_decsc.denoising.verdict.judge` returns, of six bands."""
    kind = [SimpleNamespace(excess=np.full(6, 0.01 * (n + 1)), chance=np.full(6, 0.5)) for n in range(4)]
    scores = np.zeros(noisy.shape[1:], np.float32)
    scores[5, 7] = 9
    places = (SimpleNamespace(row=5, col=7, pixels=1, score=9.0), SimpleNamespace(row=1, col=2, pixels=12, score=4.2))
    return SimpleNamespace(
        removed=np.linspace(0.1, 0.6, 6), share=0.3, space=kind[0], bands=kind[1], signal=kind[2], texture=kind[3],
        scores=scores, places=places, is_clean=False, sentence="Removed 30 % of the signal; structure may have gone.",
        noise=noise,
    )  # fmt: skip


@pytest.fixture
def panel(viewer, cube, kept, monkeypatch):
    monkeypatch.setattr(verdict_panel, "judge", verdict_of)
    add_cube_layer(viewer, cube)
    add_cube_layer(viewer, cube.replace(data=cube.data / 2, name="result"), provenance={"denoising": {}})
    made = kept(VerdictPanel(viewer))
    made.resize(380, 700)
    made.show()
    return made


def judged(qtbot, panel):
    with qtbot.waitSignal(panel.judged, timeout=5000) as found:
        QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.button.isEnabled, timeout=5000)
    return found.args[0]


def test_before_and_after_are_chosen_by_themselves(panel, viewer):
    for layer in viewer.layers:
        viewer.layers.selection.active = layer
    assert (panel.before.layer.name, panel.after.layer.name) == ("leaf", "result")


def test_a_verdict_goes_with_its_layer(qtbot, viewer, panel):
    panel.after.layer = viewer.layers["result"]
    judged(qtbot, panel)
    QTest.mouseClick(panel.map_button, Qt.MouseButton.LeftButton)
    assert MAP in viewer.layers
    viewer.layers.remove("result")
    assert panel.verdict is None
    assert MAP not in viewer.layers
    for part in (panel.sentence, panel.plot, panel.places, panel.map_button):
        assert part.isHidden()
    viewer.layers.clear()
    assert not panel.button.isEnabled()  # there is nothing to judge


def test_the_sentence_and_the_curves_are_those_of_the_verdict(qtbot, viewer, panel):
    panel.after.layer = viewer.layers["result"]
    verdict = judged(qtbot, panel)
    assert panel.sentence.text() == verdict.sentence
    np.testing.assert_allclose(panel.plot.panels[0].lines[0].y, 100 * verdict.removed)
    panel.quantity.setCurrentText("likeness to the signal")
    np.testing.assert_allclose(panel.plot.panels[0].lines[0].y, 0.03)
    panel.plot.clicked.emit(0, 660.0)
    assert shown_band(viewer, viewer.layers["result"]) == 4


def test_a_click_leads_to_where_structure_may_have_gone(qtbot, viewer, panel):
    viewer.layers["result"].translate = (0, 100, 200)
    panel.after.layer = viewer.layers["result"]
    judged(qtbot, panel)
    item = panel.places.item(0)
    assert item.text() == "row 5, col 7 · 1 pixel · chance 1e-9"
    with qtbot.waitSignal(panel.went) as went:
        QTest.mouseClick(
            panel.places.viewport(), Qt.MouseButton.LeftButton, pos=panel.places.visualItemRect(item).center()
        )
    assert went.args == [5, 7]
    assert tuple(viewer_compat.camera(viewer).center)[-2:] == (105, 207)


def test_the_map_lies_over_the_image_and_goes_again(qtbot, viewer, panel):
    viewer.layers["result"].translate = (0, 100, 200)
    panel.after.layer = viewer.layers["result"]
    verdict = judged(qtbot, panel)
    QTest.mouseClick(panel.map_button, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(viewer.layers[MAP].data, verdict.scores)
    np.testing.assert_array_equal(viewer.layers[MAP].translate, (100, 200))
    QTest.mouseClick(panel.map_button, Qt.MouseButton.LeftButton)
    assert MAP not in viewer.layers


def test_one_cube_is_no_pair(panel, viewer):
    panel.after.layer = viewer.layers["leaf"]
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert panel.message.is_error


def test_what_a_run_found_is_shown_here(qtbot, make_napari_viewer, cube, fake):
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    with qtbot.waitSignal(bench.verdict.judged, timeout=10_000) as found:
        bench.denoise.run()
    verdict, layer = found.args
    assert verdict is bench.denoise.result.verdict
    assert layer is bench.denoise.result.layer is bench.verdict.after.layer
    assert bench.verdict.sentence.text() == verdict.sentence
    bench.verdict.went.emit(1, 2)
    assert [(pin.row, pin.col) for pin in bench.spectra.pins] == [(1, 2)]


def test_the_real_verdict_finds_what_a_denoiser_took_away(qtbot, viewer, kept):
    rng = np.random.default_rng(5)
    clean = np.broadcast_to(np.linspace(0.3, 0.6, 64, dtype=np.float32), (8, 64, 64)).copy()
    noisy = clean + rng.normal(0, 0.02, clean.shape).astype(np.float32)
    noisy[:, 30:34, 40:44] += 0.2  # a target that the denoiser takes for noise
    add_cube_layer(viewer, Cube(noisy, "noisy"))
    add_cube_layer(viewer, Cube(clean, "denoised"), provenance={"denoising": {}})
    panel = kept(VerdictPanel(viewer))
    panel.before.layer, panel.after.layer = viewer.layers["noisy"], viewer.layers["denoised"]
    with qtbot.waitSignal(panel.judged, timeout=20_000):
        panel.judge()
    row, col = panel.places.item(0).data(Qt.ItemDataRole.UserRole)
    assert 28 <= row < 36
    assert 38 <= col < 46
    assert "structure may have gone" in panel.sentence.text()
