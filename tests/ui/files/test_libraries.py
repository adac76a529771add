import numpy as np
import pytest

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.envi import SpectralLibrary, write_library
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.files import reader
from napari_decsc.ui.files.libraries import show_library
from napari_decsc.ui.spectra.widget import SpectrumWidget

NAMES = ("oak", "soil")


@pytest.fixture
def file(tmp_path):
    values = np.array([[0.1, 0.2, 0.4], [0.3, 0.2, 0.1]])
    return write_library(SpectralLibrary(values, NAMES, np.array([400.0, 500, 600]), "nm"), tmp_path / "minerals.hdr")


@pytest.fixture
def widget(viewer, cube, kept, file):
    add_cube_layer(viewer, cube)
    widget = kept(SpectrumWidget(viewer))
    widget.board.pin(1, 2)
    return widget


def test_a_library_becomes_curves_and_no_layer(make_napari_viewer, file):
    viewer = make_napari_viewer()
    assert viewer.open(str(file), plugin="napari-decsc") == []  # opens the panel, too
    assert len(viewer.layers) == 0
    (panel,) = [dock for name, dock in viewer.window.dock_widgets.items() if "Spectra" in name]
    drawn = panel.plot.panels[-1]
    assert [name for name, _ in drawn.names] == list(NAMES)
    np.testing.assert_allclose(drawn.lines[0].y, [0.1, 0.2, 0.4])
    np.testing.assert_allclose(drawn.lines[0].x, [400, 500, 600])
    assert viewer.open(str(file), plugin="napari-decsc") == []
    assert len(panel.board.shelf) == 1  # the same file again is the same library


def test_a_library_can_be_named_hidden_and_removed(widget, file):
    from napari_decsc.hsi.io.envi import read_library

    widget.board.put(read_library(file))
    assert [widget.list.item(row).text() for row in range(2)] == ["row 1, col 2", "minerals (2 spectra)"]
    assert len(widget.plot.panels) == 3
    widget.board.rename(1, "my minerals")
    assert "my minerals" in widget.plot.panels[2].title
    widget.board.set_hidden(1, True)
    assert len(widget.plot.panels) == 2
    widget.board.remove(1)
    assert [item.title for item in widget.board.items] == ["row 1, col 2"]
    assert widget.pins[0].row == 1


def test_without_a_window_it_is_a_clear_error(viewer, file):
    with pytest.raises(FileFormatError, match="spectral library of 2 spectra"):
        show_library(file, viewer)
    with pytest.raises(FileFormatError, match="spectral library"):
        reader.read(str(file))
