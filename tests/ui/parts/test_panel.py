import numpy as np
import pytest

from napari_decsc.ui.parts.panel import Panel, decades, ends_of, log_numbers, round_numbers, runs, whole_numbers


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
