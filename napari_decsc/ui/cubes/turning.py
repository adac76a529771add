"""Which axis of a layer counts its bands, where nothing says so: a person chooses, and the layer remembers."""

from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.layers import KEY, Record, is_cube_layer, record_of

#: What the axes of an array are called.
AXES = ("first axis", "second axis", "third axis")


def is_confirmed(layer: Any) -> bool:
    """Whether something says which axis counts the bands: the file, a wavelength of every band, or a person."""
    return record_of(layer) is not None


def axis_sizes(layer: Any) -> tuple[int, int, int]:
    """The sizes of the array's axes, in the order in which they came to the viewer."""
    sizes = list(layer.data.shape)
    sizes.insert(turned(layer), sizes.pop(0))
    first, second, third = sizes
    return first, second, third


def turned(layer: Any) -> int:
    """Which of the axes, as they came, counts the bands now."""
    record = record_of(layer)
    return 0 if record is None else record.band_axis


def likely_axis(layer: Any) -> int:
    """The axis that counts the bands in most files: the shortest one, the first of several alike."""
    return int(np.argmin(axis_sizes(layer)))


def turn(layer: Any, axis: int) -> None:
    """Let an axis, counted as they came, count the bands; the other two keep their order."""
    back, record = turned(layer), record_of(layer)
    order = [0, 1, 2]
    order.insert(back, order.pop(0))  # where the axes, as they came, lie now
    order = [order[axis], *(place for number, place in enumerate(order) if number != axis)]
    place = {name: np.asarray(getattr(layer, name))[order] for name in ("scale", "translate")}
    data = layer.data.transpose(order)
    cube = Cube(data, layer.name, no_data=None if record is None else record.cube.no_data)
    corner = float(place["translate"][1]), float(place["translate"][2])
    layer.metadata = {**layer.metadata, KEY: Record(cube, shown=data, corner=corner, band_axis=axis)}
    layer.data = data
    for name, value in place.items():
        setattr(layer, name, value)


def can_be_turned(layer: Any) -> bool:
    """Whether a person may choose the axis: no wavelength and no file says which one it is."""
    record = record_of(layer)
    if not is_cube_layer(layer) or (record is not None and (record.cube.source or record.provenance)):
        return False
    return record is None or record.cube.wavelengths is None
