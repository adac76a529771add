"""Work beside the window: a denoising run as a generator worker, and short calculations.

Three traps are closed here. superqt takes a RuntimeError (torch's out of memory) for a deleted window and then never
says that it finished: errors are re-raised as `WorkFailed`. Yields queue without limit: iterations are gathered, and
handed over once the window has taken the last ones, 40 times a second at most; only the begin of a stage comes at once.
napari's own worker classes add a notification with a traceback: superqt's are used, so that a person sees one message.
"""

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from superqt.utils import FunctionWorker, GeneratorWorker

from napari_decsc.denoising.protocol import Command, Denoiser, Iteration
from napari_decsc.denoising.rare_signal import RareSignal
from napari_decsc.denoising.report import Recorder
from napari_decsc.errors import DecscError, is_out_of_memory
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.registry import make_denoiser
from napari_decsc.ui.cubes.difference import physical_bands

#: Seconds between two handovers to the window, on the average at least.
PAUSE = 1 / 40
#: How much the window goes before the work beside it where both want the processor (a "nice" value of Linux).
NICENESS = 5
#: The largest value that Linux knows.
MOST_NICE = 19
#: Shares of a band's largest value by which arithmetic in 32 bits may change a value.
ROUNDING = 1e-6

logger = logging.getLogger(__name__)

Batch = tuple[Iteration, ...]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a denoising run returns; the denoiser remembers its solution, from which a later run can go on.

    ``is_unchanged`` says that the cube is the noisy one, up to rounding: a run was stopped before it had an estimate,
    or it found nothing to remove; ``is_empty`` that no value of it was measured. ``noise`` is what it measured of the
    noise, where it did, ``rare`` what it kept as rare signal, a part for every tile that has some.
    """

    cube: Cube
    report: dict[str, Any]
    denoiser: Denoiser
    is_unchanged: bool = False
    noise: MeasuredNoise | None = None
    rare: tuple[RareSignal, ...] = ()
    is_empty: bool = False


class WorkFailed(Exception):
    """Work ended by an error; its text is fit for a person."""


def explain(error: BaseException) -> str:
    """One sentence for a person. The text of our own errors is made for that; others are named."""
    if isinstance(error, DecscError | WorkFailed):
        return str(error)
    if is_out_of_memory(error):
        return "The memory is not enough; set a smaller tile in the settings, or a limit for the memory."
    return f"Unexpected {type(error).__name__}: {error}"


#: Of batches of iterations; what is sent into it is nothing.
Worker = GeneratorWorker[Any, Any, Any]


def denoising_worker(method: str, settings: Any, noisy: Cube, before: Denoiser | None = None) -> Worker:
    """A worker, not yet started, that denoises ``noisy``.

    It yields batches of iterations and returns an `Outcome`; `stop` ends it early. ``before`` is the denoiser of an
    earlier run of the same cube object, to go on from its solution where the method can. Making the denoiser is part of
    the work: it may import torch, which takes seconds.
    """
    # nothing can be sent to a generator that has not begun; a person may stop a run before it has
    stopping, taken = threading.Event(), threading.Event()
    worker: Any = _logged(GeneratorWorker(_denoise, method, settings, noisy, before, stopping, taken))
    worker.stopping = stopping
    worker.yielded.connect(lambda _: taken.set())
    made: Worker = worker
    return made


def calculation_worker(function: Callable[..., Any], *arguments: Any) -> FunctionWorker[Any]:
    """A worker, not yet started, that returns ``function(*arguments)``."""
    made: FunctionWorker[Any] = _logged(FunctionWorker(_calculate, function, *arguments))
    return made


def stop(worker: Any) -> None:
    """Ask a denoising run to finish with its best estimate."""
    worker.stopping.set()


def _denoise(
    method: str,
    settings: Any,
    noisy: Cube,
    before: Denoiser | None,
    stopping: threading.Event,
    taken: threading.Event,
) -> Generator[Batch, None, Outcome]:
    _step_back()
    try:
        return (yield from _steps(make_denoiser(method, settings, before), noisy, stopping, taken))
    except Exception as error:
        if not isinstance(error, DecscError):
            logger.exception("denoising failed")
        raise WorkFailed(explain(error)) from error


def _steps(
    denoiser: Denoiser, noisy: Cube, stopping: threading.Event, taken: threading.Event
) -> Generator[Batch, None, Outcome]:
    taken.set()
    recorder = Recorder(denoiser)
    steps = denoiser.denoise(noisy)
    waiting: list[Iteration] = []
    due = time.monotonic()
    stopped = False
    command: Command | None = None
    while True:
        try:
            iteration = steps.send(command)
        except StopIteration as end:
            if waiting:
                yield tuple(waiting)
            report = recorder.report(stopped=stopped)
            unchanged = _is_same(end.value, noisy)
            empty = unchanged and not any(np.isfinite(band).any() for band in physical_bands(noisy))
            return Outcome(end.value, report, denoiser, unchanged, recorder.noise, tuple(recorder.rare), empty)
        recorder(iteration)
        waiting = [*_without_outdated_previews(waiting, iteration), iteration]
        # what begins, or needs to be known, waits for no later event: the denoiser may be silent for long now
        is_news = iteration.number == 0 or iteration.message or iteration.noise is not None
        if is_news or (taken.is_set() and time.monotonic() >= due):
            taken.clear()
            yield tuple(waiting)
            waiting, due = [], max(due, time.monotonic() - PAUSE) + PAUSE
        stopped = stopping.is_set()
        command = Command.STOP if stopped else None


def _is_same(cube: Cube, noisy: Cube) -> bool:
    """Whether no value of a cube differs by more than rounding; band by band, since either may lie in a file."""
    return all(
        _is_same_band(np.asarray(one, np.float32), np.asarray(other, np.float32))
        for one, other in zip(cube.data, noisy.data, strict=True)
    )


def _is_same_band(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    largest = np.max(np.abs(other), where=np.isfinite(other), initial=0.0)
    return bool(np.allclose(one, other, rtol=0.0, atol=ROUNDING * largest, equal_nan=True))


def _step_back() -> None:
    """Let the window go first, unless other programs want the processor: they would go before the work too.

    Linux alone knows a niceness for one thread; the threads that it starts inherit it. That of the window is its main
    thread's, whose number is that of the process.
    """
    if sys.platform != "linux":
        return
    is_busy = os.getloadavg()[0] >= (os.cpu_count() or 1)
    wanted = os.getpriority(os.PRIO_PROCESS, os.getpid()) + (0 if is_busy else NICENESS)
    with contextlib.suppress(OSError):  # a thread that served before may not be allowed to go forward again
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(wanted, MOST_NICE))


def _without_outdated_previews(waiting: list[Iteration], new: Iteration) -> list[Iteration]:
    """Drop the previews that a newer one of the same place covers: only the last will be seen."""
    if new.preview is None:
        return waiting
    rows, cols = new.preview.rows, new.preview.cols
    return [
        replace(old, preview=None)
        if old.preview is not None and (old.preview.rows, old.preview.cols) == (rows, cols)
        else old
        for old in waiting
    ]


def _calculate(function: Callable[..., Any], *arguments: Any) -> Any:
    _step_back()
    try:
        return function(*arguments)
    except Exception as error:
        if not isinstance(error, DecscError):
            logger.exception("calculation failed")
        raise WorkFailed(explain(error)) from error


def _logged(worker: Any) -> Any:
    # superqt takes warnings out of the thread; without a listener they would be lost
    worker.warned.connect(_log_warning)
    return worker


def _log_warning(arguments: tuple[Any, ...]) -> None:
    logger.warning("%s", arguments[0])
