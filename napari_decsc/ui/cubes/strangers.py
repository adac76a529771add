"""Image layers that are no cubes: why they are not offered, and how one step of a series becomes a cube."""

from typing import Any

import numpy as np

from napari_decsc.ui.cubes.bands import show_band, slider_band
from napari_decsc.ui.cubes.layers import KEY, is_cube_layer


def stranger(viewer: Any) -> Any | None:
    """The image that a person looks at and that is no cube: the selected one, else the topmost where there is no cube.

    Pictures that are made here, such as a colour picture of three bands, are none.
    """
    active = viewer.layers.selection.active
    if active is not None and why_not(active):
        return active
    if any(is_cube_layer(layer) for layer in viewer.layers):
        return None
    return next((layer for layer in reversed(viewer.layers) if why_not(layer)), None)


def why_not(layer: Any) -> str:
    """Why a layer is no cube, and what to do about it, in a sentence; empty for cubes and what is no image."""
    if type(layer).__name__ != "Image" or is_cube_layer(layer) or KEY in layer.metadata:
        return ""
    if layer.rgb:
        return f"'{layer.name}' is a colour picture, and no cube of bands."
    if layer.multiscale:
        return f"'{layer.name}' is a pyramid of several sizes; open one size of it as an array."
    if np.dtype(layer.data.dtype).kind not in "iuf":
        return f"'{layer.name}' holds {layer.data.dtype} numbers; a cube holds real ones: convert them first."
    if layer.ndim == 2:
        return (
            f"'{layer.name}' has two axes, which is one band; a cube has the axes (band, row, col). Select the layers "
            "of several bands and take 'Merge to stack' of their menu."
        )
    if can_take_step(layer):
        sizes = " × ".join(map(str, layer.data.shape))
        return f"'{layer.name}' has {layer.ndim} axes ({sizes}); a cube has three. Take one step of it as a cube."
    return f"'{layer.name}' is empty, and no cube."


def can_take_step(layer: Any) -> bool:
    """Whether a layer is a series of cubes, over time or something else."""
    return layer.ndim > 3 and not layer.rgb and not layer.multiscale and 0 not in layer.data.shape


def take_step(viewer: Any, layer: Any) -> Any:
    """Add the step of a series that the sliders show as a layer of three axes; returns the layer."""
    extra = layer.ndim - 3
    point = np.zeros(max(viewer.dims.ndim, layer.ndim))
    point[-viewer.dims.ndim :] = viewer.dims.point
    place = np.round(np.asarray(layer.world_to_data(point[-layer.ndim :]))[:extra]).astype(int)
    steps = tuple(int(step) for step in np.clip(place, 0, np.array(layer.data.shape[:extra]) - 1))
    placed = {name: getattr(layer, name)[extra:] for name in ("scale", "translate", "axis_labels", "units")}
    name = f"{layer.name} · step {', '.join(str(step + 1) for step in steps)}"
    made = viewer.add_image(
        layer.data[steps], name=name, contrast_limits=layer.contrast_limits, colormap=layer.colormap, **placed
    )
    layer.visible = False
    if not 0 <= slider_band(viewer, made) < made.data.shape[0]:  # beside a cube of more bands nothing would be seen
        show_band(viewer, made, made.data.shape[0] // 2)
    return made
