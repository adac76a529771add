"""The layer that a denoising run draws into while it goes on, and that holds the denoised cube in the end."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.denoising import Preview
from napari_decsc.ui.layers import add_cube_layer, placement, remember

#: No preview for larger cubes (400 MB as float32): it would need as much memory again.
PREVIEW_VOXELS = 100_000_000


class ResultLayer:
    """Made at the start of a run, so that it knows where the noisy layer stood even if that one is removed."""

    def __init__(self, viewer: Any, source: Any, noisy: Cube, name: str) -> None:
        self._viewer, self._noisy, self._name = viewer, noisy, name
        self._place = placement(source)
        self._contrast = tuple(source.contrast_limits)
        self._buffer: Any = None
        self._layer: Any = None
        self._is_dismissed = False

    @property
    def layer(self) -> Any | None:
        """The layer, if there is one and the person has not removed it."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    def show(self, previews: list[Preview]) -> None:
        """Write estimates into the layer. Only the shown band is sent to the screen."""
        if self._noisy.data.size > PREVIEW_VOXELS or self._is_dismissed or not previews:
            return
        if self._layer is None:
            self._buffer = np.array(self._noisy.data, dtype=np.float32)
            begun = self._noisy.replace(data=self._buffer, name=f"{self._name} (running)")
            self._layer = self._add(begun, None, {"denoising": {}})
        elif self.layer is None:
            self._is_dismissed = True  # the person removed the preview: it does not come back before the result
            return
        for preview in previews:
            self._buffer[:, preview.rows, preview.cols] = preview.data
        self._layer.refresh()

    def finish(self, denoised: Cube, clean: Cube | None, provenance: Mapping[str, Any]) -> Any:
        """Show the denoised cube, in a new layer where there is none, and return the layer."""
        cube = denoised.replace(name=self._name)
        if self.layer is None:
            self._layer = self._add(cube, clean, provenance)
        else:
            self._layer.name = self._name
            remember(self._layer, cube, clean, provenance)
        self._buffer = None
        return self._layer

    def discard(self) -> None:
        """Take an unfinished preview away."""
        if self.layer is not None:
            self._viewer.layers.remove(self._layer)

    def _add(self, cube: Cube, clean: Cube | None, provenance: Mapping[str, Any]) -> Any:
        return add_cube_layer(
            self._viewer,
            cube,
            clean=clean,
            provenance=provenance,
            place=self._place,
            contrast_limits=self._contrast,
        )
