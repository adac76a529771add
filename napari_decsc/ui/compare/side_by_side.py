"""Side by side: every cube in a cell of the grid."""

from napari_decsc.ui import viewer_compat
from napari_decsc.ui.compare.captions import Caption
from napari_decsc.ui.compare.view import MOST, View


class Comparison(View):
    """Side by side: every cube in a cell of the grid, with its caption; one camera, one band."""

    def enter(self) -> None:
        """Put pairs of cube and caption to the bottom of the layer list: the grid counts places, two to a cell."""
        grid = viewer_compat.grid(self.viewer)
        self._grid = {name: getattr(grid, name) for name in ("enabled", "shape", "stride", "spacing")}
        for layer in self.viewer.layers:
            layer.visible = layer in self.layers
        for place, layer in enumerate(self.layers):
            self.viewer.layers.move(self.viewer.layers.index(layer), 2 * place)
            self.captions[layer] = Caption(self.viewer, layer, pins=True, is_small=len(self.layers) == MOST)
        # in so many words: left to itself, napari 0.6 makes cells for layers that are hidden, too
        grid.shape = (1, len(self.layers)) if len(self.layers) < MOST else (2, 2)
        grid.stride, grid.spacing, grid.enabled = 2, 4, True
        self.viewer.reset_view()

    def exit(self) -> None:
        """Put the grid back."""
        grid = viewer_compat.grid(self.viewer)
        for name, value in self._grid.items():
            setattr(grid, name, value)
