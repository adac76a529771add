"""Side by side: cubes in the grid with one camera, one band and one contrast, and everything as before afterwards."""

from collections.abc import Sequence
from typing import Any

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import CubeError
from napari_decsc.hsi.metrics import Scores, score_cubes
from napari_decsc.ui import viewer_compat

FEWEST, MOST = 2, 4
#: Points; the name of a denoised cube must fit into a third of the canvas.
NAME_SIZE = 7
#: What compared layers have in common while they are compared.
LINKED = ("contrast_limits", "gamma", "colormap")


class Comparison:
    """Enter on making, `leave` to restore: grid, visibility, contrast, order of nothing else is touched."""

    def __init__(self, viewer: Any, layers: Sequence[Any], contrast_of: Any) -> None:
        check(layers)
        self._viewer, self.layers = viewer, list(layers)
        grid = viewer_compat.grid(viewer)
        self._grid = {name: getattr(grid, name) for name in ("enabled", "shape", "stride", "spacing")}
        self._visible = {layer: layer.visible for layer in viewer.layers}
        self._looks = {layer: {name: getattr(layer, name) for name in LINKED} for layer in layers}
        self._overlays = [overlay for layer in layers if (overlay := viewer_compat.name_overlay(layer)) is not None]
        self._named = [(overlay.visible, overlay.font_size) for overlay in self._overlays]
        self._enter(grid, contrast_of)

    def leave(self) -> None:
        """Put everything back; layers that were removed meanwhile are left out."""
        self._viewer.layers.unlink_layers(self.layers, LINKED)
        present = set(self._viewer.layers)
        for layer, looks in self._looks.items():
            for name, value in looks.items():
                setattr(layer, name, value)
        for layer, visible in self._visible.items():
            if layer in present:
                layer.visible = visible
        for overlay, (visible, size) in zip(self._overlays, self._named, strict=True):
            overlay.visible, overlay.font_size = visible, size
        grid = viewer_compat.grid(self._viewer)
        for name, value in self._grid.items():
            setattr(grid, name, value)
        self._viewer.reset_view()

    def _enter(self, grid: Any, contrast_of: Any) -> None:
        for layer in self._viewer.layers:
            layer.visible = layer in self.layers
        for layer in self.layers:
            layer.contrast_limits = contrast_of.contrast_limits
            layer.colormap, layer.gamma = contrast_of.colormap, contrast_of.gamma
        self._viewer.layers.link_layers(self.layers, LINKED)
        for overlay in self._overlays:
            overlay.visible, overlay.font_size = True, NAME_SIZE
        grid.shape = (1, -1) if len(self.layers) < MOST else (2, 2)
        grid.stride, grid.spacing, grid.enabled = 1, 4, True
        self._viewer.reset_view()


def check(layers: Sequence[Any]) -> None:
    """Raise CubeError unless there are two to four layers that show the same pixels and bands."""
    if not FEWEST <= len(layers) <= MOST:
        raise CubeError(f"{len(layers)} cubes are ticked; tick {FEWEST} to {MOST} of them to compare")
    shapes = {tuple(layer.data.shape) for layer in layers}
    if len(shapes) > 1:
        listed = ", ".join(map(str, sorted(shapes)))
        raise CubeError(f"the ticked cubes differ in shape ({listed}); tick cubes of one shape")


def score_all(clean: Cube, cubes: Sequence[Cube]) -> list[Scores]:
    """Scores of several cubes against one reference."""
    return [score_cubes(clean, cube) for cube in cubes]
