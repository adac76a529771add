"""The mouse over the image: where it is, as often as can be drawn, and where it was clicked."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_decsc.ui.parts.docked import Connections

#: Milliseconds from one drawn move to the next: 60 a second. The first move after a rest waits for nothing.
PAUSE = 16


class Pointer(QObject):
    """``moved`` carries a place in the world, ``clicked`` a place and whether Shift was held; only while ``wanted``."""

    moved = Signal(object)
    clicked = Signal(object, bool)

    def __init__(self, viewer: Any, connections: Connections, wanted: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._wanted = viewer, wanted
        self._waiting: Any = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self._go_on)
        connections.add(viewer.mouse_move_callbacks, self.on_move)
        connections.add(viewer.mouse_drag_callbacks, self.on_press)

    def stop(self) -> None:
        """Forget a move that waits."""
        self._pause.stop()
        self._waiting = None

    def on_move(self, viewer: Any, event: Any) -> None:
        """Tell of a move at once, or of the last of several after a pause."""
        if not self._wanted():
            return
        self._waiting = tuple(event.position)
        if not self._pause.isActive():
            self._go_on()

    def _go_on(self) -> None:
        if self._waiting is not None:
            position, self._waiting = self._waiting, None
            self._pause.start()
            self.moved.emit(position)

    def on_press(self, viewer: Any, event: Any) -> Any:
        """A generator, as napari's mouse callbacks are: it is a click only if the mouse did not drag."""
        dragged = False
        yield
        while event.type == "mouse_move":
            dragged = True
            yield
        active = self._viewer.layers.selection.active
        is_drawing = active is not None and str(getattr(active, "mode", "pan_zoom")) != "pan_zoom"
        if not dragged and not is_drawing and event.button == 1 and self._wanted():
            self.clicked.emit(tuple(event.position), "Shift" in event.modifiers)


def pixel_at(layer: Any, position: Any) -> tuple[int, int] | None:
    """(row, col) of a place in the world, or None outside the cube."""
    if len(position) < 3:
        return None
    _, row, col = (round(float(value)) for value in layer.world_to_data(position)[-3:])
    rows, cols = layer.data.shape[1:]
    return (row, col) if 0 <= row < rows and 0 <= col < cols else None
