"""How quickly the window answers: a big file's first picture, the window beside the solver, spectra under the cursor.

Run it with a screen, or under Xvfb: ``xvfb-run -a python benchmarks/ui_latency.py``. Prints one table as Markdown.
Times are by the clock, so nothing else should be running; where that cannot be had, the processor time of the window's
own thread, in the rows that say so, is what the window itself needs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer

#: The big cube: 224 bands of 2-byte integers, 2.0 GB, as a sparse file.
BANDS, ROWS, COLS = 224, 1500, 3000
#: Milliseconds between two ticks that watch the window's thread.
TICK = 5
MOVES = 60
#: Evaluations of the quick solver, and the size of the product of matrices that each of them is.
QUICK, PRODUCT = 600, 300

Row = tuple[str, str, str]


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=256, help="side of the cube that is denoised")
    parser.add_argument("--iterations", type=int, default=12, help="evaluations of f in the solve")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)  # see `napari_alone`
    chosen = parser.parse_args()
    if chosen.alone:
        print(napari_alone())
        return
    import napari

    from napari_decsc.ui.workbench import Workbench

    begin = time.perf_counter()
    measured: list[Row] = [*floor()]
    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    rest(1)  # until the empty window is painted
    measured += [*first_picture(viewer)]
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, name="DECSC workbench", area="right")
    wait(lambda: len(viewer.layers) > 0)  # the sample
    rest(2)
    bench.tabs.setCurrentWidget(bench.denoise)
    bench.spectra.board.pin(40, 60)
    rest(1)
    measured += [*idle(), *hover(bench, "at rest"), *beside_the_solver(bench, chosen.rows, chosen.iterations)]
    measured += [*quick_solver(bench)]
    viewer.close()
    seconds = time.perf_counter() - begin
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {seconds:.0f} s, {sys.platform}\n")
    print("| what | measured | target |\n|---|---|---|")
    for row in measured:
        print("| " + " | ".join(row) + " |")


def first_picture(viewer: Any) -> Iterator[Row]:
    """From the drop of a 2 GB file to its first picture on the canvas; twice, as the first one loads half of napari."""
    with tempfile.TemporaryDirectory() as folder:
        path = sparse_cube(Path(folder))
        size = f"{path.with_suffix('.img').stat().st_size / 1e9:.1f} GB"
        for which in ("first file of a session", "second file"):
            begin, work = time.perf_counter(), time.thread_time()
            viewer.open(str(path), plugin="napari-decsc")
            viewer.screenshot(flash=False)
            seen, worked = ms(begin), f"{1e3 * (time.thread_time() - work):.0f} ms"
            yield f"{size} cube dropped: first picture, {which}", seen, "1000 ms"
            yield "of that, processor time", worked, ""
            viewer.layers.clear()


def floor() -> Iterator[Row]:
    """What napari itself takes for such an array, in a fresh process."""
    done = subprocess.run([sys.executable, __file__, "--alone"], check=True, stdout=subprocess.PIPE, text=True)
    seen, worked = done.stdout.split()[-2:]
    yield "the same array given to napari without this plugin, first picture", f"{seen} ms", ""
    yield "of that, processor time", f"{worked} ms", ""


def napari_alone() -> str:
    """Milliseconds from an array to its picture, by the clock and of the processor."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    rest(1)
    with tempfile.TemporaryDirectory() as folder:
        data = np.memmap(sparse_cube(Path(folder)).with_suffix(".img"), np.int16, "r", shape=(BANDS, ROWS, COLS))
        begin, work = time.perf_counter(), time.thread_time()
        viewer.add_image(data, contrast_limits=(0, 1))
        viewer.screenshot(flash=False)
        text = f"{1e3 * (time.perf_counter() - begin):.0f} {1e3 * (time.thread_time() - work):.0f}"
    viewer.close()
    return text


def sparse_cube(folder: Path) -> Path:
    """An ENVI file without a byte on the disk."""
    header = folder / "big.hdr"
    lines = ("ENVI", f"samples = {COLS}", f"lines = {ROWS}", f"bands = {BANDS}", "header offset = 0")
    header.write_text("\n".join((*lines, "data type = 2", "interleave = bsq", "byte order = 0")) + "\n")
    with (folder / "big.img").open("wb") as file:
        file.truncate(2 * BANDS * ROWS * COLS)
    return header


def idle() -> Iterator[Row]:
    """The window with nothing to do: what this machine and its other work take from it."""
    with watched_thread() as gaps:
        rest(3)
    yield "nothing runs: longest block (what the machine itself takes)", f"{longest(gaps):.0f} ms", ""


def beside_the_solver(bench: Any, rows: int, iterations: int) -> Iterator[Row]:
    """The window's thread, the first estimate and the spectra while a cube is denoised; then the strength."""
    from napari_decsc.deq.settings import DecscSettings
    from napari_decsc.ui.cubes.adding import add_cube_layer

    widget = bench.denoise
    noisy = add_cube_layer(bench.viewer, noisy_scene(rows))
    rest(1)
    widget.cube.layer = noisy
    widget.show_settings("decsc", DecscSettings(tolerance=0, max_iterations=iterations))
    first_estimate(widget)  # torch is loaded by then, and the processor warm
    rest(1)
    yield from watched_solve(bench, f"solve of {rows} x {rows} x {noisy_scene(rows).bands}")
    yield from moved_strength(widget)


def quick_solver(bench: Any) -> Iterator[Row]:
    """A solver with more evaluations a second than anybody can see, beside which the residual is drawn."""
    from napari_decsc import registry as methods
    from napari_decsc.deq.settings import DecscSettings

    methods.METHODS["quick"] = methods.Method("quick", "Many evaluations", DecscSettings, lambda _: Quick())
    bench.denoise.method.addItem("quick")
    bench.denoise.show_settings("quick")
    rest(1)
    yield from watched_solve(bench, "quick solver")


@dataclass(frozen=True)
class Quick:
    """Keeps a processor busy in NumPy, as the real one does in torch."""

    name: str = "quick"

    def describe(self) -> dict[str, Any]:
        """Nothing to tell."""
        return {"method": self.name, "settings": {}, "weights": None, "device": "cpu"}

    def denoise(self, noisy: Any) -> Any:
        """Products of matrices."""
        from napari_decsc.denoising.protocol import Command, Iteration, Preview

        data = np.asarray(noisy.data, np.float32)
        place = slice(0, noisy.shape[1]), slice(0, noisy.shape[2])
        square, begin = np.ones((PRODUCT, PRODUCT)), time.perf_counter()
        for number in range(1, QUICK + 1):
            square = square @ square / PRODUCT
            residual = 0.99**number
            seconds = time.perf_counter() - begin
            if (yield Iteration(number, residual, residual, seconds, preview=Preview(data, *place))) is Command.STOP:
                break
        return noisy.replace(data=data)


def first_estimate(widget: Any) -> None:
    """Run until the first iteration, then stop."""
    widget.run()
    wait(lambda: not widget.is_running or bool(widget.plot.tiles))
    widget.stop()
    wait(lambda: not widget.is_running)


def watched_solve(bench: Any, name: str) -> Iterator[Row]:
    """One solve, whole, and the cursor over the image meanwhile."""
    widget = bench.denoise
    shown: list[str] = []
    begin, work = time.perf_counter(), time.thread_time()
    widget.run()
    click, click_work = ms(begin), f"{1e3 * (time.thread_time() - work):.0f} ms"
    run = widget._running
    show = run.layer.show

    def seen(previews: Any) -> bool:
        done = show(previews)
        if done and not shown:
            shown.append(ms(begin))
        return bool(done)

    run.layer.show = seen
    with watched_thread() as gaps, painted(widget.plot) as paints:
        wait(lambda: not widget.is_running or len(paints) > 2)
        yield from hover(bench, f"beside the {name}")
        wait(lambda: not widget.is_running)
    seconds = time.perf_counter() - begin
    evaluations = sum(map(len, widget.plot.tiles)) / seconds
    yield f"{name}: click on Denoise, until the layer is there", click, ""
    yield "of that, processor time (napari's own: see docs/window.md)", click_work, ""
    yield f"{name}: start estimate in the layer", shown[0] if shown else "none", "1000 ms"
    (clock, work), *gaps = gaps
    yield (
        f"{name}: the turn after the click, in which napari first paints the layer",
        f"{1e3 * clock - TICK:.0f} ms",
        "",
    )
    yield "of that, processor time", f"{1e3 * work:.0f} ms", ""
    yield f"{name}: longest block from then on", f"{longest(gaps):.0f} ms", "50 ms"
    yield f"{name}: 99 of 100 blocks are shorter than", f"{shorter(gaps):.0f} ms", ""
    yield f"{name}: longest block in processor time", f"{1e3 * max(work for _, work in gaps):.0f} ms", "50 ms"
    rate = f"{len(paints) / seconds:.0f} Hz"
    yield f"{name}: residual drawn ({evaluations:.0f} evaluations a second)", rate, "30 Hz"


def moved_strength(widget: Any) -> Iterator[Row]:
    """From a move of the strength to the first evaluation of the solve that goes on."""
    before = widget.result
    begin = time.perf_counter()
    widget.form.strength.slider.setValue(60)
    wait(lambda: widget.result is not before and bool(widget.plot.tiles))
    yield "strength moved: first evaluation of the new solve", ms(begin), ""
    widget.stop()
    wait(lambda: not widget.is_running)


def hover(bench: Any, when: str) -> Iterator[Row]:
    """From a move of the cursor to the spectrum on the screen."""
    widget = bench.spectra
    _, rows, cols = bench.viewer.layers[0].data.shape
    waits, works = [], []
    with painted(widget.plot) as paints:
        for place in range(MOVES):
            position = (0.0, float(place % rows), float(2 * place % cols))
            event = type("Move", (), {"type": "mouse_move", "position": position, "modifiers": ()})()
            rest(0.02)  # the eye rests between two pixels; without, moves are drawn 60 times a second
            before = len(paints)
            begin, work = time.perf_counter(), time.thread_time()
            widget.pointer.on_move(bench.viewer, event)
            wait(lambda before=before: len(paints) > before, most=5.0)
            waits.append(1e3 * (time.perf_counter() - begin))
            works.append(1e3 * (time.thread_time() - work))
    text = f"{np.median(waits):.0f} ms (95 of 100: {np.percentile(waits, 95):.0f} ms)"
    yield f"cursor to spectrum, {when}, median", text, "20 ms"
    yield "of that, processor time", f"{np.median(works):.0f} ms", ""


def noisy_scene(rows: int) -> Any:
    """The built-in scene, cropped, with white noise."""
    from napari_decsc.hsi.noise.models import Gaussian, add_noise
    from napari_decsc.ui.files.sample import sample_cube

    cube = sample_cube()
    cropped = cube.replace(data=np.asarray(cube.data[:, :rows, :rows], np.float32), name=f"scene {rows}")
    return add_noise(cropped, Gaussian(), 0)


@contextmanager
def watched_thread() -> Iterator[list[tuple[float, float]]]:
    """Between two ticks of a timer in the window's thread: seconds by the clock, and of the processor."""
    gaps: list[tuple[float, float]] = []
    last = time.perf_counter(), time.thread_time()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter(), time.thread_time()
        gaps.append((now[0] - last[0], now[1] - last[1]))
        last = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start(TICK)
    yield gaps
    timer.stop()


def longest(gaps: list[tuple[float, float]]) -> float:
    """Longest block in ms."""
    return 1e3 * max(clock for clock, _ in gaps) - TICK


def shorter(gaps: list[tuple[float, float]]) -> float:
    """Milliseconds that 99 of 100 blocks fall short of."""
    return float(1e3 * np.percentile([clock for clock, _ in gaps], 99) - TICK)


class Paints(QObject):
    """Counts what is painted of a widget."""

    def __init__(self, widget: Any) -> None:
        super().__init__(widget)
        self.times: list[float] = []
        widget.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Called before the painting, which copies a finished picture."""
        if event.type() == QEvent.Type.Paint:
            self.times.append(time.perf_counter())
        return False


@contextmanager
def painted(widget: Any) -> Iterator[list[float]]:
    """The moments at which a widget was painted."""
    paints = Paints(widget)
    yield paints.times
    widget.removeEventFilter(paints)


def wait(until: Callable[[], bool], most: float = 600.0) -> None:
    """Let the window work as it does for a person, in a loop that sleeps, until something is so; asks every ms."""
    end = time.perf_counter() + most
    loop, asking = QEventLoop(), QTimer()
    asking.setTimerType(Qt.TimerType.PreciseTimer)
    asking.timeout.connect(lambda: loop.quit() if until() or time.perf_counter() > end else None)
    asking.start(1)
    loop.exec()
    asking.stop()
    if not until():
        raise TimeoutError("the window took too long")


def rest(seconds: float) -> None:
    """Let the window work for a while."""
    end = time.perf_counter() + seconds
    wait(lambda: time.perf_counter() > end, most=2 * seconds + 10)


def ms(begin: float) -> str:
    """Milliseconds since a moment."""
    return f"{1e3 * (time.perf_counter() - begin):.0f} ms"


if __name__ == "__main__":
    main()
