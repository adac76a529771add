"""The frozen collaborative filter: linear, self-adjoint in its inner product, and a contraction."""

import pytest
import torch

from napari_decsc.filters import frozen
from napari_decsc.filters.collaborative import shrink
from napari_decsc.filters.frozen import LARGEST_GAIN, FrozenFilter
from napari_decsc.filters.matching import similar_patches


def images(rows: int = 40, cols: int = 48, count: int = 3) -> torch.Tensor:
    row, col = torch.arange(rows)[:, None] / 5, torch.arange(cols)[None] / 7
    clean = torch.stack([8 * torch.sin(row + k) * torch.cos(col * (k + 1)) for k in range(count)])
    return clean + torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))


def made(noisy: torch.Tensor, **options) -> FrozenFilter:
    groups = similar_patches(noisy, 16, 6)
    pilot = noisy if "threshold" in options else shrink(noisy, groups, 3.0)
    return FrozenFilter(pilot, groups, **options)


def drawn(seed: int, like: torch.Tensor) -> torch.Tensor:
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))


SPECTRUM = torch.linspace(3, 0.1, 64)


@pytest.mark.parametrize("options", [{}, {"threshold": 3.0}, {"spectrum": SPECTRUM}, {"strength": 2.0}])
def test_it_is_self_adjoint_and_keeps_no_more_than_its_largest_gain(options):
    noisy = images()
    with torch.inference_mode():
        w = made(noisy, **options)
        a, b = drawn(1, noisy), drawn(2, noisy)
        scale = (w.inner(a, a) * w.inner(b, b)) ** 0.5
        assert abs(w.inner(w(a), b) - w.inner(a, w(b))) < 1e-5 * scale
        torch.testing.assert_close(w(a + 2 * b), w(a) + 2 * w(b), rtol=1e-3, atol=1e-3)
        for _ in range(30):  # the power iteration finds the direction that is kept most
            a = w(a)
            a = a / w.inner(a, a) ** 0.5
        assert w.inner(w(a), w(a)) ** 0.5 <= LARGEST_GAIN + 1e-5


def test_gains_that_are_not_held_give_the_same(monkeypatch):
    noisy = images()
    with torch.inference_mode():
        held = made(noisy)(noisy)
        monkeypatch.setattr(frozen, "HELD", 0)
        torch.testing.assert_close(made(noisy)(noisy), held, rtol=1e-3, atol=5e-3)


def test_what_is_far_above_the_noise_is_kept_as_well_where_gains_are_held(monkeypatch):
    strong = 300 * images()
    with torch.inference_mode():
        held = made(strong)(strong)
        monkeypatch.setattr(frozen, "HELD", 0)
        apart = made(strong)(strong) - held
    assert float(apart.square().mean().sqrt()) < 2e-3  # of a noise level; amplitudes are in the thousands


def test_it_removes_noise_as_the_collaborative_filter_does():
    noisy = images(64, 64)
    clean = noisy - torch.randn(noisy.shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        error = (made(noisy)(noisy) - clean).square().mean()
    assert float(error) < 0.2


def test_more_strength_keeps_less():
    noisy = images()
    with torch.inference_mode():
        sizes = [float(made(noisy, strength=strength)(drawn(3, noisy)).norm()) for strength in (0.25, 1.0, 2.0)]
    assert sizes[0] > sizes[1] > sizes[2]


def smooth(count: int, rows: int = 96) -> torch.Tensor:
    """Images without anything fine in them: some of them mixtures of the first two."""
    row, col = torch.arange(rows)[:, None] / 15, torch.arange(rows)[None] / 17
    both = torch.stack([8 * torch.sin(row) + 0 * col, 5 * torch.cos(col) + 0 * row])
    turn = torch.linalg.qr(drawn(5, torch.zeros(count, count)))[0]
    return torch.tensordot(turn[:, :2], both, 1)


def test_what_holds_no_signal_is_not_filtered():
    clean = smooth(6)
    noisy = clean + drawn(4, clean)
    w = FrozenFilter(clean, similar_patches(clean, 16, 6))
    with torch.inference_mode():
        assert all(gains.kept.mixtures.shape == (6, 2) for gains in w.frozen)
        assert all(len(gains.kept.coefficients) < 64 for gains in w.frozen)
        assert float((w(noisy) - clean).square().mean()) < 0.02
        torch.testing.assert_close(w.once(noisy), w(noisy), rtol=1e-3, atol=5e-3)
        a, b = drawn(1, noisy), drawn(2, noisy)
        assert abs(w.inner(w(a), b) - w.inner(a, w(b))) < 1e-5 * (w.inner(a, a) * w.inner(b, b)) ** 0.5


def test_a_single_strong_pixel_is_not_left_out():
    clean = smooth(4)
    clean[3, 50, 50] += 30
    w = FrozenFilter(clean, similar_patches(clean, 16, 6))
    with torch.inference_mode():
        assert float(w(clean)[3, 50, 50] - smooth(4)[3, 50, 50]) > 20


def test_an_estimate_at_half_the_size_tells_what_noisy_images_hold():
    clean = smooth(6)
    noisy = clean + drawn(4, clean)
    estimate = torch.nn.functional.avg_pool2d(clean, 2)
    groups, each = similar_patches(noisy[:2], 16, 6), (None, estimate)
    with torch.inference_mode():
        every, few = (FrozenFilter(noisy, groups, threshold=3.0, estimate=known).once(noisy) for known in each)
    assert float((few - clean).square().mean()) < float((every - clean).square().mean())
