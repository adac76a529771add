"""Texts for people: a message, and a table of scores."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

#: What every form says while there is nothing to work on.
NO_CUBE = "Open a cube first: drop an ENVI header on the window, or take File ▸ Open Sample ▸ napari-decsc."
CHOOSE = "Choose a cube."
NO_SHOWN_CUBE = "No cube is shown. Tick the eye of one in the layer list, or drop an ENVI header on the window."


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


def scores_label() -> QLabel:
    """A label for a table of scores; long names wrap."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
