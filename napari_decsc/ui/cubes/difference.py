"""One cube minus another, band by band."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube


def difference(one: Cube, other: Cube) -> Cube:
    """One cube minus another, in raw units of the first, NaN where either was not measured."""
    data = np.empty(one.shape, np.float32)
    for place, (a, b) in enumerate(zip(physical_bands(one), physical_bands(other), strict=True)):
        data[place] = (a - b) * np.float32(one.scale)
    return one.replace(data=data, name=f"{one.name} − {other.name}", no_data=None)


def physical_bands(cube: Cube) -> Iterator[NDArray[np.float32]]:
    """Physical values band by band, so that no second copy of a large cube is needed."""
    for band in range(cube.bands):
        one = Cube(cube.data[band : band + 1], cube.name, no_data=cube.no_data, scale=cube.scale)
        yield one.physical()[0]
