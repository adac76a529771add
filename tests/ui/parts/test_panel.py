import numpy as np
import pytest
from qtpy.QtCore import QRectF
from qtpy.QtGui import QColor, QImage, QPainter

from napari_decsc.ui.parts import painting
from napari_decsc.ui.parts.panel import Line, Panel, decades, ends_of, log_numbers, round_numbers, runs, whole_numbers


@pytest.mark.parametrize(
    ("end", "most", "expected"),
    [(10, 12, range(1, 11)), (15, 6, range(5, 16, 5)), (100, 5, range(20, 101, 20)), (2, 1, range(2, 3, 2))],
)
def test_numbers_of_evaluations_are_round(end, most, expected):
    assert list(whole_numbers(end, most)) == list(expected)


def test_no_more_decades_than_there_is_room_for():
    assert list(decades(2e-4, 2.0, 10)) == [-3, -2, -1, 0]
    assert list(decades(1e-9, 1.0, 4)) == [-9, -6, -3, 0]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (400, 700, 4, ["400", "500", "600", "700"]),
        (0.0, 1.1, 3, ["0", "0.5", "1"]),
        (-0.13, 0.41, 3, ["0", "0.2", "0.4"]),
        (2.0e-5, 6.1e-5, 3, ["2e-05", "4e-05", "6e-05"]),
        (9_700, 12_300, 3, ["10000", "11000", "12000"]),
    ],
)
def test_numbers_along_an_axis_are_round(low, high, most, expected):
    found = round_numbers(low, high, most)
    assert [text for _, text in found] == expected
    assert [value for value, _ in found] == pytest.approx([float(text) for text in expected])


def test_a_log_axis_without_two_decades_has_round_numbers():
    assert [text for _, text in log_numbers(1e-3, 1.0, 5)] == ["1e-3", "1e-2", "1e-1", "1e0"]
    assert [text for _, text in log_numbers(0.003, 0.009, 3)] == ["0.004", "0.006", "0.008"]


def test_a_panel_says_where_a_point_lies():
    panel = Panel((400, 600), (0.01, 100), is_log=True)
    np.testing.assert_allclose(panel.across(np.array([400, 450, 600])), [0, 0.25, 1])
    np.testing.assert_allclose(panel.up(np.array([0.01, 1, 100, 0, -1])), [0, 0.5, 1, np.nan, np.nan])
    assert Panel(y_ends=(2, 4)).up(np.array([3.0])) == [0.5]


def test_gaps_part_the_points_of_a_line():
    values = np.array([np.nan, 1, 2, np.nan, np.inf, 3, np.nan])
    assert runs(values) == [slice(1, 3), slice(5, 6)]
    assert runs(np.array([])) == []


def test_ends_hold_what_is_finite_and_are_never_alike():
    assert ends_of([np.array([1.0, np.nan]), np.array([3.0, np.inf])]) == (1, 3)
    assert ends_of([np.array([1.0, 3.0])], room=0.5) == (0, 4)
    assert ends_of([np.array([2.0])]) == (1.5, 2.5)
    assert ends_of([]) == (0, 1)


def test_numbers_of_bands_have_no_halves():
    one = Panel((0.5, 1.5), x_step=1.0)
    assert one.x_numbers(10) == [(1.0, "1")]
    assert [text for _, text in Panel((0.5, 3.5), x_step=1.0).x_numbers(12)] == ["1", "2", "3"]
    assert [text for _, text in Panel((0.4, 0.7)).x_numbers(4)] == ["0.4", "0.5", "0.6", "0.7"]


def painted(values, qtbot):
    """Pixels of the colour red in the picture of a panel with one line."""
    picture = QImage(200, 100, QImage.Format.Format_RGB32)
    picture.fill(0)
    painter = QPainter(picture)
    painting.prepare(painter)
    numbers = np.arange(1.0, len(values) + 1)
    panel = Panel((0.5, len(values) + 0.5), (0.0, 2.0), lines=[Line(numbers, np.array(values), "#ff0000", 1.0)])
    painting._paint_lines(painter, QRectF(0, 0, 200, 100), panel, panel.lines)
    painter.end()
    colours = [QColor(picture.pixel(x, y)) for x in range(200) for y in range(100)]
    return sum(colour.red() > 120 for colour in colours)


def test_a_point_without_neighbours_is_seen(qtbot):
    """Of a cube of one band, or of a good band between two bad ones."""
    assert painted([1.0], qtbot) >= 8
    assert painted([1.0, np.nan, np.nan, 1.0, np.nan], qtbot) >= 16
    assert painted([np.nan, np.nan], qtbot) == 0
