"""Numbers that a field does not take: Qt drops the keys, or takes the nearest it can, in silence; a person wonders."""

from typing import Any

from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QAbstractSpinBox, QToolTip


def tell_limits(box: Any) -> None:
    """Say beside a spin box which numbers it takes, whenever a typed or pasted one is refused or became another."""
    line = box.lineEdit() if isinstance(box, QAbstractSpinBox) else None
    if line is None:
        return
    written = [""]

    def tell() -> None:
        QToolTip.showText(box.mapToGlobal(QPoint(0, box.height())), limits(box), box)

    def compare() -> None:
        number, written[0] = _number(written[0]), ""
        if number is not None and not box.minimum() <= number <= box.maximum():
            tell()

    line.inputRejected.connect(tell)
    line.textEdited.connect(lambda text: written.__setitem__(0, text))
    box.editingFinished.connect(compare)


def _number(text: str) -> float | None:
    """What a person wrote, without units and signs of thousands; None where it is no number."""
    try:
        return float(text.strip())
    except ValueError:
        return None


def limits(box: Any) -> str:
    """Such as "From 0 to 255; other numbers are not taken."."""
    low, high = (f"{end:.10g}" for end in (box.minimum(), box.maximum()))
    return f"From {low} to {high}; other numbers are not taken."
