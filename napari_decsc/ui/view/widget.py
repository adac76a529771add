"""View: open a cube, step through its bands, see it in colours, see and edit what is known of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_decsc.errors import DecscError
from napari_decsc.hsi.band_list import format_bands, parse_bands
from napari_decsc.hsi.colours import FALSE_COLOUR, TRUE_COLOUR, Choice, choose, default_bands, picture
from napari_decsc.hsi.cube import Cube, counted
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.band_label import label_bands
from napari_decsc.ui.cubes.bands import labelled_layer, shown_band
from napari_decsc.ui.cubes.layers import composite_of, cube_layers, cube_of, mark_good_bands, provenance_of
from napari_decsc.ui.files.open_button import OpenButton, ReaderOffer
from napari_decsc.ui.files.save_button import Chosen, SaveButton
from napari_decsc.ui.parts.band_control import BandControl
from napari_decsc.ui.parts.column import scrolled
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.texts import SHOWN_NAME, Message
from napari_decsc.ui.parts.worker import calculation_worker
from napari_decsc.ui.view import composite
from napari_decsc.ui.view.composite import typed
from napari_decsc.ui.view.layer_facts import LayerFacts, StrangerNote

NO_CUBE = (
    f"Open a cube with the button, or drop an ENVI header on the window and choose the reader '{SHOWN_NAME}' where "
    f"napari asks; File ▸ Open Sample ▸ {SHOWN_NAME} has a built-in one."
)


NO_BAD = "No band is marked as bad."


class ViewWidget(Docked):
    """Looks at the selected cube, or else at the topmost visible one."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.message = Message()
        self.open_button, self.offer = OpenButton(self.viewer, self.message), ReaderOffer()
        self.stranger, self.facts = StrangerNote(self.viewer), LayerFacts(self.viewer, self.message)
        self.bands = BandControl(self.viewer, self.connections)
        self.single = QPushButton("One band")
        self.true_colour = QPushButton("True colour")
        self.false_colour = QPushButton("False colour")
        self.file_colour = QPushButton("File's default")
        self.own = QLineEdit()
        self.bad = QLineEdit()
        self.shown_is_bad = QCheckBox("The shown band is bad")
        self.for_all = QCheckBox("Mark all cubes with the same bands")
        self.save_button = SaveButton(self.message, self._seen)
        self._worker: Any = None
        self._lay_out()
        self._connect()
        label_bands(self.viewer)
        self.refresh()

    def show_colours(self, choice: Choice) -> None:
        """Show three bands of the cube as red, green and blue; they are read beside the window."""
        layer = labelled_layer(self.viewer)
        if layer is None:
            return
        cube = cube_of(layer)
        self._worker = calculation_worker(picture, cube, choice.bands)
        self._worker.returned.connect(lambda image: self._add_colours(layer, cube, choice, image))
        self._worker.errored.connect(lambda error: self.message.complain(str(error)))
        self._worker.start()

    def show_one_band(self) -> None:
        """Hide the colour picture."""
        layer = labelled_layer(self.viewer)
        if layer is not None:
            composite.hide(self.viewer, layer)
            if self.viewer.layers.selection.active is composite_of(self.viewer, layer) is not None:
                self.viewer.layers.selection.active = layer
        self.single.setChecked(True)
        self.message.say("")

    def mark_bad(self, bad: NDArray[np.bool_]) -> None:
        """Mark bands as bad, shape (band,): they are left out of spectra, and written so to files."""
        layer = labelled_layer(self.viewer)
        if layer is None:
            return
        cube = cube_of(layer)
        if bad.all():
            self.message.complain("Every band would be bad; leave at least one good band.")
            self._show_bad(cube)
            return
        for other in cube_layers(self.viewer) if self.for_all.isChecked() else [layer]:
            if other is layer or _same_bands(cube, cube_of(other)):
                mark_good_bands(other, ~bad)
        self.refresh()
        count = int(bad.sum())
        is_are = "is" if count == 1 else "are"
        self.message.say(f"{count} of {counted(cube.bands, 'band')} {is_are} marked as bad." if count else NO_BAD)

    def refresh(self, event: Any = None) -> None:
        """Show what is known of the cube."""
        layer = labelled_layer(self.viewer)
        self._content.setVisible(layer is not None)
        is_strange = self.stranger.refresh()
        if layer is None:
            self.message.say("" if is_strange else NO_CUBE)
            return
        if self.message.text() == NO_CUBE:
            self.message.say("")
        cube = cube_of(layer)
        self.facts.show_layer(layer, cube)
        self.offer.consider(cube)
        self.file_colour.setEnabled(default_bands(cube) is not None)
        known = cube.wavelengths is not None
        self.own.setPlaceholderText("red, green, blue: 650, 550, 450" if known else "red, green, blue: 30, 20, 10")
        colours = composite_of(self.viewer, layer)
        if colours is None or not colours.visible:
            self.single.setChecked(True)
        self._show_bad(cube)

    def leave(self) -> None:
        """Let go of the viewer."""
        super().leave()
        self.save_button.leave()

    def _seen(self) -> Chosen | None:
        """The cube that is looked at, and how it was made."""
        layer = labelled_layer(self.viewer)
        return None if layer is None else (cube_of(layer), provenance_of(layer))

    def _add_colours(self, layer: Any, cube: Cube, choice: Choice, image: NDArray[np.uint8]) -> None:
        if self._left or layer not in self.viewer.layers:
            return
        composite.show(self.viewer, layer, cube, choice, image)
        self.viewer.layers.selection.active = layer
        label_bands(self.viewer).update()
        self.message.say(f"In colours: {choice.how}. Moving the band slider returns to one band.")

    def _show_own(self) -> None:
        layer = labelled_layer(self.viewer)
        if layer is None or not self.own.text().strip():
            return
        try:
            choice = typed(cube_of(layer), self.own.text())
        except DecscError as error:
            self.message.complain(str(error))
            return
        self._group.setExclusive(False)
        for button in self._group.buttons():
            button.setChecked(False)
        self._group.setExclusive(True)
        self.show_colours(choice)

    def _show_from(self, wanted: tuple[float, float, float]) -> None:
        layer = labelled_layer(self.viewer)
        if layer is not None:
            self.show_colours(choose(cube_of(layer), wanted))

    def _show_defaults(self) -> None:
        layer = labelled_layer(self.viewer)
        choice = None if layer is None else default_bands(cube_of(layer))
        if choice is not None:
            self.show_colours(choice)

    def _read_bad(self) -> None:
        layer = labelled_layer(self.viewer)
        if layer is None:
            return
        cube = cube_of(layer)
        try:
            bad = parse_bands(self.bad.text(), cube)
        except DecscError as error:
            self.message.complain(str(error))
            return
        if self.message.is_error:
            self.message.say("")  # what was complained of is mended, also where the bands are those of before
        if not np.array_equal(bad, _bad(cube)):
            self.mark_bad(bad)

    def _mark_shown(self, is_bad: bool) -> None:
        layer = labelled_layer(self.viewer)
        if layer is not None:
            bad = _bad(cube_of(layer))
            bad[shown_band(self.viewer, layer)] = is_bad
            self.mark_bad(bad)

    def _show_bad(self, cube: Cube) -> None:
        bad = _bad(cube)
        self.bad.setText(format_bands(bad))
        layer = labelled_layer(self.viewer)
        self.shown_is_bad.setChecked(bool(bad[shown_band(self.viewer, layer)]))

    def _on_step(self, event: Any = None) -> None:
        layer = labelled_layer(self.viewer)
        colours = None if layer is None else composite_of(self.viewer, layer)
        if colours is not None and colours.visible:
            self.show_one_band()
        self.refresh()

    def _watch(self, event: Any) -> None:
        self._watch_layer(event.value)

    def _watch_layer(self, layer: Any) -> None:
        """Its bands may become others, by the axis that is chosen or by another plugin."""
        for emitter in (layer.events.data, *viewer_compat.metadata_events(layer)):
            self.connections.add(emitter, self.refresh)

    def _connect(self) -> None:
        for emitter in (*viewer_compat.layer_list_events(self.viewer), self.viewer.layers.selection.events.active):
            self.connections.add(emitter, self.refresh)
        self.connections.add(self.viewer.layers.events.inserted, self._watch)
        for layer in self.viewer.layers:
            self._watch_layer(layer)
        self.connections.add(self.viewer.dims.events.current_step, self._on_step)
        self.bands.moved.connect(self.show_one_band)
        self.single.clicked.connect(lambda: self.show_one_band())
        self.true_colour.clicked.connect(lambda: self._show_from(TRUE_COLOUR))
        self.false_colour.clicked.connect(lambda: self._show_from(FALSE_COLOUR))
        self.file_colour.clicked.connect(lambda: self._show_defaults())
        self.own.returnPressed.connect(self._show_own)
        self.bad.editingFinished.connect(self._read_bad)
        self.shown_is_bad.clicked.connect(self._mark_shown)

    def _lay_out(self) -> None:
        self._group = QButtonGroup(self)
        for button in (self.single, self.true_colour, self.false_colour, self.file_colour):
            button.setCheckable(True)
            self._group.addButton(button)
        self.single.setChecked(True)
        self.for_all.setChecked(True)
        self._describe()
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.facts)
        column.addWidget(self.bands)
        column.addWidget(_boxed("Colours", self._colour_rows()))
        column.addWidget(_boxed("Bad bands", self._bad_rows()))
        column.addWidget(self.save_button)
        whole = QWidget()
        outer = QVBoxLayout(whole)
        for part in (self.open_button, self.offer, self.message, self.stranger, self._content):
            outer.addWidget(part)
        outer.addStretch()
        scrolled(whole, self)

    def _colour_rows(self) -> QVBoxLayout:
        rows = QVBoxLayout()
        for pair in ((self.single, self.file_colour), (self.true_colour, self.false_colour)):
            row = QHBoxLayout()
            for button in pair:
                row.addWidget(button)
            rows.addLayout(row)
        last = QFormLayout()
        last.addRow("Own", self.own)
        rows.addLayout(last)
        return rows

    def _bad_rows(self) -> QVBoxLayout:
        rows = QVBoxLayout()
        line = QFormLayout()
        line.addRow("Bands", self.bad)
        rows.addLayout(line)
        rows.addWidget(self.shown_is_bad)
        rows.addWidget(self.for_all)
        return rows

    def _describe(self) -> None:
        true, false = ((f"{a:g}, {b:g}, {c:g}") for a, b, c in (TRUE_COLOUR, FALSE_COLOUR))
        self.single.setToolTip("One band in shades of grey; the slider below the image chooses it")
        self.true_colour.setToolTip(f"The bands nearest to {true} nm as red, green and blue")
        self.false_colour.setToolTip(f"The bands nearest to {false} nm as red, green and blue: plants look red")
        self.file_colour.setToolTip("The three bands that the file's header names as default bands")
        self.own.setToolTip("Three wavelengths in the cube's unit (band numbers where it has none), then Enter")
        self.bad.setPlaceholderText("1-4, 104-110, 1350-1420 nm")
        self.bad.setToolTip("Numbers of the bad bands from 1, or ranges of wavelengths with their unit; then Enter")
        self.shown_is_bad.setToolTip("Bad bands are left out of spectra; they are written to the header when you save")
        self.for_all.setToolTip("Noisy and denoised copies of the cube are marked along with it")


def _boxed(title: str, layout: Any) -> QGroupBox:
    box = QGroupBox(title)
    box.setLayout(layout)
    return box


def _bad(cube: Cube) -> NDArray[np.bool_]:
    return np.zeros(cube.bands, bool) if cube.good_bands is None else ~cube.good_bands


def _same_bands(a: Cube, b: Cube) -> bool:
    if a.bands != b.bands:
        return False
    if a.wavelengths is None or b.wavelengths is None:
        return a.wavelengths is b.wavelengths
    return bool(np.allclose(a.wavelengths, b.wavelengths, equal_nan=True))
