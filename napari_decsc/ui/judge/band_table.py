"""The ranked bands as a table: a click shows the band, the table exports."""

from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_decsc.ui.judge.ranking import HEADINGS, BandNoise

#: Rows that are filled in: a longer table is for the file.
MOST = 400


class BandTable(QTableWidget):
    """``chosen`` carries the index of the band that a person clicked, or went to with the keys."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__(0, len(HEADINGS))
        self.bands: tuple[BandNoise, ...] = ()
        self.setHorizontalHeaderLabels(HEADINGS)
        across, down = self.horizontalHeader(), self.verticalHeader()
        assert across is not None
        assert down is not None  # Qt makes both with the table
        down.setVisible(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        across.setStretchLastSection(True)
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        down.setDefaultSectionSize(self.fontMetrics().height() + 4)
        self.setMinimumHeight(84)
        self.setStyleSheet("font-size: 8pt;")
        self.setToolTip("All bands, the noisiest first; a click shows the band")
        self.setAccessibleName("Bands by their noise")
        self.currentCellChanged.connect(self._tell)

    def show_bands(self, bands: Sequence[BandNoise]) -> None:
        """Fill the table."""
        self.blockSignals(True)
        self.bands = tuple(bands)
        self.setRowCount(min(MOST, len(bands)))
        for row, one in enumerate(self.bands[:MOST]):
            for col, text in enumerate(_texts(one)):
                item = QTableWidgetItem(text)
                if col < len(HEADINGS) - 1:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setToolTip(one.reason or "nothing speaks against this band")
                self.setItem(row, col, item)
        self.setColumnHidden(1, not any(np.isfinite(one.wavelength) for one in bands))
        self.blockSignals(False)

    def _tell(self, row: int, *_: int) -> None:
        if 0 <= row < len(self.bands):
            self.chosen.emit(self.bands[row].band)


def _texts(one: BandNoise) -> tuple[str, ...]:
    numbers = (f"{one.wavelength:.5g}", f"{one.level:.3g}", f"{one.snr:.1f}")
    known = ("–" if "nan" in number or "inf" in number else number for number in numbers)
    return (str(one.band + 1), *known, one.short)
