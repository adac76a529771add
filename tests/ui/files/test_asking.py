import npe2
import numpy as np
import pytest
from qtpy.QtWidgets import QInputDialog

from napari_decsc.errors import AmbiguousFileError
from napari_decsc.ui.files import asking, reader


@pytest.fixture
def stack(tmp_path):
    """An array whose axes could each count bands."""
    path = tmp_path / "stack.npy"
    np.save(path, np.arange(9 * 10 * 11, dtype=np.float32).reshape(9, 10, 11))
    return path


@pytest.fixture
def answer(monkeypatch):
    """A person in front of the window, who takes the choice of this number, or goes back (None)."""
    asked = []

    def person(number):
        def answers(parent, title, text, choices, current, editable):
            asked.append((text, list(choices)))
            return ("", False) if number is None else (choices[number], True)

        monkeypatch.setattr(asking, "window", lambda: object())
        monkeypatch.setattr(QInputDialog, "getItem", answers)
        return asked

    return person


def test_without_a_window_the_error_says_what_to_choose(qtbot, stack):
    with pytest.raises(AmbiguousFileError, match="which axis of 9 x 10 x 11"):
        reader.read(str(stack))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_person_is_asked_for_the_axis_of_the_bands(qtbot, stack, answer, axis):
    asked = answer(axis)
    ((data, _, _),) = reader.read(str(stack))
    np.testing.assert_array_equal(data, np.moveaxis(np.load(stack), axis, 0))
    ((text, choices),) = asked
    assert "9 x 10 x 11" in text
    assert "band_axis" not in text  # a word for programs
    assert choices == ["first axis", "second axis", "third axis"]


def test_a_person_is_asked_which_array_is_the_cube(qtbot, tmp_path, answer):
    path = tmp_path / "two.npz"
    arrays = {"dark": np.zeros((4, 20, 30), np.float32), "light": np.ones((4, 20, 30), np.float32)}
    np.savez(path, **arrays)
    asked = answer(1)
    ((data, _, _),) = reader.read(str(path))
    ((_, choices),) = asked
    np.testing.assert_array_equal(data, arrays[choices[1]])
    assert sorted(choices) == ["dark", "light"]


def test_going_back_opens_nothing_and_is_no_error(viewer, stack, answer):
    answer(None)
    npe2.PluginManager.instance().discover()  # a real window does so at its start
    assert viewer.open(str(stack), plugin="napari-decsc") == []
    assert len(viewer.layers) == 0
