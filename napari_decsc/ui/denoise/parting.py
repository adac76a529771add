"""A run whose panel was closed: it goes on, and a person says what becomes of it."""

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_decsc.ui.denoise.run import DenoiseRun, Result

QUESTION = "The panel is closed, and its run goes on. Shall it be finished? Its result stays in the layer list."
#: Its answers.
FINISH = "Finish it"
GIVE_UP = "Give it up"

#: Runs without a panel, kept until they are over.
_going_on: list[DenoiseRun] = []


def ask_soon(run: DenoiseRun, window: Any) -> None:
    """Keep a run whose panel goes, and ask with the window's next turn; it ends with the window in any case."""
    run.setParent(None)
    _going_on.append(run)
    run.finished.connect(lambda: _forget(run))
    # the bound methods of the worker: by then the run may be over
    window.destroyed.connect(run.worker.quit)
    application = QApplication.instance()
    if application is not None:
        application.aboutToQuit.connect(run.worker.quit)
    run.succeeded.connect(_tell)
    run.failed.connect(_tell_failure)
    QTimer.singleShot(0, lambda: _ask(run, window))


def is_to_be_finished(window: Any) -> bool:
    """Ask the person."""
    box = QMessageBox(QMessageBox.Icon.Question, "Denoise", QUESTION, parent=window)
    finish = box.addButton(FINISH, QMessageBox.ButtonRole.AcceptRole)
    box.addButton(GIVE_UP, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(finish)
    box.setEscapeButton(finish)  # nothing is thrown away without a word
    box.exec_() if hasattr(box, "exec_") else box.exec()
    return box.clickedButton() is finish


def _ask(run: DenoiseRun, window: Any) -> None:
    if run in _going_on and not is_to_be_finished(window) and run in _going_on:
        run.abandon()


def _forget(run: DenoiseRun) -> None:
    if run in _going_on:
        _going_on.remove(run)
        run.deleteLater()


def _tell(result: Result) -> None:
    from napari.utils.notifications import show_info

    show_info(f"'{result.layer.name}' is finished; its panel was closed before.")


def _tell_failure(text: str) -> None:
    from napari.utils.notifications import show_error

    show_error(f"The run whose panel was closed failed. {text}")
