"""Make the pictures of docs/images: the real window, driven as a person would, with the built-in sample only.

Run it with `make screenshots`.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QEventLoop, QTimer

from napari_decsc.hsi.noise.models import Mixture, NonIid
from napari_decsc.hsi.sample import sample_cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.workbench import Workbench

# the person's own settings of napari stay as they are
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

IMAGES = Path(__file__).with_name("images")
SIZE = 1280, 800
#: Bytes of a picture. A larger one is saved anew with its shades rounded to multiples of these, which nobody sees.
LARGEST, STEPS = 240_000, (1, 4, 8, 16)
#: Milliseconds that a step may take: a solve on a slow machine.
PATIENCE = 900_000
#: Rows and cols of the sample that is denoised here.
EXTENT = 192
#: Seconds after the click at which a run is recorded, and at which its strip of stages is shown.
RECORDED, STAGES = (0.5, 1, 2, 4), (1, 3, 8)
#: Size of a recorded picture, points.
SMALL = 640, 400


class Window:
    """A window with the workbench, which can be waited for and photographed."""

    def __init__(self) -> None:
        import napari
        from napari.settings import get_settings

        get_settings().application.gui_notification_level = "error"  # no bubbles over the pictures
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(*SIZE)
        add_cube_layer(self.viewer, sample_cube(rows=EXTENT, cols=EXTENT))
        self.bench = Workbench(self.viewer)
        self.viewer.window.add_dock_widget(self.bench, name="DECSC workbench", area="right")
        self.settle()

    def settle(self, milliseconds: int = 700) -> None:
        """Let everything that waits be drawn."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def after(self, signal: Any, start: Callable[[], Any], times: int = 1) -> Any:
        """Start something and wait until a signal came so many times; returns what it carried."""
        loop, carried = QEventLoop(), []

        def count(*arguments: Any) -> None:
            carried.append(arguments)
            if len(carried) >= times:
                loop.quit()

        signal.connect(count)
        QTimer.singleShot(PATIENCE, loop.quit)
        start()
        if len(carried) < times:
            loop.exec()
        signal.disconnect(count)
        if not carried:
            sys.exit("a step did not come to its end; try again on a machine with less to do")
        return carried[-1][0] if carried[-1] else None

    def show(self, tab: Any) -> None:
        """Bring a tab to the front."""
        self.bench.tabs.setCurrentWidget(tab)
        self.settle()

    def save_part(self, name: str, part: Any) -> None:
        """Write a picture of one widget, at twice the density."""
        from qtpy.QtGui import QPixmap

        picture = QPixmap(2 * part.size())
        picture.setDevicePixelRatio(2)
        part.render(picture)
        picture.save(str(IMAGES / f"{name}.png"))

    def picture(self) -> Any:
        """The whole window as it is now, (row, col, 3)."""
        return self.viewer.screenshot(canvas_only=False, flash=False)[..., :3]

    def save(self, name: str) -> None:
        """Write a picture of the whole window."""
        self.settle()
        write(name, self.picture())


class Recording:
    """Pictures of a run, so many seconds after it began: of the window, and of its strip of stages."""

    def __init__(self, window: Window, form: Any) -> None:
        self.window, self.form = window, form
        self.whole: dict[str, Any] = {}
        self.strips: dict[str, Any] = {}

    def begin(self) -> None:
        """Press the button."""
        self.form.run()
        for seconds in sorted({*RECORDED, *STAGES}):
            QTimer.singleShot(round(1000 * seconds), lambda seconds=seconds: self._take(seconds))

    def _take(self, seconds: float) -> None:
        if not self.form.is_running:
            return
        if seconds in RECORDED:
            self.whole[f"{seconds:g} s"] = self.window.picture()
        if seconds in STAGES:
            self.strips[f"{seconds:g} s"] = pixels(self.form.view.grab())

    def write(self) -> None:
        """Write both as one picture each; what came too late for a moment is the end."""
        self.window.settle()
        end = f"the end, {self.form.state.seconds(0.0):.1f} s"
        self.whole[end] = self.window.picture()
        if len(self.strips) < len(STAGES):
            self.strips[end] = pixels(self.form.view.grab())
        write("recording", side_by_side(self.whole, across=2, size=SMALL))
        write("stages", side_by_side(self.strips, across=3))


def pixels(pixmap: Any) -> Any:
    """A picture of Qt as an array (row, col, 3)."""
    from qtpy.QtGui import QImage

    image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = image.constBits()
    if hasattr(bits, "setsize"):
        bits.setsize(image.bytesPerLine() * image.height())
    flat = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def side_by_side(pictures: dict[str, Any], across: int, size: tuple[int, int] | None = None) -> Any:
    """Pictures in rows of so many, each below its name."""
    from PIL import Image, ImageDraw, ImageFont

    made = {name: Image.fromarray(picture) for name, picture in pictures.items()}
    cells = {name: image if size is None else image.resize(size) for name, image in made.items()}
    wide, high, line = max(one.width for one in cells.values()), max(one.height for one in cells.values()), 26
    down = -(-len(cells) // across)
    sheet = Image.new("RGB", (across * (wide + 8) - 8, down * (high + line)), "#262930")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (name, image) in enumerate(cells.items()):
        left, top = number % across * (wide + 8), number // across * (high + line)
        draw.text((left + 6, top + 4), name, fill="white", font=font)
        sheet.paste(image, (left, top + line))
    return np.asarray(sheet)


def write(name: str, picture: Any) -> None:
    """Write a picture, with fewer shades if it would be too large."""
    from PIL import Image

    path = IMAGES / f"{name}.png"
    for step in STEPS:
        rounded = np.minimum(255, (picture.astype(int) + step // 2) // step * step).astype(np.uint8)
        Image.fromarray(rounded).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    else:  # many pictures in one: few colours are left to tell apart by now
        Image.fromarray(rounded).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(exist_ok=True)
    window = Window()
    window.save("opening")
    colours(window)
    noisy = noise(window)
    denoised = solve(window, noisy)
    judge(window, noisy)
    spectra(window)
    compare(window, denoised)
    explore(window, noisy)
    try_out(window, noisy)
    files(window)
    window.viewer.close()


def colours(window: Window) -> None:
    """True colour, in one click."""
    view = window.bench.view
    window.after(window.viewer.layers.events.inserted, view.true_colour.click)
    window.save("true-colour")
    view.single.click()


def noise(window: Window) -> Any:
    """The form with its preview, then the noisy layer."""
    form = window.bench.noise
    window.show(form)
    form.show_settings(NonIid(maximum=70), seed=7)
    window.save("noise")
    form.show_settings(Mixture(), seed=7)
    return window.after(form.done, form.run)


def solve(window: Window, noisy: Any) -> Any:
    """In the middle of a solve, and its result."""
    form = window.bench.denoise
    window.show(form)
    form.cube.layer = noisy
    form.settings_box.expand(animate=False)
    window.save("settings")
    form.settings_box.collapse(animate=False)
    window.settle(5000)  # what the form needs is being loaded

    recording = Recording(window, form)
    result = window.after(form.done, recording.begin)
    recording.write()
    window.save("result")
    window.after(form.solved_twice, form.solve_twice)
    window.save("two-starts")
    return result.layer


def judge(window: Window, noisy: Any) -> None:
    """The verdict of the run, and the noise that it found."""
    bench = window.bench
    window.show(bench.judge)
    bench.judge.setCurrentWidget(bench.verdict)
    window.save("verdict")
    bench.judge.setCurrentWidget(bench.measured)
    bench.measured.cube.layer = noisy
    window.save("measure")


def explore(window: Window, noisy: Any) -> None:
    """The scatter of two bands, with a box in it."""
    from napari_decsc.ui.explore.scatter import Box

    widget = window.bench.explore
    window.show(widget)
    clean = next(layer for layer in window.viewer.layers if layer.name == "coffee (synthetic)")
    widget.cube.layer = clean
    window.viewer.layers.selection.active = clean
    for layer in window.viewer.layers:
        layer.visible = layer is clean
    widget.one.setText("450 nm")
    widget.other.setText("650 nm")
    widget.show_scatter()
    while not widget.scatter.panels:
        window.settle(100)
    widget.linked.choose(Box((0.0, 0.25), (0.3, 0.7)))
    window.save("scatter")
    widget.linked.choose(None)
    window.viewer.layers.remove(widget.linked.layer)


def try_out(window: Window, noisy: Any) -> None:
    """All methods on a box of the noisy cube."""
    widget = window.bench.trial
    window.show(widget)
    noisy.visible = True
    widget.cube.layer = noisy
    window.after(widget.tried, widget.run)
    window.save("try")


def files(window: Window) -> None:
    """Two small cubes as a batch."""
    from napari_decsc.hsi.io.envi import write_envi
    from napari_decsc.hsi.noise.models import add_noise

    widget, folder = window.bench.batch, Path(tempfile.mkdtemp()) / "scenes"
    folder.mkdir()
    for seed, name in enumerate(("field", "leaf", "mug")):
        write_envi(add_noise(sample_cube(rows=64, cols=64), NonIid(maximum=40), seed), folder / f"{name}.hdr")
    window.show(window.bench.files)
    widget.add(folder)
    widget.folder.setText(str(folder.with_name("done")))
    window.after(widget.finished, widget.start)
    window.save("batch")


def spectra(window: Window) -> None:
    """Two pinned pixels and a region."""
    widget = window.bench.spectra
    at = EXTENT / 192
    for (row, col), name in {(60, 60): "saucer", (110, 130): "coffee"}.items():
        widget.board.pin(round(row * at), round(col * at), keep=True)
        widget.board.rename(len(widget.pins) - 1, name)
    widget.board.draw_roi()
    shapes = window.viewer.layers["ROIs"]
    shapes.add_ellipses([np.array([(130, 20), (130, 60), (170, 60), (170, 20)]) * at])
    shapes.mode = "pan_zoom"
    window.settle()
    widget.board.rename(2, "table")
    window.save("spectra")
    library(window)


def library(window: Window) -> None:
    """A spectral library, opened as any other file, beside the pinned places."""
    from napari_decsc.hsi.io.envi import SpectralLibrary, write_library

    nm = np.linspace(400, 1000, 61)
    grass = 0.05 + 0.06 * np.exp(-(((nm - 550) / 40) ** 2)) + 0.45 / (1 + np.exp(-(nm - 715) / 15))
    soil, water = 0.08 + 0.3 * (nm - 400) / 600, 0.06 * np.exp(-(nm - 400) / 250)
    made = SpectralLibrary(np.stack([grass, soil, water]), ("grass", "soil", "water"), nm, "nm")
    path = write_library(made, Path(tempfile.mkdtemp()) / "surfaces.hdr")
    window.viewer.open(str(path), plugin="napari-decsc")
    window.save("library")
    window.bench.spectra.board.remove(len(window.bench.spectra.board.items) - 1)


def compare(window: Window, denoised: Any) -> None:
    """Side by side with the quality of each band, in both themes; and two cubes under a curtain."""
    widget = window.bench.compare
    window.show(widget)
    window.after(widget.scored, widget.start)
    window.save("compare")
    window.save_part("per-band", widget.judging.plot)
    window.viewer.theme = "light"
    window.save("light")
    window.after(widget.scored, widget.curtain_button.click)
    window.viewer.theme = "dark"
    window.save("curtain")
    widget.stop()


if __name__ == "__main__":
    main()
