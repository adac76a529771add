"""What the Spectra panel knows beyond the cube: where on the ground a pixel lies, and what a library calls it."""

import numpy as np
import pytest
from qtpy.QtWidgets import QMainWindow

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.library import SpectralLibrary
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.spectra.map_place import map_text
from napari_decsc.ui.spectra.matching import matches
from napari_decsc.ui.spectra.places import Pin
from napari_decsc.ui.spectra.plot import Curve
from napari_decsc.ui.spectra.reference import differences, in_line
from napari_decsc.ui.spectra.widget import SpectrumWidget

UTM = ["UTM", "1.0", "1.0", "500000", "4100000", "30", "30", "10", "North", "WGS-84", "units=Meters"]


def test_map_coordinates_are_those_of_the_middle_of_a_pixel(cube):
    placed = cube.replace(header={"map info": UTM})
    assert map_text(placed, 0, 0) == "E 500015.0  N 4099985.0 (EPSG:32610)"
    assert map_text(placed, 2, 3) == "E 500105.0  N 4099925.0 (EPSG:32610)"
    assert map_text(cube, 0, 0) == ""


def test_the_status_bar_tells_them_under_the_cursor_and_forgets_when_the_panel_closes(make_napari_viewer, cube):
    viewer = make_napari_viewer(show=True)
    layer = add_cube_layer(viewer, cube.replace(header={"map info": UTM}))
    widget = SpectrumWidget(viewer)
    viewer.window.add_dock_widget(widget)
    widget.hover_at(layer.data_to_world((0, 2, 3)))
    label = widget.map_place
    assert label.isVisible()
    assert label.text() == "E 500105.0  N 4099925.0 (EPSG:32610)"
    assert isinstance(label.window(), QMainWindow)
    viewer.window.remove_dock_widget(widget)
    assert not label.isVisible()


@pytest.fixture
def library():
    nm = np.linspace(0.4, 0.8, 41)
    return SpectralLibrary(np.stack([nm, 1 - nm, np.ones(41)]), ("rising", "falling", "flat"), nm, "um")


def test_the_nearest_spectrum_comes_first_whatever_the_units(library):
    cube = Cube(np.ones((6, 2, 2), np.float32), wavelengths=np.linspace(410, 790, 6), wavelength_unit="nm")
    found = matches(cube, 3 * np.linspace(0.41, 0.79, 6), [library])  # brightness does not count
    assert [name for name, _ in found] == ["rising", "flat", "falling"]
    assert found[0][1] == pytest.approx(0, abs=1e-3)
    assert matches(cube.replace(wavelengths=None), np.ones(6), [library]) == []
    far = cube.replace(wavelengths=np.linspace(2000, 2400, 6))
    assert matches(far, np.ones(6), [library]) == []  # nothing in common


def test_a_pin_says_what_the_library_calls_it(viewer, cube, library, kept):
    rising = np.array([410.0, 450.0, 510.0, 580.0, 660.0, 750.0], np.float32)[:, None, None] * np.ones((1, 8, 10), "f4")
    add_cube_layer(viewer, cube.replace(data=rising))
    widget = kept(SpectrumWidget(viewer))
    widget.board.put(library)
    widget.board.pin(3, 4)
    assert "nearest in the library: rising" in widget.list.item(0).toolTip()


def test_where_nothing_was_measured_nothing_is_compared(cube):
    lost = np.array(cube.data)
    lost[:, 2, 3] = np.nan
    curves = [Curve(cube.replace(data=lost, name="copy"), "#ff0000")]
    assert differences(cube, curves, Pin(2, 3, "#fff")) == []
    assert in_line(cube, differences(cube, curves, Pin(0, 0, "#fff")))[1] == [("#ff0000", "0.00° · 0")]
