"""What was done in this window, step by step; each can be copied as a command or as Python, and both run."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QApplication,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
)

from napari_decsc.errors import SettingsError
from napari_decsc.ui.cubes.layers import is_cube_layer, is_difference, provenance_of
from napari_decsc.ui.cubes.lineage import DENOISING, Lineage, described, from_description
from napari_decsc.ui.cubes.origin import lineage_of
from napari_decsc.ui.history.recipe import as_command, as_python, title
from napari_decsc.ui.parts.column import in_a_row, lay_out
from napari_decsc.ui.parts.docked import Docked
from napari_decsc.ui.parts.texts import Message

EMPTY = "Nothing was done yet: open a cube, add noise to it, denoise it."


@dataclass(frozen=True, eq=False)
class Entry:
    """A step, when it was done ("14:02"), what to call it, and how it came about or why nobody knows."""

    when: str
    title: str
    lineage: Lineage | None
    why_not: str = ""


class HistoryPanel(Docked):
    """``save_wanted`` and ``open_wanted`` ask for a session to be saved or opened."""

    save_wanted = Signal()
    open_wanted = Signal()

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.entries: list[Entry] = []
        self._is_muted = False
        self.list, self.words = QListWidget(), QLabel()
        self.command_button, self.python_button = QPushButton("Copy as command"), QPushButton("Copy as Python")
        self.save_button, self.open_button = QPushButton("Save session…"), QPushButton("Open session…")
        self.message = Message()
        self._lay_out()
        self._describe()
        self.list.currentRowChanged.connect(self._show)
        self.command_button.clicked.connect(lambda: self.copy(as_command))
        self.python_button.clicked.connect(lambda: self.copy(as_python))
        self.save_button.clicked.connect(self.save_wanted)
        self.open_button.clicked.connect(self.open_wanted)
        self.connections.add(self.viewer.layers.events.inserted, self._on_inserted)
        for layer in self.viewer.layers:
            self.note(layer)
        self._show()

    def note(self, layer: Any, seconds: float | None = None) -> None:
        """Take note of how a layer came about."""
        if not is_cube_layer(layer) or is_difference(layer):
            return
        try:
            lineage: Lineage | None = (known := lineage_of(layer))
            words, why_not = title(known), ""
        except SettingsError as error:
            lineage, words, why_not = None, layer.name, str(error)
        took = "" if seconds is None else f" · {seconds:.1f} s"
        self._add(Entry(time.strftime("%H:%M"), words + took, lineage, why_not))

    def copy(self, form: Callable[[Lineage], str]) -> None:
        """Put the chosen step into the clipboard, in a form."""
        entry = self._chosen()
        if entry is None or entry.lineage is None:
            return
        try:
            text = form(entry.lineage)
        except SettingsError as error:
            self.message.complain(str(error))
            return
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
        self.words.setText(text)
        self.message.say("Copied. It does the step again, from the file on.")

    def described(self) -> list[dict[str, Any]]:
        """The steps ready for JSON."""
        return [
            {"when": one.when, "title": one.title, "recipe": described(one.lineage)}
            for one in self.entries
            if one.lineage is not None
        ]

    def restore(self, found: list[dict[str, Any]]) -> None:
        """Put steps of an earlier session before those of this one; what is there or cannot be read is left out."""
        there = self.described()
        mine, self.entries = self.entries, []
        self.list.clear()
        for one in found:
            if one in there:
                continue
            try:
                self._add(Entry(str(one["when"]), str(one["title"]), from_description(one["recipe"])))
            except (KeyError, TypeError, SettingsError):
                continue
        for entry in mine:
            self._add(entry)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Take no note of layers that come meanwhile: they are what an earlier session left."""
        self._is_muted = True
        try:
            yield
        finally:
            self._is_muted = False

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        item = QListWidgetItem(f"{entry.when}  {entry.title}")
        item.setToolTip(entry.why_not or entry.title)
        self.list.addItem(item)
        self.list.setCurrentRow(self.list.count() - 1)

    def _on_inserted(self, event: Any) -> None:
        # a run that goes on says so itself when it is done
        if not self._is_muted and is_cube_layer(event.value) and provenance_of(event.value).get(DENOISING, True):
            self.note(event.value)

    def _chosen(self) -> Entry | None:
        row = self.list.currentRow()
        return self.entries[row] if 0 <= row < len(self.entries) else None

    def _show(self, *_: Any) -> None:
        entry = self._chosen()
        can = entry is not None and entry.lineage is not None
        self.command_button.setEnabled(can)
        self.python_button.setEnabled(can)
        self.words.clear()
        if entry is None:
            self.message.say(EMPTY)
        else:
            self.message.say(entry.why_not)

    def _describe(self) -> None:
        self.list.setToolTip("What was done, the newest last")
        self.list.setAccessibleName("History")
        self.command_button.setToolTip("Lines for a shell that do this step again, with napari-decsc")
        self.python_button.setToolTip("A script that does this step again")
        self.save_button.setToolTip("Write layers (by path), pins, regions, settings, results and this list to a file")
        self.open_button.setToolTip("Open what was saved; it comes beside what is open")
        self.words.setWordWrap(True)
        self.words.setStyleSheet("font-family: monospace; font-size: 8pt;")
        self.words.setToolTip("What was copied")

    def _lay_out(self) -> None:
        buttons = in_a_row(self.command_button, self.python_button), in_a_row(self.save_button, self.open_button)
        lay_out(self, self.list, *buttons, self.message, self.words, tall=self.list)
