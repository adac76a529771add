"""What every docked widget shares: it lets go of the viewer when it is closed, and it can ask for a cube."""

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget

from napari_decsc.ui import viewer_compat


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
            # napari 0.6 asks the widget, which is no more when its window has gone, and the viewer with it
            with suppress(RuntimeError):
                _disconnect(emitter, callback)


def _is_there(widget: QWidget) -> bool:
    """Whether Qt has not deleted a widget yet."""
    try:
        widget.objectName()
    except RuntimeError:
        return False
    return True


def _disconnect(emitter: Any, callback: Callable[..., None]) -> None:
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
        self._home: weakref.ref[QWidget] | None = None
        # of a window that is deleted as a whole nobody takes its panels out first
        self.connections.at_end(self._forget_all)
        # the bound method of a plain object: self is no more when `destroyed` comes
        self.destroyed.connect(self.connections.close)

    def event(self, event: QEvent | None) -> bool:
        """Napari takes a widget out of its dock when the dock is closed, and does not delete it."""
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None and not self._left:
            self._left = True
            self.leave()
        return super().event(event)

    def showEvent(self, event: Any) -> None:
        """Remember the window: what was taken out of it no longer knows."""
        super().showEvent(event)
        window = self.window()
        if window is not None and window is not self:
            self._home = weakref.ref(window)

    @property
    def home(self) -> QWidget | None:
        """The window that the widget was last shown in, also when it has been taken out of it; None if it is gone."""
        found = None if self._home is None else self._home()
        return found if found is not None and _is_there(found) else None

    def _forget_all(self) -> None:
        """A plain attribute, which Python still has when Qt has deleted the widget."""
        self._left = True

    def leave(self) -> None:
        """Let go of the viewer; what comes back from work beside the window finds nobody from now on."""
        self._left = True
        self.connections.close()
