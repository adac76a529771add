"""Medians as PyTorch gives them, by another way."""

import pytest
import torch

from napari_decsc.filters.order import medians, order, robust_deviation


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("length", [1, 2, 9, 64, 65, 1000])
def test_the_lower_of_two_in_the_middle(length: int):
    values = drawn(3, 4, length)
    torch.testing.assert_close(medians(values), values.median(-1).values, rtol=0, atol=0)


@pytest.mark.parametrize("length", [2, 9, 300])
def test_of_what_is_not_nan(length: int):
    values = drawn(50, length)
    values[drawn(50, length) > 0.3] = torch.nan
    values[7] = torch.nan
    values[8, 0], values[8, 1] = torch.inf, -torch.inf
    torch.testing.assert_close(medians(values), values.nanmedian(-1).values, rtol=0, atol=0, equal_nan=True)


def test_nothing_has_no_median():
    assert bool(medians(torch.empty(2, 0)).isnan().all())


def test_order_rises():
    values = drawn(500)
    torch.testing.assert_close(values[order(values)], values.sort().values, rtol=0, atol=0)


def test_one_wild_value_in_ten_hardly_moves_the_deviation():
    values = 0.5 * drawn(2, 20_000)
    assert robust_deviation(values).tolist() == pytest.approx([0.5, 0.5], rel=0.03)
    values[1, ::10] = 1e6
    values[0, ::7] = torch.nan
    assert robust_deviation(values).tolist() == pytest.approx([0.5, 0.57], rel=0.03)
