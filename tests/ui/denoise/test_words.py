"""What is said of a run, word by word."""

import pytest

from napari_decsc.ui.denoise import state, words


@pytest.mark.parametrize(("last", "said"), [(0.0, "relative residual 0 · "), (2.5e-4, "relative residual 2.5e-04 · ")])
def test_a_residual_of_nothing_is_a_plain_zero(last, said):
    report = {"stopped": False, "settings": {}, "tiles": [{"relative_residual": [0.1, last]}]}
    ended = state.end(state.begin("decsc", 1e-3, 9, 10.0), state.Phase.DONE, 12.0)
    assert said in words.summary(ended, report)
