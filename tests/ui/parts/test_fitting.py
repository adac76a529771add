import re

from qtpy.QtWidgets import QFrame

from napari_decsc.ui.parts.fitting import FittingLine
from napari_decsc.ui.parts.theme import CUBE_COLOURS, colour_of, cube_colour

ENTRIES = [("#ff0000", f"a cube with a name {number}") for number in range(8)]


def shown(line):
    return re.sub("<[^>]*>", "", line.text()).replace("&nbsp;", " ")


def test_what_does_not_fit_is_counted_and_nothing_is_cut(qtbot):
    line = FittingLine()
    qtbot.addWidget(line)
    line.resize(500, 20)
    line.show()
    line.show_entries("Legend:", ENTRIES)
    text = shown(line)
    whole = text.count("a cube with a name ")
    assert 0 < whole < 8
    assert text.endswith(f"+{8 - whole}")
    assert line.fontMetrics().horizontalAdvance(text) <= 500
    line.resize(3000, 20)
    assert shown(line).count("a cube with a name ") == 8
    assert "+" not in shown(line)


def test_nothing_is_cut_in_the_style_of_napari(qtbot):
    """Its labels have a frame, so that Qt indents their text."""
    line = FittingLine()
    qtbot.addWidget(line)
    line.setFrameShape(QFrame.Shape.Box)
    line.show()
    line.show_entries("", ENTRIES)
    for width in range(200, 900, 7):
        line.resize(width, 20)
        assert line.sizeHint().width() <= width


def test_in_a_very_narrow_place_only_their_number_is_left(qtbot):
    line = FittingLine()
    qtbot.addWidget(line)
    line.resize(40, 20)
    line.show_entries("", ENTRIES)
    assert shown(line) == "+8"


def test_no_two_cubes_have_one_colour(viewer):
    layers = [viewer.add_points(name=str(number)) for number in range(30)]
    assert len({cube_colour(viewer, layer) for layer in layers}) == 30
    assert [colour_of(number) for number in range(6)] == list(CUBE_COLOURS)


def test_a_colour_that_is_free_again_is_given_again(viewer):
    first, second = viewer.add_points(name="a"), viewer.add_points(name="b")
    colours = cube_colour(viewer, first), cube_colour(viewer, second)
    viewer.layers.remove(first)
    assert cube_colour(viewer, viewer.add_points(name="c")) == colours[0]
    assert cube_colour(viewer, second) == colours[1]
