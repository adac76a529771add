"""Previews come at once, then after pauses that grow with what they cost."""

import pytest

from napari_decsc.denoising.pacing import PAUSE, SHARE, Pace


def test_the_first_preview_is_due_at_once():
    assert Pace().is_due(0.0)


@pytest.mark.parametrize(("cost", "wait"), [(0.0, PAUSE), (0.01, PAUSE), (1.0, 1.0 / SHARE)])
def test_the_pause_is_long_enough_for_what_a_preview_costs(cost, wait):
    pace = Pace()
    pace.made(5.0, 5.0 + cost)
    assert not pace.is_due(5.0 + cost + 0.99 * wait)
    assert pace.is_due(5.0 + cost + 1.01 * wait)
