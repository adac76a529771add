"""The measured noise in words: numbers agree with their nouns."""

import numpy as np
import pytest

from napari_decsc.hsi.noise.measured import LineOffsets, MeasuredNoise


def measured(bands=3, *, empty=0, offset=0):
    level = np.linspace(1, 2, bands, dtype=np.float32)
    lines = np.where(np.arange(bands) < offset, 0.5, 0).astype(np.float32)
    return MeasuredNoise(
        level=level,
        correlation=np.eye(bands, dtype=np.float32),
        spectrum=np.ones((8, 8), np.float32),
        signal=10 * level,
        shot=np.zeros(bands, np.float32),
        read=level,
        lines=(LineOffsets(0.0, lines),) if offset else (),
        fringes=(),
        dead=(),
        outliers=0,
        empty=dict.fromkeys(range(empty), "constant"),
    )


@pytest.mark.parametrize(("count", "words"), [(1, "1 band holds nothing."), (2, "2 bands hold nothing.")])
def test_empty_bands_are_counted_in_singular_and_plural(count, words):
    assert measured(empty=count).sentences()[-1] == words


@pytest.mark.parametrize(("count", "words"), [(1, "of 1 band are offset"), (3, "of 3 bands are offset")])
def test_bands_with_offset_lines_are_counted_in_singular_and_plural(count, words):
    assert words in measured(offset=count).sentences()[-1]
