"""Crop and try: draw a box, see all methods or strengths on it side by side, then run the whole with one click."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QPushButton

from napari_decsc import registry
from napari_decsc.errors import CubeError, DecscError
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import clean_of, cube_of, provenance_of
from napari_decsc.ui.parts.column import fields, in_a_row, lay_out
from napari_decsc.ui.parts.cube_choice import CubeChoice
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import NO_CUBE, Message
from napari_decsc.ui.parts.theme import theme_colours
from napari_decsc.ui.parts.worker import calculation_worker
from napari_decsc.ui.trial.box_shape import BoxShape
from napari_decsc.ui.trial.gallery import Gallery, Tile
from napari_decsc.ui.trial.variants import Box, Trial, Variant, all_methods, attempt, best, default_box, strengths
from napari_decsc.ui.trial.variants import with_strength as methods_with_strength

ALL = "All methods"
#: A side of the box must have so many pixels at least: patches are compared in it.
LEAST = 16
HELP = "Draw a box in the image (or take the one in the middle), then press Try."


class TrialWidget(Docked):
    """``wanted`` carries the layer, the method and the settings with which a person wants the whole cube denoised."""

    wanted = Signal(object, str, object)
    tried = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.cube = CubeChoice(self.viewer, self.connections, follows=_is_no_result)
        self.what = QComboBox()
        self.box_button, self.button = QPushButton("Draw box"), PressButton("Try")
        self.whole_button = QPushButton("Run the whole cube with the chosen one")
        self.message = Message()
        self.gallery = Gallery(theme_colours(self.viewer))
        self.shape = BoxShape(self.viewer)
        self.trials: list[Trial] = []
        self._waiting: list[Variant] = []
        self._job: Any = None
        self._worker: Any = None
        self.gallery.setVisible(False)
        self._fill()
        self._lay_out()
        self._connect()
        self._refresh()

    def draw(self) -> None:
        """Let the person draw a box."""
        layer = self.cube.layer
        if layer is not None:
            self.shape.draw(layer, default_box(*layer.data.shape))
            self.message.say("Drag a box in the image; a box can be moved with the tools at the top left.")

    def run(self) -> None:
        """Try everything on the box, one after the other, beside the window."""
        try:
            layer, box = self._chosen()
            noisy, clean = cube_of(layer), clean_of(layer)
            self._job = (layer, box.of(noisy), None if clean is None else box.of(clean))
        except DecscError as error:
            self.message.complain(str(error))
            return
        self.trials, self._waiting, self.gallery.current = [], self._variants(), -1
        self._draw()
        self._next()

    def leave(self) -> None:
        """Let go of the viewer, and take the box away."""
        self._waiting = []
        super().leave()
        self.cube.blockSignals(True)
        self.shape.leave()

    def run_whole(self) -> None:
        """Ask for the whole cube with what is chosen."""
        number = self.gallery.current - 1
        if self._job is not None and 0 <= number < len(self.trials):
            variant = self.trials[number].variant
            self.wanted.emit(self._job[0], variant.method, variant.settings)

    def _chosen(self) -> tuple[Any, Box]:
        layer = self.cube.layer
        if layer is None:
            raise CubeError(NO_CUBE)
        self.shape.show(layer, default_box(*layer.data.shape))
        box = self.shape.box(layer)
        if box is None or min(box.bottom - box.top, box.right - box.left) < min(LEAST, *layer.data.shape[1:]):
            raise CubeError(
                f"The box is too small, or outside of {layer.name}; draw one of at least {LEAST} × {LEAST} pixels."
            )
        return layer, box

    def _variants(self) -> list[Variant]:
        method = self.what.currentData()
        return all_methods() if not method else strengths(method, registry.METHODS[method].settings())

    def _next(self) -> None:
        """Begin with what waits first."""
        if not self._waiting or self._left:
            self._end()
            return
        variant, self._waiting = self._waiting[0], self._waiting[1:]
        self.message.say(f"Trying {variant.name}…")
        before = self.trials[-1].denoiser if self.trials else None
        self._worker = calculation_worker(attempt, variant, self._job[1], self._job[2], before)
        self._worker.returned.connect(self._take)
        self._worker.errored.connect(self._on_error)
        self._worker.start()
        self._refresh()

    def _take(self, trial: Trial) -> None:
        if self._left:
            return
        self.trials.append(trial)
        self._draw()
        self._next()

    def _on_error(self, error: Exception) -> None:
        self._waiting = []
        self._end()
        if not self._left:
            self.message.complain(str(error))

    def _end(self) -> None:
        self._worker = None
        if self._left:
            return
        total = sum(trial.seconds for trial in self.trials)
        number = best(self.trials)
        self.gallery.choose(1 + (number if number is not None else 0))
        judged = "" if number is None else f" Highest PSNR: {self.trials[number].variant.name}."
        self.message.say(
            f"{len(self.trials)} tried in {total:.1f} s.{judged} Choose by a click; the slider changes the band."
        )
        self._refresh()
        self.tried.emit()

    def _draw(self, *_: Any) -> None:
        """Show the band of the slider of the box, noisy and as every trial has it."""
        if self._job is None:
            return
        layer, noisy, _ = self._job
        if layer not in self.viewer.layers:
            return
        band, limits = shown_band(self.viewer, layer), layer.contrast_limits
        tiles = [Tile("noisy", f"band {band + 1}", _shades(noisy.data[band], limits))]
        for trial in self.trials:
            shades = None if trial.cube is None else _shades(trial.cube.data[band], limits)
            psnr = f"{trial.psnr:.1f} dB · " if not np.isnan(trial.psnr) else ""
            tiles.append(Tile(trial.variant.name, trial.error or f"{psnr}{trial.seconds:.1f} s", shades))
        self.gallery.show_tiles(tiles)

    def _refresh(self, *_: Any) -> None:
        has_cube, is_busy = self.cube.layer is not None, self._worker is not None
        self.box_button.setEnabled(has_cube and not is_busy)
        self.button.setEnabled(has_cube and not is_busy)
        self.whole_button.setEnabled(not is_busy and self.gallery.current > 0)
        if not self.trials and not is_busy and not self.message.is_error:
            self.message.say(HELP if has_cube else NO_CUBE)

    def _follow_theme(self, event: Any = None) -> None:
        self.gallery.set_colours(theme_colours(self.viewer))

    def _connect(self) -> None:
        self.box_button.clicked.connect(lambda: self.draw())
        self.button.clicked.connect(lambda: self.run())
        self.whole_button.clicked.connect(lambda: self.run_whole())
        self.gallery.chosen.connect(self._refresh)
        self.cube.chosen.connect(self._refresh)
        self.connections.add(self.viewer.dims.events.current_step, self._draw)
        self.connections.add(self.viewer.events.theme, self._follow_theme)

    def _fill(self) -> None:
        self.what.addItem(ALL, "")
        for name in methods_with_strength():
            self.what.addItem(f"Strengths of {name}", name)
        self.cube.setToolTip("The noisy cube; it stays as it is")
        self.what.setToolTip("What is tried: every method as it is usually set, or one method with several strengths")
        self.box_button.setToolTip("Draw another box in the image; a small one is tried in about two seconds")
        self.button.setToolTip("Denoise the box with each of them")
        self.whole_button.setToolTip("Denoise the whole cube as the chosen picture was")
        self.gallery.setToolTip("The band of the slider inside the box; click, or use the arrow keys, to choose")

    def _lay_out(self) -> None:
        chosen = fields({"Cube": self.cube, "Try": self.what})
        buttons = in_a_row(self.box_button, self.button)
        lay_out(self, chosen, buttons, self.message, self.gallery, self.whole_button, tall=self.gallery)


def _is_no_result(layer: Any) -> bool:
    return "denoising" not in provenance_of(layer)


def _shades(band: NDArray[Any], limits: Any) -> NDArray[np.float32]:
    low, high = limits
    shades: NDArray[np.float32] = (np.asarray(band, np.float32) - np.float32(low)) / np.float32(high - low)
    return shades
