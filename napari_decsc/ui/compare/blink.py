"""Blink: two cubes in one place, shown in turn, so that the eye sees every difference as a movement."""

from qtpy.QtCore import QTimer

from napari_decsc.ui.compare.captions import Caption
from napari_decsc.ui.compare.view import View

#: Changes a second to begin with.
RATE = 2.0
#: The fewest that a person may set.
SLOWEST = 0.5
#: The most.
FASTEST = 10.0


class Blink(View):
    """The upper of two cubes comes and goes, ``rate`` changes a second.

    Its opacity changes and not its visibility: that costs no slicing, and the spectra of both stay in the plot.
    """

    def enter(self) -> None:
        """Begin with the lower cube."""
        self._lower, self._upper = self.layers
        self._opacity = self._upper.opacity
        for layer in self.layers:
            self.captions[layer] = Caption(self.viewer, layer)
        self._timer = QTimer()
        self._timer.timeout.connect(self.toggle)
        self.set_rate(RATE)
        self.toggle(upper=False)
        self._timer.start()
        self.viewer.reset_view()

    @property
    def shown(self) -> object:
        """The layer that is seen now."""
        return self._upper if self._upper.opacity > 0 else self._lower

    def set_rate(self, rate: float) -> None:
        """Changes a second."""
        self._timer.setInterval(round(1000 / rate))

    def toggle(self, upper: bool | None = None) -> None:
        """Show the other cube, or the upper one where ``upper`` says so."""
        upper = self.shown is self._lower if upper is None else upper
        self._upper.opacity = self._opacity if upper else 0.0
        for layer, caption in self.captions.items():
            caption.layer.visible = (layer is self._upper) == upper

    def exit(self) -> None:
        """Stop, and show the upper cube as it was."""
        self._timer.stop()
        self._upper.opacity = self._opacity
