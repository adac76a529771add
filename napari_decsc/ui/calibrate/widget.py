"""Calibrate: a raw cube, its dark and its white reference become reflectance, which opens as a layer."""

import json
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_decsc.errors import DecscError
from napari_decsc.ui.files.open_button import READER, last_folder
from napari_decsc.ui.parts.column import scrolled
from napari_decsc.ui.parts.command import Command, in_shell, whole_path
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import Message

FIRST = "Choose a raw cube; references that lie beside it are found by their names."
#: The fields by what they are called on the command line, and what is written before them.
FIELDS = {"raw": "Raw cube", "dark": "Dark", "white": "White", "output": "Result"}
TIPS = {
    "raw": "Raw numbers of the sensor: a header, or a data file",
    "dark": "The reference with the shutter closed",
    "white": "The reference of the white panel",
    "output": "The ENVI header to write; the result opens as a layer",
}


class CalibrateWidget(Docked):
    """``finished`` comes when the command has ended."""

    finished = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.fields = {name: QLineEdit() for name in FIELDS}
        self.choose = {name: QPushButton("…") for name in FIELDS}
        self.panel, self.replace = QLineEdit("1"), QCheckBox("Replace the result if it exists")
        self.run_button, self.copy_button = PressButton("Calibrate"), QPushButton("Copy as command")
        self.message = Message()
        self.command = Command(self)
        self._said = ""
        self._describe()
        self._lay_out()
        self._connect()
        self._refresh()
        self.message.say(FIRST)

    def show_raw(self, path: Path) -> None:
        """Fill the form for a raw cube: what lies beside it is found."""
        from napari_decsc.hsi.io.capture import find_capture

        self.fields["raw"].setText(str(path))
        try:
            found = find_capture(path)
        except DecscError as error:
            self.message.complain(str(error))
            return
        for name, reference in (("dark", found.dark), ("white", found.white)):
            self.fields[name].setText("" if reference is None else str(reference))
        self.fields["output"].setText(str(found.raw.with_name(f"{found.raw.name.partition('.')[0]}_reflectance.hdr")))
        missing = " and ".join(name for name in ("dark", "white") if not self.fields[name].text())
        self.message.say(f"No {missing} reference lies beside it: choose it." if missing else "References were found.")

    def words(self) -> list[str]:
        """The command's words."""
        text = {name: whole_path(field.text().strip()) for name, field in self.fields.items()}
        words = ["calibrate", text["raw"], *([text["output"]] if text["output"] else [])]
        for name in ("dark", "white"):
            words += [f"--{name}", text[name]] if text[name] else []
        words += ["--panel", self.panel.text().strip() or "1"]
        return [*words, "--overwrite"] if self.replace.isChecked() else words

    def start(self) -> None:
        """Write reflectance, some lines at a time, beside the window."""
        self._said = ""
        self.message.say("Calibrating…")
        self.command.start([*self.words(), "--json"])
        self._refresh()

    def copy(self) -> None:
        """Put the command into the clipboard."""
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(in_shell(self.words()))
            self.message.say("Copied: it does the same in a terminal.")

    def leave(self) -> None:
        """Let go of the viewer; what is under way ends, and leaves no half a file."""
        super().leave()
        self.command.leave()

    def _on_said(self, line: str) -> None:
        self._said = line
        self.message.say(line)

    def _on_ended(self, code: int, answer: str) -> None:
        self._refresh()
        if code:
            self.message.complain(self._said.removeprefix("error: ") or "The command ended without a word.")
        else:
            self._show(json.loads(answer))
        self.finished.emit()

    def _show(self, facts: dict[str, Any]) -> None:
        dead = facts["dead_pixels"]
        self.message.say(
            f"Wrote {facts['output']}. {dead} of {facts['pixels']} pixels of the detector are dead; exposure × "
            f"{facts['exposure_ratio']:g}." + (f" {self._said}" if self._said else "")
        )
        try:
            self.viewer.open([facts["output"]], plugin=READER)
        except DecscError as error:
            self.message.complain(str(error))

    def _refresh(self, *_: Any) -> None:
        can = bool(self.fields["raw"].text().strip())
        self.run_button.setEnabled(can and not self.command.is_running)
        self.copy_button.setEnabled(can)

    def _ask(self, name: str) -> None:
        begin = self.fields[name].text() or self.fields["raw"].text() or str(last_folder())
        if name == "output":
            chosen, _ = QFileDialog.getSaveFileName(self, FIELDS[name], begin, "ENVI header (*.hdr)")
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, FIELDS[name], begin, "All (*)")
        if chosen and name == "raw":
            self.show_raw(Path(chosen))
        elif chosen:
            self.fields[name].setText(chosen)

    def _connect(self) -> None:
        for name, button in self.choose.items():
            button.clicked.connect(lambda _=False, name=name: self._ask(name))
        self.fields["raw"].textChanged.connect(self._refresh)
        self.fields["raw"].returnPressed.connect(lambda: self.show_raw(Path(self.fields["raw"].text().strip())))
        self.run_button.clicked.connect(lambda: self.start())
        self.copy_button.clicked.connect(lambda: self.copy())
        self.command.said.connect(self._on_said)
        self.command.ended.connect(self._on_ended)

    def _describe(self) -> None:
        for name, field in self.fields.items():
            field.setToolTip(TIPS[name])
            self.choose[name].setToolTip(f"Choose: {FIELDS[name].lower()}")
            self.choose[name].setMaximumWidth(34)
        self.panel.setToolTip(
            "Reflectance of the white panel: a number, or a text file with wavelength (nm) and reflectance on each line"
        )
        self.replace.setToolTip("Without this, a file that is there already is an error")
        self.run_button.setToolTip("(raw − dark) / (white − dark) × panel, exposures reckoned in; written and opened")
        self.copy_button.setToolTip("The line for a terminal that does the same")

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        form = QFormLayout()
        for name, title in FIELDS.items():
            row = QHBoxLayout()
            row.addWidget(self.fields[name])
            row.addWidget(self.choose[name])
            form.addRow(title, row)
        form.addRow("Panel", self.panel)
        column.addLayout(form)
        column.addWidget(self.replace)
        buttons = QHBoxLayout()
        buttons.addWidget(self.run_button)
        buttons.addWidget(self.copy_button)
        column.addLayout(buttons)
        column.addWidget(self.message)
        column.addStretch()
        scrolled(content, self)
