"""What every docked widget shares: it lets go of the viewer when it is closed, and it can ask for a cube."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QComboBox, QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from napari_decsc.ui import viewer_compat
from napari_decsc.ui.layers import cube_layers

#: Pixels that a column has from the beginning, so that docks need not grow when scores appear.
COLUMN_WIDTH = 345


class Connections:
    """Connections to the viewer's events, which can all be undone at once."""

    def __init__(self) -> None:
        self._made: list[tuple[Any, Callable[..., None]]] = []
        self._at_end: list[Callable[[], None]] = []

    def add(self, emitter: Any, callback: Callable[..., None]) -> None:
        """Connect a callback to an event emitter, or append it to a list of callbacks."""
        (emitter.append if isinstance(emitter, list) else emitter.connect)(callback)
        self._made.append((emitter, callback))

    def at_end(self, function: Callable[[], None]) -> None:
        """Have a function called when the connections are undone. It must not need the widget."""
        self._at_end.append(function)

    def close(self, *_: Any) -> None:
        """Undo all."""
        while self._at_end:
            self._at_end.pop()()
        while self._made:
            emitter, callback = self._made.pop()
            if not isinstance(emitter, list):
                emitter.disconnect(callback)
            elif callback in emitter:
                emitter.remove(callback)


class Docked(QWidget):
    """A widget in napari's window. `leave` is called once, when its dock is closed or the window goes."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = viewer_compat.unwrapped(napari_viewer)
        self.connections = Connections()
        self._left = False
        # the bound method of a plain object: self is no more when `destroyed` comes
        self.destroyed.connect(self.connections.close)

    def event(self, event: QEvent) -> bool:
        """Napari takes a widget out of its dock when the dock is closed, and does not delete it."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and not self._left:
            self._left = True
            self.leave()
        return super().event(event)

    def leave(self) -> None:
        """Let go of the viewer."""
        self.connections.close()


class CubeChoice(QComboBox):
    """The viewer's cubes to choose from; goes along with the selected layer where ``follows`` agrees."""

    chosen = Signal()

    def __init__(self, viewer: Any, connections: Connections, follows: Callable[[Any], bool]) -> None:
        super().__init__()
        self._viewer = viewer
        self._follows = follows
        self._layers: list[Any] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        for emitter in viewer_compat.layer_list_events(viewer):
            connections.add(emitter, self.refresh)
        connections.add(viewer.layers.selection.events.active, self._follow)
        self.currentIndexChanged.connect(lambda _: self.chosen.emit())
        self.refresh()
        self._follow()

    @property
    def layer(self) -> Any | None:
        """The chosen layer, or None when the viewer has no cube."""
        index = self.currentIndex()
        return self._layers[index] if 0 <= index < len(self._layers) else None

    @layer.setter
    def layer(self, layer: Any) -> None:
        self.setCurrentIndex(self._layers.index(layer))

    def refresh(self, event: Any = None) -> None:
        """Read the layer list anew; the choice stays, as far as its layer does."""
        before = self.layer
        self._layers = cube_layers(self._viewer)
        self.blockSignals(True)
        self.clear()
        self.addItems([layer.name for layer in self._layers])
        if before in self._layers:
            self.setCurrentIndex(self._layers.index(before))
        self.blockSignals(False)
        if self.layer is not before:
            self.chosen.emit()

    def _follow(self, event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        if active in self._layers and self._follows(active):
            self.setCurrentIndex(self._layers.index(active))


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
        self.is_error = bool(style)
        self.setStyleSheet(style)
        self.setText(text)
        if self.parent() is not None:  # alone in the world it would open as a window
            self.setVisible(bool(text))


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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A form that opens may need more width."""
        if event.type() == QEvent.Type.LayoutRequest:
            needed = self.widget().minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(max(COLUMN_WIDTH, needed))
        return super().eventFilter(watched, event)


def scrolled(content: QWidget, into: QWidget) -> None:
    """Lay ``content`` out inside ``into`` as a `Column`."""
    layout = QVBoxLayout(into)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(Column(content))


def scores_label() -> QLabel:
    """A label for a table of scores; long names wrap."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
