"""Rare things planted into a scene, and how much of them a result shows."""

import numpy as np
import pytest

from napari_decsc.errors import CubeError
from napari_decsc.hsi.noise.planted import KINDS, plant

SCENE = 0.2 + 0.5 * np.random.default_rng(0).random((40, 50, 60), np.float32)
SIGMA = 0.02


@pytest.mark.parametrize(("kind", "strength", "pixels"), [("targets", 20, 12), ("faint", 3, 25)])
def test_every_pixel_gets_the_strength_that_the_kind_says(kind, strength, pixels):
    planted = plant(SCENE, kind, np.random.default_rng(1), SIGMA)
    length = np.linalg.norm(planted.clean - SCENE, axis=0) / SIGMA
    assert pixels - 2 <= np.count_nonzero(planted.mask) <= pixels  # two targets may fall on one pixel
    np.testing.assert_allclose(length[planted.mask], strength, rtol=1e-4)
    assert length[~planted.mask].max() == 0
    assert not planted.mask[:5].any()
    assert not planted.mask[:, -5:].any()


def test_a_plume_absorbs_three_bands_and_fades_out():
    planted = plant(SCENE, "plume", np.random.default_rng(1), SIGMA)
    depth = (SCENE - planted.clean) / SIGMA
    assert depth.max() == pytest.approx(1.5, rel=1e-3)
    np.testing.assert_array_equal(np.sort(np.argsort(depth[:, 25, 30])[-3:]), [12, 22, 32])
    assert depth[:, 0, 0].max() < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_and_the_error_follow_from_the_result(kind):
    planted = plant(SCENE, kind, np.random.default_rng(2), SIGMA)
    assert planted.kept(planted.clean) == pytest.approx(1)
    assert planted.kept(planted.without) == 0
    half = (planted.clean + planted.without) / 2
    assert planted.kept(half) == pytest.approx(0.5, abs=1e-4)
    assert planted.error(planted.clean) == 0
    assert planted.error(planted.clean + 0.03) == pytest.approx(0.03, rel=1e-4)


def test_the_scene_is_left_alone_and_the_seed_decides():
    before = SCENE.copy()
    one, same, other = (plant(SCENE, "targets", np.random.default_rng(seed)).clean for seed in (3, 3, 4))
    np.testing.assert_array_equal(SCENE, before)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_scene_without_room_is_named():
    with pytest.raises(CubeError, match="10 x 60 pixels has no room"):
        plant(SCENE[:, :10], "faint", np.random.default_rng(0))
