"""The judgement of compared cubes: a table of scores, and a plot of one quantity band by band."""

import operator
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.compare.judged import QUANTITIES, JudgedCube, caption, tables
from napari_decsc.ui.compare.quality import Judgement, judge
from napari_decsc.ui.compare.quality_plot import Quality, QualityPlot
from napari_decsc.ui.cubes.bands import show_band, shown_band
from napari_decsc.ui.cubes.layers import clean_of, cube_of
from napari_decsc.ui.parts.docked import Connections
from napari_decsc.ui.parts.texts import Message, scores_label
from napari_decsc.ui.parts.theme import cube_colour, theme_colours
from napari_decsc.ui.parts.worker import calculation_worker

SCORING = "Scoring…"
NO_CLEAN = "No clean cube is known, so there are no scores; noise is estimated from each cube."


class Judging(QWidget):
    """Judges beside the window; ``finished`` comes when everything is shown. What went wrong goes to ``message``."""

    finished = Signal()

    def __init__(self, viewer: Any, connections: Connections, message: Message) -> None:
        super().__init__()
        self._viewer, self._message = viewer, message
        self.scores, self.quantity = scores_label(), QComboBox()
        self.plot = QualityPlot(theme_colours(viewer))
        self.judged: list[JudgedCube] = []
        # what was judged, and what is being judged: layers, their data, their clean cubes; and how often somebody asked
        self._asked: list[Any] = []
        self._waited: list[Any] = []
        self._number = 0
        self._left = False
        connections.at_end(self.leave)
        self.plot.setToolTip("Click to go to a band")
        self.plot.clicked.connect(self._on_plot_click)
        self.quantity.currentTextChanged.connect(self._show_quantity)
        connections.add(viewer.dims.events.current_step, self._mark_band)
        self._lay_out()

    def judge(self, layers: list[Any]) -> None:
        """Judge these layers' cubes; what was asked for earlier comes too late then."""
        clean = next((found for layer in layers if (found := clean_of(layer)) is not None), None)
        cleans = [clean if _is_same_cube(clean_of(layer), clean) else None for layer in layers]
        if clean is None:
            self._message.say(NO_CLEAN)
        asked = [part for layer, known in zip(layers, cleans, strict=True) for part in (layer, layer.data, known)]
        if _same(asked, self._waited):
            return  # they are being judged
        self._number += 1
        number = self._number
        if _same(asked, self._asked):
            self._show(number, layers, [one.judgement for one in self.judged], asked)
            return  # another way of looking at the same cubes
        self._asked, self._waited = [], asked
        self.scores.setText(SCORING)
        self.scores.setVisible(True)
        self._worker = calculation_worker(judge, [cube_of(layer) for layer in layers], cleans)
        self._worker.returned.connect(lambda judgements: self._show(number, layers, judgements, asked))
        self._worker.errored.connect(lambda error: self._fail(number, error))
        self._worker.start()

    def forget(self) -> None:
        """Show nothing: no cubes are chosen that could be judged together."""
        self._number += 1
        self.judged, self._asked, self._waited = [], [], []
        self._show_judged()

    def forget_removed(self) -> None:
        """What was removed from the viewer is not kept alive from here."""
        if any(one.layer not in self._viewer.layers for one in self.judged):
            self.judged, self._asked = [one for one in self.judged if one.layer in self._viewer.layers], []
            self._show_judged()

    def leave(self) -> None:
        """Let go of the viewer; a judgement that still comes is not shown."""
        self._left = True

    def captions(self) -> dict[Any, str]:
        """A line for the canvas for every judged layer."""
        return {one.layer: caption(one.judgement) for one in self.judged}

    def follow_theme(self) -> None:
        """Take over the theme's colours."""
        self.plot.set_colours(theme_colours(self._viewer))

    def _on_plot_click(self, panel: int, x: float) -> None:
        if self._marked is not None:
            show_band(self._viewer, self._marked, self.plot.band_at(x))

    def _show(self, number: int, layers: list[Any], judgements: list[Judgement], asked: list[Any]) -> None:
        if self._left or number != self._number:
            return
        self._asked, self._waited = asked, []
        self.judged = [
            JudgedCube(layer, layer.name, cube_colour(self._viewer, layer), judgement)
            for layer, judgement in zip(layers, judgements, strict=True)
        ]
        self._show_judged()
        self.finished.emit()

    def _fail(self, number: int, error: Exception) -> None:
        if not self._left and number == self._number:
            self._waited = []
            self.scores.clear()
            self._message.complain(str(error))

    def _show_judged(self) -> None:
        """Table and plot of what is judged and still there; nothing of nothing."""
        for part in (self.scores, self.quantity, self.plot):
            part.setVisible(bool(self.judged))
        if self.judged:
            self.scores.setText(tables(self.judged))
            self._offer_quantities()
            self._show_quantity()

    def _offer_quantities(self) -> None:
        """Those that at least one cube has; the chosen one stays where it can."""
        chosen = self.quantity.currentText()
        self.quantity.blockSignals(True)
        self.quantity.clear()
        for name, quantity in QUANTITIES.items():
            if any(quantity.of(one.judgement) is not None for one in self.judged):
                self.quantity.addItem(name)
                self.quantity.setItemData(self.quantity.count() - 1, quantity.help, Qt.ItemDataRole.ToolTipRole)
        self.quantity.setCurrentIndex(max(0, self.quantity.findText(chosen)))
        self.quantity.blockSignals(False)

    def _show_quantity(self, *_: Any) -> None:
        quantity = QUANTITIES[self.quantity.currentText()]
        self.quantity.setToolTip(quantity.help)
        found = [(one, quantity.of(one.judgement)) for one in self.judged]
        curves = [Quality(cube_of(one.layer), values, one.colour) for one, values in found if values is not None]
        self.plot.show_qualities(curves, quantity.label, quantity.log)
        self._mark_band()

    @property
    def _marked(self) -> Any | None:
        """A judged layer that is still there: its bands are those of the plot."""
        return next((one.layer for one in self.judged if one.layer in self._viewer.layers), None)

    def _mark_band(self, event: Any = None) -> None:
        if self._marked is not None:
            self.plot.mark(shown_band(self._viewer, self._marked))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.scores)
        column.addWidget(self.quantity)
        column.addWidget(self.plot, stretch=1)
        self.quantity.setVisible(False)
        self.plot.setVisible(False)


def _is_same_cube(one: Cube | None, other: Cube | None) -> bool:
    """Whether two cubes are of one array: every noisy copy of a layer remembers a clean cube of its own."""
    return one is not None and other is not None and one.data is other.data


def _same(some: list[Any], others: list[Any]) -> bool:
    return bool(some) and len(some) == len(others) and all(map(operator.is_, some, others))
