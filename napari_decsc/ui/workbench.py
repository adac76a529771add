"""DECSC workbench: all widgets laid out, with the sample ready."""

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QTabWidget, QVBoxLayout

from napari_decsc.ui.compare_widget import CompareWidget
from napari_decsc.ui.denoise_widget import DenoiseWidget
from napari_decsc.ui.docked import Docked
from napari_decsc.ui.layers import add_cube_layer, cube_layers
from napari_decsc.ui.noise_widget import NoiseWidget
from napari_decsc.ui.sample import sample_cube
from napari_decsc.ui.spectrum_widget import SpectrumWidget

SPECTRA = "Spectra"


class Workbench(Docked):
    """Add noise, denoise and compare as three tabs, the spectra below the image, and a cube to begin with."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        if not cube_layers(self.viewer):
            add_cube_layer(self.viewer, sample_cube())
        self.noise = NoiseWidget(self.viewer)
        self.denoise = DenoiseWidget(self.viewer)
        self.compare = CompareWidget(self.viewer)
        self.spectra = SpectrumWidget(self.viewer)
        self.tabs = QTabWidget()
        for widget, name in ((self.noise, "1  Noise"), (self.denoise, "2  Denoise"), (self.compare, "3  Compare")):
            self.tabs.addTab(widget, name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.tabs)
        self._dock_spectra()
        # once both docks have taken their room, the image is fitted into what is left
        self._fit = QTimer(self)
        self._fit.setSingleShot(True)
        self._fit.timeout.connect(self.viewer.reset_view)
        self._fit.start(0)

    def leave(self) -> None:
        """Let go of the viewer, with all widgets."""
        super().leave()
        for widget in (self.noise, self.denoise, self.compare):
            widget.leave()
        self.viewer.window.remove_dock_widget(self.spectra)

    def _dock_spectra(self) -> None:
        self.viewer.window.add_dock_widget(self.spectra, name=SPECTRA, area="bottom")
