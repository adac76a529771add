"""What a run kept though it is like nothing else in the cube, as a layer over the image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.denoising.rare_signal import RareSignal
from napari_decsc.ui.cubes.layers import free_name

#: Noise levels that are shown black.
DARKEST = 0.0
#: Noise levels that are shown white, at least.
BRIGHTEST = 5.0


def add_rare(viewer: Any, cube_layer: Any, parts: Sequence[RareSignal]) -> Any:
    """Lay the noise levels of what is rare over a result; the layer that was selected stays so."""
    levels = noise_levels(parts, cube_layer.data.shape[1:])
    selected = viewer.layers.selection.active
    made = viewer.add_image(
        levels,
        name=free_name(viewer, f"kept as rare · {cube_layer.name}"),
        colormap="inferno",
        blending="additive",
        opacity=0.8,
        contrast_limits=(DARKEST, max(BRIGHTEST, float(levels.max()))),
        scale=cube_layer.scale[1:],
        translate=cube_layer.translate[1:],
        axis_labels=cube_layer.axis_labels[1:],
        units=cube_layer.units[1:],
    )
    viewer.layers.selection.active = selected
    return made


def noise_levels(parts: Sequence[RareSignal], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Noise levels of what was kept as rare in the strongest band of every pixel, (row, col)."""
    levels = np.zeros(shape, np.float32)
    for part in parts:
        levels[part.rows, part.cols] = part.noise_levels
    return levels
