"""What is said of a run, word by word."""

import pytest

from napari_decsc.ui.denoise import state, words


@pytest.mark.parametrize(("last", "said"), [(0.0, "residual 0"), (2.5e-4, "residual 2.5e-04")])
def test_a_residual_of_nothing_is_a_plain_zero(last, said):
    report = {"stopped": False, "settings": {}, "tiles": [{"relative_residual": [0.1, last]}]}
    ended = state.end(state.begin("decsc", 1e-3, 9, 10.0), state.Phase.DONE, 12.0)
    assert words.summary(ended, report).endswith(f" · {said}")


def test_the_panel_keeps_the_verdict_short_and_the_tooltip_has_the_rest():
    sentence = "Removed 54 % of the signal (root mean square) and 3 outliers; it is not white: neighbours correlate."
    said = words.verdict(sentence, is_clean=False)
    assert said == "Removed 54 % of the signal and 3 outliers; not all of it looks like noise: see Judge"
