"""Two starts that meet, on request: both solves and their distance are drawn."""

import pytest

from napari_decsc.denoising.two_starts import Meeting
from napari_decsc.errors import DenoisingError
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise.two_starts import axes_of, said
from napari_decsc.ui.denoise.widget import DenoiseWidget

MEETINGS = tuple(Meeting(n, (0.1**n, 0.5 * 0.1**n), 0.2**n) for n in range(1, 7))


@pytest.fixture
def solved(qtbot, viewer, kept, cube, fake):
    """A panel after a run of a denoiser that can solve twice."""
    widget = kept(DenoiseWidget(viewer))
    add_cube_layer(viewer, cube)
    with qtbot.waitSignal(widget.done, timeout=10_000):
        widget.run()
    return widget


def test_both_solves_and_their_distance_are_drawn_until_the_next_run(qtbot, solved):
    solved.result.denoiser.two_starts = lambda: iter(MEETINGS)
    solved.keeping.result = solved.result
    assert solved.keeping.starts_action.isEnabled()
    solved.keeping.starts_action.trigger()
    qtbot.waitUntil(lambda: solved.message.text() == said(MEETINGS), timeout=5000)
    assert "6 evaluations" in solved.message.text()
    (panel,) = solved.plot.panels
    assert [name for name, _ in panel.names] == ["own start", "from noise", "distance"]
    assert [list(line.y) for line in panel.lines][2] == pytest.approx([0.2**n for n in range(1, 7)])
    with qtbot.waitSignal(solved.done, timeout=10_000):
        solved.run()
    assert solved.plot.starts is None
    assert len(solved.plot.tiles[0]) == 5


def test_why_it_cannot_is_said(qtbot, solved):
    def nothing_held():
        raise DenoisingError("no solution is held")
        yield

    solved.result.denoiser.two_starts = nothing_held
    solved.solve_twice()
    qtbot.waitUntil(lambda: solved.message.text() == "no solution is held", timeout=5000)
    assert solved.message.is_error


def test_a_method_without_an_equilibrium_does_not_offer_it(solved):
    assert not solved.keeping.starts_action.isEnabled()
    assert solved.keeping.report_action.isEnabled()


def test_no_curve_runs_through_the_names():
    """They stand at the top right of a plot that is 300 points wide and 115 high; three lines of 15."""
    meetings = tuple(Meeting(n, (0.01 * 0.3**n, 10 * 0.4**n), 0.4**n) for n in range(1, 14))
    panel = axes_of(meetings)
    assert panel.names_right
    for line in panel.lines:
        is_high = (1 - panel.up(line.y)) * 115 < 45
        assert (panel.across(line.x)[is_high] * 300 < 300 - 70).all()


def test_starts_that_meet_at_once_are_drawn_at_the_end_of_the_axis():
    panel = axes_of((Meeting(1, (1.0, 1.0), 0.0), Meeting(2, (0.0, 0.0), 0.0)))
    assert panel.y_ends[0] <= 1e-3
    assert all((line.y > 0).all() for line in panel.lines)
