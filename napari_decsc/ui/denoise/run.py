"""One denoising run in the window: the worker, the layer it draws into, and what came of it."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_decsc.denoising.protocol import Denoiser, Preview
from napari_decsc.denoising.provenance import carried_on
from napari_decsc.denoising.rare_signal import RareSignal
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import Scores, score_cubes
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.ui.cubes.difference import difference
from napari_decsc.ui.cubes.layers import clean_of, cube_of, provenance_of
from napari_decsc.ui.cubes.lineage import Lineage, denoising_step
from napari_decsc.ui.cubes.origin import known_lineage
from napari_decsc.ui.denoise.result_layer import ResultLayer
from napari_decsc.ui.parts import worker as work

if TYPE_CHECKING:  # scipy takes its time
    from napari_decsc.denoising.verdict import Verdict

#: Milliseconds between two previews: redrawing a layer costs about 40 ms.
PREVIEW_PAUSE = 250
#: Milliseconds that a denoiser has to end after it was stopped; then the person is let go, and it ends behind.
PATIENCE = 250
#: What is said of a result whose layer is taken away in mid-run, at once and in the end.
LAYER_GOES = "Its layer was removed; it runs on, and the result will be in a new one."
LAYER_GONE = "Its layer was removed while it ran; the result is in a new one."
#: Why nothing was removed.
NOT_MEASURED = "No value of it was measured."
#: Another reason.
FEW_PIXELS = "It has too few pixels to tell signal from noise."
#: A cube of fewer rows or cols has no patch in which signal differs from noise.
SMALLEST = 8


@dataclass(frozen=True, eq=False)
class Result:
    """What a finished run leaves.

    The layer and the one it was made from, both cubes, the report, the denoiser (which remembers its solution), where
    in the world the result lies, scores by name where a clean cube is known, what else a person should know of it,
    whether it is the noisy cube as it was, what was kept as rare signal, the verdict on what was removed, unless
    another run was waiting, and how the noisy cube came about, where that is known.
    """

    layer: Any
    source: Any
    noisy: Cube
    denoised: Cube
    report: dict[str, Any]
    denoiser: Denoiser
    place: Mapping[str, Any]
    scores: tuple[tuple[str, Scores], ...] = ()
    note: str = ""
    is_unchanged: bool = False
    rare: tuple[RareSignal, ...] = ()
    verdict: "Verdict | None" = None
    lineage: Lineage | None = None


def judged(
    clean: Cube | None, noisy: Cube, denoised: Cube, noise: MeasuredNoise | None
) -> "tuple[tuple[tuple[str, Scores], ...], Verdict]":
    """Scores where a clean cube is known, and the verdict on what was removed."""
    from napari_decsc.denoising.verdict import judge

    return _score_both(clean, noisy, denoised), judge(noisy, denoised, noise)


def _score_both(clean: Cube | None, noisy: Cube, denoised: Cube) -> tuple[tuple[str, Scores], ...]:
    """Scores of the noisy and of the denoised cube; none where no clean cube is known."""
    if clean is None:
        return ()
    return ("noisy", score_cubes(clean, noisy)), ("denoised", score_cubes(clean, denoised))


def removed_noise(noisy: Cube, denoised: Cube) -> Cube:
    """What denoising took away, noisy minus denoised, in raw units: if an image shows in it, signal was removed."""
    return difference(noisy, denoised).replace(name=f"removed noise · {denoised.name}")


class DenoiseRun(QObject):
    """Runs once: ``progressed`` and ``previewed``, then ``succeeded`` or ``failed``, last ``finished``.

    ``progressed`` carries batches of iterations, ``previewed`` says that the layer shows a new estimate, ``bereft``
    that a person took the layer away, ``scoring`` that only scores and verdict are missing. ``released`` comes a moment
    after `stop` where the denoiser is still busy inside one step: nobody waits any longer, but what it returns in the
    end is still taken over. ``before`` is an earlier result of the same layer, whose solution the run goes on from and
    whose layer it changes.
    """

    progressed = Signal(object)
    previewed = Signal()
    bereft = Signal()
    scoring = Signal()
    released = Signal()
    succeeded = Signal(object)
    failed = Signal(str)
    finished = Signal()

    def __init__(
        self, viewer: Any, layer: Any, method: str, settings: Any, parent: QObject, before: Result | None = None
    ) -> None:
        super().__init__(parent)
        # a denoiser goes on from its solution when it gets the very cube that it solved
        self.noisy = cube_of(layer) if before is None else before.noisy
        self.source, self._clean, self._made_by = layer, clean_of(layer), provenance_of(layer)
        self._lineage = known_lineage(layer) if before is None else before.lineage
        made, share = (None, 1.0) if before is None else (before.layer, _share(before.report, settings))
        self.layer = ResultLayer(viewer, layer, self.noisy, f"{method} · {layer.name}", made, share)
        self._result: Result | None = None
        self._is_hurried = self.is_released = False
        self._previews: dict[tuple[int, int, int, int], Preview] = {}
        self._is_over = False
        self._removals = viewer.layers.events.removed
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PREVIEW_PAUSE)
        self._timer.timeout.connect(self._show_previews)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._release)
        self._has_shown = self._has_frozen = self._is_bereft = False
        denoiser = None if before is None else before.denoiser
        self.worker = work.denoising_worker(method, settings, self.noisy, denoiser)
        self.worker.yielded.connect(self._on_batch)
        self.worker.returned.connect(self._on_result)
        self.worker.errored.connect(self._on_error)
        self.worker.aborted.connect(self.abandon)

    def start(self) -> None:
        """Begin: the layer first, then the work beside the window."""
        self.layer.begin()
        # Python would stop all threads for 0.1 to 0.2 s to look for garbage among the objects of napari and torch
        self._removals.connect(self._on_removed)
        self._has_frozen = not gc.get_freeze_count()
        if self._has_frozen:
            gc.freeze()
        self.worker.start()

    def stop(self) -> None:
        """Finish soon, with the best estimate so far; within `PATIENCE` the person is let go."""
        if self._result is not None:
            self._succeed(self._result)  # only the scores were missing
            return
        work.stop(self.worker)
        self._patience.start()

    def hurry(self) -> None:
        """As `stop`, without scores: another run is waiting."""
        self._is_hurried = True
        if self._result is None:
            work.stop(self.worker)
        elif not self._is_over:
            self._succeed(self._result)

    def disconnect_all(self) -> None:
        """Tell nobody any more."""
        for signal in (self.progressed, self.previewed, self.bereft, self.scoring, self.released):
            signal.disconnect()
        for signal in (self.succeeded, self.failed, self.finished):
            signal.disconnect()

    def abandon(self, *_: Any) -> None:
        """End without a result, and take the preview away, unless it was promised to a person."""
        self.worker.quit()
        if self._is_over:
            return
        if self.is_released and (self._has_shown or self._result is not None):
            self.layer.keep()
        else:
            self.layer.discard()
        self._finish()

    def _on_batch(self, batch: work.Batch) -> None:
        if self._is_over:
            return
        for iteration in batch:
            if iteration.preview is not None:
                rows, cols = iteration.preview.rows, iteration.preview.cols
                self._previews[(rows.start, rows.stop, cols.start, cols.stop)] = iteration.preview
        if self._previews and not self._has_shown:
            self._show_previews()  # the first at once, the others a few times a second
        elif self._previews and not self._timer.isActive():
            self._timer.start()
        self.progressed.emit(batch)

    def _on_removed(self, event: Any = None) -> None:
        if self.layer.is_removed and not self._is_bereft:
            self._is_bereft = True
            self.bereft.emit()

    def _show_previews(self) -> None:
        if self.layer.show(list(self._previews.values())):
            self._has_shown, self._previews = True, {}
            self.previewed.emit()

    def _on_result(self, outcome: work.Outcome) -> None:
        self._timer.stop()
        if self._is_over:
            return
        report = {**outcome.report, "input": _described(self.noisy, self._made_by)}
        notes = [LAYER_GONE] if self.layer.is_removed else []
        notes += _why_unchanged(outcome)
        made_by = {**carried_on(self._made_by), "denoising": report}
        lineage = None if self._lineage is None else self._lineage.then(denoising_step(report))
        layer = self.layer.finish(outcome.cube, self._clean, made_by, lineage)
        self._result = Result(
            layer, self.source, self.noisy, cube_of(layer), report, outcome.denoiser, self.layer.place,
            note=" ".join(notes),
            is_unchanged=outcome.is_unchanged, rare=outcome.rare, lineage=self._lineage,
        )  # fmt: skip
        if self._is_hurried:
            self._succeed(self._result)
            return
        self.scoring.emit()
        self._scoring = work.calculation_worker(judged, self._clean, self.noisy, outcome.cube, outcome.noise)
        self._scoring.returned.connect(self._on_judged)
        self._scoring.errored.connect(self._on_error)
        self._scoring.start()

    def _on_judged(self, found: "tuple[tuple[tuple[str, Scores], ...], Verdict]") -> None:
        if self._is_over or self._result is None:
            return
        scores, verdict = found
        if scores:
            self._result.report["scores"] = {name: score.summary() for name, score in scores}
        self._result.report["verdict"] = verdict.describe()
        self._succeed(replace(self._result, scores=scores, verdict=verdict))

    def _succeed(self, result: Result) -> None:
        self.succeeded.emit(result)
        self._finish()

    def _on_error(self, error: Exception) -> None:
        if self._is_over:
            return
        if self._result is None:
            self.layer.discard()
        self.failed.emit(str(error))
        self._finish()

    def _release(self) -> None:
        """Write the newest estimate into the layer and let the person go; scores would keep nobody waiting."""
        if self._is_over:
            return
        self._timer.stop()
        self._show_previews()
        self.layer.drop_mark()
        self.is_released = True
        self.released.emit()

    def _finish(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._timer.stop()
            self._patience.stop()
            self._removals.disconnect(self._on_removed)
            if self._has_frozen:
                gc.unfreeze()
            self.finished.emit()


def _why_unchanged(outcome: work.Outcome) -> list[str]:
    """Why nothing was removed, where that is plain."""
    if not outcome.is_unchanged or outcome.report["stopped"]:
        return []
    if outcome.is_empty:
        return [NOT_MEASURED]
    return [FEW_PIXELS] if min(outcome.cube.shape[1:]) < SMALLEST else []


def _share(before: Mapping[str, Any], settings: Any) -> float:
    """How much of what an earlier run removed a strength would remove, roughly: 1 where it is not weaker."""
    earlier, strength = before.get("settings", {}).get("strength", 0.0), getattr(settings, "strength", 1.0)
    return min(1.0, strength / earlier) if earlier > 0 else 1.0


def _described(cube: Cube, made_by: Mapping[str, Any]) -> dict[str, Any]:
    """The input of a run, and how that was made: the noise that was added to it, or an earlier denoising."""
    source = None if cube.source is None else str(cube.source)
    return {"name": cube.name, "shape": list(cube.shape), "source": source, **made_by}
