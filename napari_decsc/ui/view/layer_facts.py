"""What is known of the cube that is looked at, and what a person may set right: its band axis and its no-data value."""

import html
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_decsc.denoising import provenance
from napari_decsc.hsi.cube import Cube, size_in_words
from napari_decsc.ui.cubes.layers import cube_of, provenance_of, set_no_data
from napari_decsc.ui.cubes.strangers import can_take_step, stranger, take_step, why_not
from napari_decsc.ui.cubes.turning import AXES, axis_sizes, can_be_turned, is_confirmed, turn, turned
from napari_decsc.ui.parts.texts import Message

#: Points of the small letters in which a cube's history stands.
SMALL = "font-size: 8pt;"


class LayerFacts(QWidget):
    """Name, size and history of a cube; its band axis where nothing says which one it is; its no-data value."""

    def __init__(self, viewer: Any, message: Message) -> None:
        super().__init__()
        self._viewer, self._message = viewer, message
        self._layer: Any = None
        self.name, self.made_by, self.unsure = QLabel(), QLabel(), QLabel()
        self.axis, self.no_data = QComboBox(), QLineEdit()
        self._rows, self._axis_label = QFormLayout(), QLabel("Bands along")
        self._lay_out()
        self.axis.activated.connect(self._turn)
        self.no_data.editingFinished.connect(self._read_no_data)

    def show_layer(self, layer: Any, cube: Cube) -> None:
        """Show what is known of a layer's cube."""
        self._layer = layer
        self.name.setText(_facts(cube))
        made_by = provenance_of(layer)
        self.made_by.setText(provenance.sentence(made_by))
        self.made_by.setToolTip("\n".join(provenance.lines(made_by)))
        self.made_by.setVisible(bool(made_by))
        if not self.no_data.hasFocus() or not self.no_data.isModified():
            self.no_data.setText("" if cube.no_data is None else f"{cube.no_data:.10g}")
        self._show_axis(layer)

    def _show_axis(self, layer: Any) -> None:
        may_turn = can_be_turned(layer)
        self.unsure.setVisible(may_turn and not is_confirmed(layer))
        for part in (self.axis, self._axis_label):
            part.setVisible(may_turn)
        if may_turn:
            self.axis.clear()
            self.axis.addItems([f"{name} ({count})" for name, count in zip(AXES, axis_sizes(layer), strict=True)])
            self.axis.setCurrentIndex(turned(layer))

    def _turn(self, axis: int) -> None:
        if self._layer is not None and self._layer in self._viewer.layers:
            turn(self._layer, axis)
            self._message.say(f"The {AXES[axis]} counts the bands.")

    def _read_no_data(self) -> None:
        layer, text = self._layer, self.no_data.text().strip()
        if layer is None or layer not in self._viewer.layers:
            return
        try:
            value = float(text) if text else None
        except ValueError:
            self._message.complain(f"The no-data value is {text!r}; write one number, such as -9999, or nothing")
            return
        if self._message.is_error:
            self._message.say("")
        if value != cube_of(layer).no_data:
            set_no_data(layer, value)
            self._message.say(_counted(cube_of(layer)))

    def _lay_out(self) -> None:
        for label in (self.name, self.made_by, self.unsure):
            label.setWordWrap(True)
        self.made_by.setStyleSheet(SMALL)
        self.made_by.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.made_by.setTextFormat(Qt.TextFormat.PlainText)
        self.unsure.setText("<b>Which axis counts the bands?</b> Neither a wavelength nor a file says so.")
        self.axis.setToolTip("The axis of the array that counts the bands, in the order in which the axes came")
        self.no_data.setToolTip("The raw value that means 'not measured'; empty for none; then Enter")
        self.no_data.setPlaceholderText("none")
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.addRow(self._axis_label, self.axis)
        self._rows.addRow("No data", self.no_data)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for label in (self.name, self.made_by, self.unsure):
            column.addWidget(label)
        column.addLayout(self._rows)


class StrangerNote(QWidget):
    """Says why the image that is looked at is no cube; one step of a series can be taken."""

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.text, self.button = QLabel(), QPushButton("Take this step")
        self.text.setWordWrap(True)
        self.button.setToolTip("The step that the sliders show becomes a layer of three axes, which can be denoised")
        self.button.clicked.connect(lambda: self._take())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.text, self.button):
            column.addWidget(part)
        self.refresh()

    def refresh(self) -> bool:
        """Whether there is such an image."""
        layer = stranger(self._viewer)
        self.setVisible(layer is not None)
        self.text.setText("" if layer is None else why_not(layer))
        self.button.setVisible(layer is not None and can_take_step(layer))
        return layer is not None

    def _take(self) -> None:
        layer = stranger(self._viewer)
        if layer is not None and can_take_step(layer):
            self._viewer.layers.selection.active = take_step(self._viewer, layer)


def _facts(cube: Cube) -> str:
    return f"<b>{html.escape(cube.name)}</b><br>{size_in_words(cube.shape)} · {cube.data.dtype}"


def _counted(cube: Cube) -> str:
    """How many values of the middle band have the no-data value, so that a wrong one is seen at once."""
    if cube.no_data is None:
        return "Every value counts as measured."
    band = cube.bands // 2
    values = Cube(np.asarray(cube.data[band : band + 1]), no_data=cube.no_data).physical()
    share = 100 * float(np.mean(~np.isfinite(values)))
    return f"{share:.3g} % of band {band + 1} has no data."
