"""A list to choose from that shortens a long name in its middle, where both ends tell most, and not at its edge."""

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

#: Points that a style keeps around a text.
ROOM = 6


class ElidedBox(QComboBox):
    """As Qt's own; only the shown text differs."""

    def shown_text(self) -> str:
        """The text as it is painted: whole where there is room.

        Returns
        -------
        str
        """
        text = self.currentText() if self.currentIndex() >= 0 else self.placeholderText()
        return self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, self._room())

    def paintEvent(self, event: Any) -> None:
        """Painted by the style, with the text shortened."""
        painter, option = QStylePainter(self), self._option()
        if self.currentIndex() < 0:
            faint = option.palette.color(QPalette.ColorRole.PlaceholderText)
            option.palette.setColor(QPalette.ColorRole.ButtonText, faint)
        option.currentText = self.shown_text()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def _option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return option

    def _room(self) -> int:
        style = self.style()
        assert style is not None  # every widget has one
        field = QStyle.SubControl.SC_ComboBoxEditField
        return style.subControlRect(QStyle.ComplexControl.CC_ComboBox, self._option(), field, self).width() - ROOM
