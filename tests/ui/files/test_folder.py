"""A folder dropped on the window opens what lies in it, or one sentence says what to do."""

import npe2
import numpy as np
import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi import SpectralLibrary, write_envi, write_library
from napari_decsc.hsi.io.files import save_cube
from napari_decsc.hsi.io.folders import listed
from napari_decsc.ui.files import reader
from napari_decsc.ui.files.folder import FEW, FolderDialog


@pytest.fixture
def person(qtbot):
    """Someone who does something with the dialog as soon as it is there."""
    asking = QTimer()

    def look(act):
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, FolderDialog):
            asking.stop()
            act(dialog)

    def does(act):
        asking.timeout.connect(lambda: look(act))
        asking.start(10)

    yield does
    asking.stop()


@pytest.fixture
def capture(tmp_path, cube):
    """A folder as a camera leaves it: a scene with its references, and a library."""
    folder = tmp_path / "scene_1"
    (folder / "capture").mkdir(parents=True)
    for name in ("scene", "DARKREF_scene", "WHITEREF_scene"):
        write_envi(cube, folder / "capture" / f"{name}.hdr")
    write_library(SpectralLibrary(cube.data[:, 0, :2].T, ("a", "b"), cube.wavelengths, "nm"), folder / "lib.hdr")
    return folder


def test_without_a_window_the_scene_opens_and_its_references_do_not(viewer, capture, cube):
    npe2.PluginManager.instance().discover()  # a real window does so at its start
    (layer,) = viewer.open(str(capture), plugin="napari-decsc")
    assert layer.name == "scene"
    np.testing.assert_array_equal(layer.data, cube.data)


def test_a_folder_with_one_cube_opens_it_and_asks_nothing(make_napari_viewer, tmp_path, cube):
    folder = tmp_path / "one"
    folder.mkdir()
    write_envi(cube, folder / "leaf.hdr")
    viewer = make_napari_viewer(show=True)
    (layer,) = viewer.open(str(folder), plugin="napari-decsc")
    assert layer.name == "leaf"


def test_a_person_chooses_among_what_info_lists(make_napari_viewer, qtbot, capture, person):
    viewer = make_napari_viewer(show=True)
    seen = []

    def choose(dialog):
        seen.append([dialog.list.item(row).text() for row in range(dialog.list.count())])
        row = next(row for row, entry in enumerate(dialog.entries) if entry.kind == "white reference")
        dialog.list.setFocus()
        dialog.list.setCurrentRow(row)
        qtbot.keyClick(dialog.list, Qt.Key.Key_Space)
        qtbot.mouseClick(dialog.buttons.button(QDialogButtonBox.StandardButton.Open), Qt.MouseButton.LeftButton)

    person(choose)
    layers = viewer.open(str(capture), plugin="napari-decsc")
    assert sorted(layer.name for layer in layers) == ["WHITEREF_scene", "scene"]
    assert len(seen[0]) == len(listed(capture)) == 4
    assert any("(dark reference)" in line for line in seen[0])


def test_going_back_opens_nothing_and_is_no_error(make_napari_viewer, qtbot, capture, person):
    viewer = make_napari_viewer(show=True)
    person(lambda dialog: qtbot.keyClick(dialog, Qt.Key.Key_Escape))
    assert viewer.open(str(capture), plugin="napari-decsc") == []
    assert len(viewer.layers) == 0


def test_a_folder_without_cubes_is_one_sentence(make_napari_viewer, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("napari.utils.notifications.show_error", said.append)
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(FileFormatError, match="no cube"):
        reader.read(str(tmp_path))
    viewer = make_napari_viewer(show=True)
    assert viewer.open(str(tmp_path), plugin="napari-decsc") == []
    assert len(said) == 1
    assert "drop the file itself" in said[0]


def test_a_store_that_is_a_folder_is_still_one_cube(tmp_path, cube):
    store = save_cube(cube, tmp_path / "scene.zarr")
    ((data, _, _),) = reader.get_reader(str(store))(str(store))
    np.testing.assert_array_equal(data, cube.data)


def test_many_cubes_are_not_ticked_unasked_and_nothing_ticked_cannot_be_opened(qtbot, tmp_path, cube):
    for number in range(FEW + 2):
        write_envi(cube, tmp_path / f"s{number}.hdr")
    dialog = FolderDialog(tmp_path, listed(tmp_path))
    qtbot.addWidget(dialog)
    assert len(dialog.ticked()) == FEW
    for row in range(dialog.list.count()):
        dialog.list.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Open).isEnabled()
