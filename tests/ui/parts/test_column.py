"""Columns of panels: what stands where while a part of them is hidden."""

from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_decsc.ui.parts.column import in_a_row, lay_out


def test_parts_stay_together_while_the_tall_one_is_hidden(qtbot):
    """A panel without a cube: its message stands below its buttons, and not in the middle of the panel."""
    panel, button, words, tall = QWidget(), QPushButton("Try"), QLabel("Open a cube first."), QWidget()
    qtbot.addWidget(panel)
    lay_out(panel, in_a_row(button), words, tall, tall=tall)
    tall.hide()
    panel.resize(400, 800)
    panel.show()
    above, below = (part.mapTo(panel, part.rect().topLeft()).y() for part in (button, words))
    assert above < 30
    assert below - (above + button.height()) < 10
    assert words.height() < 2 * words.sizeHint().height()
