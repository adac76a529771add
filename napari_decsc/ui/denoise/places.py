"""Rings around the places where structure may have gone, on top of the removed noise."""

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_decsc.ui.cubes.layers import free_name

if TYPE_CHECKING:  # scipy takes its time
    from napari_decsc.denoising.verdict import Verdict

#: Colour of the rings, which is on no scale of grey.
RING = "#e8871e"
#: Size of a ring as a share of the image's longer side.
SHARE = 1 / 24
#: Its size in pixels, at least.
LEAST = 5.0


def mark(viewer: Any, cube_layer: Any, verdict: "Verdict | None") -> Any:
    """Add a points layer with a ring around each place of a verdict; None, and nothing, where there is none."""
    if verdict is None or not verdict.places:
        return None
    selected = viewer.layers.selection.active
    world = [cube_layer.data_to_world((0, place.row, place.col))[1:] for place in verdict.places]
    side = max(LEAST, SHARE * max(cube_layer.data.shape[1:]))
    made = viewer.add_points(
        np.array(world),
        name=free_name(viewer, "structure may have gone"),
        size=side * float(np.abs(cube_layer.scale[-1])),
        symbol="disc",
        face_color="transparent",
        border_color=RING,
        border_width=0.12,
        opacity=1.0,
        axis_labels=cube_layer.axis_labels[1:],
        units=cube_layer.units[1:],
    )
    viewer.layers.selection.active = selected
    return made
