"""Numbers that a field does not take: Qt drops the keys in silence, and a person wonders."""

from typing import Any

from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QAbstractSpinBox, QToolTip


def tell_limits(box: Any) -> None:
    """Say beside a spin box which numbers it takes, whenever a typed or pasted one is refused."""
    line = box.lineEdit() if isinstance(box, QAbstractSpinBox) else None
    if line is not None:
        line.inputRejected.connect(
            lambda: QToolTip.showText(box.mapToGlobal(QPoint(0, box.height())), limits(box), box)
        )


def limits(box: Any) -> str:
    """Such as "From 0 to 255; other numbers are not taken."."""
    low, high = (f"{end:.10g}" for end in (box.minimum(), box.maximum()))
    return f"From {low} to {high}; other numbers are not taken."
