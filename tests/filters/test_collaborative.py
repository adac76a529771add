"""Collaborative filtering: values that can be derived by hand, an oracle group by group, and what must not matter."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from napari_decsc.filters import matching
from napari_decsc.filters.collaborative import shrink
from napari_decsc.filters.matching import Groups, similar_patches
from napari_decsc.filters.patches import PATCH, cosines, haar


def discs(side: int = 48) -> torch.Tensor:
    """Discs on a ramp, twenty times as strong as the noise; shape (1, row, col)."""
    axis = torch.arange(side) / side
    disc = (axis[:, None] - 0.5) ** 2 + (axis - 0.5) ** 2 < 0.1
    return 20 * (disc.float() + 0.3 * torch.floor(6 * axis).remainder(2))[None]


def noisy_discs(count: int = 1, side: int = 48) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return discs(side) + torch.randn(count, side, side, generator=generator)


def corners_of(groups: Groups) -> torch.Tensor:
    """Row and column of every patch: (reference, patch, 2)."""
    return torch.stack([groups.positions // groups.corners[1], groups.positions % groups.corners[1]], -1)


def references(extent: int, stride: int) -> torch.Tensor:
    grid = torch.arange(0, extent - PATCH + stride, stride).clamp(max=extent - PATCH)
    return torch.cartesian_prod(grid, grid)[:, None]


@pytest.mark.parametrize("stride", [3, 4])
def test_similar_patches_of_a_periodic_image_are_its_periods(stride: int):
    tile = torch.rand(6, 6, generator=torch.Generator().manual_seed(6))
    groups = similar_patches(tile.tile(6, 6)[None], 4, 6, (stride,))
    assert bool(((corners_of(groups) - references(36, stride)) % 6 == 0).all())
    assert all(len(group.unique()) == 4 for group in groups.positions)


@pytest.mark.parametrize("near", [None, 2])
def test_the_nearest_patches_are_those_of_an_exhaustive_search(near: int | None):
    images = noisy_discs(2, 24)
    groups = similar_patches(images, 8, search=5, near=near)
    every = images.unfold(1, PATCH, 1).unfold(2, PATCH, 1).permute(1, 2, 0, 3, 4).reshape(17 * 17, -1)
    for corner, found in zip(references(24, 4)[:, 0], groups.positions, strict=True):
        distances = (every - every[int(corner[0] * 17 + corner[1])]).square().sum(1)
        moves = (torch.cartesian_prod(torch.arange(17), torch.arange(17)) - corner).abs()
        seen = moves.amax(1) <= 5
        if near is not None:
            seen &= (moves.amax(1) <= near) | (moves % 2 == 0).all(1)
        expected = torch.where(seen, distances, torch.inf).sort().values[:8]
        torch.testing.assert_close(distances[found], expected)


def test_among_equals_the_first_move_counts():
    groups = similar_patches(torch.zeros(1, 40, 40), 4, search=2)
    middle = (corners_of(groups) - references(40, 4))[40]
    assert middle.tolist() == [[-2, -2], [-2, -1], [-2, 0], [-2, 1]]


def test_a_tile_at_a_multiple_of_the_steps_finds_the_groups_of_the_whole():
    """Away from the tile's edges, where the whole has more patches to choose from."""
    images = noisy_discs(3, 64)
    whole, tile = (similar_patches(part, 8, 4, (5, 6, 5)) for part in (images, images[:, 16:, 32:]))
    of_whole = (corners_of(whole) - torch.tensor([16, 32])).view(12, 12, 8, 2)
    of_tile = corners_of(tile).view(9, 6, 8, 2)
    torch.testing.assert_close(of_tile[1:, 1:], of_whole[4:, 7:], rtol=0, atol=0)


@pytest.mark.parametrize(("rows", "cols"), [(48, 48), (48, 52), (45, 47), (8, 8), (12, 20)])
@pytest.mark.parametrize("steps", [(4,), (5, 6, 5), (8,)])
def test_references_are_steps_apart_and_reach_every_pixel(steps: tuple[int, ...], rows: int, cols: int):
    groups = similar_patches(torch.randn(2, rows, cols, generator=torch.Generator().manual_seed(3)), 1, 4, steps)
    own = corners_of(groups)[:, 0]  # nothing is nearer to a patch than itself
    begin = own[:, 0].unique()
    assert all(int(gap) == steps[k % len(steps)] for k, gap in enumerate(begin.diff()[:-1]))
    seen = torch.zeros(rows, cols, dtype=torch.bool)
    for row, col in own.tolist():
        seen[row : row + 8, col : col + 8] = True
    assert bool(seen.all())


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    images = noisy_discs(2, 64)
    groups = similar_patches(images, 8, search=6)
    first = shrink(images, groups, 3.0)
    monkeypatch.setattr(matching, "BLOCK", 12)
    monkeypatch.setattr(matching, "AT_ONCE", 3)
    assert len(list(groups.blocks())) > 9
    again = similar_patches(images, 8, search=6)
    torch.testing.assert_close(again.positions, groups.positions, rtol=0, atol=0)
    torch.testing.assert_close(shrink(images, again, 3.0), first, rtol=1e-5, atol=1e-5)


def test_filtering_keeps_constants_and_a_clean_pilot_is_better_than_none():
    clean, noisy = discs(), noisy_discs()
    groups = similar_patches(clean, 16, search=8)
    torch.testing.assert_close(shrink(torch.full_like(clean, 3.0), groups, 3.0), torch.full_like(clean, 3.0))
    first, ideal = shrink(noisy, groups, 3.0), shrink(noisy, groups, 3.0, pilot=clean)
    errors = [float((found - clean).square().mean()) for found in (noisy, first, ideal)]
    assert errors[2] < 0.7 * errors[1]
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("guided", [False, True])
def test_one_group_by_the_definition(guided: bool):
    """One group of two patches that do not overlap, with scipy's cosine transform, sum and difference by hand."""
    image, pilot = noisy_discs(1, 16)[0], discs(16)[0]
    groups = Groups(torch.tensor([[0, 8 * 9 + 8]]), (9, 9), 1)

    def transformed(values: torch.Tensor) -> np.ndarray:
        one, other = (dctn(values[at : at + 8, at : at + 8].numpy(), norm="ortho") for at in (0, 8))
        return np.stack([one + other, one - other]) / np.sqrt(2)

    noisy, clean = transformed(image), transformed(pilot)
    kept = np.abs(noisy) > 3
    kept[0, 0, 0] = True
    expected = noisy * (clean**2 / (clean**2 + 1) if guided else kept)
    found = shrink(image[None], groups, 3.0, pilot[None] if guided else None)[0]
    np.testing.assert_allclose(transformed(found), expected, atol=1e-4)
    torch.testing.assert_close(found[:8, 8:], image[:8, 8:])  # no group reaches it


def test_images_do_not_mix():
    images = noisy_discs(3)
    groups = similar_patches(images, 16, search=6)
    for together, alone in zip(shrink(images, groups, 3.0), images, strict=True):
        torch.testing.assert_close(together, shrink(alone[None], groups, 3.0)[0])


@pytest.mark.parametrize("length", [1, 2, 16, 32])
def test_transforms_are_orthonormal(length: int):
    np.testing.assert_allclose(haar(length) @ haar(length).T, np.eye(length), atol=1e-6)
    np.testing.assert_allclose(haar(length)[0], 1 / np.sqrt(length), rtol=1e-6)
    np.testing.assert_allclose(cosines() @ cosines().T, np.eye(PATCH**2), atol=1e-6)


def test_together_is_the_same_whatever_the_axes_of_the_images():
    """Turn the images among themselves, and the estimate is turned the same way: groups have axes of their own."""
    images = torch.cat([noisy_discs(1), 0.5 * noisy_discs(2) + 3])
    groups = similar_patches(images, 16, search=6)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1)))[0]
    turned = torch.einsum("ij,jrc->irc", turn, images)
    pilot = shrink(images, groups, 3.0)
    pilot_turned = torch.einsum("ij,jrc->irc", turn, pilot)
    # every group weighs the same in all images, once there is one group for a pixel
    lone = Groups(groups.positions[:1], groups.corners, 1)
    for found, of_turned in (
        (shrink(images, lone, 3.0, together=True), shrink(turned, lone, 3.0, together=True)),
        (shrink(images, lone, 3.0, pilot, together=True), shrink(turned, lone, 3.0, pilot_turned, together=True)),
    ):
        reached = (found != images).any(0)
        assert reached.any()
        expected = torch.einsum("ij,jrc->irc", turn, found)
        torch.testing.assert_close(of_turned[:, reached], expected[:, reached], rtol=1e-3, atol=1e-3)


def test_together_wins_where_images_share_one_signal():
    """One signal in three images: on axes of their own two of three coefficients hold nothing but noise."""
    generator = torch.Generator().manual_seed(3)
    clean = discs().repeat(3, 1, 1) * 0.2
    noisy = clean + torch.randn(clean.shape, generator=generator)
    groups = similar_patches(noisy, 16, search=8)
    apart, together = shrink(noisy, groups, 3.0), shrink(noisy, groups, 3.0, together=True)
    assert float((together - clean).square().mean()) < 0.8 * float((apart - clean).square().mean())


def test_threads_change_nothing():
    images = noisy_discs(2, 160)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(shrink(images, similar_patches(images, 16, search=6), 3.0, together=True))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(*results, rtol=0, atol=0)
