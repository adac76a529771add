"""Denoise: choose a cube and a method, watch the residual fall, keep the result."""

import time
from typing import Any

from qtpy.QtCore import QTimer, Signal

from napari_decsc.denoising.protocol import ResumableDenoiser
from napari_decsc.errors import DecscError
from napari_decsc.ui.cubes.layers import provenance_of
from napari_decsc.ui.denoise import state, words
from napari_decsc.ui.denoise.arrangement import arrange
from napari_decsc.ui.denoise.form import DenoiseForm
from napari_decsc.ui.denoise.keeping import Keeping
from napari_decsc.ui.denoise.method_choice import MethodChoice
from napari_decsc.ui.denoise.parting import ask_soon
from napari_decsc.ui.denoise.residual_plot import WAITING
from napari_decsc.ui.denoise.run import LAYER_GOES, DenoiseRun, Result
from napari_decsc.ui.denoise.run_view import RunView
from napari_decsc.ui.denoise.state import Phase, RunState
from napari_decsc.ui.denoise.two_starts import SolvedTwice
from napari_decsc.ui.files.asking import settle_axis
from napari_decsc.ui.parts import scoring
from napari_decsc.ui.parts.cube_choice import CubeChoice
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import CHOOSE, gone, nothing_to_do
from napari_decsc.ui.parts.theme import theme_colours
from napari_decsc.ui.parts.worker import Batch

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
        self.choice = MethodChoice(self)
        self.method, self.summary, self.settings_box = (
            self.choice.method, self.choice.summary, self.choice.settings_box,
        )  # fmt: skip
        self.run_button = PressButton("Denoise")
        self.stop_button = PressButton("Stop", partner=self.run_button)
        self.view = RunView(theme_colours(self.viewer))
        self.message, self.plot, self.scores = self.view.message, self.view.plot, self.view.scores
        self.keeping = Keeping(self.viewer, self.message)
        self.state = RunState()
        self._running: DenoiseRun | None = None
        self._trailing: DenoiseRun | None = None  # stopped, and not ended yet
        self._is_wanted_again = self._is_waiting = False
        self._twice = SolvedTwice(self.plot, self.message, self)
        self._workers: list[Any] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(STRENGTH_PAUSE)
        arrange(self)
        self._connect()
        self.choice.refresh()
        self._refresh()

    @property
    def form(self) -> DenoiseForm:
        """The form of the chosen method."""
        return self.choice.form

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
        self.choice.show(method, settings)
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
        """What takes seconds to load comes while a person looks."""
        super().showEvent(event)
        self.choice.warm_up()

    def leave(self) -> None:
        """Let go of the viewer; a run that still goes on is given up."""
        self._pause.stop()
        self.view.stop()
        self._twice.leave()
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
        run.disconnect_all()
        self._workers.remove(run.worker)
        self._running = None
        ask_soon(run, home)

    def _start(self, before: Result | None) -> None:
        try:
            settings = self.form.settings()
            method = self.choice.name
            run = DenoiseRun(self.viewer, self.cube.layer, method, settings, self, before)
        except DecscError as error:
            self._fail(str(error))
            return
        self._twice.leave()
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
        if self.result is not None and not self.is_running:
            self._twice.begin(self.result.denoiser)

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
            if self.state.method == self.choice.name:
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
            and result.denoiser.name == self.choice.name
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
        self.plot.explain(words.no_curve(result.report))
        is_unchanged = result.is_unchanged or words.keeps_all(result.report)
        verdict = None if is_unchanged else result.verdict
        told = "" if verdict is None else words.verdict(verdict.sentence, is_clean=verdict.is_clean)
        self.message.say(words.ended(self.state, result.report, result.is_unchanged, (result.note, told)))
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
        """The cube was removed: say so, and which one would be denoised now; below the words of a run or its result."""
        left = "" if self.cube.layer is None else self.cube.layer.name
        if not self.cube.count() and not self.is_running:
            return
        lost = gone(name, left) if self.cube.count() else f"'{name}' was removed."
        if self.is_running:
            self._turn(state.take_away(self.state, lost))
        else:
            self.message.say(lost if self.result is None else f"{self.message.text()}\n{lost}")

    def _forget_removed(self, event: Any = None) -> None:
        """A result whose layer a person removed is no result any more: nothing of it stays to be read or pressed."""
        result = self.result
        if result is None or self.is_running or result.layer in self.viewer.layers:
            return
        self.keeping.result = None
        self.scores.clear()
        self.view.begin(self.state.tolerance, self.state.limit)
        self._turn(RunState())
        self.plot.explain(WAITING)
        if self.cube.layer is not None:
            self.message.say(f"'{result.denoised.name}' was removed.")

    def _show_summary(self) -> None:
        """What the method is, until its run needs the room, and not beside the settings."""
        self.summary.setVisible(not self.settings_box.isExpanded() and self.state.phase is Phase.IDLE)

    def _on_settings(self, is_open: bool) -> None:
        """While somebody sets, the settings take the room of what they will lead to: nothing needs to be scrolled."""
        self.keeping.setVisible(not is_open)
        self._show_summary()
        self.view.make_room(is_open)

    def _connect(self) -> None:
        self.cube.chosen.connect(self._refresh)
        self.cube.lost.connect(self._say_lost)
        self.connections.add(self.viewer.layers.events.removed, self._forget_removed)
        self.connections.add(self.viewer.layers.events.inserted, self._refresh)
        self.run_button.clicked.connect(lambda: self.run())
        self.stop_button.clicked.connect(lambda: self.stop())
        self.choice.opened.connect(self._on_settings)
        self.choice.strength_changed.connect(self._pause.start)
        self._pause.timeout.connect(self._solve_again)
        self.keeping.starts_wanted.connect(self.solve_twice)
        self._twice.ended.connect(self.solved_twice)
        self.connections.add(self.viewer.events.theme, self._follow_theme)
        workers = self._workers

        def quit_all() -> None:
            for worker in workers:
                worker.quit()

        self.connections.at_end(quit_all)

    def _follow_theme(self, event: Any = None) -> None:
        self.view.set_colours(theme_colours(self.viewer))


def _is_no_result(layer: Any) -> bool:
    return "denoising" not in provenance_of(layer)
