import npe2
import numpy as np
import pytest

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import save_cube
from napari_decsc.ui.cubes.layers import KEY
from napari_decsc.ui.files import reader, sample


@pytest.fixture
def file(tmp_path, cube):
    return write_envi(cube, tmp_path / "leaf.hdr")


def test_a_cube_comes_through_napari_and_back(viewer, file, cube, tmp_path):
    npe2.PluginManager.instance().discover()  # a real window does so at its start
    (layer,) = viewer.open(str(file), plugin="napari-decsc")
    np.testing.assert_array_equal(layer.data, cube.data)
    (written,) = viewer.layers.save(str(tmp_path / "again.hdr"), plugin="napari-decsc")
    again = read_envi(written)
    np.testing.assert_array_equal(again.data, cube.data)
    np.testing.assert_array_equal(again.wavelengths, cube.wavelengths)
    np.testing.assert_array_equal(again.good_bands, cube.good_bands)


def test_a_zarr_store_opens_though_it_is_a_folder(viewer, cube, tmp_path):
    store = save_cube(cube, tmp_path / "scene.zarr")
    npe2.PluginManager.instance().discover()
    (layer,) = viewer.open(str(store), plugin="napari-decsc")
    np.testing.assert_array_equal(layer.data, cube.data)


def test_the_reader_refuses_what_is_no_cube(tmp_path):
    other = tmp_path / "notes.hdr"
    other.write_text("nothing of ENVI")
    assert reader.get_reader(str(other)) is None
    assert reader.get_reader([]) is None
    assert reader.get_reader(str(tmp_path / "absent.hdr")) is None


def test_several_files_become_several_layers(file):
    assert len(reader.get_reader([str(file), str(file)])([str(file), str(file)])) == 2


def test_lazy_data_come_with_contrast_limits(file):
    ((_, options, kind),) = reader.read(str(file))
    low, high = options["contrast_limits"]
    assert kind == "image"
    assert low < high


def test_writing_replaces_what_the_dialog_asked_about(file, cube):
    brighter = cube.replace(data=cube.data + 1)
    reader.write_cube(str(file), brighter.data, {"name": "leaf", "metadata": {}})
    np.testing.assert_array_equal(read_envi(file).data, brighter.data)


def test_writing_uses_pixels_that_another_plugin_changed(tmp_path, cube):
    from napari_decsc.ui.cubes.layers import Record

    data = cube.data[:, :4]
    metadata = {KEY: Record(cube, shown=cube.data)}
    (written,) = reader.write_cube(str(tmp_path / "cut.hdr"), data, {"name": "cut", "metadata": metadata})
    assert read_envi(written).shape == (6, 4, 10)
    np.testing.assert_array_equal(read_envi(written).wavelengths, cube.wavelengths)


def test_a_photo_cannot_be_saved_as_a_cube(tmp_path):
    with pytest.raises(FileFormatError, match="photo"):
        reader.write_cube(str(tmp_path / "x.hdr"), np.zeros((4, 5)), {"name": "photo"})
    assert not list(tmp_path.iterdir())


def test_open_a_real_cube_asks_for_a_file(monkeypatch, qtbot, file, cube):
    from qtpy.QtWidgets import QFileDialog

    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    ((data, _, _),) = sample.real_cube()
    np.testing.assert_array_equal(data, cube.data)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    with pytest.raises(FileFormatError, match="No file was chosen"):
        sample.real_cube()
