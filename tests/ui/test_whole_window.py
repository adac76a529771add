"""What holds for every panel: tooltips, keys, themes, and nothing that stays behind."""

import gc
import threading
import weakref

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt, QThreadPool
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QSlider,
    QTabBar,
    QWidget,
)

from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.metrics import Scores
from napari_decsc.hsi.noise.models import NOISE_MODELS
from napari_decsc.registry import METHODS
from napari_decsc.settings import descriptions
from napari_decsc.ui.batch.widget import BatchWidget
from napari_decsc.ui.calibrate.widget import CalibrateWidget
from napari_decsc.ui.compare.widget import CompareWidget
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise import state as runs
from napari_decsc.ui.denoise import words
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.denoise.words import Block
from napari_decsc.ui.explore.widget import ExploreWidget
from napari_decsc.ui.files import reader
from napari_decsc.ui.history.widget import HistoryPanel
from napari_decsc.ui.judge.noise_panel import NoisePanel
from napari_decsc.ui.judge.verdict_panel import VerdictPanel
from napari_decsc.ui.noise.widget import NoiseWidget
from napari_decsc.ui.parts import scoring
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.plot import Plot
from napari_decsc.ui.spectra.widget import SpectrumWidget
from napari_decsc.ui.trial.widget import TrialWidget
from napari_decsc.ui.view.widget import ViewWidget
from napari_decsc.ui.workbench import Workbench

PANELS = (
    ViewWidget,
    NoiseWidget,
    DenoiseWidget,
    CompareWidget,
    SpectrumWidget,
    NoisePanel,
    TrialWidget,
    VerdictPanel,
    HistoryPanel,
    ExploreWidget,
    BatchWidget,
    CalibrateWidget,
)
FIELDS = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget, QSlider)


@pytest.fixture
def cubes(viewer, cube):
    """Two cubes, so that everything in the panels can be used."""
    return [add_cube_layer(viewer, cube), add_cube_layer(viewer, cube.replace(name="second"))]


@pytest.fixture(params=PANELS, ids=lambda panel: panel.__name__)
def panel(request, viewer, cubes, kept):
    """Each panel in turn, with all that it can open opened."""
    made = kept(request.param(viewer))
    if isinstance(made, SpectrumWidget):
        made.board.pin(1, 2)
    made.resize(700, 900)
    made.show()
    return made


def opened(panel):
    """The states of a panel that show other fields, one after the other."""
    if isinstance(panel, NoiseWidget):
        for name in [panel.model.itemText(item) for item in range(panel.model.count())]:
            panel.model.setCurrentText(name)
            for tick in getattr(panel.form, "ticks", {}).values():
                tick.setChecked(True)
            yield name
    elif isinstance(panel, DenoiseWidget):
        for name in METHODS:
            panel.method.setCurrentText(name)
            for is_open in (False, True):
                (panel.settings_box.expand if is_open else panel.settings_box.collapse)(animate=False)
                yield f"{name}, settings {'open' if is_open else 'closed'}"
    elif isinstance(panel, CompareWidget):
        for button in (panel.button, panel.curtain_button, panel.blink_button):
            button.click()
            yield button.text()
    else:
        yield "as it is"


def fields(panel):
    """What a person can set or press, as far as it is seen; the parts of a field are no fields of their own."""
    seen = [field for field in panel.findChildren(QWidget) if isinstance(field, FIELDS) and field.isVisibleTo(panel)]
    inner = (QAbstractSpinBox, QComboBox)
    return [
        field
        for field in seen
        if not isinstance(field.parent(), inner) and field.objectName() not in {"qt_scrollarea_hcontainer"}
    ]


def test_every_field_has_a_tooltip(panel):
    for state in opened(panel):
        QApplication.processEvents()
        found = fields(panel)
        assert found
        silent = [(type(field).__name__, getattr(field, "text", str)()) for field in found if not field.toolTip()]
        assert not silent, state


@pytest.mark.parametrize("name", [*NOISE_MODELS, *METHODS])
def test_every_tooltip_of_a_setting_names_its_unit(name, viewer, cubes, kept):
    is_noise = name in NOISE_MODELS
    panel = kept((NoiseWidget if is_noise else DenoiseWidget)(viewer))
    (panel.model if is_noise else panel.method).setCurrentText(name)
    cls = NOISE_MODELS[name] if is_noise else METHODS[name].settings
    for field, about in descriptions(cls).items():
        shown = panel.form.fields[field].native
        assert about.unit in shown.toolTip(), field
        assert shown.toolTip().startswith(about.help), field


def test_tab_goes_through_every_field_and_comes_back(panel):
    for state in opened(panel):
        QApplication.processEvents()
        wanted = {field for field in fields(panel) if field.isEnabled()}
        reached = walked(panel, len(wanted))
        assert not [(type(one).__name__, one.toolTip()) for one in wanted - reached], state


def test_tab_never_stops_at_a_field_that_is_not_seen(panel):
    for state in opened(panel):
        QApplication.processEvents()
        reached = walked(panel, len(fields(panel)))
        unseen = [one for one in reached if one.width() * one.height() == 0 or one.visibleRegion().isEmpty()]
        scrolled_away = [one for one in unseen if one.height() > 0 and _is_in_scroll_area(one)]
        assert not [one.toolTip() for one in unseen if one not in scrolled_away], state


def _is_in_scroll_area(widget):
    """A scroll area brings what is reached into sight; within a fold of no height nothing does."""
    while widget.parentWidget() is not None:
        if widget.height() == 0:
            return False
        widget = widget.parentWidget()
    return True


def walked(panel, count):
    """The fields that Tab goes through from the first one until it is there again."""
    first = next(field for field in fields(panel) if field.isEnabled())
    first.setFocus(Qt.FocusReason.TabFocusReason)
    reached = []
    for _ in range(2 * count + 8):
        now = panel.focusWidget()
        if reached and now is reached[0]:
            return set(reached)
        reached.append(now)
        QTest.keyClick(now, Qt.Key.Key_Tab)
    raise AssertionError(f"Tab does not come back: {[type(one).__name__ for one in reached]}")


def test_numbers_fit_between_the_buttons_of_their_fields(make_napari_viewer, cube):
    viewer = make_napari_viewer(show=True)  # napari's style sheet is that of its window
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    for panel in (bench.view, bench.noise):
        bench.tabs.setCurrentWidget(panel)
        QApplication.processEvents()
        boxes = [box for box in panel.findChildren(QAbstractSpinBox) if box.isVisible()]
        assert boxes
        for box in boxes:
            widest = "2495.0" if box is bench.view.bands.wavelength else box.text()
            assert box.lineEdit().width() >= box.fontMetrics().horizontalAdvance(widest) + 4, widest


def test_the_tabs_of_the_workbench_are_reached_by_keys(make_napari_viewer, cube):
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    bar = bench.tabs.findChild(QTabBar)
    bar.setFocus()
    for number in range(1, bench.tabs.count()):
        QTest.keyClick(bar, Qt.Key.Key_Right)
        assert bench.tabs.currentIndex() == number
    assert all(bench.tabs.tabToolTip(number) for number in range(bench.tabs.count()))


def test_pins_boxes_and_selections_do_not_push_the_window_below_the_screen(make_napari_viewer, cube):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    layer = add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    QApplication.processEvents()
    for place in range(3):
        bench.spectra.board.pin(place, place, keep=True)
    viewer.add_labels(cube.data[0] > 0.5)
    bench.spectra.board.draw_roi()  # napari keeps room for the controls of every kind of layer
    viewer.layers.selection.active = layer
    for number in range(bench.tabs.count()):
        bench.tabs.setCurrentIndex(number)
        QApplication.processEvents()
        assert bench.window().minimumSizeHint().height() <= 800, bench.tabs.tabText(number)


def test_settings_and_a_result_with_scores_need_no_scrolling_at_1280_by_800(make_napari_viewer, cube):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    bench.tabs.setCurrentWidget(bench.denoise)
    bar = bench.denoise.findChild(QScrollArea).verticalScrollBar()
    bench.denoise.settings_box.expand(animate=False)
    QApplication.processEvents()
    assert bar.maximum() == 0
    bench.denoise.settings_box.collapse(animate=False)
    names = ("getting ready", "noise model", "subspace", "groups", "equilibrium 1", "equilibrium 2", "equilibrium 3")
    bench.denoise.view.strip.show_stages([Block(name, 1.0) for name in (*names, "verdict")], "21.5 s")
    report = {"stopped": False, "settings": {}, "tiles": [{"relative_residual": [0.1] * 9 + [6.8e-4]}]}
    sentence = "Removed 53 % of the signal (root mean square) and 75230 outliers; it is not as the noise: see there."
    done = runs.end(runs.begin("decsc", 1e-3, 99, 10.0), runs.Phase.DONE, 31.5)
    told = words.verdict(sentence, is_clean=False)
    bench.denoise.message.say(words.ended(done, report, False, (told,)))
    row = Scores(37.9, 0.96, 0.06, 6.5, np.array([37.9]), np.array([0.96]))
    bench.denoise.scores.setText(scoring.table((("noisy", row), ("denoised", row))))
    for _ in range(5):
        QApplication.processEvents()
    assert bar.maximum() == 0
    assert bench.denoise.plot.height() >= 108  # points, of which the axes leave 60


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_letter_of_a_tab_is_cut_at_1280_points(make_napari_viewer, cube, theme):
    viewer = make_napari_viewer(show=True)
    viewer.theme = theme
    viewer.window.resize(1280, 800)
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    QApplication.processEvents()
    bar = bench.tabs.tabBar()
    picture = bar.grab().toImage()
    for number in range(bar.count()):
        place = bar.tabRect(number)
        assert place.right() < bar.width()
        # to the left and right of the letters there is a line of points of the tab's ground alone
        for col in (place.left() + 1, place.right() - 1):
            lights = [picture.pixelColor(col, row).lightness() for row in range(place.top() + 5, place.bottom() - 3)]
            assert max(lights) - min(lights) < 60, bar.tabText(number)


def test_what_the_form_needs_is_loaded_when_it_is_looked_at(make_napari_viewer, qtbot, cube, monkeypatch):
    made = []
    monkeypatch.setattr("napari_decsc.registry.make_denoiser", lambda name: made.append(name))
    viewer = make_napari_viewer(show=True)
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    QApplication.processEvents()
    assert not made  # nobody looks at it yet
    bench.tabs.setCurrentWidget(bench.denoise)
    qtbot.waitUntil(lambda: made == ["decsc"], timeout=5000)
    bench.tabs.setCurrentWidget(bench.view)
    bench.tabs.setCurrentWidget(bench.denoise)
    QApplication.processEvents()
    assert made == ["decsc"]


def test_every_plot_follows_the_theme(make_napari_viewer, cube):
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    plots = [*bench.findChildren(Plot), bench.spectra.plot]
    assert len(plots) >= 4  # residuals, noise model, quality, spectra
    seen = []
    for theme in ("light", "dark"):
        viewer.theme = theme
        seen.append([plot.grab().toImage().pixelColor(1, 1).lightness() for plot in plots])
    light, dark = seen
    assert min(light) > 200 > 60 > max(dark)


def test_a_damaged_file_that_is_dropped_is_one_message_and_no_layer(make_napari_viewer, cube, tmp_path):
    from napari.utils.notifications import Notification, notification_manager

    viewer = make_napari_viewer(show=True)
    whole, cut = write_envi(cube, tmp_path / "whole.hdr"), write_envi(cube, tmp_path / "cut.hdr")
    data = tmp_path / "cut.img"
    data.write_bytes(data.read_bytes()[:100])
    before = len(notification_manager.records)
    viewer.window._qt_viewer._qt_open([str(cut)], stack=[], plugin="napari-decsc")
    (told,) = notification_manager.records[before:]
    assert type(told) is Notification  # an ErrorNotification would offer a traceback
    assert "cut.img holds 100 bytes" in told.message
    assert "Traceback" not in told.message
    assert len(viewer.layers) == 0
    found = reader.get_reader([str(cut), str(whole)])([str(cut), str(whole)])
    assert [options["name"] for _, options, _ in found] == ["whole"]


def test_nothing_stays_behind_when_the_workbench_is_closed_in_mid_run(make_napari_viewer, cube, fake, qtbot):
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    left, threads = [], threading.active_count()
    others = {widget for widget in QApplication.allWidgets() if isinstance(widget, Docked)}  # of earlier tests
    for _ in range(5):
        left += begin_and_close(viewer, qtbot)
        assert [layer.name for layer in viewer.layers] == ["leaf"]
    for _ in range(3):  # Qt's children and Python's cycles go one after the other
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()
    assert [one() for one in left if one() is not None] == []
    assert {widget for widget in QApplication.allWidgets() if isinstance(widget, Docked)} <= others
    assert QThreadPool.globalInstance().activeThreadCount() == 0
    assert threading.active_count() <= threads + QThreadPool.globalInstance().maxThreadCount()


def begin_and_close(viewer, qtbot):
    """Open the workbench, begin a run, close it; weak references to all that must not survive."""
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    bench.spectra.board.pin(1, 2)
    bench.denoise.form.fields["max_iterations"].value = 1000
    bench.denoise.run()
    qtbot.waitUntil(lambda: bool(bench.denoise.plot.tiles), timeout=5000)
    worker = bench.denoise._running.worker
    parts = [bench, bench.view, bench.noise, bench.denoise, bench.compare, bench.spectra, bench.denoise._running]
    left = [weakref.ref(part) for part in parts]
    with qtbot.waitSignal(worker.finished, timeout=10_000):
        viewer.window.remove_dock_widget(bench)
    bench.deleteLater()  # napari keeps what it takes out of a dock for whoever made it
    return left
