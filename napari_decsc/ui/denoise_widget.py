"""Denoise: choose a cube and a method, watch the residual fall, keep the result."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_decsc import methods
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import DecscError
from napari_decsc.hsi.report import as_json
from napari_decsc.ui import saving, scoring
from napari_decsc.ui.denoise_run import DenoiseRun, Result, removed_noise
from napari_decsc.ui.docked import CubeChoice, Docked, Message, scores_label, scrolled
from napari_decsc.ui.form import SettingsForm
from napari_decsc.ui.layers import add_cube_layer, provenance_of
from napari_decsc.ui.noise_widget import NO_CUBE
from napari_decsc.ui.residual_plot import ResidualPlot
from napari_decsc.ui.theme import theme_colours
from napari_decsc.ui.worker import Batch, calculation_worker


class DenoiseWidget(Docked):
    """Run a method on a cube; ``done`` carries a `Result`, ``failed`` a sentence."""

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.cube = CubeChoice(self.viewer, self.connections, follows=_is_no_result)
        self.method = QComboBox()
        self.settings_box = QCollapsible("Settings", expandedIcon="▾", collapsedIcon="▸")
        self.run_button, self.stop_button = QPushButton("Denoise"), QPushButton("Stop")
        self.progress = QProgressBar()
        self.message = Message()
        self.plot = ResidualPlot(theme_colours(self.viewer))
        self.scores = scores_label()
        self.noise_button = QPushButton("Removed noise as layer")
        self.envi_button = QPushButton("Save as ENVI…")
        self.report_button = QPushButton("Save report…")
        self.result: Result | None = None
        self._running: DenoiseRun | None = None
        self._forms: dict[str, SettingsForm] = {}
        self._fill()
        self._lay_out()
        self._connect()
        self._show_method()
        self._refresh()

    @property
    def form(self) -> SettingsForm:
        """The form of the chosen method."""
        name = self.method.currentText()
        if name not in self._forms:
            self._forms[name] = SettingsForm(methods.METHODS[name].settings)
            self.settings_box.addWidget(self._forms[name].widget)
        return self._forms[name]

    @property
    def is_running(self) -> bool:
        """Whether a run goes on."""
        return self._running is not None

    def show_settings(self, method: str, settings: Any = None) -> None:
        """Fill the form; default settings unless some are given."""
        self.method.setCurrentText(method)
        self.form.show(methods.METHODS[method].settings() if settings is None else settings)

    def run(self) -> None:
        """Denoise the chosen cube, beside the window; `done` or `failed` follows."""
        try:
            settings = self.form.settings()
            run = DenoiseRun(self.viewer, self.cube.layer, self.method.currentText(), settings, self)
        except DecscError as error:
            self._fail(str(error))
            return
        self._running, self.result = run, None
        self._limit = getattr(settings, "max_iterations", 0)
        self._tolerance = getattr(settings, "tolerance", None)
        self.connections.at_end(run.worker.quit)
        run.progressed.connect(self._show_progress)
        run.succeeded.connect(self._show_result)
        run.failed.connect(self._fail)
        run.finished.connect(self._finish)
        self.plot.start(self._tolerance, self._limit or 10)
        self.scores.clear()
        self.message.say("Getting ready…")
        self.progress.setRange(0, 0)
        self._refresh()
        run.start()

    def stop(self) -> None:
        """Finish soon, with the best estimate so far."""
        if self._running is not None:
            self.stop_button.setEnabled(False)
            self.message.say("Stopping: the best estimate so far is being finished…")
            self._running.stop()

    def leave(self) -> None:
        """Let go of the viewer; a run that still goes on is given up."""
        if self._running is not None:
            self._running.abandon()
        super().leave()

    def add_removed_noise(self) -> None:
        """Show noisy minus denoised as a layer."""
        result = self._kept()
        difference = removed_noise(result.noisy, result.denoised)
        limit = max(abs(value) for value in _limits(difference))
        add_cube_layer(
            self.viewer, difference, like=result.layer, contrast_limits=(-limit, limit), provenance={"denoising": {}}
        )

    def save_envi(self) -> None:
        """Ask for a name and write the denoised cube, beside the window."""
        path = self._ask("Save the denoised cube", f"{_file_name(self._kept().denoised)}.hdr", "ENVI header (*.hdr)")
        if path is not None:
            self.message.say(f"Writing {path.name}…")
            self._saving = calculation_worker(saving.write_cube, self._kept().denoised, path)
            self._saving.returned.connect(lambda written: self.message.say(f"Wrote {written}."))
            self._saving.errored.connect(lambda error: self.message.complain(str(error)))
            self._saving.start()

    def save_report(self) -> None:
        """Ask for a name and write how the result was made, as JSON."""
        path = self._ask("Save the report", f"{_file_name(self._kept().denoised)}.json", "JSON (*.json)")
        if path is None:
            return
        try:
            saving.write_text(as_json(self._kept().report), path)
            self.message.say(f"Wrote {path}.")
        except DecscError as error:
            self.message.complain(str(error))

    def _kept(self) -> Result:
        if self.result is None:
            raise DecscError("There is no result yet; denoise a cube first.")
        return self.result

    def _ask(self, title: str, name: str, pattern: str) -> Path | None:
        source = self._kept().noisy.source
        folder = Path.home() if source is None else Path(source).parent
        chosen, _ = QFileDialog.getSaveFileName(self, title, str(folder / name), pattern)
        return Path(chosen) if chosen else None

    def _show_progress(self, batch: Batch) -> None:
        last = batch[-1]
        self.plot.add(batch)
        if self.stop_button.isEnabled():
            tile = f" · tile {last.tile} of {last.tiles}" if last.tiles > 1 else ""
            residual = "" if last.number == 0 else f" · relative residual {last.relative_residual:.1e}"
            self.message.say(f"Evaluation {last.number}{tile}{residual} · {last.elapsed:.1f} s")
        if self._limit or last.tiles > 1:
            within = min(1.0, last.number / self._limit) if self._limit else 0.0
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(1000 * (last.tile - 1 + within) / last.tiles))

    def _show_result(self, result: Result) -> None:
        self.result = result
        self.message.say(_summary(result.report, self._tolerance))
        self.scores.setText(scoring.table(result.scores) if result.scores else "")
        self.done.emit(result)

    def _fail(self, text: str) -> None:
        self.message.complain(text)
        self.failed.emit(text)

    def _finish(self) -> None:
        if self._running is not None:
            self._running.deleteLater()
        self._running = None
        self.progress.setRange(0, 1000)
        self.progress.setValue(1000 if self.result is not None else 0)
        self._refresh()

    def _refresh(self) -> None:
        has_cube = self.cube.layer is not None
        self.run_button.setEnabled(has_cube and not self.is_running)
        self.stop_button.setEnabled(self.is_running)
        for button in (self.noise_button, self.envi_button, self.report_button):
            button.setEnabled(self.result is not None)
        if not has_cube and not self.is_running and self.result is None:
            self.message.say(NO_CUBE)
        elif self.message.text() == NO_CUBE:
            self.message.say("")

    def _show_method(self, *_: Any) -> None:
        name, shown = self.method.currentText(), self.form
        self.method.setToolTip(methods.METHODS[name].summary)
        for form in self._forms.values():
            form.widget.setVisible(form is shown)

    def _connect(self) -> None:
        self.method.currentTextChanged.connect(self._show_method)
        self.cube.chosen.connect(self._refresh)
        self.run_button.clicked.connect(lambda: self.run())
        self.stop_button.clicked.connect(lambda: self.stop())
        self.noise_button.clicked.connect(lambda: self.add_removed_noise())
        self.envi_button.clicked.connect(lambda: self.save_envi())
        self.report_button.clicked.connect(lambda: self.save_report())
        self.connections.add(self.viewer.events.theme, self._follow_theme)

    def _follow_theme(self, event: Any = None) -> None:
        self.plot.set_colours(theme_colours(self.viewer))

    def _fill(self) -> None:
        for name, method in methods.METHODS.items():
            self.method.addItem(name)
            self.method.setItemData(self.method.count() - 1, method.summary, Qt.ItemDataRole.ToolTipRole)
        self.cube.setToolTip("The noisy cube; it stays as it is")
        self.stop_button.setToolTip("Finish now and keep the best estimate so far")
        self.noise_button.setToolTip("Noisy minus denoised: if you see your image in it, signal was removed")
        self.envi_button.setToolTip("Write the denoised cube with its wavelengths and the producer's header")
        self.report_button.setToolTip("Write the method, settings, weights, residuals, versions and scores as JSON")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)

    def _lay_out(self) -> None:
        content = QWidget()
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Cube", self.cube)
        rows.addRow("Method", self.method)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addWidget(self.stop_button)
        keep = QGridLayout()
        keep.addWidget(self.noise_button, 0, 0, 1, 2)
        keep.addWidget(self.envi_button, 1, 0)
        keep.addWidget(self.report_button, 1, 1)
        self.settings_box.layout().setContentsMargins(0, 0, 0, 0)
        self.settings_box.content().layout().setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(content)
        column.setSpacing(4)
        column.addLayout(rows)
        column.addWidget(self.settings_box)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.message)
        column.addWidget(self.plot, stretch=1)
        column.addWidget(self.scores)
        column.addLayout(keep)
        scrolled(content, self)


def _is_no_result(layer: Any) -> bool:
    return "denoising" not in provenance_of(layer)


def _limits(cube: Cube) -> tuple[float, float]:
    from napari_decsc.ui.layers import contrast

    return contrast(cube)


def _file_name(cube: Cube) -> str:
    """The cube's name as a file name that every system takes."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in cube.name)


def _summary(report: dict[str, Any], tolerance: float | None) -> str:
    """How the run ended, in one line."""
    histories = [tile["relative_residual"] for tile in report["tiles"] if tile["relative_residual"]]
    if not histories:
        return f"Done in {report['seconds']:.1f} s."
    worst = max(history[-1] for history in histories)
    evaluations = max(map(len, histories))
    how = "Stopped by you" if report["stopped"] else _how(worst, tolerance)
    return f"{how} after {evaluations} evaluations · relative residual {worst:.1e} · {report['seconds']:.1f} s"


def _how(worst: float, tolerance: float | None) -> str:
    if tolerance is None:
        return "Done"
    return "Converged" if worst <= tolerance else "Ended above the tolerance"
