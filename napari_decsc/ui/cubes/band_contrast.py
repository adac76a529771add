"""The contrast of a difference follows the band: what was removed of a quiet band is seen, too, beside a loud one."""

import weakref
from typing import Any

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import balanced, cube_of

Limits = tuple[float, float]

_followers: weakref.WeakKeyDictionary[Any, "BandContrast"] = weakref.WeakKeyDictionary()


def follow_band(viewer: Any, layer: Any) -> None:
    """Balance the contrast limits of a difference in every band that is shown, until a person sets them."""
    if viewer not in _followers:
        _followers[viewer] = BandContrast(viewer)
    _followers[viewer].add(layer)


class BandContrast:
    """Knows the differences of one viewer, and the limits that it gave them."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = weakref.ref(viewer)
        self._given: weakref.WeakKeyDictionary[Any, Limits] = weakref.WeakKeyDictionary()
        viewer.dims.events.current_step.connect(self.update)

    def add(self, layer: Any) -> None:
        """Begin with a layer."""
        self._given[layer] = _limits(layer)
        layer.events.visible.connect(self.update)
        self.update()

    def update(self, event: Any = None) -> None:
        """Balance what is seen; layers whose limits somebody else has set are let go."""
        viewer = self._viewer()
        if viewer is None:
            return
        for layer, given in list(self._given.items()):
            if layer not in viewer.layers or _limits(layer) != given:
                del self._given[layer]
            elif layer.visible:
                cube, band = cube_of(layer), shown_band(viewer, layer)
                one = Cube(cube.data[band : band + 1], cube.name, no_data=cube.no_data, scale=cube.scale)
                layer.contrast_limits = balanced(one)
                self._given[layer] = _limits(layer)


def _limits(layer: Any) -> Limits:
    low, high = layer.contrast_limits
    return float(low), float(high)
