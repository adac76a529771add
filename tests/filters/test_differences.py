"""Differences keep the level of white noise, are blind to planes and columns, and treat tensors as arrays."""

import numpy as np
import pytest
import torch

from napari_decsc.filters.differences import first_differences, second_differences

NOISE = np.random.default_rng(0).standard_normal((2, 200, 150))


@pytest.mark.parametrize(
    "found",
    [second_differences(NOISE), first_differences(NOISE), second_differences(NOISE.reshape(2, 1, -1))],
    ids=["second", "first", "line"],
)
def test_white_noise_keeps_its_level(found):
    np.testing.assert_allclose(found.std(axis=tuple(range(1, found.ndim))), 1, rtol=0.02)


def test_planes_and_offsets_of_lines_leave_nothing():
    row, col = np.mgrid[:9, :7]
    lines = np.arange(7.0) ** 2 + np.arange(9.0)[:, None] ** 3
    np.testing.assert_allclose(second_differences(3 + 2.0 * row - col + lines), 0, atol=1e-12)
    np.testing.assert_allclose(first_differences(np.broadcast_to(np.arange(7.0) ** 2, (9, 7))), 0)


@pytest.mark.parametrize(
    ("shape", "left"), [((4, 5), (3, 4)), ((1, 5), (3,)), ((5, 1), (3,)), ((1, 2), (1,)), ((1, 1), (0,))]
)
def test_tensors_give_what_arrays_give_whatever_the_shape(shape, left):
    images = NOISE[:, : shape[0], : shape[1]]
    found = second_differences(images)
    assert found.shape == (2, *left)
    np.testing.assert_allclose(second_differences(torch.from_numpy(images.copy())).numpy(), found)


def test_what_tells_nothing_spreads_to_its_differences():
    images = np.zeros((4, 4))
    images[0, 3] = np.nan
    assert np.argwhere(np.isnan(second_differences(images))).tolist() == [[0, 2]]
