"""Opening a file that does not say all: a person is asked, and where there is none the error says what to choose."""

from pathlib import Path
from typing import Any

from napari_decsc.errors import AmbiguousFileError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.turning import AXES, axis_sizes, is_confirmed, likely_axis, turn

#: The question for each option of ``open_cube``.
QUESTIONS = {"variable": "Which of them is the cube?", "band_axis": "Which axis counts the bands?"}


def open_asking(path: str | Path) -> tuple[Cube, dict[str, Any]] | None:
    """The cube in a file and what was chosen for it, or None where the person who was asked did not choose.

    Raises
    ------
    AmbiguousFileError
        If something has to be chosen and no window is there to ask in.
    FileFormatError
        If the file cannot be read.
    """
    from napari_decsc.hsi.io.files import open_cube

    chosen: dict[str, Any] = {}
    while True:
        try:
            return open_cube(path, **chosen), chosen
        except AmbiguousFileError as question:
            parent = window()
            if parent is None or question.option in chosen:
                raise
            answer = ask(question, parent)
            if answer is None:
                return None
            chosen[question.option] = answer


def ask(question: AmbiguousFileError, parent: Any) -> str | None:
    """Show the choices in a dialog; the chosen one, or None if the person went back."""
    from qtpy.QtWidgets import QInputDialog

    shown = list(AXES) if question.option == "band_axis" else list(question.choices)
    # what an option is called in a program is no concern of a window
    text = f"{str(question).rpartition(';')[0]}.\n\n{QUESTIONS[question.option]}"
    item, is_chosen = QInputDialog.getItem(parent, "Open a cube", text, shown, 0, False)
    return question.choices[shown.index(item)] if is_chosen else None


def settle_axis(layer: Any) -> bool:
    """Ask which axis of a layer counts the bands where nothing says so; whether work on it may go on.

    A person is asked once for each layer; where no window is there to ask in, the first axis is taken.
    """
    from qtpy.QtWidgets import QInputDialog

    parent = window()
    if layer is None or parent is None or is_confirmed(layer):
        return True
    sizes = [f"{name} ({size})" for name, size in zip(AXES, axis_sizes(layer), strict=True)]
    text = f"No wavelength says which axis of '{layer.name}' counts the bands.\n\n{QUESTIONS['band_axis']}"
    item, is_chosen = QInputDialog.getItem(parent, "Bands", text, sizes, likely_axis(layer), False)
    if is_chosen:
        turn(layer, sizes.index(item))
    return bool(is_chosen)


def window() -> Any | None:
    """The window of napari that a person sees, or None."""
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        return None
    shown = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    return next((widget for widget in shown if widget.inherits("QMainWindow")), None)
