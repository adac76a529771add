import csv
import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from qtpy.QtCore import QPoint, Qt

from napari_decsc.errors import CubeError, FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.axis import shared_axis
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.cubes.layers import mark_good_bands
from napari_decsc.ui.spectra.places import Pin, difference, short, spectrum, statistics
from napari_decsc.ui.spectra.regions import area_of
from napari_decsc.ui.spectra.tables import as_csv, as_library
from napari_decsc.ui.spectra.widget import SpectrumWidget
from napari_decsc.ui.viewer_compat import grid


@pytest.fixture
def layer(viewer, cube):
    return add_cube_layer(viewer, cube)


@pytest.fixture
def widget(viewer, layer, kept):
    return kept(SpectrumWidget(viewer))


def refreshed(qtbot, widget):
    """Wait until the widget has read the layers anew."""
    qtbot.waitUntil(lambda: not widget._soon.isActive(), timeout=10_000)


class Press:
    """A mouse event as napari's callbacks get it."""

    def __init__(self, position, modifiers=()):
        self.type, self.button, self.position, self.modifiers = "mouse_press", 1, position, modifiers


def click(viewer, widget, event, *, moves=0):
    steps = widget.pointer.on_press(viewer, event)
    next(steps)
    for _ in range(moves):
        event.type = "mouse_move"
        next(steps)
    event.type = "mouse_release"
    with pytest.raises(StopIteration):
        next(steps)


def click_plot(qtbot, plot, panel, x):
    """Click into a panel, at an abscissa."""
    place, (low, high) = plot.places()[panel], plot.panels[panel].x_ends
    at = place.left() + (x - low) / (high - low) * place.width()
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(at), round(place.center().y())))


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
    lines = list(csv.DictReader(io.StringIO(as_csv([cube], [Pin(2, 3, "red", "edge"), Pin(0, 1, "blue")]))))
    assert len(lines) == 12
    assert list(lines[3].values())[:7] == ["leaf", "2", "3", "4", "580", "nm", "0"]
    np.testing.assert_allclose([float(line["value"]) for line in lines[6:]], cube.data[:, 0, 1])
    assert [(lines[n]["place"], lines[n]["pixels"], lines[n]["std"]) for n in (0, 6)] == [
        ("edge", "1", ""),
        ("row 0, col 1", "1", ""),
    ]


def test_hovering_shows_every_visible_cube_at_that_pixel(viewer, widget, cube, qtbot):
    brighter = add_cube_layer(viewer, cube.replace(data=cube.data + 1, name="bright"))
    hidden = add_cube_layer(viewer, cube.replace(name="hidden"))
    hidden.visible = False
    refreshed(qtbot, widget)
    widget.hover_at((0, 4, 7))
    assert [curve.cube.name for curve in widget.plot.curves] == ["leaf", "bright"]
    for line, data in zip(widget.plot.panels[0].moving, (cube.data, brighter.data), strict=True):
        np.testing.assert_array_equal(line.x, cube.wavelengths)
        expected = data[:, 4, 7].astype(float)
        expected[3] = np.nan  # marked as bad: a gap
        np.testing.assert_allclose(line.y, expected)


def test_scaled_layers_are_read_at_the_right_pixel(viewer, layer, cube, kept):
    layer.scale, layer.translate = (1, 30, 30), (0, 100, 200)
    widget = kept(SpectrumWidget(viewer))
    widget.hover_at((0, 100 + 30 * 5, 200 + 30 * 6))
    np.testing.assert_allclose(widget.plot.panels[0].moving[0].y[:3], cube.data[:3, 5, 6])


def test_the_axes_hold_what_is_hovered(viewer, widget, qtbot):
    bright = Cube(np.full((6, 8, 10), 50, np.float32), "bright", wavelengths=np.arange(400.0, 1000, 100))
    add_cube_layer(viewer, bright)
    refreshed(qtbot, widget)
    widget.hover_at((0, 1, 1))
    assert widget.plot.limits[0] <= 0
    assert widget.plot.limits[1] >= 50


def test_the_axes_of_a_cube_that_is_gone_are_not_those_of_the_next(viewer, layer, cube, widget, qtbot):
    bright = add_cube_layer(viewer, cube.replace(data=cube.data * 6000, name="bright"))
    viewer.layers.remove(layer)
    refreshed(qtbot, widget)
    widget.hover_at((0, 1, 1))
    assert widget.plot.limits[1] > 1000
    viewer.layers.remove(bright)
    add_cube_layer(viewer, cube)
    refreshed(qtbot, widget)
    assert widget.plot.limits[1] < 2


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
    widget.board.pin(2, 3)
    widget.board.pin(6, 8, keep=True)
    markers = viewer.layers["Pinned spectra"]
    np.testing.assert_allclose(markers.data, [(4, 6), (12, 16)])
    panels = widget.plot.panels[1:]
    for panel, colour in zip(panels, markers.border_color, strict=True):
        assert panel.frame.lower() == to_hex(colour)
    np.testing.assert_allclose(panels[1].lines[0].y[:3], cube.data[:3, 6, 8])
    assert viewer.layers.selection.active is layer


def test_at_most_six_pixels_are_pinned_each_in_its_own_colour(widget):
    for col in range(7):
        widget.board.pin(0, col, keep=True)
    assert [pin.col for pin in widget.pins] == [0, 1, 2, 3, 4, 5]
    assert len({pin.colour for pin in widget.pins}) == 6
    assert "remove one first" in widget.message.text()


def test_clearing_takes_markers_away(viewer, widget):
    widget.board.pin(2, 3)
    widget.clear_button.click()
    assert widget.pins == []
    assert "Pinned spectra" not in viewer.layers


def test_removing_the_markers_layer_clears_the_pins(viewer, widget, qtbot):
    widget.board.pin(2, 3)
    viewer.layers.remove("Pinned spectra")
    refreshed(qtbot, widget)
    assert widget.pins == []


def test_markers_stay_on_top_and_out_of_the_grid(viewer, widget, cube, qtbot):
    widget.board.pin(2, 3)
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
    widget.bands.wavelength.setValue(655)
    assert shown_band(viewer, layer) == 4  # 660 nm


def test_a_click_in_the_plot_goes_to_the_band(viewer, layer, widget, qtbot):
    click_plot(qtbot, widget.plot, 0, 500.0)
    assert shown_band(viewer, layer) == 2  # 510 nm


def test_pinned_spectra_are_exported(widget, tmp_path, monkeypatch):
    from qtpy.QtWidgets import QFileDialog

    widget.board.pin(2, 3)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "s.csv"), ""))
    widget.export_button.export_csv()
    assert (tmp_path / "s.csv").read_text() == widget.export_button.csv()
    assert widget.export_button.csv().count("\n") == 7


# --- regions, names, differences --------------------------------------------------------------------------------------


@pytest.fixture
def roi(viewer, widget, qtbot):
    """Two regions: rows 1-3 and cols 2-5; rows 5-6 and cols 0-1."""
    widget.board.draw_roi()
    shapes = viewer.layers["ROIs"]
    shapes.add_rectangles([np.array([(0.6, 1.6), (3.4, 5.4)])])
    shapes.add_rectangles([np.array([(4.6, -0.4), (6.4, 1.4)])])
    read(qtbot, widget, 2)
    return shapes


def read(qtbot, widget, count):
    """Wait until the regions are read."""
    qtbot.waitUntil(lambda: len([pin for pin in widget.pins if pin.area is not None]) == count, timeout=10_000)
    qtbot.waitUntil(lambda: not widget.board.roi_timer.isActive(), timeout=10_000)


def test_a_region_gives_mean_and_standard_deviation(widget, roi, cube):
    inside = cube.data[:, 1:4, 2:6].reshape(6, -1).astype(float)
    found = statistics(cube, widget.pins[0])
    good = cube.good_bands
    assert widget.pins[0].pixels == 12
    np.testing.assert_allclose(found.mean[good], inside.mean(axis=1)[good], rtol=1e-5)
    np.testing.assert_allclose(found.std[good], inside.std(axis=1)[good], rtol=1e-5)
    assert np.isnan(found.mean[3])  # marked as bad
    np.testing.assert_allclose(widget.plot.panels[1].lines[0].y, found.mean)


def test_voxels_that_were_not_measured_are_left_out_of_a_region():
    data = np.array([[[1, 3, -9]], [[-9, -9, -9]]], np.int16)
    found = statistics(Cube(data, no_data=-9), Pin(0, 1, "red", area=np.array([(0, 0), (0, 1), (0, 2)])))
    np.testing.assert_array_equal(found.mean, [2, np.nan])
    np.testing.assert_array_equal(found.std, [1, np.nan])


def test_an_ellipse_covers_what_its_equation_says():
    corners = np.array([(0, 0), (0, 20), (10, 20), (10, 0)], float)
    row, col = np.mgrid[:11, :21]
    inside = ((row - 5) / 5) ** 2 + ((col - 10) / 10) ** 2
    area = {tuple(pixel) for pixel in area_of(corners, "ellipse", (11, 21))}
    assert {tuple(pixel) for pixel in np.argwhere(inside < 0.97)} <= area
    assert area <= {tuple(pixel) for pixel in np.argwhere(inside <= 1.001)}


def test_a_region_is_outlined_in_its_curves_colour(widget, roi):
    panels = widget.plot.panels[1:]
    for panel, colour in zip(panels, roi.edge_color, strict=True):
        assert panel.frame.lower() == to_hex(colour)
    assert to_hex(roi.edge_color[0]) != to_hex(roi.edge_color[1])


def test_a_region_in_a_layer_with_another_scale_covers_the_same_pixels(viewer, layer, kept, qtbot):
    layer.scale, layer.translate = (1, 2, 2), (0, 10, 20)
    shapes = viewer.add_shapes(ndim=2, scale=(0.5, 0.5))  # a drawing of one's own, in half units
    widget = kept(SpectrumWidget(viewer))
    viewer.layers.selection.active = shapes
    widget.board.draw_roi()
    # pixels (1, 2) to (3, 5) lie at world (12, 24) to (16, 30)
    shapes.add_rectangles([np.array([(11.6, 23.6), (16.4, 30.4)]) / 0.5])
    read(qtbot, widget, 1)
    rows, cols = widget.pins[0].area.T
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (1, 3, 2, 5)


def test_removing_a_shape_removes_its_curve_and_no_other(widget, roi, qtbot):
    widget.board.rename(1, "shade")
    roi.selected_data = {0}
    roi.remove_selected()
    assert [pin.name for pin in widget.pins] == ["shade"]
    widget.board.remove(0)
    assert len(roi.data) == 0
    assert widget.pins == []


def test_outlines_stay_over_images_that_come_later(viewer, widget, roi, cube, qtbot):
    widget.board.pin(2, 3)
    add_cube_layer(viewer, cube.replace(name="later"))
    refreshed(qtbot, widget)
    assert [layer.name for layer in viewer.layers] == ["leaf", "later", "ROIs", "Pinned spectra"]


def test_a_shape_that_is_moved_changes_its_curve(widget, roi, qtbot):
    before = widget.pins[0]
    roi.data = [shape + np.array([1, 0]) for shape in roi.data]
    qtbot.waitUntil(lambda: widget.pins[0] is not before, timeout=10_000)
    qtbot.waitUntil(lambda: widget.pins[0].row == before.row + 1, timeout=10_000)
    assert widget.pins[0].colour == before.colour


def test_places_are_named_hidden_and_removed_in_the_list(viewer, widget):
    widget.board.pin(2, 3)
    widget.board.pin(6, 8, keep=True)
    widget.list.item(0).setText("moss")
    assert widget.pins[0].title == "moss"
    assert "moss" in widget.plot.panels[1].title
    widget.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert len(widget.plot.panels) == 2  # hover, and the other pin
    assert len(viewer.layers["Pinned spectra"].data) == 1
    widget.list.item(0).setCheckState(Qt.CheckState.Checked)
    assert len(viewer.layers["Pinned spectra"].data) == 2
    widget.list.removed.emit(1)
    assert [pin.title for pin in widget.pins] == ["moss"]


def test_a_click_keeps_what_has_a_name(viewer, widget):
    widget.board.pin(2, 3)
    widget.board.rename(0, "moss")
    click(viewer, widget, Press((0, 5, 5)))
    click(viewer, widget, Press((0, 1, 1)))
    assert [pin.title for pin in widget.pins] == ["moss", "row 1, col 1"]


def test_while_shapes_are_drawn_clicks_pin_nothing(viewer, widget):
    widget.board.draw_roi()
    click(viewer, widget, Press((0, 2, 3)))
    assert widget.pins == []


def test_sam_and_rmse_are_those_of_their_definitions():
    # (3, 4) and (4, 3): cosine 24/25; differences 1 and -1
    angle, error = difference(np.array([3.0, 4.0, np.nan]), np.array([4.0, 3.0, 7.0]))
    assert angle == pytest.approx(np.degrees(np.arccos(24 / 25)))
    assert error == pytest.approx(1)
    assert np.isnan(difference(np.array([np.nan]), np.array([1.0]))).all()


def test_sam_and_rmse_to_the_clean_cube_are_shown_for_the_pixel(viewer, widget, cube, qtbot):
    noisy = cube.replace(data=cube.data * 2, name="noisy")
    add_cube_layer(viewer, noisy, clean=cube)
    refreshed(qtbot, widget)
    widget.hover_at((0, 4, 7))
    error = np.sqrt(np.mean(cube.data[cube.good_bands, 4, 7].astype(float) ** 2))
    assert "to leaf" in widget.differences.text()
    assert f"0.00° · {error:.3g}" in widget.differences.text()


def test_pictures_are_written_as_their_name_says(widget, tmp_path):
    widget.board.pin(2, 3)
    assert widget.plot.save(tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in widget.plot.save(tmp_path / "s.svg").read_bytes()
    with pytest.raises(FileFormatError, match=r"s\.bmp"):
        widget.plot.save(tmp_path / "s.bmp")
    with pytest.raises(FileFormatError, match="could not be written"):
        widget.plot.save(tmp_path / "absent" / "s.png")
    assert {path.name for path in tmp_path.iterdir()} == {"s.png", "s.svg"}


def test_marking_a_bad_band_takes_it_out_of_the_curves(layer, widget, qtbot):
    widget.board.pin(2, 3)
    mark_good_bands(layer, np.array([False, True, True, True, True, True]))
    qtbot.waitUntil(lambda: np.isnan(widget.plot.panels[1].lines[0].y[0]), timeout=10_000)


def test_without_a_visible_cube_it_says_what_to_do(viewer, layer, widget, cube, qtbot):
    noisy = add_cube_layer(viewer, cube.replace(data=cube.data * 2), clean=cube)
    refreshed(qtbot, widget)
    assert "to leaf" in widget.differences.text()
    noisy.visible = layer.visible = False
    refreshed(qtbot, widget)
    assert "No cube is shown" in widget.message.text()
    assert widget.differences.text() == ""  # those of a pixel that is no longer shown


def test_long_names_lose_their_middle():
    assert short("mixture · coffee (synthetic)", 15) == "mixture…thetic)"
    assert short("leaf") == "leaf"


def test_pinned_spectra_become_an_envi_library(widget, roi, cube, tmp_path, monkeypatch):
    import spectral
    from qtpy.QtWidgets import QFileDialog

    widget.board.pin(2, 3, keep=True)
    widget.board.rename(0, "moss")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "s.hdr"), ""))
    widget.export_button.export_library()
    library = spectral.open_image(str(tmp_path / "s.hdr"))
    assert len(library.names) == 3  # a pixel and two regions
    assert any(name == "moss · leaf" for name in library.names)
    by_name = dict(zip(library.names, library.spectra, strict=True))
    np.testing.assert_allclose(by_name["row 2 col 3 · leaf"], cube.data[:, 2, 3])
    np.testing.assert_allclose(library.bands.centers, cube.wavelengths)


def test_a_library_has_one_axis(cube):
    with pytest.raises(CubeError, match="hide some"):
        as_library([cube, Cube(cube.data[:4])], [Pin(0, 0, "red")])


def test_closing_the_dock_takes_markers_and_callbacks_away(make_napari_viewer, cube):
    viewer = make_napari_viewer()
    add_cube_layer(viewer, cube)
    before = len(viewer.mouse_drag_callbacks)
    widget = SpectrumWidget(viewer)
    viewer.window.add_dock_widget(widget)
    widget.board.pin(2, 3)
    viewer.window.remove_dock_widget(widget)
    assert len(viewer.mouse_drag_callbacks) == before
    assert [layer.name for layer in viewer.layers] == ["leaf"]


def test_the_theme_is_followed(viewer, widget):
    viewer.theme = "light"
    light = corner(widget.plot)
    viewer.theme = "dark"
    assert light.lightness() > 200 > 60 > corner(widget.plot).lightness()


def corner(plot):
    """The colour of a plot beside its panels."""
    return plot.grab().toImage().pixelColor(1, 1)
