"""Values that voxels are stuck on show by their frequency, wherever they lie."""

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.masks import stuck_values


def with_stuck(values: np.ndarray, *, share: float, stuck: float) -> np.ndarray:
    hit = np.random.default_rng(1).random(values.shape) < share
    return np.where(hit, np.float32(stuck), values).astype(np.float32)


def test_a_value_in_the_middle_of_the_range_is_found_when_values_hardly_ever_repeat():
    smooth = np.random.default_rng(0).normal(0.5, 0.2, (8, 40, 40)).astype(np.float32)
    assert stuck_values(Cube(smooth, "smooth")) == ()
    found = stuck_values(Cube(with_stuck(smooth, share=0.01, stuck=0.625), "stuck"))
    assert found == (0.625,)


def test_counts_that_repeat_by_chance_are_not_stuck():
    counts = np.random.default_rng(0).integers(100, 164, (8, 40, 40))
    assert set(stuck_values(Cube(counts.astype(np.int16), "counts"))) <= {100.0, 163.0}


def bright_spot() -> np.ndarray:
    """A scene whose bright middle is cut off at 1, in grey levels."""
    rows, cols = np.mgrid[:64, :64] / 63 - 0.5
    scene = 1.1 * np.exp(-8 * (rows**2 + cols**2)) * np.linspace(0.8, 1, 12)[:, None, None]
    return (np.round(255 * np.clip(scene, 0, 1)) / 255).astype(np.float32)


def test_what_is_bright_all_around_is_cut_off_not_stuck():
    scene = bright_spot()
    assert (scene == 1).mean() > 0.005
    assert 1.0 not in stuck_values(Cube(scene, "bright"))


def test_salt_is_stuck_although_it_lies_on_the_ceiling_of_a_bright_spot():
    scene = with_stuck(bright_spot() * np.float32(0.75), share=0.05, stuck=1.0)
    assert 1.0 in stuck_values(Cube(scene, "salt"))
