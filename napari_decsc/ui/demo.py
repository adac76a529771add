"""The demonstration: the real widgets, driven as a person would, from a clean cube to a comparison."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.models import NoiseModel
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import cube_of
from napari_decsc.ui.cubes.lineage import begun
from napari_decsc.ui.denoise.run import Result
from napari_decsc.ui.workbench import Workbench


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What the demonstration made; ``error`` is a sentence where it failed, and the later cubes are None then."""

    clean: Cube
    noisy: Cube | None = None
    denoised: Cube | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def run_demo(
    viewer: Any,
    clean: Cube,
    noise_model: NoiseModel,
    seed: int,
    method: str,
    settings: Any,
    on_done: Callable[[DemoResult], None],
) -> Workbench:
    """Show a clean cube, add noise, denoise with the live residual, compare side by side with spectra pinned.

    Returns at once; ``on_done`` is called once, when all is shown or when a step failed. ``settings`` None means the
    method's defaults. The workbench that is returned holds the widgets, for `save_pictures`.
    """
    layer = add_cube_layer(viewer, clean, lineage=begun(clean))
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, name="DECSC workbench", area="right")
    # a child of the workbench: it lives as long, and goes with it
    demo = _Demo(bench, layer, clean, on_done)
    QTimer.singleShot(0, lambda: demo.begin(noise_model, seed, method, settings))
    return bench


def save_pictures(viewer: Any, widgets: Workbench, folder: Path) -> list[Path]:
    """Write screenshot.png (the whole window), residual.png and spectra.png into ``folder``; returns their paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    screenshot = folder / "screenshot.png"
    viewer.screenshot(str(screenshot), canvas_only=False, flash=False)
    residual = widgets.denoise.plot.save(folder / "residual.png")
    return [screenshot, residual, widgets.spectra.plot.save(folder / "spectra.png")]


def _pixels_to_pin(cube: Cube) -> list[tuple[int, int]]:
    """Two pixels (row, col) inside the image, away from each other."""
    _, rows, cols = cube.shape
    return [(rows // 3, cols // 3), (2 * rows // 3, 5 * cols // 8)]


class _Demo(QObject):
    """The steps; each begins when the widget of the one before says that it is done."""

    def __init__(self, bench: Workbench, layer: Any, clean: Cube, on_done: Callable[[DemoResult], None]) -> None:
        super().__init__(bench)
        self._bench, self._layer, self._clean, self._on_done = bench, layer, clean, on_done
        self._noisy: Any = None
        self._result: Result | None = None
        self._steps = (
            (bench.noise.done, self._denoise),
            (bench.denoise.done, self._compare),
            (bench.compare.scored, self._finish),
            (bench.noise.failed, self._fail),
            (bench.denoise.failed, self._fail),
        )
        for signal, step in self._steps:
            signal.connect(step)

    def begin(self, noise_model: NoiseModel, seed: int, method: str, settings: Any) -> None:
        self._bench.viewer.reset_view()  # the docks have taken their room by now
        self._bench.noise.cube.layer = self._layer
        self._bench.noise.show_settings(noise_model, seed)
        self._bench.denoise.show_settings(method, settings)
        for number, (row, col) in enumerate(_pixels_to_pin(self._clean)):
            self._bench.spectra.board.pin(row, col, keep=number > 0)
        self._bench.noise.run()

    def _denoise(self, layer: Any) -> None:
        self._noisy = layer
        self._bench.tabs.setCurrentWidget(self._bench.denoise)
        self._bench.denoise.cube.layer = layer
        self._bench.denoise.run()

    def _compare(self, result: Result) -> None:
        self._result = result
        self._bench.compare.tick([self._layer, self._noisy, result.layer])
        self._bench.compare.start()

    def _finish(self) -> None:
        if self._result is None:
            return  # scores of cubes that happened to be ticked
        denoised = cube_of(self._result.layer)
        self._end(DemoResult(self._clean, cube_of(self._noisy), denoised, self._result.report))

    def _fail(self, text: str) -> None:
        noisy = None if self._noisy is None else cube_of(self._noisy)
        self._end(DemoResult(self._clean, noisy, error=text))

    def _end(self, result: DemoResult) -> None:
        # what the person does from now on is no part of the demonstration
        for signal, step in self._steps:
            signal.disconnect(step)
        on_done = self._on_done
        # one turn of the event loop later everything that was said is also drawn
        QTimer.singleShot(200, lambda: on_done(result))
