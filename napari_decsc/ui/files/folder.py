"""Folders dropped on the window: what lies in them, and which of it a person wants to see."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QListWidgetItem, QVBoxLayout

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import counted
from napari_decsc.hsi.io.folders import Entry, listed
from napari_decsc.ui.files.asking import window

#: More cubes than these are not ticked unasked: each becomes a layer.
FEW = 4
CUBE = "cube"


def is_plain_folder(path: Path) -> bool:
    """Whether a path is a folder that is no cube by itself, as a Zarr store is one.

    Parameters
    ----------
    path : Path
        Any.

    Returns
    -------
    bool
    """
    from napari_decsc.hsi.io.files import can_open

    return path.is_dir() and not can_open(path)


def wanted_files(folder: Path) -> list[Path]:
    """Files of a folder to open: the only one, or those that a person ticks; all cubes where nobody can be asked.

    Parameters
    ----------
    folder : Path
        Of a capture, say; it and the folders in it are looked through, two floors down.

    Returns
    -------
    list of Path
        Empty where the person went back.

    Raises
    ------
    FileFormatError
        If nothing in it can be opened, or the folder cannot be read.
    """
    entries = listed(folder)
    if not entries:
        raise FileFormatError(
            f"{folder}: no cube and no spectral library in this folder, nor two floors down; drop the file itself, "
            f"or take napari's own reader for a folder of pictures"
        )
    parent = window()
    if len(entries) > 1 and parent is not None:
        return ask_which(folder, entries, parent)
    return [entry.path for entry in _cubes(entries) or entries]


def ask_which(folder: Path, entries: Sequence[Entry], parent: Any) -> list[Path]:
    """Show the list and wait; the ticked files, none where the person went back.

    Parameters
    ----------
    folder : Path
        Where they lie.
    entries : sequence of Entry
        What can be opened.
    parent : QWidget
        The window.

    Returns
    -------
    list of Path
    """
    dialog = FolderDialog(folder, entries, parent)
    is_wanted = dialog.exec()
    chosen = dialog.ticked() if is_wanted else []
    dialog.deleteLater()
    return chosen


class FolderDialog(QDialog):
    """A list of what a folder holds, with a tick for each; references and libraries come unticked."""

    def __init__(self, folder: Path, entries: Sequence[Entry], parent: Any = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open a folder")
        self.entries = list(entries)
        self.list = QListWidget()
        self.list.setToolTip("What is ticked becomes a layer, a spectral library curves; Space ticks")
        ticked = [entry.path for entry in (_cubes(entries) or entries)][:FEW]
        for entry in entries:
            self.list.addItem(_line(folder, entry, entry.path in ticked))
        self.list.setCurrentRow(0)
        self.buttons = QDialogButtonBox()
        for button in (QDialogButtonBox.StandardButton.Open, QDialogButtonBox.StandardButton.Cancel):
            self.buttons.addButton(button)
        text = QLabel(f"{folder} holds {counted(len(self.entries), 'file')} that can be opened.\n\nWhich of them?")
        text.setWordWrap(True)
        column = QVBoxLayout(self)
        for part in (text, self.list, self.buttons):
            column.addWidget(part)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.list.itemChanged.connect(lambda _: self._allow())
        self.resize(520, 360)

    def ticked(self) -> list[Path]:
        """Files with a tick, in the order of the list.

        Returns
        -------
        list of Path
        """
        items: list[Any] = [self.list.item(row) for row in range(self.list.count())]
        pairs = zip(self.entries, items, strict=True)
        return [entry.path for entry, item in pairs if item.checkState() == Qt.CheckState.Checked]

    def _allow(self) -> None:
        button: Any = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        button.setEnabled(bool(self.ticked()))


def _cubes(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.kind == CUBE]


def _line(folder: Path, entry: Entry, is_ticked: bool) -> QListWidgetItem:
    name = entry.path.relative_to(folder) if entry.path.is_relative_to(folder) else entry.path
    item = QListWidgetItem(str(name) if entry.kind == CUBE else f"{name} ({entry.kind})")
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
    item.setToolTip(str(entry.path))
    return item
