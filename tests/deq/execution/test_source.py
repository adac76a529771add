"""What a tile is given of a cube."""

import numpy as np
import pytest

from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.source import Source
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.sample import sample_cube


@pytest.mark.parametrize(("rows", "cols", "side"), [(96, 120, 0), (96, 120, 32), (67, 91, 32), (9, 11, 0)])
def test_a_tile_is_given_what_it_knows_of_the_image(rows: int, cols: int, side: int):
    source = Source.of(Cube(sample_cube(rows, cols, 4).data))
    whole = source.values(slice(None), slice(None))
    for tile in tiling.plan(rows, cols, side, 8):
        down, right = (span.indices[span.known] for span in (tile.row, tile.col))
        np.testing.assert_array_equal(source.tile(tile), whole[:, down[:, None], right])
        np.testing.assert_array_equal(source.columns(tile.col), whole[:, :, right])
