import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_decsc.denoising import provenance
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.ui.files.save_button import FORMATS, SaveButton
from napari_decsc.ui.parts.texts import Message


@pytest.fixture
def message(qtbot):
    message = Message()
    qtbot.addWidget(message)
    return message


@pytest.fixture
def button(qtbot, cube, message):
    button = SaveButton(message, lambda: (cube, {"denoising": {"method": "decsc"}}))
    qtbot.addWidget(button, before_close_func=lambda button: button.leave())
    return button


@pytest.fixture
def save(qtbot, button, message, monkeypatch):
    """Save under a name with what a person answers when asked about replacing files; returns what was asked."""

    def press(path, kind="float32", chosen="ENVI header (*.hdr)", agrees=True):
        asked = []
        given = QMessageBox.StandardButton.Yes if agrees else QMessageBox.StandardButton.No
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), chosen))
        monkeypatch.setattr(QMessageBox, "question", lambda *parts: asked.append(parts[2]) or given)
        message.say("")
        button.save(kind)
        if agrees or not asked:
            qtbot.waitUntil(lambda: message.text().startswith("Wrote") or message.is_error, timeout=10_000)
        return asked

    return press


@pytest.mark.parametrize("ending", [".hdr", ".tif", ".npz"])
def test_every_format_keeps_values_wavelengths_and_bad_bands(save, cube, tmp_path, ending):
    assert save(tmp_path / f"leaf{ending}") == []
    again = open_cube(tmp_path / f"leaf{ending}")
    np.testing.assert_array_equal(again.data, cube.data)
    np.testing.assert_array_equal(again.wavelengths, cube.wavelengths)
    np.testing.assert_array_equal(again.good_bands, cube.good_bands)
    assert provenance.read(again.header)["denoising"]["method"] == "decsc"
    assert again.header["description"].startswith("Denoised by napari-decsc")


def test_a_name_without_an_ending_gets_that_of_the_chosen_format(save, tmp_path):
    for number, chosen in enumerate(FORMATS.split(";;")):
        save(tmp_path / f"leaf{number}", chosen=chosen)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"leaf0.hdr", "leaf1.tif", "leaf2.npz", "leaf3.npy"} <= names


def test_a_file_that_the_dialog_did_not_ask_about_is_asked_about_here(save, tmp_path, message):
    save(tmp_path / "leaf.hdr")
    (data,) = [path for path in tmp_path.iterdir() if path.suffix != ".hdr"]
    (tmp_path / "leaf.hdr").unlink()
    data.write_bytes(b"mine")
    (question,) = save(tmp_path / "leaf.hdr", agrees=False)
    assert data.name in question
    assert data.read_bytes() == b"mine"
    assert not (tmp_path / "leaf.hdr").exists()
    save(tmp_path / "leaf.hdr", agrees=True)
    assert open_cube(tmp_path / "leaf.hdr").bands == 6


def test_values_can_go_back_into_the_type_of_their_file(qtbot, cube, message, tmp_path, monkeypatch):
    raw = cube.replace(data=np.round(cube.data * 10_000).astype(np.float32), scale=10_000, header={"data type": "2"})
    button = SaveButton(message, lambda: (raw, {}))
    qtbot.addWidget(button, before_close_func=lambda button: button.leave())
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "raw.hdr"), ""))
    button.save("source")
    qtbot.waitUntil(lambda: message.text().startswith("Wrote"), timeout=10_000)
    again = open_cube(tmp_path / "raw.hdr")
    assert (again.data.dtype, again.scale) == (np.int16, 10_000)
    np.testing.assert_array_equal(again.data, raw.data)


def test_what_cannot_be_written_is_said(save, tmp_path, message):
    save(tmp_path / "absent" / "leaf.hdr")
    assert message.is_error
    assert "absent" in message.text()
