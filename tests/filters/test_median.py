"""Medians of neighbourhoods: against their definition."""

import numpy as np
import torch
from scipy.ndimage import median_filter

from napari_decsc.filters.median import median_3x3


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


def test_the_median_of_usable_voxels_is_that_of_scipy():
    cube = normal(2, 3, 9, 11)
    found = median_3x3(cube, torch.ones_like(cube, dtype=torch.bool))
    np.testing.assert_array_equal(found, median_filter(cube.numpy(), size=(1, 1, 3, 3), mode="mirror"))


def test_a_hidden_voxel_counts_in_no_median_and_changes_its_own_band_only():
    cube, mask = normal(1, 2, 9, 11), torch.ones(1, 2, 9, 11, dtype=torch.bool)
    mask[0, 1, 4, 5] = False
    found, plain = median_3x3(cube, mask), median_3x3(cube, torch.ones_like(mask))
    torch.testing.assert_close(found[0, 0], plain[0, 0], rtol=0, atol=0)
    near = cube[0, 1, 3:6, 4:7].flatten()[[0, 1, 2, 3, 5, 6, 7, 8]].sort().values
    assert found[0, 1, 4, 5] == near[3]  # of eight, the lower middle one
