"""Tiles cover a cube once, begin where the model's windows begin, and carry a margin."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_decsc.deq.execution import memory
from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.errors import SettingsError

sizes = st.integers(1, 300)


@settings(max_examples=60, deadline=None)
@given(rows=sizes, cols=sizes, side=st.integers(0, 200))
def test_cores_cover_every_pixel_once_and_start_on_windows(rows, cols, side):
    seen = np.zeros((rows, cols), int)
    for tile in tiling.plan(rows, cols, side, 32):
        seen[tile.row.core, tile.col.core] += 1
        for span, extent in ((tile.row, rows), (tile.col, cols)):
            assert (span.start + tiling.BORDER) % 32 == span.length % 32 == 0
            assert np.array_equal(span.indices[span.inside], np.arange(extent)[span.core])
    assert np.all(seen == 1)


def test_a_tile_looks_32_pixels_into_its_neighbours_and_8_beyond_the_image():
    spans = tiling.spans(200, 64, 32)
    assert [(s.core.start, s.core.stop) for s in spans] == [(0, 64), (64, 128), (128, 192), (192, 200)]
    assert [(s.start, s.length) for s in spans] == [(-8, 128), (24, 160), (88, 128), (152, 64)]


def test_the_image_is_continued_by_reflection_without_repeating_its_edge():
    assert tiling.reflected(np.arange(-3, 8), 5).tolist() == [3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1]
    assert tiling.reflected(np.arange(-2, 3), 1).tolist() == [0, 0, 0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(bands=st.integers(31, 400))
def test_band_windows_cover_the_spectrum_and_their_weights_stay_away_from_zero(bands):
    total = np.zeros(bands)
    for window in tiling.band_windows(bands, 31):
        assert window.start >= 0
        assert window.stop - window.start == 31
        assert window.stop <= bands
        total[window] += tiling.blend(window, bands)
    assert total.min() > 0.2


def test_a_mosaic_of_a_large_image_has_the_pixels_asked_for_and_stays_inside():
    blocks = tiling.mosaic(5000, 1000, 256 * 256)
    assert sum((r.stop - r.start) * (c.stop - c.start) for r, c in blocks) == 256 * 256
    assert max(r.stop for r, _ in blocks) == 5000
    assert max(c.stop for _, c in blocks) == 1000


@pytest.mark.parametrize(
    ("text", "expected"), [("2GB", 2e9), ("1.5 g", 1.5e9), ("500MB", 5e8), ("64k", 64e3), ("9", 9)]
)
def test_memory_is_read_as_people_write_it(text, expected):
    assert memory.budget(text, torch.device("cpu")) == expected


def test_memory_that_cannot_be_read_is_refused_with_an_example():
    with pytest.raises(SettingsError, match="such as 2GB"):
        memory.budget("much", torch.device("cpu"))


def test_no_memory_given_means_half_of_what_is_free():
    free = memory.free(torch.device("cpu"))
    assert memory.budget("", torch.device("cpu")) == pytest.approx(free / 2, rel=0.2)


def test_the_side_follows_from_the_memory():
    side = tiling.side_within(1000 * 256 * 256, 1000, 32)
    assert side == 160
    assert max(span.length for span in tiling.spans(4000, side, 32)) == 256
    with pytest.raises(SettingsError, match="too little"):
        tiling.side_within(1000, 1000, 32)


@settings(max_examples=40, deadline=None)
@given(rows=sizes, cols=sizes, side=st.integers(32, 200), part=st.integers(1, 4))
def test_parts_of_a_tile_cover_it_once_and_see_the_same_windows(rows, cols, side, part):
    for tile in tiling.plan(rows, cols, side, 32):
        seen = np.zeros((rows, cols), int)
        for piece in tiling.split(tile, 32 * part, 32):
            seen[piece.row.core, piece.col.core] += 1
            assert (piece.row.start - tile.row.start) % 32 == (piece.col.start - tile.col.start) % 32 == 0
        assert seen.sum() == seen[tile.row.core, tile.col.core].sum()
        assert np.all(seen[tile.row.core, tile.col.core] == 1)


def test_side_0_leaves_a_tile_whole():
    (tile,) = tiling.plan(100, 70, 0, 32)
    assert tiling.split(tile, 0, 32) == [tile]
    assert tiling.side_of(tile) == 100


def test_what_is_taken_whatever_the_size_leaves_less_for_the_tile():
    assert tiling.side_within(1000 * 256 * 256 + 777, 1000, 32, 777) == 160
    with pytest.raises(SettingsError, match=r"give 1\.01 GB or more"):
        tiling.side_within(10, 1, 32, 1_000_000_000)


def test_stripes_reach_from_the_top_to_the_bottom():
    assert tiling.stripes(200, 256) == [slice(0, 200)]
    stripes = tiling.stripes(1000, 128)
    assert [each.stop - each.start for each in stripes] == [32] * 4
    assert (stripes[0].start, stripes[-1].stop) == (0, 1000)
    assert all(after.start >= before.stop for before, after in itertools.pairwise(stripes))


@pytest.mark.parametrize("extent", [1, 2, 7, 16, 17, 40, 131])
@pytest.mark.parametrize("side", [0, 32])
def test_what_a_tile_knows_is_the_image_unless_that_is_too_small(extent: int, side: int):
    for span in tiling.spans(extent, side, 8):
        known = np.arange(span.start, span.start + span.length)[span.known]
        assert len(known) >= tiling.LEAST
        inside = (known >= 0) & (known < extent)
        assert extent <= 16 or (inside.sum() > len(known) - tiling.BORDER and known[0] >= 0)
        # every pixel it looks at is one that it knows, but for the border of a tile within the image
        border = slice(0 if span.core.start == 0 else tiling.BORDER, None)
        np.testing.assert_array_equal(known[span.continued][border], span.indices[border])


@pytest.mark.parametrize("multiple", [8, 16, 32])
def test_what_a_tile_knows_begins_with_the_image_or_where_windows_do(multiple: int):
    spans = tiling.spans(500, 96, multiple)
    assert all((span.start + span.known.start) % multiple == 0 for span in spans)
    within = spans[2]
    np.testing.assert_array_equal(within.continued[:10], [8, 7, 6, 5, 4, 3, 2, 1, 0, 1])
