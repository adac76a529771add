"""Cubes looked at together: what all ways of comparing share, and the first of them, side by side in the grid.

A comparison changes visibility, contrast, the grid and the order of layers, and puts everything back when it is left.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import size_in_words
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.compare.captions import Caption
from napari_decsc.ui.cubes.band_label import ALONE, BELOW_CAPTIONS, label_bands
from napari_decsc.ui.cubes.layers import cube_layers, is_cube_layer

#: Cubes that can be compared, at least.
FEWEST = 2
#: And at most: a canvas for each.
MOST = 4
#: What compared layers have in common while they are compared.
LOOKS = ("colormap", "gamma")
CONTRAST = ("contrast_limits",)


class View:
    """Some cubes looked at together. Enter on making, `leave` to restore.

    ``contrast_of`` is the layer whose contrast limits all take over while ``equal`` holds.
    """

    def __init__(self, viewer: Any, layers: Sequence[Any], contrast_of: Any, equal: bool = True) -> None:
        check(layers)
        self.viewer, self.layers = viewer, list(layers)
        self.captions: dict[Any, Caption] = {}
        self._contrast_of = contrast_of
        self._is_equal = False
        self._order = list(viewer.layers)
        camera = viewer_compat.camera(viewer)
        self._seen = tuple(camera.center), float(camera.zoom)
        self._visible = {layer: layer.visible for layer in viewer.layers}
        self._looks = {layer: {name: getattr(layer, name) for name in LOOKS + CONTRAST} for layer in layers}
        for layer in viewer.layers:
            # rings of pins may stay where all cubes are drawn in one place
            layer.visible = layer in self.layers or (layer.visible and not is_cube_layer(layer))
        for layer in self.layers:
            layer.colormap, layer.gamma = contrast_of.colormap, contrast_of.gamma
        viewer.layers.link_layers(self.layers, LOOKS)
        self.set_equal(equal)
        label_bands(viewer).move(BELOW_CAPTIONS)
        self.enter()

    @property
    def is_outdated(self) -> bool:
        """Whether a cube came that wants to be seen, and has no place here."""
        return not set(cube_layers(self.viewer)) <= set(self._order)

    def enter(self) -> None:
        """Change the viewer; what it changes beyond the layers' looks, `exit` undoes."""

    def exit(self) -> None:
        """Undo `enter`."""

    def set_equal(self, equal: bool) -> None:
        """Give all cubes one contrast, from now on changed together; or each its own again."""
        if equal == self._is_equal:
            return
        self._is_equal = equal
        if equal:
            for layer in self.layers:
                layer.contrast_limits = self._contrast_of.contrast_limits
            self.viewer.layers.link_layers(self.layers, CONTRAST)
        else:
            self.viewer.layers.unlink_layers(self.layers, CONTRAST)
            for layer in self.layers:
                layer.contrast_limits = self._looks[layer]["contrast_limits"]

    def write(self, scores: Mapping[Any, str]) -> None:
        """Write scores below the names on the canvas."""
        for layer, caption in self.captions.items():
            caption.write(scores.get(layer, ""))

    def leave(self) -> None:
        """Put everything back; layers that were removed meanwhile are left out."""
        self.exit()
        label_bands(self.viewer).move(ALONE)
        for caption in self.captions.values():
            caption.remove()
        self.viewer.layers.unlink_layers(self.layers, LOOKS + CONTRAST)
        for layer, looks in self._looks.items():
            for name, value in looks.items():
                setattr(layer, name, value)
        camera = viewer_compat.camera(self.viewer)
        camera.center, camera.zoom = self._seen
        present = set(self.viewer.layers)
        for layer, visible in self._visible.items():
            if layer in present:
                layer.visible = visible
        self._restore_order()

    def _restore_order(self) -> None:
        layers = self.viewer.layers
        for place, layer in enumerate([layer for layer in self._order if layer in layers]):
            if layers[place] is not layer:
                layers.move(layers.index(layer), place)


def check(layers: Sequence[Any]) -> None:
    """Raise CubeError unless there are two to four layers that show the same pixels and bands."""
    if not FEWEST <= len(layers) <= MOST:
        is_are = "cube is" if len(layers) == 1 else "cubes are"
        raise CubeError(f"{len(layers) or 'No'} {is_are} ticked; tick {FEWEST} to {MOST} of them to compare")
    if not alike(layers):
        listed = ", ".join(f"{layer.name} has {size_in_words(layer.data.shape)}" for layer in layers)
        raise CubeError(f"The ticked cubes differ in size: {listed}; tick cubes of one size")


def alike(layers: Sequence[Any]) -> bool:
    """Whether all layers have the same bands, rows and cols."""
    return len({tuple(layer.data.shape) for layer in layers}) == 1
