"""Compare: two to four cubes side by side, their scores, and their quality band by band."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from napari_decsc.hsi.errors import DecscError
from napari_decsc.hsi.metrics import Scores
from napari_decsc.ui import scoring, viewer_compat
from napari_decsc.ui.band_label import label_bands, show_band, shown_band
from napari_decsc.ui.compare import MOST, Comparison, score_all
from napari_decsc.ui.docked import Docked, Message, scores_label, scrolled
from napari_decsc.ui.layers import clean_of, cube_layers, cube_of
from napari_decsc.ui.quality_plot import Quality, QualityPlot
from napari_decsc.ui.theme import cube_colour, theme_colours
from napari_decsc.ui.worker import calculation_worker


class CompareWidget(Docked):
    """Tick cubes, press Compare; press again to see everything as it was. ``scored`` comes when scores are shown."""

    scored = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.list = QListWidget()
        self.button = QPushButton("Compare side by side")
        self.message = Message()
        self.scores = scores_label()
        self.plot = QualityPlot(theme_colours(self.viewer))
        self.comparison: Comparison | None = None
        self._layers: list[Any] = []
        self._scored: list[Any] = []
        self._lay_out()
        self._connect()
        label_bands(self.viewer)
        self.refresh()

    def ticked(self) -> list[Any]:
        """The ticked layers, from bottom to top."""
        rows = range(self.list.count())
        return [self._layers[row] for row in rows if self.list.item(row).checkState() == Qt.CheckState.Checked]

    def tick(self, layers: Sequence[Any]) -> None:
        """Tick these layers and no others."""
        for row, layer in enumerate(self._layers):
            state = Qt.CheckState.Checked if layer in layers else Qt.CheckState.Unchecked
            self.list.item(row).setCheckState(state)

    def start(self) -> None:
        """Show the ticked cubes side by side and score them where a clean cube is known."""
        layers = self.ticked()
        try:
            # the clean cube's contrast shows best what noise adds and what denoising takes away
            contrast_of = next((layer for layer in layers if clean_of(layer) is None), layers[0] if layers else None)
            self.comparison = Comparison(self.viewer, layers, contrast_of)
        except DecscError as error:
            self.message.complain(str(error))
            self.button.setChecked(False)
            return
        self.message.say("")
        self.button.setChecked(True)
        self._score(layers)

    def stop(self) -> None:
        """Show everything as it was before."""
        if self.comparison is not None:
            self.comparison.leave()
            self.comparison = None
        self.button.setChecked(False)

    def leave(self) -> None:
        """Let go of the viewer."""
        super().leave()
        self.stop()

    def refresh(self, event: Any = None) -> None:
        """Read the layer list anew; ticks stay. While there are at most four cubes, new ones are ticked."""
        unticked = set(self._layers) - set(self.ticked())
        self._layers = cube_layers(self.viewer)
        if self.comparison is not None and not set(self.comparison.layers) <= set(self._layers):
            self.stop()
        self.list.clear()
        for layer in self._layers:
            item = QListWidgetItem(layer.name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            is_ticked = layer not in unticked and len(self._layers) <= MOST
            item.setCheckState(Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.setFixedHeight(8 + self.list.sizeHintForRow(0) * min(8, max(2, len(self._layers))))
        self.button.setEnabled(len(self._layers) > 1)
        if len(self._layers) < 2:
            self.message.say("Two cubes are needed: add noise to one, or denoise one.")
        elif not self.message.is_error:
            self.message.say("")

    def _score(self, layers: list[Any]) -> None:
        clean = next((found for layer in layers if (found := clean_of(layer)) is not None), None)
        self._scored = [layer for layer in layers if clean is not None and clean_of(layer) is clean]
        self.scores.clear()
        self.plot.show_qualities(())
        self.plot.setVisible(bool(self._scored))
        if not self._scored:
            self.message.say("No clean cube is known for these, so there are no scores.")
            self.scored.emit()
            return
        self._worker = calculation_worker(score_all, clean, [cube_of(layer) for layer in self._scored])
        self._worker.returned.connect(self._show_scores)
        self._worker.errored.connect(self._on_error)
        self._worker.start()

    def _show_scores(self, scores: list[Scores]) -> None:
        if self._left:
            return
        rows, qualities = [], []
        for layer, one in zip(self._scored, scores, strict=True):
            colour = cube_colour(self.viewer, layer)
            rows.append((layer.name, one))
            qualities.append(Quality(cube_of(layer), one.band_psnr, colour))
        self.scores.setText(scoring.table(rows, [quality.colour for quality in qualities]))
        self.plot.show_qualities(qualities)
        self._mark_band()
        self.scored.emit()

    def _on_error(self, error: Exception) -> None:
        self.message.complain(str(error))

    def _on_plot_click(self, event: Any) -> None:
        if event.inaxes is not None and event.xdata is not None and self._scored:
            show_band(self.viewer, self._scored[0], self.plot.band_at(event.xdata))

    def _mark_band(self, event: Any = None) -> None:
        if self._scored and self._scored[0] in self.viewer.layers:
            self.plot.mark(shown_band(self.viewer, self._scored[0]))

    def _follow_theme(self, event: Any = None) -> None:
        self.plot.set_colours(theme_colours(self.viewer))

    def _on_button(self, is_checked: bool) -> None:
        if is_checked and self.comparison is None:
            self.start()
        elif not is_checked:
            self.stop()

    def _connect(self) -> None:
        self.button.clicked.connect(self._on_button)
        for emitter in viewer_compat.layer_list_events(self.viewer):
            self.connections.add(emitter, self.refresh)
        self.connections.add(self.viewer.dims.events.current_step, self._mark_band)
        self.connections.add(self.viewer.events.theme, self._follow_theme)
        self.plot.mpl_connect("button_press_event", self._on_plot_click)

    def _lay_out(self) -> None:
        self.button.setCheckable(True)
        self.button.setToolTip("Same camera, same band, same contrast; press again to go back")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.plot.setToolTip("Click to go to a band")
        self.plot.setVisible(False)
        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(QLabel("Cubes to compare"))
        for part in (self.list, self.button, self.message, self.scores):
            column.addWidget(part)
        column.addWidget(self.plot, stretch=1)
        column.addStretch()
        scrolled(content, self)
