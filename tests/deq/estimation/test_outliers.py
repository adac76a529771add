"""Outliers are told from structure that an estimate leaves over."""

import torch

from napari_decsc.deq.estimation.outliers import weights_of_stage


def noise() -> torch.Tensor:
    return torch.randn(1, 6, 64, 64, generator=torch.Generator().manual_seed(0)).clamp(-3, 3)


def test_structure_of_one_quiet_band_is_no_outlier_where_these_are_few() -> None:
    residual = noise()
    residual[0, 2, 20:22, 30:32] = 7.0  # in the noisier bands beside it is far below their noise
    weight = weights_of_stage(residual, torch.ones_like(residual, dtype=torch.bool))
    assert weight[0, 2, 20:22, 30:32].min() == 1


def test_a_single_voxel_far_out_is_one_there() -> None:
    residual = noise()
    residual[0, 2, 20, 30] = 12.0
    assert weights_of_stage(residual, torch.ones_like(residual, dtype=torch.bool))[0, 2, 20, 30] == 0


def test_where_they_are_many_each_is_one() -> None:
    residual = noise()
    struck = torch.rand(64, 64, generator=torch.Generator().manual_seed(1)) < 0.1
    residual[0, 2, struck] = 5.0
    residual[0, [1, 3]] *= 0.1
    weight = weights_of_stage(residual, torch.ones_like(residual, dtype=torch.bool))
    assert weight[0, 2, struck].max() == 0
    assert weight[0, 2, ~struck].min() == 1
    assert weight[0, 4].min() == 1


def test_a_voxel_that_was_not_measured_has_weight_0() -> None:
    mask = torch.ones(1, 6, 64, 64, dtype=torch.bool)
    mask[0, 1, 5] = False
    assert weights_of_stage(noise(), mask)[0, 1, 5].max() == 0
