"""A column of widgets that scrolls where the window is low."""

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QLayout, QScrollArea, QVBoxLayout, QWidget

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


def in_a_row(*widgets: QWidget, wide: QWidget | None = None) -> QHBoxLayout:
    """Widgets side by side; ``wide`` takes the room that is left."""
    layout = QHBoxLayout()
    for widget in widgets:
        layout.addWidget(widget, stretch=int(widget is wide))
    return layout


def fields(named: Mapping[str, QWidget | QLayout]) -> QFormLayout:
    """Named widgets below each other, as wide as there is room."""
    layout = QFormLayout()
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for name, field in named.items():
        layout.addRow(name, field)
    return layout


def lay_out(panel: QWidget, *parts: QWidget | QLayout, tall: QWidget | None = None) -> None:
    """Parts below each other in a panel that scrolls; ``tall``, one of them, takes the room that is left.

    It does so also while it is hidden, so that the other parts stay together at the top.
    """
    content = QWidget()
    column = QVBoxLayout(content)
    column.setSpacing(4)
    for part in parts:
        if isinstance(part, QLayout):
            column.addLayout(part)
        else:
            column.addWidget(part, stretch=int(part is tall))
    if tall is None:
        column.addStretch()
    else:
        policy = tall.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        tall.setSizePolicy(policy)
    scrolled(content, panel)
