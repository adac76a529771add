"""Compare: cubes side by side, under a curtain or blinking; their scores, and their quality band by band."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_decsc.errors import CubeError, DecscError
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.compare import blink
from napari_decsc.ui.compare.blink import Blink
from napari_decsc.ui.compare.curtain import Curtain
from napari_decsc.ui.compare.judging import Judging
from napari_decsc.ui.compare.side_by_side import Comparison
from napari_decsc.ui.compare.tick_list import TickList
from napari_decsc.ui.compare.view import FEWEST, MOST, View, alike
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.band_label import label_bands
from napari_decsc.ui.cubes.difference import difference
from napari_decsc.ui.cubes.layers import DIFFERENCE, balanced, clean_of, cube_of, scene_layers
from napari_decsc.ui.parts.column import scrolled
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.limits import tell_limits
from napari_decsc.ui.parts.texts import Message
from napari_decsc.ui.parts.worker import calculation_worker

#: Steps of the curtain's slider.
STEPS = 1000
#: Milliseconds after the last tick before scores are made.
JUDGE_PAUSE = 150
#: Of more voxels they are made only when a person compares them.
JUDGED_VOXELS = 100_000_000
TOO_FEW = "Two cubes are needed: add noise to one, or denoise one."


class CompareWidget(Docked):
    """Tick cubes, press a way to compare; press again to see all as it was. ``scored`` comes when scores are shown."""

    scored = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.list = TickList()
        self.button = QPushButton("Side by side")
        self.curtain_button, self.blink_button = QPushButton("Curtain"), QPushButton("Blink")
        self._modes = {Comparison: self.button, Curtain: self.curtain_button, Blink: self.blink_button}
        self.equal = QCheckBox("Equal contrast")
        self.curtain_slider, self.blink_rate = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self.difference_button = QPushButton("Difference as layer")
        self.message = Message()
        self.judging = Judging(self.viewer, self.connections, self.message)
        self.comparison: View | None = None
        self._judge_soon = QTimer(self)
        self._stop_soon = QTimer(self)
        for timer in (self._judge_soon, self._stop_soon):
            timer.setSingleShot(True)
        self._judge_soon.setInterval(JUDGE_PAUSE)
        self._fill()
        self._lay_out()
        self._connect()
        label_bands(self.viewer)
        self.refresh()

    def ticked(self) -> list[Any]:
        """The ticked layers, from bottom to top."""
        return self.list.ticked()

    def tick(self, layers: Sequence[Any]) -> None:
        """Tick these layers and no others."""
        self.list.tick(layers)
        self._judge_soon.start()

    def judge(self) -> None:
        """Score the ticked cubes where that can be done; nobody has to look at them side by side first."""
        layers = self.ticked()
        if self._left or not self.isVisible():
            return
        if not FEWEST <= len(layers) <= MOST or not alike(layers):
            self.judging.forget()
        elif sum(layer.data.size for layer in layers) <= JUDGED_VOXELS:
            self.judging.judge(layers)

    def showEvent(self, event: Any) -> None:
        """What is hidden is not judged; now it is wanted."""
        super().showEvent(event)
        self._judge_soon.start()

    def start(self, mode: type[View] = Comparison) -> None:
        """Show the ticked cubes together and judge them; curtain and blink take the two upper ones."""
        self.stop()
        layers = self.ticked()
        try:
            # the clean cube's contrast shows best what noise adds and what denoising takes away
            contrast_of = next((layer for layer in layers if clean_of(layer) is None), layers[0] if layers else None)
            shown = layers if mode is Comparison else layers[-2:]
            self.comparison = mode(self.viewer, shown, contrast_of, self.equal.isChecked())
        except DecscError as error:
            self.message.complain(str(error))
        else:
            self.message.say("")
            self._follow_edge()
            self._judge_soon.stop()
            self.judging.judge(layers if len(layers) <= MOST and alike(layers) else shown)
        self._show_mode()

    def stop(self) -> None:
        """Show everything as it was before."""
        comparison, self.comparison = self.comparison, None
        if comparison is not None:
            comparison.leave()
        self._show_mode()

    def leave(self) -> None:
        """Let go of the viewer."""
        super().leave()
        self._judge_soon.stop()
        self._stop_soon.stop()
        self.judging.leave()
        self.stop()

    def add_difference(self) -> None:
        """Show the two upper ticked cubes' difference, lower minus upper, as a layer; computed beside the window."""
        layers = self.ticked()[-2:]
        try:
            if len(layers) < 2 or not alike(layers):
                raise CubeError("A difference needs two cubes of one size; tick two")
        except DecscError as error:
            self.message.complain(str(error))
            return
        self.difference_button.setEnabled(False)
        self._subtracting = calculation_worker(_difference, *[cube_of(layer) for layer in layers])
        self._subtracting.returned.connect(lambda made: self._show_difference(made[0], made[1], layers[0]))
        self._subtracting.errored.connect(self._on_error)
        self._subtracting.finished.connect(self._refresh_buttons)
        self._subtracting.start()

    def refresh(self, event: Any = None) -> None:
        """Read the layer list anew; ticks stay. New cubes are ticked while no more are than can be compared."""
        if self.comparison is not None and not set(self.comparison.layers) <= set(self.viewer.layers):
            self.stop()  # takes layers away, and so comes here again
        elif self.comparison is not None and self.comparison.is_outdated:
            self._stop_soon.start()  # not while napari is inserting
        self.judging.forget_removed()
        if self.list.show_layers(scene_layers(self.viewer), MOST):
            self._on_tick()
        self._refresh_buttons()
        if len(self.list.layers) < 2:
            self.message.say(TOO_FEW)
        elif self.message.text() == TOO_FEW:
            self.message.say("")

    def _on_tick(self, item: Any = None) -> None:
        """What was complained of may be mended now; other cubes have other scores."""
        if self.message.is_error:
            self.message.say("")
        self._judge_soon.start()

    def _refresh_buttons(self, *_: Any) -> None:
        if not self._left:
            for button in (*self._modes.values(), self.difference_button):
                button.setEnabled(len(self.list.layers) > 1)

    def _show_difference(self, cube: Any, limits: tuple[float, float], like: Any) -> None:
        if not self._left:
            made_by = {DIFFERENCE: cube.name.replace(" − ", " minus ")}
            named = cube.replace(name=f"difference · {cube.name}")  # lists show the begin of a name and its end
            add_cube_layer(self.viewer, named, like=like, contrast_limits=limits, provenance=made_by)

    def _on_judged(self) -> None:
        self._write_captions()
        self.scored.emit()

    def _write_captions(self) -> None:
        if self.comparison is not None:
            self.comparison.write(self.judging.captions())

    def _on_error(self, error: Exception) -> None:
        self.message.complain(str(error))

    def _follow_theme(self, event: Any = None) -> None:
        self.judging.follow_theme()
        self._write_captions()

    def _on_mode(self, mode: type[View]) -> None:
        if type(self.comparison) is mode:
            self.stop()
        else:
            self.start(mode)

    def _show_mode(self) -> None:
        if self._left:
            return
        for mode, button in self._modes.items():
            button.setChecked(type(self.comparison) is mode)
        self.curtain_row.setVisible(isinstance(self.comparison, Curtain))
        self.blink_row.setVisible(isinstance(self.comparison, Blink))

    def _follow_edge(self) -> None:
        """Slider and edge move each other."""
        if isinstance(self.comparison, Curtain):
            self.comparison.moved = self._on_edge
            self._on_edge(self.comparison.position)
        if isinstance(self.comparison, Blink):
            self.comparison.set_rate(self.blink_rate.value())

    def _on_edge(self, position: float) -> None:
        self.curtain_slider.blockSignals(True)
        self.curtain_slider.setValue(round(position * STEPS))
        self.curtain_slider.blockSignals(False)

    def _on_slider(self, value: int) -> None:
        if isinstance(self.comparison, Curtain):
            self.comparison.move(value / STEPS)

    def _on_rate(self, rate: float) -> None:
        if isinstance(self.comparison, Blink):
            self.comparison.set_rate(rate)

    def _on_equal(self, is_checked: bool) -> None:
        if self.comparison is not None:
            self.comparison.set_equal(is_checked)

    def _connect(self) -> None:
        for mode, button in self._modes.items():
            button.clicked.connect(lambda _, mode=mode: self._on_mode(mode))
        self.equal.toggled.connect(self._on_equal)
        self.curtain_slider.valueChanged.connect(self._on_slider)
        self.blink_rate.valueChanged.connect(self._on_rate)
        self.difference_button.clicked.connect(lambda: self.add_difference())
        self.judging.finished.connect(self._on_judged)
        self.list.itemChanged.connect(self._on_tick)
        self._judge_soon.timeout.connect(self.judge)
        self._stop_soon.timeout.connect(self.stop)
        for emitter in viewer_compat.layer_list_events(self.viewer):
            self.connections.add(emitter, self.refresh)
        self.connections.add(self.viewer.events.theme, self._follow_theme)

    def _fill(self) -> None:
        for button in self._modes.values():
            button.setCheckable(True)
        self.button.setToolTip("Two to four cubes: same camera, same band; press again to go back")
        self.curtain_button.setToolTip("The two upper ticked cubes, with an edge to drag over the image")
        self.blink_button.setToolTip("The two upper ticked cubes in turn: the eye sees every change as a movement")
        self.equal.setToolTip("All cubes in the contrast of the clean one, or of the first; else each in its own")
        self.equal.setChecked(True)
        self.difference_button.setToolTip("The lower of two ticked cubes minus the upper, in raw units")
        self.curtain_slider.setRange(0, STEPS)
        self.curtain_slider.setToolTip("The edge between both cubes; it can also be dragged in the image")
        self.blink_rate.setRange(blink.SLOWEST, blink.FASTEST)
        self.blink_rate.setSingleStep(0.5)
        self.blink_rate.setDecimals(1)
        self.blink_rate.setValue(blink.RATE)
        tell_limits(self.blink_rate)
        self.blink_rate.setSuffix(" changes a second")
        self.blink_rate.setToolTip("How often the cube changes, in changes a second")

    def _lay_out(self) -> None:
        self.curtain_row = _row(QLabel("Edge"), self.curtain_slider)
        self.blink_row = _row(QLabel("Rate"), self.blink_rate)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setSpacing(4)
        column.addWidget(QLabel("Cubes to compare"))
        column.addWidget(self.list)
        column.addWidget(_row(*self._modes.values()))
        for part in (self.curtain_row, self.blink_row, _row(self.equal, self.difference_button)):
            column.addWidget(part)
        column.addWidget(self.message)
        column.addWidget(self.judging, stretch=1)
        column.addStretch()
        for part in (self.curtain_row, self.blink_row):
            part.setVisible(False)
        scrolled(content, self)


def _row(*parts: QWidget) -> QWidget:
    """Widgets beside each other."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part, stretch=0 if isinstance(part, QLabel) else 1)
    return row


def _difference(lower: Any, upper: Any) -> tuple[Any, tuple[float, float]]:
    """The difference cube, and contrast limits that are as far from 0 on both sides."""
    cube = difference(lower, upper)
    return cube, balanced(cube)
