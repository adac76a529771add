"""A button that starts something and cannot be pressed again before that ends: the focus comes back to it."""

import weakref
from typing import Any, Optional

from qtpy.QtWidgets import QPushButton


class PressButton(QPushButton):
    """Qt hands the focus of a button that is switched off to whatever comes next, be it far away.

    It comes back with the switch, unless the person went elsewhere. ``partner`` may be pressed while this one may not,
    such as *Stop* beside *Start*: it has the focus meanwhile.
    """

    def __init__(self, text: str, partner: Optional["PressButton"] = None) -> None:
        super().__init__(text)
        self.partner = partner
        if partner is not None:
            partner.partner = self
        self._refuge: Any = _nothing

    def setEnabled(self, is_enabled: bool) -> None:
        """As Qt's own."""
        had_focus = self._focused() is self
        super().setEnabled(is_enabled)
        if is_enabled:
            self._take_back()
        elif had_focus:
            self._let_go()

    def _let_go(self) -> None:
        if self.partner is not None and self.partner.isEnabled():
            self.partner.setFocus()
            return
        refuge = self._focused()
        self._refuge = _nothing if refuge is None else weakref.ref(refuge)

    def _take_back(self) -> None:
        """Take the focus that this one or its partner had, where it still is where Qt has put it."""
        for one in (self, self.partner):
            if one is None:
                continue
            refuge, one._refuge = one._refuge(), _nothing
            if refuge is not None and refuge is self._focused():
                self.setFocus()

    def _focused(self) -> Any:
        """What has the focus in this window, or will have it when the window is active again."""
        window = self.window()
        return None if window is None else window.focusWidget()


def _nothing() -> None:
    """Nowhere."""
