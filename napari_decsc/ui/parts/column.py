"""A column of widgets that scrolls where the window is low."""

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

#: Pixels that a column has from the beginning, so that docks need not grow when a cube or scores appear.
COLUMN_WIDTH = 378


class Column(QScrollArea):
    """A column of widgets that scrolls in a low window, and asks for the width that nothing is cut."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)
        content.installEventFilter(self)
        self.setMinimumWidth(COLUMN_WIDTH)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """A form that opens may need more width."""
        content, bar = self.widget(), self.verticalScrollBar()
        if event is not None and event.type() == QEvent.Type.LayoutRequest and content is not None and bar is not None:
            needed = content.minimumSizeHint().width() + bar.sizeHint().width()
            self.setMinimumWidth(max(COLUMN_WIDTH, needed))
        return super().eventFilter(watched, event)


def scrolled(content: QWidget, into: QWidget) -> None:
    """Lay ``content`` out inside ``into`` as a `Column`."""
    layout = QVBoxLayout(into)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(Column(content))
