import numpy as np
import pytest
from qtpy.QtGui import QColor, QPainter, QPixmap

from napari_decsc.denoising.protocol import Iteration
from napari_decsc.ui.denoise.residual_plot import SOLVED, ResidualPlot
from napari_decsc.ui.parts.theme import GOAL, PAPER, RESIDUAL


@pytest.fixture
def plot(qtbot):
    made = ResidualPlot(PAPER)
    qtbot.addWidget(made)
    made.resize(320, 200)
    return made


def rows_of(plot, colour, width=320, height=200):
    """Rows of the painted picture in which a colour occurs, whatever the screen's pixel ratio."""
    image = plot.grab().toImage().scaled(width, height)
    wanted = QColor(colour).getRgb()[:3]
    shots = [[image.pixelColor(col, row).getRgb()[:3] for col in range(width)] for row in range(height)]
    return np.flatnonzero((np.abs(np.array(shots) - np.array(wanted)).sum(-1) < 60).any(1))


def test_the_curve_falls_towards_the_tolerance(plot):
    plot.start(1e-3, 10)
    plot.add([Iteration(1, 1.0, 1.0, 0.1)])
    high = rows_of(plot, RESIDUAL)
    plot.add([Iteration(2, 0.01, 0.01, 0.2)])
    assert rows_of(plot, RESIDUAL).max() > high.max()  # rows count downwards
    assert rows_of(plot, RESIDUAL).max() < rows_of(plot, GOAL).min()


def test_what_is_no_evaluation_is_left_out(plot):
    plot.add([Iteration(0, np.nan, np.nan, 0.0), Iteration(1, 0.5, 0.5, 0.2)])
    assert plot.tiles == [[0.5]]
    plot.grab()


def test_a_residual_of_zero_stands_at_the_lower_edge_and_counts(plot):
    """White noise is solved exactly by the second evaluation of a stage."""
    plot.start(1e-3, 8)
    plot.add(
        [Iteration(1, 1.0, 0.06, 0.1, stage="one", change=0.02), Iteration(2, 0.0, 0.0, 0.2, stage="one", change=0.0)]
    )
    assert plot.panels[0].note[0] == SOLVED
    plot.add([Iteration(1, 1.0, 0.01, 0.3, stage="two", change=0.01)])
    assert plot.panels[0].note[0] != SOLVED
    plot.add([Iteration(2, 0.0, 0.0, 0.4, stage="two", change=0.0)])
    plot.finish()
    (curve,) = [line for line in plot.panels[0].moving if line.colour == RESIDUAL]
    low = plot.panels[0].y_ends[0]
    np.testing.assert_allclose(curve.y, [0.06, low, np.nan, 0.01, low])
    np.testing.assert_allclose(curve.x, [1, 2, np.nan, 3, 4])
    assert plot.panels[0].y_ends == (2e-4, 2.0)
    plot.explain("another reason")
    assert plot.panels[0].note[0] == SOLVED


def test_the_axes_hold_every_value(plot):
    plot.add([Iteration(number, 1.0, 10.0 ** (30 - number), 0.1) for number in range(1, 61)])
    assert rows_of(plot, RESIDUAL).min() >= 8
    assert rows_of(plot, RESIDUAL).max() <= 200 - 38


def test_the_fine_line_is_named_as_soon_as_it_is_drawn(plot):
    plot.start(1e-3, 10)
    plot.add([Iteration(1, 1.0, 0.1, 0.1, change=0.01)])  # within the axes as they are
    assert "fine line" in plot.panels[0].x_label


def test_the_axes_and_the_fitted_line_end_with_the_run(plot):
    plot.start(1e-3, 20)
    plot.add([Iteration(number, 1.0, 10.0**-number, 0.1, bound=0.9) for number in range(1, 7)])
    assert plot.panels[0].moving[-1].x[-1] == 20  # as long as it goes on, it tells what is ahead
    plot.finish()
    assert plot.panels[0].moving[-1].x[-1] == 6
    assert plot.panels[0].x_ends[1] == 6.5
    assert plot.panels[0].note[0].startswith("×0.1")


def test_a_label_that_is_too_long_gives_way_to_a_short_one(plot, monkeypatch):
    from napari_decsc.ui.parts import painting

    def written(height):
        plot.resize(320, height)
        plot.paint_anew()
        said.clear()
        plot.grab()
        return [text for text in said if text.endswith("residual")]

    said, write = [], painting._write
    monkeypatch.setattr(painting, "_write", lambda *arguments: (said.append(arguments[3]), write(*arguments)))
    assert written(300) == ["relative residual"]
    assert written(100) == ["residual"]
    for height in range(100, 200, 3):
        (text,) = written(height)
        (inside,) = plot.places()
        painter = QPainter(pixmap := QPixmap(9, 9))
        painting.prepare(painter)
        half = painter.fontMetrics().horizontalAdvance(text) / 2
        painter.end()
        assert pixmap
        assert inside.center().y() - half >= 0  # above that the widget ends


@pytest.mark.parametrize(("bound", "said"), [(0.8, "proved: ×0.80"), (0.9999, "proved: ×0.9999")])
def test_a_bound_near_one_is_not_rounded_to_one(plot, bound, said):
    plot.start(1e-3, 10)
    plot.add([Iteration(number, 1.0, 10.0**-number, 0.1, bound=bound) for number in range(1, 5)])
    assert said in plot.panels[0].note[0]
