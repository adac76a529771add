"""Denoise: choose a cube and a method, watch the residual fall, keep the result."""

import time
from typing import Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_decsc import registry as methods
from napari_decsc.denoising.protocol import ResumableDenoiser
from napari_decsc.errors import DecscError
from napari_decsc.ui.cubes.layers import provenance_of
from napari_decsc.ui.denoise import choices, state, words
from napari_decsc.ui.denoise.fields import explain
from napari_decsc.ui.denoise.form import DEVICE, STRENGTH, WEIGHTS, DenoiseForm
from napari_decsc.ui.denoise.keeping import Keeping
from napari_decsc.ui.denoise.parting import ask_soon
from napari_decsc.ui.denoise.run import LAYER_GOES, DenoiseRun, Result
from napari_decsc.ui.denoise.run_view import RunView
from napari_decsc.ui.denoise.state import Phase, RunState
from napari_decsc.ui.denoise.two_starts import TwoStarts, axes_of, said
from napari_decsc.ui.files.asking import settle_axis
from napari_decsc.ui.parts import scoring
from napari_decsc.ui.parts.column import scrolled
from napari_decsc.ui.parts.cube_choice import CubeChoice
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.texts import CHOOSE, gone, nothing_to_do
from napari_decsc.ui.parts.theme import theme_colours
from napari_decsc.ui.parts.worker import Batch, calculation_worker

#: Milliseconds that the strength rests before the cube is solved anew.
STRENGTH_PAUSE = 120


class DenoiseWidget(Docked):
    """Run a method on a cube; ``done`` carries a `Result`, ``failed`` a sentence.

    While it runs, ``previewed`` says a few times a second that the layer shows a new estimate, and ``noise_found``
    carries the noisy layer and its noise model, as soon as that is known; ``solved_twice`` ends `solve_twice`.
    Moving the strength after a run goes on from its solution, in the same layer.
    """

    done = Signal(object)
    previewed = Signal()
    noise_found = Signal(object, object)
    failed = Signal(str)
    solved_twice = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.cube = CubeChoice(self.viewer, self.connections, follows=_is_no_result)
        self.method, self.summary = QComboBox(), QLabel()
        self.settings_box = QCollapsible("Settings", expandedIcon="▾", collapsedIcon="▸")
        self.run_button, self.stop_button = QPushButton("Denoise"), QPushButton("Stop")
        self.view = RunView(theme_colours(self.viewer))
        self.message, self.plot, self.scores = self.view.message, self.view.plot, self.view.scores
        self.keeping = Keeping(self.viewer, self.message)
        self.rows, self.strength_row = QFormLayout(), QWidget()
        self.state = RunState()
        self._running: DenoiseRun | None = None
        self._trailing: DenoiseRun | None = None  # stopped, and not ended yet
        self._is_wanted_again = self._is_waiting = False
        self._asking: Any = None
        self._warm: dict[str, Any] = {}
        self._starts: TwoStarts | None = None
        self._workers: list[Any] = []
        self._forms: dict[str, DenoiseForm] = {}
        self._pause = QTimer(self)
        self._fill()
        self._lay_out()
        self._connect()
        self._show_method()
        self._refresh()

    @property
    def form(self) -> DenoiseForm:
        """The form of the chosen method."""
        name = self.method.currentText()
        if name not in self._forms:
            form = self._forms[name] = DenoiseForm(methods.METHODS[name].settings)
            form.offer(WEIGHTS, choices.weights_choices())
            self.settings_box.addWidget(form.widget)
            if form.strength is not None:
                row: Any = self.strength_row.layout()
                row.addWidget(form.strength)
                form.strength.changed.connect(lambda _: self._pause.start())
        return self._forms[name]

    @property
    def result(self) -> Result | None:
        """What the last run made, if it made something."""
        return self.keeping.result

    @property
    def is_running(self) -> bool:
        """Whether a run goes on."""
        return self._running is not None

    def show_settings(self, method: str, settings: Any = None) -> None:
        """Fill the form; default settings unless some are given."""
        self.method.setCurrentText(method)
        self.form.show(methods.METHODS[method].settings() if settings is None else settings)
        self._pause.stop()  # nobody moved the slider

    def run(self) -> None:
        """Denoise the chosen cube, beside the window; `done` or `failed` follows."""
        self._pause.stop()
        if settle_axis(self.cube.layer):
            self._start(None)

    def stop(self) -> None:
        """Finish at once, with the best estimate so far."""
        self._pause.stop()
        self._is_wanted_again = False
        if self._running is not None:
            self._turn(state.stop(self.state))
            self._running.stop()

    def showEvent(self, event: Any) -> None:
        """Who looks at the form will press its button: what takes seconds to load (torch) comes while they look."""
        super().showEvent(event)
        if self.method.currentText() not in self._warm:
            self._warm[self.method.currentText()] = worker = calculation_worker(
                methods.make_denoiser, self.method.currentText()
            )
            worker.start()

    def leave(self) -> None:
        """Let go of the viewer; a run that still goes on is given up."""
        self._pause.stop()
        self.view.stop()
        self._end_starts()
        self._is_wanted_again = False
        self.keeping.leave()
        if self._trailing is not None:
            self._trailing.abandon()
        if self._running is not None:
            self._let_go(self._running)
        super().leave()

    def _let_go(self, run: DenoiseRun) -> None:
        """In a window that stays, a person is asked what becomes of the run; it goes on meanwhile."""
        home = self.home
        if home is None or not home.isVisible():
            run.abandon()
            return
        for signal in (run.progressed, run.previewed, run.bereft, run.scoring, run.released):
            signal.disconnect()
        for signal in (run.succeeded, run.failed, run.finished):
            signal.disconnect()
        self._workers.remove(run.worker)
        self._running = None
        ask_soon(run, home)

    def _start(self, before: Result | None) -> None:
        try:
            settings = self.form.settings()
            method = self.method.currentText()
            run = DenoiseRun(self.viewer, self.cube.layer, method, settings, self, before)
        except DecscError as error:
            self._fail(str(error))
            return
        self._end_starts()
        if self._trailing is not None:
            self._trailing.abandon()
        self.settings_box.collapse(animate=False)
        self._running, self.keeping.result = run, None
        self._workers.append(run.worker)
        tolerance, limit = getattr(settings, "tolerance", None), getattr(settings, "max_iterations", 0)
        self.view.begin(tolerance, limit)
        if before is None:
            self.scores.clear()
        self._turn(state.begin(method, tolerance, limit, time.monotonic()))
        self._listen(run)
        run.start()

    def solve_twice(self) -> None:
        """Solve the last equilibrium from another start too, beside the window, and draw both."""
        if self.result is None or self.is_running:
            return
        self._end_starts()
        self._starts = TwoStarts(self.result.denoiser, self)
        self._starts.met.connect(lambda met: self.plot.show_starts(axes_of(met)))
        self._starts.finished.connect(lambda met: self.message.say(said(met)))
        self._starts.failed.connect(self.message.complain)
        for signal in (self._starts.finished, self._starts.failed):
            signal.connect(lambda _: self.solved_twice.emit())
        self.message.say("Solving the last equilibrium once more, from noise…")
        self._starts.start()

    def _end_starts(self) -> None:
        if self._starts is not None:
            self._starts.leave()
            self._starts = None

    def _listen(self, run: DenoiseRun) -> None:
        run.progressed.connect(self._show_progress)
        run.previewed.connect(self.previewed)
        run.bereft.connect(lambda: self._turn(state.lose(self.state, LAYER_GOES)))
        run.scoring.connect(self._show_scoring)
        run.released.connect(lambda: self._release(run))
        run.succeeded.connect(lambda result: self._show_result(run, result))
        run.failed.connect(lambda text: self._on_failed(run, text))
        run.finished.connect(lambda: self._finish(run))

    def _turn(self, new: RunState) -> None:
        """Take a state over, and show all that follows from it."""
        self.state = new
        self._show_summary()
        self.view.show_state(new)
        self._refresh()

    def _solve_again(self) -> None:
        """Go on from the last solution with the strength that is set now; a run that goes on makes room first."""
        if self._running is not None:
            if self.state.method == self.method.currentText():
                self._is_wanted_again = True
                self._running.hurry()
        elif self._can_go_on(self.result):
            self._start(self.result)

    def _can_go_on(self, result: Result | None) -> bool:
        """Whether a result is of what the form says now, still there, and of a method that can go on."""
        return (
            result is not None
            and result.source is self.cube.layer
            and result.layer in self.viewer.layers
            and result.denoiser.name == self.method.currentText()
            and isinstance(result.denoiser, ResumableDenoiser)
        )

    def _show_progress(self, batch: Batch) -> None:
        if self._running is None:
            return
        known = self.state.noise
        self.state = state.hear(self.state, batch, time.monotonic())
        self.view.add(batch, self.state, self._running.noisy)
        if self.state.noise is not known:
            self.noise_found.emit(self._running.source, self.state.noise)

    def _show_scoring(self) -> None:
        if self._running is not None:
            self._turn(state.enter(self.state, state.VERDICT, time.monotonic()))

    def _release(self, run: DenoiseRun) -> None:
        """The person need not wait for the step under way."""
        self._running, self._trailing = None, run
        self._turn(state.end(self.state, Phase.RELEASED, time.monotonic()))

    def _show_result(self, run: DenoiseRun, result: Result) -> None:
        if run is not self._running and run is not self._trailing:
            return
        self.keeping.result = result
        if self._is_wanted_again:
            return  # the next run says how it ended
        self._turn(state.end(self.state, Phase.DONE, time.monotonic()))
        said = words.summary(self.state, result.report, result.is_unchanged)
        self.plot.explain(words.no_curve(result.report))
        is_unchanged = result.is_unchanged or words.keeps_all(result.report)
        verdict = None if is_unchanged else result.verdict
        told = "" if verdict is None else words.verdict(verdict.sentence, is_clean=verdict.is_clean)
        self.message.say(said + words.noticed(self.state.notice) + words.noticed(result.note) + words.noticed(told))
        self.message.setToolTip("" if verdict is None else verdict.sentence)
        self.scores.setText(scoring.table(result.scores) if result.scores else "")
        self.done.emit(result)

    def _on_failed(self, run: DenoiseRun, text: str) -> None:
        if run is not self._trailing:  # of a run that was stopped nobody waits for anything
            self._fail(text)

    def _fail(self, text: str) -> None:
        self._is_wanted_again = False
        self._turn(state.end(self.state, Phase.FAILED, time.monotonic(), text))
        self.failed.emit(text)

    def _finish(self, run: DenoiseRun) -> None:
        self._workers.remove(run.worker)
        run.deleteLater()
        if run is self._trailing:
            self._trailing = None
            return
        self._running = None
        if self.state.goes_on:  # abandoned, or another run is wanted
            self._turn(state.end(self.state, Phase.IDLE, time.monotonic()))
        self._refresh()
        if self._is_wanted_again:
            self._is_wanted_again = False
            self._solve_again()

    def _refresh(self, event: Any = None) -> None:
        has_cube = self.cube.layer is not None
        seen = words.shown(self.state, time.monotonic(), has_cube)
        self.run_button.setEnabled(seen.can_run)
        self.stop_button.setEnabled(seen.can_stop)
        if not has_cube and not self.is_running and self.result is None:
            self.message.say(CHOOSE if self.cube.count() else nothing_to_do(self.viewer))
            self._is_waiting = True
        elif has_cube and self._is_waiting:
            self._is_waiting = False
            self.message.say("")

    def _say_lost(self, name: str) -> None:
        """The cube was removed: say so, and which one would be denoised now. A run has its own line."""
        if not self.is_running and self.result is None and self.cube.count():
            self.message.say(gone(name, None if self.cube.layer is None else self.cube.layer.name))

    def _forget_removed(self, event: Any = None) -> None:
        """A result whose layer a person removed is no result any more: nothing of it stays to be read or pressed."""
        result = self.result
        if result is None or self.is_running or result.layer in self.viewer.layers:
            return
        self.keeping.result = None
        self.scores.clear()
        self.view.begin(self.state.tolerance, self.state.limit)
        self._turn(RunState())
        if self.cube.layer is not None:
            self.message.say(f"'{result.denoised.name}' was removed.")

    def _show_method(self, *_: Any) -> None:
        shown = self.form
        self.summary.setText(methods.METHODS[self.method.currentText()].summary)
        for form in self._forms.values():
            form.widget.setVisible(form is shown)
            if form.strength is not None:
                form.strength.setVisible(form is shown)
        label: Any = self.rows.labelForField(self.strength_row)
        label.setVisible(shown.strength is not None)
        self.strength_row.setVisible(shown.strength is not None)
        self._offer_devices()

    def _show_summary(self) -> None:
        """What the method is, until its run needs the room, and not beside the settings."""
        self.summary.setVisible(not self.settings_box.isExpanded() and self.state.phase is Phase.IDLE)

    def _offer_devices(self, *_: Any) -> None:
        """Ask for the devices once somebody looks: it loads torch."""
        form = self.form
        if DEVICE in form.choices and self.settings_box.isExpanded() and self._asking is None:
            self._asking = calculation_worker(choices.device_choices)
            self._asking.returned.connect(lambda found: None if self._left else form.offer(DEVICE, found))
            self._asking.start()

    def _on_settings(self, *_: Any) -> None:
        """While somebody sets, the settings take the room of what they will lead to: nothing needs to be scrolled."""
        is_open = self.settings_box.isExpanded()
        # folded to no height, its fields would still be reached by Tab
        self.settings_box.content().setVisible(is_open)
        self.keeping.setVisible(not is_open)
        self._show_summary()
        self.view.make_room(is_open)
        self._offer_devices()

    def _connect(self) -> None:
        self.method.currentTextChanged.connect(self._show_method)
        self.cube.chosen.connect(self._refresh)
        self.cube.lost.connect(self._say_lost)
        self.connections.add(self.viewer.layers.events.removed, self._forget_removed)
        self.connections.add(self.viewer.layers.events.inserted, self._refresh)
        self.run_button.clicked.connect(lambda: self.run())
        self.stop_button.clicked.connect(lambda: self.stop())
        self.settings_box.toggled.connect(self._on_settings)
        self._pause.timeout.connect(self._solve_again)
        self.keeping.starts_wanted.connect(self.solve_twice)
        self.connections.add(self.viewer.events.theme, self._follow_theme)
        workers = self._workers

        def quit_all() -> None:
            for worker in workers:
                worker.quit()

        self.connections.at_end(quit_all)

    def _follow_theme(self, event: Any = None) -> None:
        self.view.set_colours(theme_colours(self.viewer))

    def _fill(self) -> None:
        for name, method in methods.METHODS.items():
            self.method.addItem(name)
            self.method.setItemData(self.method.count() - 1, method.summary, Qt.ItemDataRole.ToolTipRole)
        explain(self.summary)
        self.cube.setToolTip("The noisy cube; it stays as it is")
        self.method.setToolTip("How the noise is taken out; each method has settings of its own")
        self.settings_box.toggleButton().setToolTip("Weights, device, tolerance and what else the method can be told")
        self.run_button.setToolTip("Denoise the cube into a new layer, beside the window")
        self.stop_button.setToolTip("Finish now and keep the best estimate so far")
        self._pause.setSingleShot(True)
        self._pause.setInterval(STRENGTH_PAUSE)

    def _lay_out(self) -> None:
        content = QWidget()
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        QHBoxLayout(self.strength_row).setContentsMargins(0, 0, 0, 0)
        self.rows.addRow("Cube", self.cube)
        self.rows.addRow("Method", self.method)
        self.rows.addRow("", self.summary)
        self.rows.addRow(STRENGTH.capitalize(), self.strength_row)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addWidget(self.stop_button)
        layouts: list[Any] = [self.settings_box.layout(), self.settings_box.content().layout()]
        for layout in layouts:
            layout.setContentsMargins(0, 0, 0, 0)
        self.settings_box.content().setVisible(False)
        column = QVBoxLayout(content)
        column.setSpacing(4)
        # every point counts where a result with its scores is to fit into a low window
        column.setContentsMargins(9, 4, 9, 3)
        self.rows.setVerticalSpacing(3)
        column.addLayout(self.rows)
        column.addWidget(self.settings_box)
        column.addLayout(buttons)
        column.addWidget(self.view, stretch=1)
        column.addWidget(self.keeping)
        scrolled(content, self)


def _is_no_result(layer: Any) -> bool:
    return "denoising" not in provenance_of(layer)
