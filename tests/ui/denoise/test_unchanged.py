"""Cubes that come back as they were: the window says so, and why where that is plain."""

import numpy as np
import pytest

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise import words
from napari_decsc.ui.denoise.run import FEW_PIXELS, NOT_MEASURED
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.parts.worker import _is_same

RNG = np.random.default_rng(0)
CUBES = {
    "nothing is measured": (np.full((6, 12, 14), np.nan, np.float32), NOT_MEASURED),
    "few pixels": (RNG.random((6, 5, 4), np.float32), FEW_PIXELS),
    "one value everywhere": (np.full((6, 12, 14), 0.5, np.float32), ""),
}


@pytest.mark.parametrize("kind", CUBES)
def test_a_cube_that_comes_back_as_it_was_is_called_so(qtbot, viewer, kept, kind):
    """Neither "Converged" nor a verdict on nothing."""
    data, why = CUBES[kind]
    add_cube_layer(viewer, Cube(data, "strange"))
    widget = kept(DenoiseWidget(viewer))
    with qtbot.waitSignal(widget.done) as done:
        widget.run()
    first, _, rest = widget.message.text().partition("\n")
    assert first.startswith(words.UNCHANGED)
    assert rest == why
    assert done.args[0].is_unchanged
    np.testing.assert_allclose(viewer.layers["decsc · strange"].data, data, atol=1e-6)


def test_rounding_is_no_change_and_weak_noise_is_one():
    data = RNG.random((2, 9, 9), np.float32)
    cube = Cube(data, "some")
    assert _is_same(cube.replace(data=data * np.float32(1 + 2e-7)), cube)
    assert not _is_same(cube.replace(data=data + np.float32(1e-5)), cube)
    half = data.copy()
    half[1, 0, 0] = np.nan
    assert not _is_same(cube.replace(data=half), cube)
