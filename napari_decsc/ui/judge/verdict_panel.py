"""The verdict on a result without a clean cube: what was removed, how white it is, where structure may be gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
)

from napari_decsc.denoising.rare_signal import RarePlace
from napari_decsc.hsi.band_list import format_bands
from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.hsi.noise.measured import MeasuredNoise
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.bands import show_band, shown_band
from napari_decsc.ui.cubes.layers import cube_of, placement, provenance_of
from napari_decsc.ui.judge.band_curves import BandCurve, BandCurves
from napari_decsc.ui.parts.column import fields, in_a_row, lay_out
from napari_decsc.ui.parts.cube_choice import CubeChoice
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import Message
from napari_decsc.ui.parts.theme import GOAL, cube_colour, theme_colours
from napari_decsc.ui.parts.worker import calculation_worker

if TYPE_CHECKING:
    from napari_decsc.denoising.verdict import Verdict

#: What the plot can show of a verdict, shape (band,).
QUANTITIES: dict[str, Callable[[Verdict], NDArray[np.float64]]] = {
    "removed, % of the band": lambda verdict: 100 * verdict.removed,
    "likeness of neighbouring pixels": lambda verdict: verdict.space.excess,
    "likeness of neighbouring bands": lambda verdict: verdict.bands.excess,
    "likeness to the signal": lambda verdict: verdict.signal.excess,
    "stronger where there is structure": lambda verdict: verdict.texture.excess,
}
#: The same in the few letters that stand along an axis.
LABELS = dict(zip(QUANTITIES, ("removed, %", "likeness", "likeness", "likeness", "stronger by"), strict=True))
MAP = "Lost structure"
HELP = "Choose a cube before and after, then press Judge. After a run this happens by itself."
#: Pixels around a place that the camera shows, each way.
AROUND = 40
#: Power of ten that the map shows as black: what chance alone does stays dark.
FAINTEST = 3.0
#: Power of ten that it shows as white, at least.
BRIGHTEST = 12.0


def judge(noisy: Cube, denoised: Cube, noise: MeasuredNoise | None) -> Verdict:
    """The verdict on a result; loads SciPy."""
    from napari_decsc.denoising import verdict

    return verdict.judge(noisy, denoised, noise)


class VerdictPanel(Docked):
    """``judged`` carries a verdict and the denoised layer, ``went`` the row and col of a place that was clicked."""

    judged = Signal(object, object)
    went = Signal(int, int)

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.before = CubeChoice(self.viewer, self.connections, follows=lambda layer: not _is_result(layer))
        self.after = CubeChoice(self.viewer, self.connections, follows=_is_result)
        self.button, self.map_button = PressButton("Judge"), PressButton("Map of lost structure")
        self.message, self.sentence = Message(), QLabel()
        self.quantity = QComboBox()
        self.plot = BandCurves(theme_colours(self.viewer), 118)
        self.places, self.rare = QListWidget(), QListWidget()
        self.rare_title = QLabel("Kept, though it is like nothing else:")
        self._rare: tuple[RarePlace, ...] = ()
        self.map: Any = None
        self._verdict: Verdict | None = None
        self._pair: tuple[Any, Any] | None = None
        self._worker: Any = None
        self._fill()
        self._lay_out()
        self._connect()
        self._show()
        self._refresh()

    @property
    def verdict(self) -> Verdict | None:
        """The last verdict, or None."""
        return self._verdict

    def judge(self, before: Any = None, after: Any = None, noise: MeasuredNoise | None = None) -> None:
        """Judge what was removed between two layers, those chosen unless some are given, beside the window."""
        before, after = before or self.before.layer, after or self.after.layer
        if before is None or after is None or self._worker is not None:
            return
        if before is after or before.data.shape != after.data.shape:
            self.message.complain("A verdict needs the cube before and the one after, of one size; choose another.")
            return
        self.message.say("Judging what was removed…")
        self._rare = self._rare if self._pair == (before, after) else ()
        self._pair = before, after
        self._worker = calculation_worker(judge, cube_of(before), cube_of(after), noise)
        self._worker.returned.connect(self._take)
        self._worker.errored.connect(lambda error: None if self._left else self.message.complain(str(error)))
        self._worker.finished.connect(self._finish)
        self._worker.start()
        self.button.setEnabled(False)

    def know(self, before: Any, after: Any, verdict: Verdict, rare: Sequence[RarePlace] = ()) -> None:
        """Take over a verdict that was found elsewhere, such as after a denoising run, and what that kept as rare."""
        if {before, after} <= set(self.viewer.layers):
            self._rare = tuple(rare)
            self._pair = before, after
            self.before.layer, self.after.layer = before, after
            self._take(verdict)

    def show_map(self, is_wanted: bool) -> None:
        """Lay the map over the image, or take it away."""
        if self.map is not None and self.map in self.viewer.layers:
            self.viewer.layers.remove(self.map)
        self.map = None
        self.map_button.setChecked(is_wanted)
        if not is_wanted or self._verdict is None or self._pair is None or self._pair[1] not in self.viewer.layers:
            return
        place = placement(self._pair[1])
        flat = {name: place[name][1:] for name in ("scale", "translate", "axis_labels", "units") if name in place}
        scores = np.asarray(self._verdict.scores, np.float32)
        active = self.viewer.layers.selection.active
        self.map = self.viewer.add_image(
            scores, name=MAP, colormap="inferno", blending="additive", opacity=0.8,
            contrast_limits=(FAINTEST, max(float(np.nanmax(scores)), BRIGHTEST)), **flat,
        )  # fmt: skip
        self.viewer.layers.selection.active = active

    def go_to(self, row: int, col: int) -> None:
        """Show a place in the middle of the image."""
        if self._pair is None or self._pair[1] not in self.viewer.layers:
            return
        layer = self._pair[1]
        band = shown_band(self.viewer, layer)
        camera = viewer_compat.camera(self.viewer)
        camera.center = tuple(layer.data_to_world((band, row, col)))
        rows, cols = layer.data.shape[1:]
        camera.zoom = max(camera.zoom, camera.zoom * min(rows, cols) / (4 * AROUND)) if min(rows, cols) > AROUND else 1
        self.went.emit(row, col)

    def leave(self) -> None:
        """Let go of the viewer."""
        super().leave()
        self.before.blockSignals(True)
        self.after.blockSignals(True)

    def _take(self, verdict: Verdict) -> None:
        if self._left or self._pair is None:
            return
        self._verdict = verdict
        self.message.say("")
        is_map_shown = self.map_button.isChecked()
        self._show()
        self.show_map(is_map_shown)
        self.judged.emit(verdict, self._pair[1])

    def _finish(self) -> None:
        self._worker = None
        if not self._left:
            self._refresh()

    def _refresh(self, event: Any = None) -> None:
        """A verdict needs both cubes."""
        has_both = self.before.layer is not None and self.after.layer is not None
        self.button.setEnabled(has_both and self._worker is None)

    def _forget_removed(self, event: Any = None) -> None:
        """A verdict on a layer that is gone leads nowhere: nothing of it stays to be read or clicked."""
        if self._verdict is not None and self._pair is not None and self._pair[1] not in self.viewer.layers:
            self.show_map(False)
            self._verdict, self._pair, self._rare = None, None, ()
            self._show()

    def _show(self, *_: Any) -> None:
        for part in (self.sentence, self.quantity, self.plot, self.places, self.map_button):
            part.setVisible(self._verdict is not None)
        for part in (self.rare_title, self.rare):
            part.setVisible(bool(self._rare) and self._verdict is not None)
        if self._verdict is None:
            self.message.say(HELP)
            return
        self.sentence.setText(self._verdict.sentence)
        self.sentence.setStyleSheet("font-size: 8pt;" + ("" if self._verdict.is_clean else f"color: {GOAL};"))
        _fill_list(self.places, self._verdict.places, lambda place: f"chance 1e-{place.score:.0f}")
        bands = len(self._verdict.removed)
        _fill_list(self.rare, self._rare, _rare_text, lambda place: _bands_text(place, bands))
        self.places.setVisible(self.places.count() > 0)
        self._draw()

    def _draw(self, *_: Any) -> None:
        if self._verdict is None or self._pair is None or self._pair[1] not in self.viewer.layers:
            return
        label = self.quantity.currentText()
        values: NDArray[np.float64] = np.asarray(QUANTITIES[label](self._verdict), float)
        layer = self._pair[1]
        self.plot.show_curves([BandCurve(cube_of(layer), values, cube_colour(self.viewer, layer))], LABELS[label])
        self._mark()

    def _mark(self, event: Any = None) -> None:
        if self._pair is not None and self._verdict is not None and self._pair[1] in self.viewer.layers:
            self.plot.mark(shown_band(self.viewer, self._pair[1]))

    def _on_place(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.go_to(*item.data(Qt.ItemDataRole.UserRole))

    def _on_plot(self, panel: int, x: float) -> None:
        if self._pair is not None and self._pair[1] in self.viewer.layers:
            show_band(self.viewer, self._pair[1], self.plot.band_at(x))

    def _follow_theme(self, event: Any = None) -> None:
        self.plot.set_colours(theme_colours(self.viewer))

    def _connect(self) -> None:
        self.button.clicked.connect(lambda: self.judge())
        for choice in (self.before, self.after):
            choice.chosen.connect(self._refresh)
        self.connections.add(self.viewer.layers.events.removed, self._forget_removed)
        self.map_button.clicked.connect(self.show_map)
        self.quantity.currentTextChanged.connect(self._draw)
        self.plot.clicked.connect(self._on_plot)
        for places in (self.places, self.rare):
            places.currentItemChanged.connect(lambda item, _: self._on_place(item))
        self.connections.add(self.viewer.dims.events.current_step, self._mark)
        self.connections.add(self.viewer.events.theme, self._follow_theme)

    def _fill(self) -> None:
        self.quantity.addItems(list(QUANTITIES))
        self.map_button.setCheckable(True)
        self.before.setToolTip("The cube before denoising")
        self.after.setToolTip("The cube after denoising")
        self.button.setToolTip("Test whether what was removed is noise and nothing else; no clean cube is needed")
        self.map_button.setToolTip("Powers of ten by which chance is against what was removed around each pixel")
        self.quantity.setToolTip("What is drawn for every band; likeness is 0 where noise alone was removed")
        self.plot.setToolTip("A click goes to the band")
        self.places.setToolTip("Places where structure may have gone, the worst first; a click leads there")
        self.rare.setToolTip("Rare signal that was kept, the strongest first; a click leads there. Denoise shows a map")
        self.places.setMaximumHeight(120)
        self.rare.setMaximumHeight(80)
        self.rare_title.setStyleSheet("font-size: 8pt;")
        self.sentence.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def _lay_out(self) -> None:
        shown = (self.message, self.sentence, self.quantity, self.plot, self.places, self.rare_title, self.rare)
        cubes = fields({"Before": self.before, "After": self.after})
        lay_out(self, cubes, in_a_row(self.button, self.map_button), *shown)


def _fill_list(
    shown: QListWidget, places: Sequence[Any], said: Callable[[Any], str], tip: Callable[[Any], str] = lambda _: ""
) -> None:
    """A line for each place, which leads there."""
    shown.clear()
    for place in places:
        item = QListWidgetItem(f"row {place.row}, col {place.col} · {counted(place.pixels, 'pixel')} · {said(place)}")
        item.setData(Qt.ItemDataRole.UserRole, (place.row, place.col))
        item.setToolTip(tip(place))
        shown.addItem(item)


def _rare_text(place: RarePlace) -> str:
    """How far it stands above the noise, in its strongest band."""
    return f"{place.noise_levels:.1f} noise levels"


def _bands_text(place: RarePlace, bands: int) -> str:
    """Such as "strongest in bands 3-7, 12"; bands count from 1 here."""
    strong = np.isin(np.arange(bands), place.bands)
    return f"strongest in band{'s' * (len(place.bands) > 1)} {format_bands(strong)}"


def _is_result(layer: Any) -> bool:
    return "denoising" in provenance_of(layer)
