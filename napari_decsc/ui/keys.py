"""Keys over the image for the last result: W draws the curtain (a wipe), D shows what was removed; again: as it was."""

from collections.abc import Callable, Mapping
from typing import Any

from napari_decsc.ui.compare.curtain import Curtain
from napari_decsc.ui.compare.widget import CompareWidget
from napari_decsc.ui.cubes.layers import is_difference
from napari_decsc.ui.denoise.run import Result
from napari_decsc.ui.denoise.widget import DenoiseWidget

#: Key of the curtain: C is auto-contrast with napari.
CURTAIN = "W"
#: Key of the difference of two cubes.
DIFFERENCE = "D"


class Keys:
    """Binds the keys of a viewer, until `leave`; keys that somebody else has bound stay theirs."""

    def __init__(
        self, viewer: Any, denoise: DenoiseWidget, compare: CompareWidget, show: Callable[[Any], None]
    ) -> None:
        self._viewer, self._denoise, self._compare, self._show = viewer, denoise, compare, show
        wanted: Mapping[str, Callable[[], None]] = {CURTAIN: self.curtain, DIFFERENCE: self.difference}
        self._bound: list[str] = []
        for key, act in wanted.items():
            if not any(str(known) == key for known in viewer.keymap):
                viewer.bind_key(key, lambda _, act=act: act())
                self._bound.append(key)

    def leave(self) -> None:
        """Let go of the keys."""
        for key in self._bound:
            self._viewer.bind_key(key, None)
        self._bound = []

    def curtain(self) -> None:
        """Show the last result and its source under the curtain, or everything as it was."""
        if type(self._compare.comparison) is Curtain:
            self._compare.stop()
            return
        result = self._there()
        if result is not None:
            self._compare.tick([result.source, result.layer])
            self._compare.start(Curtain)
            self._show(self._compare)

    def difference(self) -> None:
        """Show what the last run removed, or hide it."""
        result = self._there()
        if result is None:
            return
        made = next((one for one in self._viewer.layers if _is_of(one, result)), None)
        if made is None:
            self._denoise.keeping.add_removed_noise()
        else:
            made.visible = not made.visible

    def _there(self) -> Result | None:
        """The last result, while its layers are there."""
        result = self._denoise.result
        return result if result is not None and {result.source, result.layer} <= set(self._viewer.layers) else None


def _is_of(layer: Any, result: Result) -> bool:
    """Whether a layer is what a run removed."""
    return is_difference(layer) and layer.name.endswith(result.denoised.name)
