"""What is seen of a run: the strip of stages with its clock, words, the noise model, the residual, the scores."""

import time
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.denoise.noise_curves import NoiseCurves
from napari_decsc.ui.denoise.residual_plot import MOST_AT_FIRST, ResidualPlot
from napari_decsc.ui.denoise.state import RunState
from napari_decsc.ui.denoise.strip import StageStrip
from napari_decsc.ui.denoise.words import shown
from napari_decsc.ui.parts.texts import Message, scores_label
from napari_decsc.ui.parts.theme import Colours
from napari_decsc.ui.parts.worker import Batch

#: Milliseconds between two steps of the clock.
TICK = 100
#: Milliseconds between two lines: a new text lays the whole panel out anew.
WORDS_PAUSE = 200


class RunView(QWidget):
    """Shows one `RunState`; while it goes on, the clock runs by itself."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self.strip, self.noise_curves = StageStrip(colours), NoiseCurves(colours)
        self.plot = ResidualPlot(colours)
        self.message, self.scores = Message(), scores_label()
        self._state = RunState()
        self._clock, self._words_pause = QTimer(self), QTimer(self)
        self._is_wordy = False
        self._clock.setInterval(TICK)
        self._clock.timeout.connect(self._tick)
        self._words_pause.setSingleShot(True)
        self._words_pause.setInterval(WORDS_PAUSE)
        self._words_pause.timeout.connect(self._say)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self.strip, self.message):
            column.addWidget(part)
        for part in (self.noise_curves, self.plot):
            column.addWidget(part, stretch=1)
        column.addWidget(self.scores)

    def begin(self, tolerance: float | None, limit: int) -> None:
        """Clear for a new run."""
        self.noise_curves.clear()
        self.plot.start(tolerance, min(limit or MOST_AT_FIRST, MOST_AT_FIRST))
        self.plot.setVisible(True)

    def add(self, batch: Batch, state: RunState, cube: Cube) -> None:
        """Draw what a batch brought."""
        self.plot.add(batch)
        if state.noise is not None and state.noise is not self.noise_curves.noise:
            self.noise_curves.show_noise(state.noise, cube)
        self._choose_picture()
        self.show_state(state, at_once=state.current != self._state.current)

    def show_state(self, state: RunState, *, at_once: bool = True) -> None:
        """Show a state; words wait a little unless they are to come at once."""
        self._state = state
        self._is_wordy = True
        if state.goes_on and not self._clock.isActive():
            self._clock.start()
        elif not state.goes_on:
            self._clock.stop()
            self.plot.finish()
        self._tick()
        if at_once or not self._words_pause.isActive():
            self._say()

    def set_colours(self, colours: Colours) -> None:
        """Follow a change of theme."""
        for part in (self.strip, self.noise_curves, self.plot):
            part.set_colours(colours)

    def make_room(self, is_wanted: bool) -> None:
        """Hide the pictures while something else needs their place."""
        self.scores.setVisible(not is_wanted)
        self.strip.setVisible(not is_wanted)
        if is_wanted:
            self.plot.setVisible(False)
            self.noise_curves.setVisible(False)
        else:
            self._choose_picture()

    def _choose_picture(self) -> None:
        """The noise model in the place of the residual, until there is a residual to see."""
        is_noise = self.noise_curves.noise is not None and not any(self.plot.tiles) and self.plot.starts is None
        self.noise_curves.setVisible(is_noise)
        self.plot.setVisible(not is_noise)

    def stop(self) -> None:
        """Let the timers rest."""
        self._clock.stop()
        self._words_pause.stop()

    def _tick(self, *_: Any) -> None:
        seen = shown(self._state, time.monotonic())
        self.strip.show_stages(seen.blocks, seen.clock)

    def _say(self) -> None:
        """Say the newest of a run, unless it is said already."""
        if not self._is_wordy:
            return
        self._is_wordy = False
        self._words_pause.start()
        seen = shown(self._state, time.monotonic())
        if seen.text and seen.text != self.message.text():
            (self.message.complain if seen.is_error else self.message.say)(seen.text)
