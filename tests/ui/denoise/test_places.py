"""Rings where structure may have gone, placed like the cube they belong to."""

import numpy as np
import pytest

from napari_decsc.denoising.verdict import judge
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise.places import mark


@pytest.fixture
def clean() -> Cube:
    return Cube(np.full((9, 48, 60), 0.5, np.float32), "field")


def noisy(clean: Cube) -> np.ndarray:
    return clean.data + 0.02 * np.random.default_rng(0).standard_normal(clean.data.shape, np.float32)


def test_a_ring_lies_on_every_place(viewer, clean):
    data = noisy(clean)
    data[:, 10, 20] += 0.2
    data[:, 40, 50] += 0.3
    verdict = judge(Cube(data), clean)
    layer = add_cube_layer(viewer, clean, place={"scale": (1, 30, 30), "translate": (0, 600, 900)})
    rings = mark(viewer, layer, verdict)
    assert rings in viewer.layers
    rows_cols = sorted(rings.data.tolist())
    np.testing.assert_allclose(rows_cols, [[600 + 10 * 30, 900 + 20 * 30], [600 + 40 * 30, 900 + 50 * 30]])
    assert viewer.layers.selection.active is layer
    assert rings.name == "structure may have gone"


def test_without_places_there_is_no_layer(viewer, clean):
    layer = add_cube_layer(viewer, clean)
    assert mark(viewer, layer, None) is None
    assert mark(viewer, layer, judge(Cube(noisy(clean)), clean)) is None
    assert len(viewer.layers) == 1
