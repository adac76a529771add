"""A line of coloured entries that never is cut: what does not fit is counted at its end, and stands in the tooltip."""

import html
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy

#: A colour and a text.
Entry = tuple[str, str]
#: What stands before an entry, in its colour.
MARK = "▬ "
#: What stands between two.
BETWEEN = "   "


class FittingLine(QLabel):
    """Shows a word and entries in their colours, as many as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._head = ""
        self._entries: list[Entry] = []
        self.setTextFormat(Qt.TextFormat.RichText)
        # a longer text must not push the window wider
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_entries(self, head: str, entries: Sequence[Entry]) -> None:
        """Show other entries."""
        if (head, list(entries)) != (self._head, self._entries):
            self._head, self._entries = head, list(entries)
            self._fit()

    def resizeEvent(self, event: Any) -> None:
        """More or fewer fit now."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        count = self.fitting()
        left = len(self._entries) - count
        shown = [_coloured(*entry) for entry in self._entries[:count]]
        parts = [*([html.escape(self._head)] if self._head else []), *shown, *([f"+{left}"] if left else [])]
        text = BETWEEN.replace(" ", "&nbsp;").join(parts)
        if text != self.text():
            self.setText(text)

    def fitting(self) -> int:
        """How many entries fit, with the number of those that do not."""
        metrics = self.fontMetrics()
        # napari's style gives labels a frame, and Qt then indents them by half an x on both sides; the rest is rounding
        width = self.contentsRect().width() - metrics.horizontalAdvance("xx")

        def needed(count: int) -> int:
            left = len(self._entries) - count
            texts = [*([self._head] if self._head else []), *(MARK + text for _, text in self._entries[:count])]
            return metrics.horizontalAdvance(BETWEEN.join([*texts, *([f"+{left}"] if left else [])]))

        return next((count for count in range(len(self._entries), 0, -1) if needed(count) <= width), 0)


def _coloured(colour: str, text: str) -> str:
    return f"<span style='color:{colour}'>▬</span>&nbsp;{html.escape(text)}"
