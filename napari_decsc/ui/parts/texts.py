"""Texts for people: a message, and a table of scores."""

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_decsc.ui.cubes.strangers import can_take_step, stranger, why_not

#: What napari calls this plugin and its reader, in menus and dialogs.
SHOWN_NAME = "DECSC hyperspectral denoising"
#: What every form says while there is nothing to work on.
NO_CUBE = (
    "Open a cube first: with 'Open cube…' in View, or drop an ENVI header on the window and choose the reader "
    f"'{SHOWN_NAME}' where napari asks."
)
CHOOSE = "Choose a cube."
NO_SHOWN_CUBE = "No cube is shown. Tick the eye of one in the layer list, or drop an ENVI header on the window."


def nothing_to_do(viewer: Any) -> str:
    """What a form says that has no cube: how to open one, or why an image that is there is none."""
    other = stranger(viewer)
    return NO_CUBE if other is None else why_not(other) + (" View does that." if can_take_step(other) else "")


def gone(name: str, chosen: str | None) -> str:
    """What a form says when its cube was removed: nobody should denoise another one unaware."""
    return f"'{name}' was removed. " + (f"The cube is '{chosen}' now." if chosen else "Choose a cube.")


class Message(QLabel):
    """One line or two for a person; errors in the theme's error colour."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setVisible(False)
        self.is_error = False

    def say(self, text: str) -> None:
        """Show a message."""
        self._show(text, "")

    def complain(self, text: str) -> None:
        """Show an error."""
        self._show(text, "color: #e05545; font-weight: bold;")

    def _show(self, text: str, style: str) -> None:
        if style != self.styleSheet():  # a style, even the same, costs more than a text
            self.setStyleSheet(style)
        self.is_error = bool(style)
        self.setText(text)
        if self.parent() is not None and self.isHidden() == bool(text):  # alone in the world it would open as a window
            self.setVisible(bool(text))


class _WholeLabel(QLabel):
    """A label whose lines break, and that is never given less height than they need: layouts reckon with one line."""

    def setText(self, text: str | None) -> None:
        """Another text needs another height."""
        super().setText(text)
        self._make_room()

    def resizeEvent(self, event: Any) -> None:
        """Another width breaks lines elsewhere."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        self.setMinimumHeight(self.heightForWidth(self.width()) if self.text() else 0)


def scores_label() -> QLabel:
    """A label for a table of scores; long names wrap."""
    label = _WholeLabel()
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
