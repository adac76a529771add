"""The pinned spectra as a file: CSV, picture, ENVI spectral library."""

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton

from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.files import saving
from napari_decsc.ui.parts.texts import Message
from napari_decsc.ui.spectra.places import Pin
from napari_decsc.ui.spectra.plot import SpectrumPlot
from napari_decsc.ui.spectra.tables import as_csv, as_library


class ExportButton(QPushButton):
    """Asks for a name and writes; ``shown`` gives the visible cubes and the pinned places."""

    def __init__(
        self, plot: SpectrumPlot, message: Message, shown: Callable[[], tuple[Sequence[Cube], Sequence[Pin]]]
    ) -> None:
        super().__init__("Export")
        self._plot, self._message, self._shown = plot, message, shown
        self.setToolTip("The pinned spectra of all visible cubes as a file")
        menu = QMenu(self)
        menu.addAction("CSV…", self.export_csv)
        menu.addAction("Picture (PNG, SVG)…", self.export_picture)
        menu.addAction("ENVI spectral library…", self.export_library)
        self.setMenu(menu)

    def export_csv(self) -> None:
        """One line a band and place."""
        self._export("spectra.csv", "CSV (*.csv)", lambda path: saving.write_text(self.csv(), path))

    def export_picture(self) -> None:
        """PNG or SVG, as the name ends."""
        self._export("spectra.png", "Pictures (*.png *.svg)", self._plot.save)

    def export_library(self) -> None:
        """A header and a data file that ENVI and SPy open."""
        self._export("spectra.hdr", "ENVI spectral library (*.hdr *.sli)", self._write_library)

    def csv(self) -> str:
        """The text of the CSV file."""
        return as_csv(*self._shown())

    def _write_library(self, path: Path) -> Path:
        from napari_decsc.hsi.io.envi.library import write_library

        return write_library(as_library(*self._shown()), path, overwrite=True)

    def _export(self, name: str, pattern: str, write: Callable[[Path], Path]) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Export spectra", str(Path.home() / name), pattern)
        if not chosen:
            return
        try:
            self._message.say(f"Wrote {write(Path(chosen))}.")
        except DecscError as error:
            self._message.complain(str(error))
