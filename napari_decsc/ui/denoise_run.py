"""One denoising run in the window: the worker, the layer it draws into, and what came of it."""

from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.denoising import Preview
from napari_decsc.hsi.metrics import Scores, score_cubes
from napari_decsc.ui import worker as work
from napari_decsc.ui.layers import clean_of, cube_of, provenance_of
from napari_decsc.ui.result_layer import ResultLayer

#: Milliseconds between two previews: redrawing a layer costs about 40 ms.
PREVIEW_PAUSE = 250


@dataclass(frozen=True, eq=False)
class Result:
    """What a finished run leaves: the layer, both cubes, the report, and scores by name where a clean cube is known."""

    layer: Any
    noisy: Cube
    denoised: Cube
    report: dict[str, Any]
    scores: tuple[tuple[str, Scores], ...] = ()


def score_both(clean: Cube | None, noisy: Cube, denoised: Cube) -> tuple[tuple[str, Scores], ...]:
    """Scores of the noisy and of the denoised cube; none where no clean cube is known."""
    if clean is None:
        return ()
    return ("noisy", score_cubes(clean, noisy)), ("denoised", score_cubes(clean, denoised))


def removed_noise(noisy: Cube, denoised: Cube) -> Cube:
    """What denoising took away, noisy minus denoised, in raw units: if an image shows in it, signal was removed."""
    difference = (noisy.physical() - denoised.physical()) * noisy.scale
    return noisy.replace(data=difference, name=f"removed noise · {denoised.name}", no_data=None)


class DenoiseRun(QObject):
    """Runs once. ``progressed`` carries batches of iterations; then ``succeeded`` or ``failed``; last ``finished``."""

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(str)
    finished = Signal()

    def __init__(self, viewer: Any, layer: Any, method: str, settings: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._noisy, self._clean = cube_of(layer), clean_of(layer)
        self._made_by = provenance_of(layer)
        self.layer = ResultLayer(viewer, layer, self._noisy, f"{method} · {layer.name}")
        self._previews: dict[tuple[int, int, int, int], Preview] = {}
        self._is_over = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PREVIEW_PAUSE)
        self._timer.timeout.connect(self._show_previews)
        self.worker = work.denoising_worker(method, settings, self._noisy)
        self.worker.yielded.connect(self._on_batch)
        self.worker.returned.connect(self._on_result)
        self.worker.errored.connect(self._on_error)
        self.worker.aborted.connect(self.abandon)

    def start(self) -> None:
        """Begin, beside the window."""
        self.worker.start()

    def stop(self) -> None:
        """Finish soon, with the best estimate so far."""
        work.stop(self.worker)

    def abandon(self) -> None:
        """End without a result, and take the preview away."""
        self.worker.quit()
        if not self._is_over:
            self.layer.discard()
            self._finish()

    def _on_batch(self, batch: work.Batch) -> None:
        if self._is_over:
            return
        for iteration in batch:
            if iteration.preview is not None:
                rows, cols = iteration.preview.rows, iteration.preview.cols
                self._previews[(rows.start, rows.stop, cols.start, cols.stop)] = iteration.preview
        if self._previews and not self._timer.isActive():
            self._timer.start()
        self.progressed.emit(batch)

    def _show_previews(self) -> None:
        previews, self._previews = list(self._previews.values()), {}
        self.layer.show(previews)

    def _on_result(self, outcome: work.Outcome) -> None:
        self._timer.stop()
        if self._is_over:
            return
        denoised, report = outcome
        report = {**report, "input": _described(self._noisy), **self._made_by}
        layer = self.layer.finish(denoised, self._clean, {**self._made_by, "denoising": report})
        self._result = Result(layer, self._noisy, cube_of(layer), report)
        self._scoring = work.calculation_worker(score_both, self._clean, self._noisy, denoised)
        self._scoring.returned.connect(self._on_scores)
        self._scoring.errored.connect(self._on_error)
        self._scoring.start()

    def _on_scores(self, scores: tuple[tuple[str, Scores], ...]) -> None:
        if self._is_over:
            return
        made = self._result
        if scores:
            made.report["scores"] = {name: score.summary() for name, score in scores}
        self.succeeded.emit(Result(made.layer, made.noisy, made.denoised, made.report, scores))
        self._finish()

    def _on_error(self, error: Exception) -> None:
        if not hasattr(self, "_result"):
            self.layer.discard()
        self.failed.emit(str(error))
        self._finish()

    def _finish(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._timer.stop()
            self.finished.emit()


def _described(cube: Cube) -> dict[str, Any]:
    source = None if cube.source is None else str(cube.source)
    return {"name": cube.name, "shape": list(cube.shape), "source": source}
