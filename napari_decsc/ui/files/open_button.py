"""Opening a cube by a button that names the reader, and the offer to take this reader for headers from now on."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.files.sample import PATTERN
from napari_decsc.ui.parts.texts import SHOWN_NAME, Message

READER = "napari-decsc"
#: What napari would remember: dropped files whose name fits are opened by our reader.
HEADERS = "*.hdr"
OFFER = f"Take the reader '{SHOWN_NAME}' whenever a header (.hdr) is dropped?"
ABOUT = "Else napari asks every time which reader to take. File ▸ Preferences ▸ Plugins changes it later."


class OpenButton(QPushButton):
    """Asks for files and opens them with the reader of this plugin, whatever other readers are there."""

    def __init__(self, viewer: Any, message: Message) -> None:
        super().__init__("Open cube…")
        self._viewer, self._message = viewer, message
        self.setToolTip(f"Open ENVI, TIFF, NumPy, MATLAB, HDF5 or NetCDF files with the reader '{SHOWN_NAME}'")
        self.clicked.connect(lambda: self.ask())

    def ask(self) -> None:
        """Ask for files and open them."""
        names, _ = QFileDialog.getOpenFileNames(self, "Open cubes", str(last_folder()), f"{PATTERN};;All (*)")
        if names:
            settings().setValue("folder", str(Path(names[0]).parent))
            self.open(names)

    def open(self, names: list[str]) -> None:
        """Open files as layers; what is wrong with one is said."""
        try:
            self._viewer.open(names, plugin=READER)
        except DecscError as error:
            self._message.complain(str(error))


class ReaderOffer(QWidget):
    """Offers once to take this reader for headers; hidden unless that is worth asking."""

    def __init__(self) -> None:
        super().__init__()
        self.yes, self.no = QPushButton("Always"), QPushButton("Keep asking")
        text = QLabel(OFFER)
        text.setWordWrap(True)
        text.setToolTip(ABOUT)
        self.yes.setToolTip(f"Napari remembers the reader '{SHOWN_NAME}' for files whose name ends in .hdr")
        self.no.setToolTip("Napari asks as before, and this question does not come again")
        row = QHBoxLayout()
        for button in (self.yes, self.no):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(text)
        column.addLayout(row)
        self.yes.clicked.connect(lambda: self._answer(True))
        self.no.clicked.connect(lambda: self._answer(False))
        self.setVisible(False)

    def consider(self, cube: Cube) -> None:
        """Offer it where a cube came from a header, nobody was asked before and no reader was chosen."""
        is_header = cube.source is not None and Path(cube.source).suffix.lower() == ".hdr"
        if is_header and self.isHidden() and not _was_asked():
            self.setVisible(True)

    def _answer(self, is_wanted: bool) -> None:
        settings().setValue("asked for headers", True)
        if is_wanted:
            _remember_reader()
        self.setVisible(False)


def _remember_reader() -> None:
    """Have napari take this reader for headers, as its preferences would."""
    from napari.settings import get_settings

    plugins = get_settings().plugins
    plugins.extension2reader = {**plugins.extension2reader, HEADERS: READER}


def _was_asked() -> bool:
    """Whether a person has answered, here or in napari's preferences."""
    from napari.settings import get_settings

    return bool(settings().value("asked for headers", False)) or HEADERS in get_settings().plugins.extension2reader


def last_folder() -> Path:
    """The folder that was opened from last, or the person's own."""
    folder = Path(str(settings().value("folder", "")) or Path.home())
    return folder if folder.is_dir() else Path.home()


def settings() -> QSettings:
    """What the window remembers from one day to the next."""
    return QSettings("napari-decsc", "window")
