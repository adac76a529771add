"""Step and jump through the bands: by number, or by wavelength to the nearest band."""

from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.summary import unit_text
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.bands import labelled_layer, show_band, shown_band
from napari_decsc.ui.cubes.layers import cube_of
from napari_decsc.ui.parts.docked import Connections
from napari_decsc.ui.parts.limits import tell_limits
from napari_decsc.ui.parts.room import make_room

#: The number of a band that has to fit between the buttons.
WIDEST_BAND = "285"
#: The wavelength that has to.
WIDEST_WAVELENGTH = "2495.0"


class BandControl(QWidget):
    """Two fields that follow the shown band and move it; ``moved`` comes when a person moved it here."""

    moved = Signal()

    def __init__(self, viewer: Any, connections: Connections) -> None:
        super().__init__()
        self._viewer = viewer
        self.band = QSpinBox()
        self.wavelength = QDoubleSpinBox()
        self._count, self._unit = QLabel(), QLabel()
        self._lay_out()
        self.band.valueChanged.connect(self._go_to_band)
        self.wavelength.valueChanged.connect(self._go_to_wavelength)
        connections.add(viewer.dims.events.current_step, self.refresh)
        connections.add(viewer.layers.selection.events.active, self.refresh)
        for emitter in viewer_compat.layer_list_events(viewer):
            connections.add(emitter, self.refresh)
        connections.add(viewer.dims.events.nsteps, self.refresh)
        self.refresh()

    def refresh(self, event: Any = None) -> None:
        """Show the band that the slider shows."""
        layer = labelled_layer(self._viewer)
        self.setEnabled(layer is not None)
        if layer is None:
            self._count.setText("of –")
            return
        cube, band = cube_of(layer), shown_band(self._viewer, layer)
        self.band.blockSignals(True)
        self.band.setRange(1, cube.bands)
        self.band.setValue(band + 1)
        self.band.blockSignals(False)
        self._count.setText(f"of {cube.bands}")
        self._show_wavelength(cube, band)

    def _show_wavelength(self, cube: Cube, band: int) -> None:
        known = cube.wavelengths is not None and bool(np.isfinite(cube.wavelengths).any())
        self.wavelength.setVisible(known)
        self._unit.setVisible(known)
        if cube.wavelengths is None or not known:
            return
        self.wavelength.blockSignals(True)
        self.wavelength.setDecimals(4 if cube.wavelength_unit == "um" else 1)
        self._unit.setText(unit_text(cube.wavelength_unit))
        self.wavelength.setRange(float(np.nanmin(cube.wavelengths)), float(np.nanmax(cube.wavelengths)))
        self.wavelength.setSingleStep(_step(cube.wavelengths))
        self.wavelength.setValue(float(np.nan_to_num(cube.wavelengths[band])))
        self.wavelength.blockSignals(False)

    def _go_to_band(self, number: int) -> None:
        layer = labelled_layer(self._viewer)
        if layer is not None:
            show_band(self._viewer, layer, number - 1)
            self.moved.emit()

    def _go_to_wavelength(self, value: float) -> None:
        layer = labelled_layer(self._viewer)
        wavelengths = None if layer is None else cube_of(layer).wavelengths
        if layer is None or wavelengths is None:
            return
        shown = shown_band(self._viewer, layer)
        band = int(np.nanargmin(np.abs(wavelengths - value)))
        if band == shown:  # where bands lie unevenly, a step may be smaller than the distance to the next one
            band = _next(wavelengths, shown, value - float(wavelengths[shown]), self.wavelength.singleStep())
        show_band(self._viewer, layer, band)
        self.refresh()
        self.moved.emit()

    def _lay_out(self) -> None:
        self.band.setKeyboardTracking(False)
        self.wavelength.setKeyboardTracking(False)
        self.band.setToolTip("Number of the shown band, from 1; the arrow keys step")
        self.wavelength.setToolTip(
            "Wavelength of the shown band, in the cube's unit; type one to go to the nearest band"
        )
        make_room(self.band, WIDEST_BAND)
        make_room(self.wavelength, WIDEST_WAVELENGTH)
        for box in (self.band, self.wavelength):
            tell_limits(box)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for part in (QLabel("Band"), self.band, self._count, self.wavelength, self._unit):
            row.addWidget(part, stretch=0 if isinstance(part, QLabel) else 1)


def _step(wavelengths: Any) -> float:
    finite = wavelengths[np.isfinite(wavelengths)]
    return float(np.median(np.abs(np.diff(finite)))) or 1.0 if finite.size > 1 else 1.0


def _next(wavelengths: Any, shown: int, difference: float, step: float) -> int:
    """The next band in the direction of a step, or the shown one after a value was typed."""
    if not np.isclose(abs(difference), step, rtol=0.02):
        return shown
    beyond = np.where((wavelengths - wavelengths[shown]) * np.sign(difference) > 0, wavelengths, np.nan)
    return shown if np.isnan(beyond).all() else int(np.nanargmin(np.abs(beyond - wavelengths[shown])))
