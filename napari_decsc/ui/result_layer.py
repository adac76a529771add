"""The layer that a denoising run draws into while it goes on, and that holds the denoised cube in the end."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.denoising import Preview
from napari_decsc.ui.layers import add_cube_layer, clean_of, cube_of, placement, provenance_of, remember

RUNNING = " (running)"
#: No preview for larger cubes (400 MB as float32): it would need as much memory again.
PREVIEW_VOXELS = 100_000_000


class ResultLayer:
    """Made at the start of a run, so that it knows where the noisy layer stood even if that one is removed.

    ``made`` is the layer of an earlier result, which this run improves; it gets that result back if the run fails.
    """

    def __init__(self, viewer: Any, source: Any, noisy: Cube, name: str, made: Any = None) -> None:
        self._viewer, self._noisy, self._name = viewer, noisy, name
        self.place = placement(source)
        self._contrast = tuple(source.contrast_limits)
        self._buffer: Any = None
        self._layer: Any = made
        self._earlier = None if made is None else (cube_of(made), clean_of(made), provenance_of(made))
        self._is_dismissed = False

    @property
    def layer(self) -> Any | None:
        """The layer, if there is one and the person has not removed it."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    def show(self, previews: list[Preview]) -> None:
        """Write estimates into the layer. Only the shown band is sent to the screen."""
        if self._noisy.data.size > PREVIEW_VOXELS or self._is_dismissed or not previews:
            return
        if self._layer is not None and self.layer is None:
            self._is_dismissed = True  # the person removed the preview: it does not come back before the result
            return
        if self._buffer is None:
            self._begin()
        for preview in previews:
            self._buffer[:, preview.rows, preview.cols] = preview.data
        self._layer.refresh(extent=False)

    def finish(self, denoised: Cube, clean: Cube | None, provenance: Mapping[str, Any]) -> Any:
        """Show the denoised cube, in a new layer where there is none, and return the layer."""
        cube = denoised.replace(name=self._name)
        if self.layer is None:
            self._layer = self._add(cube, clean, provenance)
        else:
            if self._layer.name == self._name + RUNNING:
                self._layer.name = self._name
            remember(self._layer, cube, clean, provenance)
        self._buffer = None
        self._correct_status()
        return self._layer

    def discard(self) -> None:
        """Take an unfinished preview away, or show the earlier result again."""
        if self.layer is None or self._buffer is None:
            return
        if self._earlier is None:
            self._viewer.layers.remove(self._layer)
            self._correct_status()
        else:
            remember(self._layer, *self._earlier)

    def _begin(self) -> None:
        """An array of our own for the estimates, in a new layer or in that of the earlier result."""
        start = self._noisy if self._earlier is None else self._earlier[0]
        self._buffer = np.array(start.data, dtype=np.float32)
        begun = start.replace(data=self._buffer)
        if self._earlier is None:
            self._layer = self._add(begun.replace(name=self._name + RUNNING), None, {"denoising": {}})
        else:
            remember(self._layer, begun, *self._earlier[1:])

    def _correct_status(self) -> None:
        """The status bar keeps what it said of the layer under a cursor that rests."""
        status = self._viewer.status
        if isinstance(status, str):
            self._viewer.status = status.replace(RUNNING, "")
        else:
            self._viewer.status = {key: str(value).replace(RUNNING, "") for key, value in status.items()}

    def _add(self, cube: Cube, clean: Cube | None, provenance: Mapping[str, Any]) -> Any:
        return add_cube_layer(
            self._viewer,
            cube,
            clean=clean,
            provenance=provenance,
            place=self.place,
            contrast_limits=self._contrast,
        )
