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

from napari_decsc.hsi.noise.models import NonIid
from napari_decsc.hsi.sample import sample_cube
from napari_decsc.ui.cubes.layers import add_cube_layer
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

    def save(self, name: str) -> None:
        """Write a picture of the whole window."""
        from PIL import Image

        self.settle()
        shot = self.viewer.screenshot(canvas_only=False, flash=False)[..., :3].astype(int)
        path = IMAGES / f"{name}.png"
        for step in STEPS:
            rounded = np.minimum(255, (shot + step // 2) // step * step).astype(np.uint8)
            Image.fromarray(rounded).save(path, optimize=True)
            if path.stat().st_size <= LARGEST:
                break
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(exist_ok=True)
    window = Window()
    window.save("opening")
    colours(window)
    noisy = noise(window)
    denoised = solve(window, noisy)
    spectra(window)
    compare(window, denoised)
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
    return window.after(form.done, form.run)


def solve(window: Window, noisy: Any) -> Any:
    """In the middle of a solve, and its result."""
    form = window.bench.denoise
    window.show(form)
    form.cube.layer = noisy
    form.settings_box.expand(animate=False)
    window.save("settings")
    form.settings_box.collapse(animate=False)

    def until_it_is_seen() -> None:
        form.run()
        window.after(form._running.progressed, lambda: None, times=2)
        window.save("solving")

    result = window.after(form.done, until_it_is_seen)
    window.save("result")
    return result.layer


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
