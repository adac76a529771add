"""Similar patches at several scales: what it must leave alone, what it must gain, and where it must not reach."""

import torch

from napari_decsc.filters import multiscale as pyramid
from napari_decsc.filters.collaborative import shrink
from napari_decsc.filters.matching import similar_patches
from napari_decsc.filters.multiscale import COARSE, GROUP, NEAR, SEARCH, THRESHOLD, first_pass, second_pass


def noise(count: int, side: int) -> torch.Tensor:
    return torch.randn(count, side, side, generator=torch.Generator().manual_seed(5))


def hills(side: int) -> torch.Tensor:
    """Weak waves much longer than a patch; shape (1, side, side)."""
    axis = torch.arange(side) / side
    return 0.7 * (torch.sin(9 * axis)[:, None] + torch.cos(7 * axis))[None]


def estimate(images: torch.Tensor) -> torch.Tensor:
    pilot, coarse = first_pass(images, torch.ones(len(images)))
    return second_pass(images, pilot, coarse)


def error(found: torch.Tensor, clean: torch.Tensor) -> float:
    return float((found - clean).square().mean())


def test_a_coarser_scale_helps_where_signal_is_weak_and_smooth(monkeypatch):
    clean = hills(96)
    both = error(estimate(clean + noise(1, 96)), clean)
    monkeypatch.setattr(pyramid, "SMALLEST", 1000)
    assert both < 0.8 * error(estimate(clean + noise(1, 96)), clean)


def test_a_constant_stays_and_noise_alone_goes():
    flat = torch.full((2, 64, 64), 50.0)
    torch.testing.assert_close(estimate(flat), flat, rtol=1e-4, atol=1e-3)
    assert error(estimate(noise(3, 96)), torch.zeros(3, 96, 96)) < 0.02


def test_images_too_small_to_halve_and_no_images_at_all():
    small = noise(2, 40)
    small[:, 10:25, 8:30] += 20
    pilot, coarse = first_pass(small, torch.ones(2))
    assert coarse is None
    groups = similar_patches(pilot, GROUP, SEARCH, COARSE, NEAR)
    expected = shrink(small, groups, THRESHOLD, pilot, together=True)
    torch.testing.assert_close(second_pass(small, pilot, None), expected)
    none = small[:0]
    assert first_pass(none, torch.ones(0)) == (none, None)
    assert second_pass(none, none, None) is none


def test_what_the_coarser_knows_replaces_only_what_is_smooth():
    fine, detail = hills(64), torch.zeros(1, 64, 64)
    detail[0, 30, 30] = 5.0
    # the coarser estimate is right about the hills, and does not know the detail's place within its pixel
    coarse = torch.nn.functional.avg_pool2d(fine + detail, 2)
    righted = pyramid.righted(0.5 * fine + detail, coarse)
    assert error(righted, fine + detail) < 0.01 * error(0.5 * fine + detail, fine + detail)
    torch.testing.assert_close(pyramid.righted(fine + detail, coarse), fine + detail)
