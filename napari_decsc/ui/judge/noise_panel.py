"""The noise of any cube, without denoising it: levels, SNR, the noise model, and which bands may be bad."""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton

from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.bands import show_band, shown_band
from napari_decsc.ui.cubes.layers import cube_layers, cube_of, mark_good_bands
from napari_decsc.ui.files import saving
from napari_decsc.ui.judge.band_curves import BandCurve, BandCurves
from napari_decsc.ui.judge.band_table import BandTable
from napari_decsc.ui.judge.ranking import as_csv, ranked, suggested
from napari_decsc.ui.parts.column import in_a_row, lay_out
from napari_decsc.ui.parts.cube_choice import CubeChoice
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.pictures import Matrix, Pictures
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import NO_CUBE, Message
from napari_decsc.ui.parts.theme import cube_colour, theme_colours
from napari_decsc.ui.parts.worker import calculation_worker

#: What the plot can show: label of the axis, the values of a measured noise, and whether they go on a log axis.
QUANTITIES: dict[str, tuple[Callable[[MeasuredNoise], NDArray[Any]], bool]] = {
    "SNR (dB)": (lambda noise: noise.snr, False),
    "noise level": (lambda noise: noise.level, True),
    "stripes, level": (lambda noise: _lines(noise), True),
    "growth with the signal": (lambda noise: noise.shot, True),
    "correlation with the next band": (lambda noise: _next(noise), False),
}
UNMEASURED = "Press “Measure noise”. It needs no clean cube and changes nothing."


def measure(cube: Cube) -> MeasuredNoise:
    """The noise of a cube; loads torch."""
    from napari_decsc.deq.denoiser import measure_noise

    return measure_noise(cube)


class NoisePanel(Docked):
    """Every cube that was measured has a curve; ``measured`` carries the layer and its noise."""

    measured = Signal(object, object)

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.cube = CubeChoice(self.viewer, self.connections, follows=lambda layer: True)
        self.button = PressButton("Measure noise")
        self.message, self.words = Message(), QLabel()
        self.quantity = QComboBox()
        self.plot = BandCurves(theme_colours(self.viewer), 118)
        self.pictures = Pictures(theme_colours(self.viewer), 106)
        self.table = BandTable()
        self.mark_button, self.export_button = QPushButton("Mark suggested as bad"), QPushButton("Export table…")
        self._known: weakref.WeakKeyDictionary[Any, tuple[Any, MeasuredNoise]] = weakref.WeakKeyDictionary()
        self._worker: Any = None
        self._fill()
        self._lay_out()
        self._connect()
        self.refresh()

    @property
    def noise(self) -> MeasuredNoise | None:
        """What is known of the chosen cube."""
        return self._of(self.cube.layer)

    def noise_of(self, layer: Any) -> MeasuredNoise | None:
        """What is known of a layer's noise."""
        return self._of(layer)

    def know(self, layer: Any, noise: MeasuredNoise) -> None:
        """Take over what was measured elsewhere, such as in a denoising run."""
        if layer in self.viewer.layers:
            self._known[layer] = layer.data, noise
            self.refresh()
            self.measured.emit(layer, noise)

    def measure(self) -> None:
        """Measure the chosen cube beside the window."""
        layer = self.cube.layer
        if layer is None or self._worker is not None:
            return
        self.message.say("Measuring the noise…")
        self._worker = calculation_worker(measure, cube_of(layer))
        self._worker.returned.connect(lambda noise: self._take(layer, noise))
        self._worker.errored.connect(lambda error: None if self._left else self.message.complain(str(error)))
        self._worker.finished.connect(self._finish)
        self._worker.start()
        self.button.setEnabled(False)

    def refresh(self, *_: Any) -> None:
        """Show what is known of the chosen cube, and the curves of all that were measured."""
        layer, noise = self.cube.layer, self.noise
        self.button.setEnabled(layer is not None and self._worker is None)
        for part in (self.quantity, self.plot, self.pictures, self.table, self.mark_button, self.export_button):
            part.setVisible(noise is not None)
        self.words.setVisible(noise is not None)
        if layer is None or noise is None:
            if self._worker is None and not self.message.is_error:
                self.message.say(NO_CUBE if layer is None else UNMEASURED)
            return
        if self.message.text() in (NO_CUBE, UNMEASURED):
            self.message.say("")
        cube = cube_of(layer)
        self.words.setText(" ".join(noise.sentences()))
        self.pictures.show_matrices(_matrices(noise))
        bands = ranked(noise, cube)
        self.table.show_bands(bands)
        bad = suggested(bands, cube.bands)
        self.mark_button.setEnabled(bool(bad.any()) and not bad.all())
        self.mark_button.setText(
            f"Mark {int(bad.sum())} suggested as bad" if bad.any() else "No band is suggested as bad"
        )
        self._draw()

    def leave(self) -> None:
        """Let go of the viewer; what is being measured is forgotten."""
        super().leave()
        self.cube.blockSignals(True)

    def export(self) -> None:
        """Ask for a name and write the ranked bands as CSV."""
        layer = self.cube.layer
        if layer is None:
            return
        name = f"{saving.file_name(layer.name)}-bands.csv"
        chosen, _ = QFileDialog.getSaveFileName(self, "Export the bands", str(Path.home() / name), "CSV (*.csv)")
        if not chosen:
            return
        try:
            text = as_csv(self.table.bands, cube_of(layer).wavelength_unit)
            self.message.say(f"Wrote {saving.write_text(text, Path(chosen))}.")
        except DecscError as error:
            self.message.complain(str(error))

    def mark_suggested(self) -> None:
        """Mark the suggested bands as bad, besides those that are marked already."""
        layer = self.cube.layer
        if layer is None:
            return
        cube = cube_of(layer)
        fit = ~suggested(self.table.bands, cube.bands)
        good = fit if cube.good_bands is None else cube.good_bands & fit
        if not good.any():
            self.message.complain("Every band would be bad; leave at least one good band.")
            return
        mark_good_bands(layer, good)
        bad = int((~good).sum())
        is_are = "is" if bad == 1 else "are"
        self.message.say(f"{bad} of {counted(cube.bands, 'band')} {is_are} marked as bad; take marks away in View.")

    def _of(self, layer: Any) -> MeasuredNoise | None:
        known = None if layer is None else self._known.get(layer)
        return known[1] if known is not None and known[0] is layer.data else None

    def _take(self, layer: Any, noise: MeasuredNoise) -> None:
        if self._left:
            return
        self.message.say("")
        self.know(layer, noise)

    def _finish(self) -> None:
        self._worker = None
        if not self._left:
            self.refresh()

    def _draw(self, *_: Any) -> None:
        label = self.quantity.currentText()
        values, is_log = QUANTITIES[label]
        known = [(layer, self._of(layer)) for layer in cube_layers(self.viewer)]
        measured = [(layer, noise) for layer, noise in known if noise is not None]
        # the name of the chosen cube stands above already; alone, it would only stand upon its own curve
        is_plain = [layer for layer, _ in measured] == [self.cube.layer]
        curves = [
            BandCurve(cube_of(layer), values(noise), cube_colour(self.viewer, layer), "" if is_plain else layer.name)
            for layer, noise in measured
        ]
        self.plot.show_curves(curves, label, is_log)
        self._mark()

    def _mark(self, event: Any = None) -> None:
        layer = self.cube.layer
        if layer is not None and self.noise is not None:
            self.plot.mark(shown_band(self.viewer, layer))

    def _go_to(self, band: int) -> None:
        if self.cube.layer is not None:
            show_band(self.viewer, self.cube.layer, band)

    def _follow_theme(self, event: Any = None) -> None:
        for part in (self.plot, self.pictures):
            part.set_colours(theme_colours(self.viewer))

    def _connect(self) -> None:
        self.button.clicked.connect(lambda: self.measure())
        self.cube.chosen.connect(self.refresh)
        self.quantity.currentTextChanged.connect(self._draw)
        self.plot.clicked.connect(lambda _, x: self._go_to(self.plot.band_at(x)))
        self.table.chosen.connect(self._go_to)
        self.mark_button.clicked.connect(lambda: self.mark_suggested())
        self.export_button.clicked.connect(lambda: self.export())
        self.connections.add(self.viewer.dims.events.current_step, self._mark)
        self.connections.add(self.viewer.events.theme, self._follow_theme)
        for emitter in viewer_compat.layer_list_events(self.viewer):
            self.connections.add(emitter, self.refresh)

    def _fill(self) -> None:
        self.quantity.addItems(list(QUANTITIES))
        self.cube.setToolTip("The cube whose noise is measured; no clean one is needed")
        self.button.setToolTip("Find the noise model of this cube: levels, correlation, stripes, empty bands")
        self.quantity.setToolTip("What is drawn for every band, of all cubes that were measured")
        self.plot.setToolTip("A curve for every cube that was measured; a click goes to the band")
        self.pictures.setToolTip(
            "Correlation of the noise between bands (blue −1, white 0, red 1); energy of the noise over spatial "
            "frequencies of 8 × 8 pixels, slow ones at the top left: even for noise that is white in space"
        )
        self.mark_button.setToolTip("Mark the bands of the last column as bad, as View does; the values stay")
        self.export_button.setToolTip("Write the ranked bands as CSV")
        self.words.setWordWrap(True)
        self.words.setStyleSheet("font-size: 8pt;")

    def _lay_out(self) -> None:
        shown = (self.message, self.words, self.quantity, self.plot, self.pictures, self.table)
        buttons = in_a_row(self.mark_button, self.export_button, wide=self.mark_button)
        lay_out(self, in_a_row(self.cube, self.button, wide=self.cube), *shown, buttons, tall=self.table)


def _matrices(noise: MeasuredNoise) -> list[Matrix]:
    most = float(np.nanmax(noise.spectrum))
    in_space = Matrix(noise.spectrum, 0.0, max(most, 1e-9), "spectrum in space", f"0 to {most:.2g}, mean 1")
    if len(noise.level) < 2:
        return [in_space]
    neighbours = np.nanmean(np.diagonal(noise.correlation, 1))
    return [Matrix(noise.correlation, -1.0, 1.0, "correlation of bands", f"neighbours {neighbours:.2f}"), in_space]


def _lines(noise: MeasuredNoise) -> NDArray[Any]:
    """Level of all lines' offsets together, shape (band,)."""
    total = np.zeros(len(noise.level))
    for lines in noise.lines:
        total += np.nan_to_num(np.asarray(lines.level, float)) ** 2
    return np.sqrt(total)


def _next(noise: MeasuredNoise) -> NDArray[Any]:
    """Correlation of every band with the next one, shape (band,); the last has none."""
    return np.append(np.diagonal(noise.correlation, 1), np.nan)
