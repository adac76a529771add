import csv
import io

import numpy as np
import pytest
from matplotlib.colors import to_hex

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.band_label import shown_band
from napari_decsc.ui.layers import add_cube_layer
from napari_decsc.ui.spectra import as_csv, shared_axis, spectrum
from napari_decsc.ui.spectrum_widget import SpectrumWidget
from napari_decsc.ui.viewer_compat import grid


@pytest.fixture
def layer(viewer, cube):
    return add_cube_layer(viewer, cube)


@pytest.fixture
def widget(viewer, layer, kept):
    return kept(SpectrumWidget(viewer))


def refreshed(qtbot, widget):
    """Wait until the widget has read the layers anew."""
    qtbot.waitUntil(lambda: not widget._refresh_timer.isActive(), timeout=2000)


class Press:
    """A mouse event as napari's callbacks get it."""

    def __init__(self, position, modifiers=()):
        self.type, self.button, self.position, self.modifiers = "mouse_press", 1, position, modifiers


def click(viewer, widget, event, *, moves=0):
    steps = widget._on_press(viewer, event)
    next(steps)
    for _ in range(moves):
        event.type = "mouse_move"
        next(steps)
    event.type = "mouse_release"
    with pytest.raises(StopIteration):
        next(steps)


def test_a_spectrum_is_the_column_of_the_cube_in_physical_values():
    data = np.arange(24, dtype=np.int16).reshape(4, 2, 3)
    cube = Cube(data, scale=10, no_data=11, good_bands=np.array([True, True, False, True]))
    # column (1, 2): 5, 11 (not measured), 17 (bad band), 23
    np.testing.assert_allclose(spectrum(cube, 1, 2), [0.5, np.nan, np.nan, 2.3])


def test_kinds_of_wavelengths_never_mix(cube):
    micrometres = cube.replace(wavelengths=cube.wavelengths / 1000, wavelength_unit="um")
    assert shared_axis([cube]).label == "wavelength (nm)"
    assert shared_axis([micrometres]).label == "wavelength (µm)"
    both = shared_axis([cube, micrometres])
    assert both.label == "wavelength (nm)"
    np.testing.assert_allclose(both.values[1], cube.wavelengths)
    assert shared_axis([cube, Cube(cube.data)]).label == "band"
    np.testing.assert_array_equal(shared_axis([Cube(cube.data)]).values[0], [1, 2, 3, 4, 5, 6])


def test_csv_has_a_line_a_band_and_marks_bad_ones(cube):
    lines = list(csv.DictReader(io.StringIO(as_csv([cube], [(2, 3), (0, 1)]))))
    assert len(lines) == 12
    assert list(lines[3].values())[:7] == ["leaf", "2", "3", "4", "580", "nm", "0"]
    np.testing.assert_allclose([float(line["value"]) for line in lines[6:]], cube.data[:, 0, 1])


def test_hovering_shows_every_visible_cube_at_that_pixel(viewer, widget, cube, qtbot):
    brighter = add_cube_layer(viewer, cube.replace(data=cube.data + 1, name="bright"))
    hidden = add_cube_layer(viewer, cube.replace(name="hidden"))
    hidden.visible = False
    refreshed(qtbot, widget)
    widget.hover_at((0, 4, 7))
    assert [curve.cube.name for curve in widget.plot.curves] == ["leaf", "bright"]
    for line, data in zip(widget.plot.lines, (cube.data, brighter.data), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), cube.wavelengths)
        expected = data[:, 4, 7].astype(float)
        expected[3] = np.nan  # marked as bad: a gap
        np.testing.assert_allclose(line.get_ydata(), expected)


def test_scaled_layers_are_read_at_the_right_pixel(viewer, layer, cube, kept):
    layer.scale, layer.translate = (1, 30, 30), (0, 100, 200)
    widget = kept(SpectrumWidget(viewer))
    widget.hover_at((0, 100 + 30 * 5, 200 + 30 * 6))
    np.testing.assert_allclose(widget.plot.lines[0].get_ydata()[:3], cube.data[:3, 5, 6])


def test_the_axes_hold_what_is_hovered(viewer, widget, qtbot):
    bright = Cube(np.full((6, 8, 10), 50, np.float32), "bright", wavelengths=np.arange(400.0, 1000, 100))
    add_cube_layer(viewer, bright)
    refreshed(qtbot, widget)
    widget.hover_at((0, 1, 1))
    assert widget.plot.limits[0] <= 0
    assert widget.plot.limits[1] >= 50


def test_a_click_pins_and_shift_click_pins_one_more(viewer, widget):
    click(viewer, widget, Press((0, 2, 3)))
    assert [(pin.row, pin.col) for pin in widget.pins] == [(2, 3)]
    click(viewer, widget, Press((0, 5, 5), {"Shift"}))
    assert [(pin.row, pin.col) for pin in widget.pins] == [(2, 3), (5, 5)]
    click(viewer, widget, Press((0, 1, 1)))
    assert [(pin.row, pin.col) for pin in widget.pins] == [(1, 1)]


def test_dragging_and_clicks_beside_the_image_pin_nothing(viewer, widget):
    click(viewer, widget, Press((0, 2, 3)), moves=2)
    click(viewer, widget, Press((0, -20, 3)))
    assert widget.pins == []


def test_a_pins_marker_has_the_colour_of_its_panel_and_lies_on_its_pixel(viewer, layer, cube, kept):
    layer.scale = (1, 2, 2)
    widget = kept(SpectrumWidget(viewer))
    widget.pin(2, 3)
    widget.pin(6, 8, keep=True)
    markers = viewer.layers["Pinned spectra"]
    np.testing.assert_allclose(markers.data, [(4, 6), (12, 16)])
    panels = widget.plot.figure.axes[1:]
    for panel, colour in zip(panels, markers.border_color, strict=True):
        assert to_hex(panel.spines["left"].get_edgecolor()) == to_hex(colour)
    np.testing.assert_allclose(panels[1].lines[0].get_ydata()[:3], cube.data[:3, 6, 8])
    assert viewer.layers.selection.active is layer


def test_at_most_four_pixels_are_pinned_each_in_its_own_colour(widget):
    for col in range(6):
        widget.pin(0, col, keep=True)
    assert [pin.col for pin in widget.pins] == [2, 3, 4, 5]
    assert len({pin.colour for pin in widget.pins}) == 4


def test_clearing_takes_markers_away(viewer, widget):
    widget.pin(2, 3)
    widget.clear_button.click()
    assert widget.pins == []
    assert "Pinned spectra" not in viewer.layers


def test_removing_the_markers_layer_clears_the_pins(viewer, widget, qtbot):
    widget.pin(2, 3)
    viewer.layers.remove("Pinned spectra")
    refreshed(qtbot, widget)
    assert widget.pins == []


def test_markers_stay_on_top_and_out_of_the_grid(viewer, widget, cube, qtbot):
    widget.pin(2, 3)
    add_cube_layer(viewer, cube.replace(name="later"))
    refreshed(qtbot, widget)
    assert viewer.layers[-1].name == "Pinned spectra"
    grid(viewer).enabled = True
    assert not viewer.layers[-1].visible
    grid(viewer).enabled = False
    assert viewer.layers[-1].visible


def test_a_cubes_colour_is_constant(viewer, widget, cube, qtbot):
    second = add_cube_layer(viewer, cube.replace(name="second"))
    refreshed(qtbot, widget)
    before = {curve.cube.name: curve.colour for curve in widget.plot.curves}
    viewer.layers["leaf"].visible = False
    refreshed(qtbot, widget)
    assert [curve.colour for curve in widget.plot.curves] == [before["second"]]
    assert before["leaf"] != before["second"]
    assert second.visible


def test_going_to_a_wavelength_shows_the_nearest_band(viewer, layer, widget):
    widget.wavelength.setValue(655)
    assert shown_band(viewer, layer) == 4  # 660 nm
    assert widget.wavelength.value() == 660


def test_a_click_in_the_plot_goes_to_the_band(viewer, layer, widget):
    class Click:
        inaxes, xdata = True, 500.0

    widget._on_plot_click(Click())
    assert shown_band(viewer, layer) == 2  # 510 nm


def test_pinned_spectra_are_exported(widget, tmp_path, monkeypatch):
    from qtpy.QtWidgets import QFileDialog

    widget.pin(2, 3)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "s.csv"), ""))
    widget.csv_button.click()
    assert (tmp_path / "s.csv").read_text() == widget.csv()
    assert widget.csv().count("\n") == 7


def test_closing_the_dock_takes_markers_and_callbacks_away(make_napari_viewer, cube):
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    before = len(viewer.mouse_drag_callbacks)
    widget = SpectrumWidget(viewer)
    viewer.window.add_dock_widget(widget)
    widget.pin(2, 3)
    viewer.window.remove_dock_widget(widget)
    assert len(viewer.mouse_drag_callbacks) == before
    assert [layer.name for layer in viewer.layers] == ["leaf"]


def test_the_theme_is_followed(viewer, widget):
    viewer.theme = "light"
    light = widget.plot.figure.get_facecolor()
    viewer.theme = "dark"
    assert sum(light[:3]) > 2 > 1 > sum(widget.plot.figure.get_facecolor()[:3])
