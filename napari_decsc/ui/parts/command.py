"""The command line beside the window: a process of its own, so that nothing it does can hold the window up."""

import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QProcess, QTimer, Signal

from napari_decsc.settings import defaults, descriptions

PROGRAM = "napari-decsc"
#: Milliseconds that a command has to end by itself after it was asked to.
PATIENCE = 3000


class Command(QObject):
    """Runs one command at a time; ``said`` carries lines for a person, ``ended`` the exit code and the answer.

    What a command writes appears whole or not at all, also when it is stopped.
    """

    said = Signal(str)
    ended = Signal(int, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._answer = ""
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._process.kill)
        self._process.readyReadStandardError.connect(self._hear)
        self._process.readyReadStandardOutput.connect(self._take)
        self._process.finished.connect(self._end)
        self._process.errorOccurred.connect(self._fail)

    @property
    def is_running(self) -> bool:
        """Whether a command goes on."""
        return bool(self._process.state() != QProcess.ProcessState.NotRunning)

    def start(self, words: Sequence[str]) -> None:
        """Begin; the words are those behind the program's name."""
        self._answer = ""
        self._process.start(sys.executable, ["-m", "napari_decsc.cli", *words])

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C does."""
        if not self.is_running:
            return
        if os.name == "posix":
            os.kill(self._process.processId(), signal.SIGINT)
        else:
            self._process.terminate()
        self._patience.start()

    def leave(self) -> None:
        """End for good: nobody is there to hear of it."""
        self.blockSignals(True)
        self.stop()
        if self.is_running and not self._process.waitForFinished(PATIENCE):
            self._process.kill()
            self._process.waitForFinished(PATIENCE)

    def _hear(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        for line in filter(None, (line.strip() for line in text.splitlines())):
            self.said.emit(line.removeprefix(f"{PROGRAM}: "))

    def _take(self) -> None:
        self._answer += bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")

    def _end(self, code: int, status: Any = None) -> None:
        self._patience.stop()
        self._hear()
        self._take()
        self.ended.emit(code, self._answer)

    def _fail(self, error: Any) -> None:
        """Of a process that never began nothing else would be heard."""
        if error == QProcess.ProcessError.FailedToStart:
            self.said.emit(f"{sys.executable} cannot be started; run the copied command in a terminal")
            self.ended.emit(1, "")


def in_shell(words: Sequence[str]) -> str:
    """The line that does the same in a shell."""
    return shlex.join([PROGRAM, *words])


def whole_path(path: str | Path) -> str:
    """A path that leads to its file from any folder, as a copied line is run anywhere; nothing for nothing."""
    return str(Path(path).absolute()) if str(path).strip() else ""


def option_words(cls: type | None, settings: Mapping[str, Any]) -> list[str]:
    """Options of the settings that are not the usual ones."""
    return [word for key, value in changed(cls, settings).items() for word in _option(key, value)]


def changed(cls: type | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are not the usual ones, with tuples as tuples; all, where nobody knows the usual ones."""
    if cls is None:
        return dict(settings)
    usual, known = defaults(cls), descriptions(cls)
    found = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    return {key: value for key, value in found.items() if key in known and value != usual[key]}


def _option(key: str, value: Any) -> list[str]:
    flag = "--" + key.replace("_", "-")
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    if isinstance(value, list | tuple):
        return [flag, *map(str, value)]
    return [flag, str(value)]
