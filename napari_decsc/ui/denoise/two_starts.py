"""On request: the last equilibrium solved from two starts, drawn as they come closer."""

import math
from collections.abc import Generator
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from superqt.utils import GeneratorWorker

from napari_decsc.denoising.two_starts import Meeting
from napari_decsc.hsi.cube import counted
from napari_decsc.ui.denoise.residual_plot import ResidualPlot
from napari_decsc.ui.parts.panel import Line, Panel
from napari_decsc.ui.parts.texts import Message
from napari_decsc.ui.parts.theme import CUBE_COLOURS, GOAL, RESIDUAL
from napari_decsc.ui.parts.worker import WorkFailed, explain

#: Colours of the solve from its own start, of the one from noise, and of their distance.
COLOURS = RESIDUAL, CUBE_COLOURS[5], GOAL
NAMES = "own start", "from noise", "distance"
#: Where the axis ends: single precision knows no more.
LEAST = 1e-7


class TwoStarts(QObject):
    """Runs beside the window; ``met`` carries all `Meeting`s so far, ``failed`` a sentence, ``finished`` the last."""

    met = Signal(object)
    failed = Signal(str)
    finished = Signal(object)

    def __init__(self, denoiser: Any, parent: QObject) -> None:
        super().__init__(parent)
        self.meetings: tuple[Meeting, ...] = ()
        self.worker: Any = GeneratorWorker(_solve, denoiser)
        self.worker.yielded.connect(self._take)
        self.worker.errored.connect(lambda error: self.failed.emit(str(error)))
        self.worker.returned.connect(lambda _: self.finished.emit(self.meetings))

    def start(self) -> None:
        """Begin."""
        self.worker.start()

    def leave(self) -> None:
        """Nobody waits any more."""
        self.blockSignals(True)
        self.worker.quit()

    def _take(self, meeting: Meeting) -> None:
        self.meetings = (*self.meetings, meeting)
        self.met.emit(self.meetings)


class SolvedTwice(QObject):
    """Solves on request and shows it in a plot and a message; ``ended`` comes with its end, good or bad."""

    ended = Signal()

    def __init__(self, plot: ResidualPlot, message: Message, parent: QObject) -> None:
        super().__init__(parent)
        self._plot, self._message = plot, message
        self._starts: TwoStarts | None = None

    def begin(self, denoiser: Any) -> None:
        """Solve the last equilibrium of a denoiser from another start too, beside the window, and draw both."""
        self.leave()
        starts = self._starts = TwoStarts(denoiser, self)
        starts.met.connect(lambda met: self._plot.show_starts(axes_of(met)))
        starts.finished.connect(lambda met: self._message.say(said(met)))
        starts.failed.connect(self._message.complain)
        for signal in (starts.finished, starts.failed):
            signal.connect(lambda _: self.ended.emit())
        self._message.say("Solving the last equilibrium once more, from noise…")
        starts.start()

    def leave(self) -> None:
        """Let what goes on end unseen."""
        if self._starts is not None:
            self._starts.leave()
            self._starts = None


def axes_of(meetings: tuple[Meeting, ...]) -> Panel:
    """Residuals of both solves and their distance against evaluations, on a log axis."""
    curves = [[one.residuals[0] for one in meetings], [one.residuals[1] for one in meetings]]
    curves.append([one.distance for one in meetings])
    seen = [max(value, LEAST) for curve in curves for value in curve if math.isfinite(value)]
    low = 10.0 ** math.floor(math.log10(min([1e-3, *seen])))
    high = 10.0 ** math.ceil(math.log10(max([1.0, *seen])))
    panel = Panel((0.5, max(10, len(meetings)) + 0.5), (low, high), is_log=True, is_counted=True)
    panel.x_label, panel.y_label = "evaluations of f", "relative"
    numbers = np.arange(1.0, len(meetings) + 1)
    panel.names, panel.names_right = list(zip(NAMES, COLOURS, strict=True)), True  # the curves fall
    panel.lines = [
        Line(numbers, np.maximum(curve, LEAST), colour, width=1.5 if name == "distance" else 1.0, dots=1.2)
        for curve, colour, name in zip(curves, COLOURS, NAMES, strict=True)
    ]
    return panel


def said(meetings: tuple[Meeting, ...]) -> str:
    """How close the two came."""
    last = meetings[-1]
    return (
        f"Solved once more from noise: after {counted(last.number, 'evaluation')} both solutions differ by "
        f"{last.distance:.0e} of their size."
    )


def _solve(denoiser: Any) -> Generator[Meeting, None, None]:
    try:
        yield from denoiser.two_starts()
    except Exception as error:
        raise WorkFailed(explain(error)) from error
