from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QSpinBox

from napari_decsc.ui.parts.room import make_room


class Restless(QSpinBox):
    """A style sheet sets its letters anew, a little larger every time, as napari 0.10 with Qt 6 does."""

    count = 0

    def setStyleSheet(self, text):
        self.count += 1
        assert self.count < 10, "asks for ever"
        super().setStyleSheet(text)
        font = self.font()
        font.setPointSize(font.pointSize() + 1)
        self.setFont(font)
        QApplication.sendEvent(self, QEvent(QEvent.Type.FontChange))


def test_letters_that_change_with_the_style_sheet_do_not_call_for_ever(qtbot):
    box = Restless()
    qtbot.addWidget(box)
    make_room(box, "2495.0")
    assert box.count <= 2


def test_larger_letters_get_more_room(qtbot):
    box = QSpinBox()
    qtbot.addWidget(box)
    make_room(box, "2495.0")
    before = box.styleSheet()
    font = box.font()
    font.setPointSize(2 * font.pointSize())
    box.setFont(font)
    assert box.styleSheet() != before
