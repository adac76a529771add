"""Long names in a list to choose from keep both of their ends."""

import pytest
from qtpy.QtWidgets import QComboBox

from napari_decsc.ui.parts.elided import ElidedBox


@pytest.fixture
def box(qtbot):
    made = ElidedBox()
    qtbot.addWidget(made)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.addItems(["decsc · mixture · emit20250324t221005_jpl_unmix_ex", "leaf"])
    made.resize(160, 26)
    made.show()
    return made


def test_a_long_name_is_shortened_in_its_middle(box):
    shown = box.shown_text()
    assert shown.startswith("decsc")
    assert shown.endswith("_ex")
    assert "…" in shown
    assert box.fontMetrics().horizontalAdvance(shown) < box.width()
    assert box.currentText().startswith("decsc · mixture · emit2025")  # what programs read stays whole


def test_a_short_name_and_no_choice_are_whole(box):
    box.setCurrentIndex(1)
    assert box.shown_text() == "leaf"
    box.setPlaceholderText("choose a cube")
    box.setCurrentIndex(-1)
    assert box.shown_text() == "choose a cube"
    assert not box.grab().isNull()
