"""Room for numbers: napari's style sheet makes spin boxes too narrow, and overrules `setMinimumWidth`."""

from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QAbstractSpinBox

#: Points that both buttons take of the width that a style sheet speaks of.
BUTTONS = 40
#: Points around the number.
AROUND = 8


def make_room(box: QAbstractSpinBox, widest: str) -> None:
    """Make a spin box wide enough that a text fits between its buttons, also when its letters change their size."""
    _Room(box, widest).fit()


class _Room(QObject):
    """Lives as long as the box."""

    def __init__(self, box: QAbstractSpinBox, widest: str) -> None:
        super().__init__(box)
        self._box, self._widest = box, widest
        self._is_fitting = False
        box.installEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Napari sets the letters when a box comes into its window, and when a person wants other ones."""
        if event.type() == QEvent.Type.FontChange:
            self.fit()
        return False

    def fit(self) -> None:
        """Ask for the width. A style sheet may set the letters anew, which comes back here (napari 0.10 with Qt 6)."""
        if self._is_fitting:
            return
        self._is_fitting = True
        for _ in range(2):  # once more for the letters that the first time led to
            width = self._box.fontMetrics().horizontalAdvance(self._widest) + BUTTONS + AROUND
            wanted = f"min-width: {width}px;"
            if self._box.styleSheet() == wanted:
                break
            self._box.setStyleSheet(wanted)
        self._is_fitting = False
