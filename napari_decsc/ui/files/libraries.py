"""Spectral libraries opened in the window: they are curves, and go to the Spectra panel of the viewer."""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import counted
from napari_decsc.hsi.io.envi.library import SpectralLibrary

Listener = Callable[[SpectralLibrary], None]

_listeners: weakref.WeakKeyDictionary[Any, list[Listener]] = weakref.WeakKeyDictionary()


def listen(viewer: Any, listener: Listener) -> Callable[[], None]:
    """Have a function called with every library that is opened in a viewer; returns what ends that."""
    mine = _listeners.setdefault(viewer, [])
    mine.append(listener)
    return lambda: mine.remove(listener)


def show_library(path: Path, viewer: Any) -> None:
    """Read a library and hand it to the Spectra panel, which is opened where the viewer has none.

    Raises
    ------
    FileFormatError
        If the library cannot be read, or there is no window to show it in.
    """
    from napari_decsc.hsi.io.envi.library import read_library

    library = read_library(path)
    if viewer is None or getattr(viewer, "window", None) is None:
        raise FileFormatError(
            f"{path}: is a spectral library of {counted(len(library.names), 'spectrum', 'spectra')} and no image; "
            f"open it in napari's window, or with read_library"
        )
    if not _listeners.get(viewer):
        viewer.window.add_plugin_dock_widget("napari-decsc", "Spectra")
    for listener in _listeners[viewer]:
        listener(library)
