"""Where on the ground the pixel under the cursor lies, in the window's status bar."""

from typing import Any

from qtpy.QtWidgets import QLabel, QMainWindow, QWidget

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.georeference import of_header


def map_text(cube: Cube, row: int, col: int) -> str:
    """Coordinates of a pixel's centre, such as "E 500015.0  N 4099985.0 (EPSG:32610)"; empty where nobody knows."""
    place = of_header(cube.header)
    if place is None:
        return ""
    x0, across, skew, y0, lean, down = place.transform
    x = x0 + (col + 0.5) * across + (row + 0.5) * skew
    y = y0 + (col + 0.5) * lean + (row + 0.5) * down
    code = f" (EPSG:{place.system.code})" if place.system.code is not None else ""
    if place.system.is_geographic:
        return f"lon {x:.6f}°  lat {y:.6f}°{code}"
    return f"E {x:.1f}  N {y:.1f}{code}"


class MapPlace(QLabel):
    """A label that sits in the status bar of a window while it is needed."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self.setToolTip("Map coordinates of the middle of the pixel under the cursor")
        self.setVisible(False)

    def settle(self, widget: QWidget) -> None:
        """Go into the status bar of the window that a widget is in."""
        window = widget.window()
        if self._bar is None and isinstance(window, QMainWindow):
            self._bar = window.statusBar()
            self._bar.addPermanentWidget(self)

    def show_place(self, text: str) -> None:
        """Show coordinates; nothing is shown for an empty text."""
        self.setText(text)
        self.setVisible(bool(text) and self._bar is not None)

    def leave(self) -> None:
        """Go out of the status bar."""
        if self._bar is not None:
            self._bar.removeWidget(self)
            self._bar = None
        self.deleteLater()
