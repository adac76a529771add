"""Layers that a person need not see in the layer list: captions and marks that live as long as a comparison."""

from collections.abc import Sequence
from typing import Any

#: What napari calls the list in its window.
LIST = "QtLayerList"


def hide_in_list(layers: Sequence[Any]) -> None:
    """Hide the rows of these layers in every list that shows them; without a window there is none, and all is well."""
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication

    for view in QApplication.allWidgets() if QApplication.instance() is not None else ():
        if type(view).__name__ != LIST:
            continue
        model = view.model()
        for row in range(model.rowCount()):
            if any(model.index(row, 0).data(Qt.ItemDataRole.UserRole) is layer for layer in layers):
                view.setRowHidden(row, True)
