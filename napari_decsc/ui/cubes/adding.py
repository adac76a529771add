"""Cubes that become layers of a viewer."""

from typing import Any

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.band_contrast import follow_band
from napari_decsc.ui.cubes.band_label import label_bands
from napari_decsc.ui.cubes.layers import free_name, is_difference, layer_data


def add_cube_layer(viewer: Any, cube: Cube, **options: Any) -> Any:
    """Add a cube to the viewer and show its wavelength on the canvas; ``options`` as in `.layers.layer_data`.

    It lies above all images, and below the marks and drawings that belong on top of them.
    """
    from napari.layers import Image

    data, keywords, _ = layer_data(cube, **options)
    keywords["name"] = free_name(viewer, keywords["name"])
    label = label_bands(viewer)
    images = [place for place, layer in enumerate(viewer.layers) if isinstance(layer, Image)]
    made = Image(data, **keywords)
    viewer.layers.insert(images[-1] + 1 if images else len(viewer.layers), made)
    label.open(made)
    if is_difference(made):
        follow_band(viewer, made)
    return made
