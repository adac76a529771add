"""The layer that a denoising run draws into while it goes on, and that holds the denoised cube in the end."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_decsc.denoising.protocol import Preview
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import clean_of, cube_of, free_name, placement, provenance_of, remember
from napari_decsc.ui.cubes.lineage import Lineage
from napari_decsc.ui.cubes.origin import known_lineage
from napari_decsc.ui.parts.worker import calculation_worker

RUNNING = " (running)"
#: No preview for larger cubes (400 MB as float32): it would need as much memory again.
PREVIEW_VOXELS = 100_000_000
#: Estimates with more voxels than these (16 MB) are written in the shown band only: the window must not wait for them.
WHOLE_VOXELS = 4_000_000


class ResultLayer:
    """Knows where the noisy layer stood when the run began, even if that one is removed.

    ``made`` is the layer of an earlier result, which this run improves; it gets that result back if the run fails. It
    begins with ``share`` of what that result removed: a guess at a weaker strength, until the run has an estimate.
    """

    def __init__(self, viewer: Any, source: Any, noisy: Cube, name: str, made: Any = None, share: float = 1.0) -> None:
        self._viewer, self._noisy = viewer, noisy
        # of a repeated run: the earlier result has the name
        self._name = free_name(viewer, name) if made is None else name
        self.place = placement(source)
        self._contrast = tuple(source.contrast_limits)
        self._buffer: Any = None
        self._layer: Any = made
        self._earlier = None if made is None else (cube_of(made), clean_of(made), provenance_of(made))
        self._earlier_lineage = None if made is None else known_lineage(made)
        self._share = share
        self._is_over = False

    @property
    def layer(self) -> Any | None:
        """The layer, if there is one and the person has not removed it."""
        return self._layer if self._layer is not None and self._layer in self._viewer.layers else None

    @property
    def is_removed(self) -> bool:
        """Whether the person took the layer away while the run went on."""
        return not self._is_over and self._layer is not None and self.layer is None

    def begin(self) -> None:
        """Add the layer, with the noisy cube in it: napari takes its time for that, so it comes before the solve."""
        start = self._noisy if self._earlier is None else self._earlier[0]
        is_small = _is_quickly_copied(start.data)
        if is_small:
            self._buffer = np.array(start.data, np.float32)
        if self._earlier is None:
            shown = self._noisy if self._buffer is None else self._noisy.replace(data=self._buffer)
            self._layer = self._add(shown.replace(name=self._name + RUNNING), None, {"denoising": {}})
        elif is_small:
            self._take(self._buffer)
        if not is_small and self._noisy.data.size <= PREVIEW_VOXELS:
            self._copying = calculation_worker(np.array, start.data, np.float32)
            self._copying.returned.connect(self._take)
            self._copying.start()

    def show(self, previews: list[Preview]) -> bool:
        """Write estimates into the layer; whether there is a place for them yet. Only the shown band is drawn."""
        if self._buffer is None or self.layer is None:
            return False
        for preview in previews:
            bands = self._bands_of(preview.data)
            self._buffer[bands, preview.rows, preview.cols] = preview.data[bands]
        self._layer.refresh(extent=False, thumbnail=False)
        return True

    def finish(
        self, denoised: Cube, clean: Cube | None, provenance: Mapping[str, Any], lineage: Lineage | None = None
    ) -> Any:
        """Show the denoised cube, in a new layer where there is none, and return the layer."""
        self._is_over = True
        cube = denoised.replace(name=self._name)
        if self.layer is None:
            self._layer = self._add(cube, clean, provenance, lineage)
        else:
            self.drop_mark()
            remember(self._layer, cube, clean, provenance, lineage)
        self._buffer = None
        self._correct_status()
        return self._layer

    def drop_mark(self) -> None:
        """Take the mark of a running solve from the name, unless the person gave another name."""
        if self.layer is not None and self._layer.name == self._name + RUNNING:
            self._layer.name = self._name

    def keep(self) -> None:
        """Leave what the layer shows, for good."""
        self._is_over = True
        self.drop_mark()
        self._correct_status()

    def discard(self) -> None:
        """Take an unfinished preview away, or show the earlier result again."""
        self._is_over = True
        if self.layer is None:
            return
        if self._earlier is None:
            self._viewer.layers.remove(self._layer)
            self._correct_status()
        elif self._buffer is not None:
            remember(self._layer, *self._earlier, self._earlier_lineage)

    def _take(self, buffer: Any) -> None:
        """Show an array of our own, which estimates can be written into."""
        if self._is_over or self.layer is None:
            return
        self._buffer = buffer
        if self._earlier is None:
            remember(self._layer, self._noisy.replace(data=buffer), None, {"denoising": {}})
        else:
            self._give_back(self._bands_of(buffer))
            remember(self._layer, self._earlier[0].replace(data=buffer), *self._earlier[1:])

    def _bands_of(self, estimate: Any) -> slice:
        """Which bands of an estimate are written: all, or of a large one the shown band."""
        if estimate.size <= WHOLE_VOXELS:
            return slice(None)
        band = shown_band(self._viewer, self._layer)
        return slice(band, band + 1)

    def _give_back(self, bands: slice) -> None:
        """Put back what a weaker strength would not have removed."""
        if self._share < 1:
            removed = np.asarray(self._noisy.data[bands], np.float32) - self._buffer[bands]
            self._buffer[bands] += np.float32(1 - self._share) * np.nan_to_num(removed, posinf=0, neginf=0)

    def _correct_status(self) -> None:
        """The status bar keeps what it said of the layer under a cursor that rests."""
        status = self._viewer.status
        if isinstance(status, str):
            self._viewer.status = status.replace(RUNNING, "")
        else:
            self._viewer.status = {key: str(value).replace(RUNNING, "") for key, value in status.items()}

    def _add(
        self, cube: Cube, clean: Cube | None, provenance: Mapping[str, Any], lineage: Lineage | None = None
    ) -> Any:
        return add_cube_layer(
            self._viewer,
            cube,
            clean=clean,
            provenance=provenance,
            place=self.place,
            contrast_limits=self._contrast,
            lineage=lineage,
        )


def _is_quickly_copied(data: Any) -> bool:
    """Whether a copy takes milliseconds: a small array that lies in the memory and not in a file."""
    return type(data) is np.ndarray and data.size <= WHOLE_VOXELS
