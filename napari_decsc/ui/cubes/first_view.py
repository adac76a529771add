"""Which band a cube opens at: a good one that people know, and not the one that happens to lie in the middle."""

from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.bands import show_band
from napari_decsc.ui.cubes.layers import cube_of, is_difference, scene_layers

#: Red light (nm), in which plants, soils, roofs and water differ; most sensors have it.
WANTED = 650.0


def first_band(cube: Cube) -> int:
    """The good band nearest to `WANTED`, or the good one nearest to the middle where no wavelength is a length."""
    good = np.arange(cube.bands)
    if cube.good_bands is not None and cube.good_bands.any():
        good = good[cube.good_bands]
    lengths = cube.wavelengths_nm
    if lengths is not None and np.isfinite(lengths[good]).any():
        return int(good[np.nanargmin(np.abs(lengths[good] - WANTED))])
    return int(good[np.argmin(np.abs(good - cube.bands // 2))])


def open_well(viewer: Any, layer: Any) -> None:
    """Show the best first band of the only scene there is; where there are others, the person has chosen a band."""
    if layer in viewer.layers and scene_layers(viewer) == [layer] and not is_difference(layer):
        show_band(viewer, layer, first_band(cube_of(layer)))
