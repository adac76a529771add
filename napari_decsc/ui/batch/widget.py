"""Batch: many files into one folder, by the command line beside the window; what it found of each stands in a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QFileDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
)

from napari_decsc import registry
from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import counted
from napari_decsc.settings import as_dict
from napari_decsc.ui.batch.report import HEADINGS, Row, rows_of
from napari_decsc.ui.cubes.layers import free_name
from napari_decsc.ui.files.open_button import READER, last_folder
from napari_decsc.ui.files.sample import PATTERN
from napari_decsc.ui.parts.column import fields, in_a_row, lay_out
from napari_decsc.ui.parts.command import Command, in_shell, option_words, whole_path
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.press_button import PressButton
from napari_decsc.ui.parts.texts import Message

#: A method and its settings.
Recipe = tuple[str, Any]
FIRST = "Add files or folders, choose where the results go, press Start. It runs beside the window."
STOPPED = "Stopped. Start goes on: what is done stays done."


def usual() -> Recipe:
    """The first method with its usual settings."""
    name = next(iter(registry.METHODS))
    return name, registry.METHODS[name].settings()


class BatchWidget(Docked):
    """``finished`` comes when the command has ended. ``recipe`` says with which method and settings."""

    finished = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.recipe: Callable[[], Recipe] = usual
        self.inputs, self.folder = QListWidget(), QLineEdit()
        self.files_button, self.folder_button = QPushButton("Add files…"), QPushButton("Add folder…")
        self.remove_button, self.into_button = QPushButton("Remove"), QPushButton("…")
        self.replace, self.how = QCheckBox("Replace results of other settings"), QLabel()
        self.run_button = PressButton("Start")
        self.stop_button = PressButton("Stop", partner=self.run_button)
        self.copy_button = QPushButton("Copy as command")
        self.table = QTableWidget(0, len(HEADINGS))
        self.message = Message()
        self.rows: list[Row] = []
        self.command = Command(self)
        self._is_stopped, self._said = False, ""
        self._describe()
        self._lay_out()
        self._connect()
        self._refresh()
        self.message.say(FIRST)

    def add(self, *paths: Path) -> None:
        """Put files or folders on the list; none twice."""
        known = {self.inputs.item(row).text() for row in range(self.inputs.count())}  # type: ignore[union-attr]
        self.inputs.addItems([name for name in dict.fromkeys(whole_path(path) for path in paths) if name not in known])
        self._refresh()

    def words(self) -> list[str]:
        """The command's words.

        Raises
        ------
        SettingsError
            If a setting is out of its range.
        """
        method, settings = self.recipe()
        paths = [self.inputs.item(row).text() for row in range(self.inputs.count())]  # type: ignore[union-attr]
        words = ["batch", *paths, "--out", whole_path(self.folder.text()), "--method", method]
        words += option_words(registry.METHODS[method].settings, as_dict(settings))
        return [*words, "--overwrite"] if self.replace.isChecked() else words

    def start(self) -> None:
        """Begin, or go on with what is not done yet."""
        try:
            words = self.words()
        except DecscError as error:
            self.message.complain(str(error))
            return
        self._is_stopped, self._said = False, ""
        self.message.say("Beginning…")
        self.command.start(words)
        self._refresh()

    def stop(self) -> None:
        """End after what was written so far; the cube under way will be done anew."""
        self._is_stopped = True
        self.command.stop()

    def copy(self) -> None:
        """Put the command into the clipboard."""
        clipboard = QApplication.clipboard()
        try:
            line = in_shell(self.words())
        except DecscError as error:
            self.message.complain(str(error))
            return
        if clipboard is not None:
            clipboard.setText(line)
            self.message.say("Copied: it does the same in a terminal.")

    def open_row(self, number: int) -> None:
        """Open a cube and its result as layers."""
        row = self.rows[number]
        if not row.can_be_opened:
            self.message.complain(row.verdict or f"{row.source.name} has no result yet.")
            return
        try:
            opened = self.viewer.open([str(row.source), str(row.output)], plugin=READER)
        except DecscError as error:
            self.message.complain(str(error))
            return
        if len(opened) == 2:  # both files have one name, in two folders
            before, after = opened
            after.name = free_name(self.viewer, f"denoised · {before.name}")

    def leave(self) -> None:
        """Let go of the viewer. What is under way ends; the same command goes on later."""
        super().leave()
        self.command.leave()

    def _show_report(self) -> None:
        """Fill the table from the report in the folder."""
        rows = rows_of(Path(self.folder.text())) if self.folder.text() else []
        if rows == self.rows:
            return
        self.rows = rows
        self.table.setRowCount(len(self.rows))
        for number, entry in enumerate(self.rows):
            for col, text in enumerate(entry.texts):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{entry.source}\n{entry.verdict}")
                self.table.setItem(number, col, item)

    def _tell(self, number: int) -> None:
        """Say the whole verdict of the chosen cube."""
        if 0 <= number < len(self.rows) and not self.command.is_running:
            entry = self.rows[number]
            (self.message.complain if entry.state == "failed" else self.message.say)(entry.verdict)

    def _on_said(self, line: str) -> None:
        self._said = line
        self.message.say(line)
        self._show_report()

    def _on_ended(self, code: int, answer: str) -> None:
        self._show_report()
        states = [row.state for row in self.rows]
        done, failed = states.count("done"), states.count("failed")
        if self._is_stopped:
            self.message.say(STOPPED)
        elif code and not failed:  # it ended before any cube
            self.message.complain(self._said.removeprefix("error: ") or "The command ended without a word.")
        else:
            suspect = sum(not row.is_clean and row.state == "done" for row in self.rows)
            found = f"{counted(done, 'cube')} done" + (f", {failed} failed" if failed else "")
            look = f"; {suspect} to be looked at: not all that was removed looks like noise" if suspect else ""
            (self.message.complain if failed else self.message.say)(f"{found}{look}. A double click opens one.")
        self._refresh()
        self.finished.emit()

    def _refresh(self, *_: Any) -> None:
        is_running = self.command.is_running
        can = bool(self.inputs.count()) and bool(self.folder.text().strip())
        self.run_button.setEnabled(can and not is_running)
        self.copy_button.setEnabled(can)
        self.stop_button.setEnabled(is_running)
        for field in (self.inputs, self.files_button, self.folder_button, self.folder, self.into_button, self.replace):
            field.setEnabled(not is_running)
        self.remove_button.setEnabled(not is_running and self.inputs.currentRow() >= 0)
        self.show_recipe()

    def show_recipe(self) -> None:
        """Say with which method, and how many settings are not the usual ones."""
        try:
            method, settings = self.recipe()
        except DecscError as error:
            self.how.setText(str(error))
            return
        changes = option_words(registry.METHODS[method].settings, as_dict(settings))
        self.how.setText(f"{method}, {' '.join(changes) if changes else 'usual settings'} (set in Denoise)")

    def showEvent(self, event: Any) -> None:
        """The settings may have become others meanwhile."""
        super().showEvent(event)
        self._refresh()

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Cubes", str(last_folder()), f"{PATTERN};;All (*)")
        self.add(*map(Path, names))

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "A folder of cubes", str(last_folder()))
        if name:
            self.add(Path(name))

    def _ask_into(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Where the results go", self.folder.text() or str(last_folder()))
        if name:
            self.folder.setText(name)

    def _remove(self) -> None:
        self.inputs.takeItem(self.inputs.currentRow())
        self._refresh()

    def _connect(self) -> None:
        self.files_button.clicked.connect(self._ask_files)
        self.folder_button.clicked.connect(self._ask_folder)
        self.into_button.clicked.connect(self._ask_into)
        self.remove_button.clicked.connect(self._remove)
        self.inputs.currentRowChanged.connect(self._refresh)
        self.folder.textChanged.connect(self._refresh)
        self.folder.textChanged.connect(self._show_report)
        self.run_button.clicked.connect(lambda: self.start())
        self.stop_button.clicked.connect(lambda: self.stop())
        self.copy_button.clicked.connect(lambda: self.copy())
        self.table.currentCellChanged.connect(lambda row, *_: self._tell(row))
        self.table.cellActivated.connect(lambda row, _: self.open_row(row))
        self.command.said.connect(self._on_said)
        self.command.ended.connect(self._on_ended)

    def _describe(self) -> None:
        self.inputs.setToolTip("Cubes, and folders of which every cube is taken")
        self.inputs.setAccessibleName("Cubes")
        self.inputs.setMaximumHeight(58)
        self.files_button.setToolTip("Put files on the list")
        self.folder_button.setToolTip("Put a folder on the list: every cube in it, references left out")
        self.remove_button.setToolTip("Take the chosen line from the list; no file is touched")
        self.folder.setToolTip("Results and report.json go there; a folder with a report shows its table")
        self.folder.setPlaceholderText("folder of the results")
        self.into_button.setToolTip("Choose the folder")
        self.into_button.setMaximumWidth(34)
        self.how.setWordWrap(True)
        self.replace.setToolTip("Cubes whose result was made with other settings, or by no batch, are made anew")
        self.run_button.setToolTip("Denoise one after the other; cubes that are done and unchanged are skipped")
        self.stop_button.setToolTip("Stop; Start goes on where it was")
        self.copy_button.setToolTip("The line for a terminal that does the same, also without a window")
        self.table.setToolTip("What is done; a click says the verdict, a double click or Enter opens cube and result")
        self.table.setAccessibleName("Verdicts")
        self.table.setHorizontalHeaderLabels(HEADINGS)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        self.table.setStyleSheet("font-size: 8pt;")
        self.table.setWordWrap(False)
        self.table.setMinimumHeight(90)
        self.table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        across, down = self.table.horizontalHeader(), self.table.verticalHeader()
        assert across is not None
        assert down is not None  # Qt makes both with the table
        down.setVisible(False)
        down.setDefaultSectionSize(self.fontMetrics().height() + 4)
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        across.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def _lay_out(self) -> None:
        files = in_a_row(self.files_button, self.folder_button, self.remove_button)
        form = fields({"Into": in_a_row(self.folder, self.into_button), "With": self.how})
        buttons = in_a_row(self.run_button, self.stop_button, self.copy_button)
        lay_out(self, files, self.inputs, form, self.replace, buttons, self.message, self.table, tall=self.table)
