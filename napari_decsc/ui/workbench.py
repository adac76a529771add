"""DECSC workbench: all widgets laid out, with the sample ready."""

import weakref
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QTabWidget, QVBoxLayout

from napari_decsc.denoising.rare_signal import all_places
from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui import session
from napari_decsc.ui.batch.widget import BatchWidget
from napari_decsc.ui.calibrate.widget import CalibrateWidget
from napari_decsc.ui.compare.widget import CompareWidget
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import show_band
from napari_decsc.ui.cubes.first_view import first_band
from napari_decsc.ui.cubes.layers import cube_layers, cube_of, is_cube_layer, scene_layers
from napari_decsc.ui.cubes.lineage import begun
from napari_decsc.ui.denoise.run import Result
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.explore.widget import ExploreWidget
from napari_decsc.ui.files.sample import sample_cube
from napari_decsc.ui.history.widget import HistoryPanel
from napari_decsc.ui.judge.noise_panel import NoisePanel
from napari_decsc.ui.judge.verdict_panel import VerdictPanel
from napari_decsc.ui.keys import Keys
from napari_decsc.ui.noise.widget import NoiseWidget
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.texts import SHOWN_NAME
from napari_decsc.ui.parts.worker import calculation_worker
from napari_decsc.ui.spectra.widget import SpectrumWidget
from napari_decsc.ui.trial.widget import TrialWidget
from napari_decsc.ui.view.widget import ViewWidget

SPECTRA = "Spectra"
#: So that all tabs are seen in a window of 1280 points. napari sets the size of the letters for both.
NARROW = "QTabBar, QTabBar::tab { font-size: 8pt; } QTabBar::tab { padding: 3px 2px; }"
SESSIONS = "Sessions (*.json)"
MAKING = "The built-in sample is being made…"
NEXT = "Next: take the noise out of it in Denoise, or first add noise to a clean one in Noise."
FIRST = (
    "This is the built-in sample. Next: add noise to it in Noise and take it out again in Denoise; or open a cube of "
    "your own with the button."
)
WENT = f"The built-in sample has made way; File ▸ Open Sample ▸ {SHOWN_NAME} brings it back."


class Workbench(Docked):
    """View, add noise, denoise and compare as tabs, the spectra below the image, and a cube to begin with."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.view = ViewWidget(self.viewer)
        self.noise = NoiseWidget(self.viewer)
        self.denoise = DenoiseWidget(self.viewer)
        self.compare = CompareWidget(self.viewer)
        self.measured = NoisePanel(self.viewer)
        self.verdict = VerdictPanel(self.viewer)
        self.trial = TrialWidget(self.viewer)
        self.history = HistoryPanel(self.viewer)
        self.explore = ExploreWidget(self.viewer)
        self.explore.noise_of = self.measured.noise_of
        self.spectra = SpectrumWidget(self.viewer)
        self.batch, self.calibrate = BatchWidget(self.viewer), CalibrateWidget(self.viewer)
        self.batch.recipe = lambda: (self.denoise.method.currentText(), self.denoise.form.settings())
        self.tabs, self.judge, self.files = QTabWidget(), QTabWidget(), QTabWidget()
        self.keys = Keys(self.viewer, self.denoise, self.compare, self.tabs.setCurrentWidget)
        self._lay_out()
        self._connect()
        self._sample: Any = lambda: None
        # once both docks have taken their room and are painted
        self._painted = QTimer(self)
        self._painted.setSingleShot(True)
        self._painted.start(0)
        if cube_layers(self.viewer):
            self.view.message.say(NEXT)
            self._painted.timeout.connect(self.viewer.reset_view)  # the image is fitted into what is left
        else:
            self.view.message.say(MAKING)
            self._painted.timeout.connect(self._make_sample)

    def _lay_out(self) -> None:
        """All panels as tabs, the spectra in a dock of their own."""
        _fill(
            self.judge,
            (self.measured, "Measure", "Noise level, SNR and noise model of any real cube; bands that may be bad"),
            (self.verdict, "Verdict", "Whether what was removed is noise, and where structure may have gone"),
        )
        _fill(
            self.files,
            (self.batch, "Batch", "Denoise many files into a folder, with a table of verdicts"),
            (self.calibrate, "Calibrate", "Reflectance of a raw cube by its dark and white references"),
        )
        _fill(
            self.tabs,
            (self.view, "View", "Bands, colours and bad bands of a cube"),
            (self.noise, "Noise", "Make a noisy copy of a cube, to see how well it can be denoised"),
            (self.denoise, "Denoise", "Take the noise out of a cube"),
            (self.trial, "Try", "All methods or strengths on a small box, side by side"),
            (self.compare, "Compare", "See two to four cubes side by side, with their scores"),
            (self.judge, "Judge", "The noise of any cube, and the verdict on what was removed"),
            (self.explore, "Explore", "Components with their SNR, ratios of bands"),
            (self.history, "History", "What was done, to copy as a command or as Python; sessions"),
            (self.files, "Files", "Many files at once; raw cubes to reflectance"),
        )
        self.tabs.setStyleSheet(NARROW)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.tabs)
        self._dock_spectra()

    def _connect(self) -> None:
        """What one panel tells another."""
        self.connections.add(self.viewer.layers.events.inserted, self._forget_hint)
        self.connections.add(self.viewer.layers.events.inserted, self._make_way)
        self.denoise.previewed.connect(self.spectra.refresh_soon)
        self.denoise.noise_found.connect(self.measured.know)
        self.denoise.done.connect(lambda result: self.history.note(result.layer, self.denoise.state.seconds(0.0)))
        self.denoise.done.connect(self._judge)
        self.history.save_wanted.connect(self._save_session)
        self.history.open_wanted.connect(self._open_session)
        self.denoise.keeping.compare_wanted.connect(self.keys.curtain)
        self.verdict.went.connect(lambda row, col: self.spectra.board.pin(row, col))
        self.trial.wanted.connect(self._denoise_whole)

    def leave(self) -> None:
        """Let go of the viewer, with all widgets."""
        super().leave()
        self._painted.stop()
        self.keys.leave()
        for tabs in (self.tabs, self.judge, self.files):
            for number in range(tabs.count()):
                panel = tabs.widget(number)
                if isinstance(panel, Docked):
                    panel.leave()
        self.viewer.window.remove_dock_widget(self.spectra)

    def _save_session(self) -> None:
        """Ask for a name and write everything."""
        name, _ = QFileDialog.getSaveFileName(self, "Save the session", str(Path.home() / "session.json"), SESSIONS)
        if not name:
            return
        try:
            self.history.message.say(f"Wrote {session.save(self, Path(name))}.")
        except DecscError as error:
            self.history.message.complain(str(error))

    def _open_session(self) -> None:
        """Ask for a session and open it beside what is open."""
        name, _ = QFileDialog.getOpenFileName(self, "Open a session", str(Path.home()), SESSIONS)
        if not name:
            return
        try:
            lost = session.restore(self, Path(name))
        except DecscError as error:
            self.history.message.complain(str(error))
            return
        (self.history.message.complain if lost else self.history.message.say)("\n".join(lost) or f"Opened {name}.")

    def _judge(self, result: Result) -> None:
        """Show what a run found of its result."""
        if result.verdict is not None and not result.is_unchanged:
            self.verdict.know(result.source, result.layer, result.verdict, all_places(result.rare))
            self.judge.setCurrentWidget(self.verdict)  # what the message of the run refers to

    def _denoise_whole(self, layer: Any, method: str, settings: Any) -> None:
        """Run what was tried on a box on the whole cube, where the run is seen."""
        self.tabs.setCurrentWidget(self.denoise)
        if layer in cube_layers(self.viewer):
            self.denoise.cube.layer = layer
            self.denoise.show_settings(method, settings)
            self.denoise.run()

    def _make_way(self, event: Any) -> None:
        """A cube of another shape than the sample is a person's own: the sample, if it is all there is, goes."""
        sample, own = self._sample(), event.value
        if sample is None or not is_cube_layer(own) or own.data.shape == sample.data.shape:
            return
        if set(scene_layers(self.viewer)) == {sample, own}:
            self._sample = lambda: None
            QTimer.singleShot(0, lambda: self._replace(sample, own))  # once napari has placed the new one

    def _replace(self, sample: Any, own: Any) -> None:
        if self._left or sample not in self.viewer.layers or own not in self.viewer.layers:
            return
        self.viewer.layers.remove(sample)
        show_band(self.viewer, own, first_band(cube_of(own)))
        self.viewer.reset_view()
        self.view.message.say(WENT)

    def _forget_hint(self, event: Any = None) -> None:
        """Who has a second cube has taken the next step."""
        if len(cube_layers(self.viewer)) > 1 and self.view.message.text() in (FIRST, NEXT):
            self.view.message.say("")

    def _make_sample(self) -> None:
        self._making = calculation_worker(sample_cube)
        self._making.returned.connect(self._show_sample)
        self._making.errored.connect(self._say_no_sample)
        self._making.start()

    def _show_sample(self, cube: Cube) -> None:
        """Unless the person was quicker with a cube of their own."""
        if self._left:
            return
        if not cube_layers(self.viewer):
            self._sample = weakref.ref(add_cube_layer(self.viewer, cube, lineage=begun(cube)))
            self.view.message.say(FIRST)
        elif self.view.message.text() == MAKING:
            self.view.message.say(NEXT)

    def _say_no_sample(self, error: Exception) -> None:
        if not self._left:
            self.view.message.complain(str(error))

    def _dock_spectra(self) -> None:
        self.viewer.window.add_dock_widget(self.spectra, name=SPECTRA, area="bottom")


def _fill(tabs: QTabWidget, *panels: tuple[Any, str, str]) -> None:
    """Put panels into tabs, each with its name and tooltip."""
    for panel, name, tip in panels:
        tabs.setTabToolTip(tabs.addTab(panel, name), tip)
