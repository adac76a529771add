import time

import numpy as np
import pytest

from napari_decsc.errors import SettingsError
from napari_decsc.hsi.colours import FALSE_COLOUR, choose, default_bands, picture
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import show_band, shown_band
from napari_decsc.ui.cubes.contrast import contrast
from napari_decsc.ui.cubes.layers import composite_of, cube_of, mark_good_bands
from napari_decsc.ui.files import reader
from napari_decsc.ui.spectra.places import spectrum
from napari_decsc.ui.view.composite import typed
from napari_decsc.ui.view.widget import ViewWidget
from napari_decsc.ui.viewer_compat import canvas_text


@pytest.fixture
def layer(viewer, cube):
    return add_cube_layer(viewer, cube)


@pytest.fixture
def widget(viewer, layer, kept):
    return kept(ViewWidget(viewer))


def in_colours(qtbot, viewer, layer, button):
    button.click()
    qtbot.waitUntil(lambda: composite_of(viewer, layer) is not None, timeout=10_000)
    return composite_of(viewer, layer)


# --- bands ------------------------------------------------------------------------------------------------------------


def test_a_typed_wavelength_goes_to_the_nearest_band(viewer, layer, widget):
    widget.bands.wavelength.setValue(655)
    assert shown_band(viewer, layer) == 4  # 660 nm
    assert widget.bands.wavelength.value() == 660
    assert widget.bands.band.value() == 5


def test_the_fields_follow_the_slider(viewer, layer, widget):
    show_band(viewer, layer, 2)
    assert (widget.bands.band.value(), widget.bands.wavelength.value()) == (3, 510)


def test_every_step_moves_on_where_bands_lie_unevenly(viewer, kept):
    wavelengths = np.array([400.0, 401, 402, 500, 501])  # the median step is 1 nm, one gap is 98
    layer = add_cube_layer(viewer, Cube(np.zeros((5, 2, 2)), wavelengths=wavelengths, wavelength_unit="nm"))
    widget = kept(ViewWidget(viewer))
    control = widget.bands
    show_band(viewer, layer, 0)
    for expected in (1, 2, 3, 4):
        control.wavelength.stepUp()
        assert shown_band(viewer, layer) == expected
    for expected in (3, 2):
        control.wavelength.stepDown()
        assert shown_band(viewer, layer) == expected


def test_without_wavelengths_bands_are_chosen_by_number(viewer, kept):
    layer = add_cube_layer(viewer, Cube(np.zeros((5, 2, 2))))
    widget = kept(ViewWidget(viewer))
    assert widget.bands.wavelength.isHidden()
    widget.bands.band.setValue(4)
    assert shown_band(viewer, layer) == 3


def test_beside_a_longer_cube_the_shorter_says_where_it_ends(viewer, cube, layer):
    longer = add_cube_layer(viewer, Cube(np.zeros((40, 8, 10), np.float32), "long"))
    show_band(viewer, longer, 30)
    assert canvas_text(viewer).text == "band 31 of 40"
    viewer.layers.selection.active = layer
    assert canvas_text(viewer).text == "leaf ends at band 6"


def test_without_a_cube_it_says_what_to_do(viewer, kept):
    assert "Open a cube" in kept(ViewWidget(viewer)).message.text()


# --- colours ----------------------------------------------------------------------------------------------------------


def test_colours_are_the_nearest_good_bands(cube):
    assert choose(cube, (655, 545, 440)).bands == (4, 2, 1)  # 580 nm is marked as bad
    everything = cube.replace(good_bands=None)
    assert choose(everything, (655, 555, 440)).bands == (4, 3, 1)
    micrometres = everything.replace(wavelengths=cube.wavelengths / 1000, wavelength_unit="um")
    assert choose(micrometres, (655, 555, 440)).bands == (4, 3, 1)


def test_wavelengths_out_of_reach_are_said(cube):
    choice = choose(cube, FALSE_COLOUR)
    assert "no band near 860 nm" in choice.how
    assert len(set(choice.bands)) == 3


def test_without_wavelengths_the_headers_bands_count_from_one(cube):
    plain = Cube(cube.data, header={"default bands": ["6", "3", "1"]})
    assert default_bands(plain).bands == (5, 2, 0)
    assert choose(plain).bands == (5, 2, 0)
    assert default_bands(Cube(cube.data, header={"default bands": ["9", "3", "1"]})) is None
    assert choose(Cube(cube.data)).bands == (4, 3, 1)  # 5/6, 1/2 and 1/6 of 0 ... 5, half upwards


def test_own_colours_are_wavelengths_or_band_numbers(cube):
    assert typed(cube, "655, 500; 410").bands == (4, 2, 0)
    assert typed(Cube(cube.data), "6, 3, 1").bands == (5, 2, 0)
    assert typed(Cube(cube.data), "6 3 1").bands == (5, 2, 0)
    assert typed(cube, "655 500 410").bands == typed(cube, "655 nm, 500 nm, 410 nm").bands == (4, 2, 0)
    assert typed(cube, "0.655um 0.5um 0.41um").bands == (4, 2, 0)
    with pytest.raises(SettingsError, match="two units"):
        typed(cube, "655 nm, 0.5 um, 410 nm")
    for text in ("", "1, 2", "red, 1, 2"):
        with pytest.raises(SettingsError, match="three"):
            typed(cube, text)
    with pytest.raises(SettingsError, match="count from 1 to 6"):
        typed(Cube(cube.data), "7, 2, 1")


def test_the_stretch_is_robust_and_gaps_are_black():
    data = np.tile(np.linspace(0, 1, 100, dtype=np.float32), (3, 100, 1))
    data[:, 0, 50] = 1e6  # one hot pixel
    data[:, 1, 50] = -9999
    image = picture(Cube(data, no_data=-9999), (0, 1, 2))
    assert image.shape == (100, 100, 3)
    assert image[5, 50, 0] == pytest.approx(128, abs=3)  # the middle stays in the middle
    assert list(image[0, 50]) == [255] * 3
    assert list(image[1, 50]) == [0] * 3


def test_one_click_shows_true_colour_right_above_the_cube(viewer, layer, widget, cube, qtbot):
    layer.scale, layer.translate = (1, 2, 2), (0, 5, 6)
    other = add_cube_layer(viewer, cube.replace(name="other"))
    viewer.layers.selection.active = layer
    colours = in_colours(qtbot, viewer, layer, widget.true_colour)
    assert [one.name for one in viewer.layers] == ["leaf", "colour · leaf", "other"]
    assert colours.rgb
    np.testing.assert_array_equal(colours.scale, (2, 2))
    np.testing.assert_array_equal(colours.translate, (5, 6))
    assert canvas_text(viewer).text == "red 660 · green 510 · blue 450 nm"
    assert other in viewer.layers


def test_moving_the_slider_returns_to_one_band(viewer, layer, widget, qtbot):
    colours = in_colours(qtbot, viewer, layer, widget.true_colour)
    show_band(viewer, layer, 1)
    assert not colours.visible
    assert widget.single.isChecked()
    assert canvas_text(viewer).text.startswith("band 2 of 6")
    widget.true_colour.click()
    qtbot.waitUntil(lambda: colours.visible, timeout=10_000)
    assert len(viewer.layers) == 2  # the same layer again


def test_a_wrong_composite_is_said(viewer, widget):
    widget.own.setText("1, 2")
    widget.own.returnPressed.emit()
    assert widget.message.is_error


# --- bad bands --------------------------------------------------------------------------------------------------------


def test_bad_bands_are_seen_and_edited(viewer, layer, widget, cube):
    assert widget.bad.text() == "4"
    widget.bad.setText("1-2, 700-800 nm")
    widget.bad.editingFinished.emit()
    assert list(cube_of(layer).good_bands) == [False, False, True, True, True, False]
    assert cube_of(layer).data is cube.data
    assert np.isnan(spectrum(cube_of(layer), 0, 0)[0])
    assert "3 of 6" in widget.message.text()


def test_the_shown_band_is_marked_by_a_tick_and_the_canvas_says_so(viewer, layer, widget):
    show_band(viewer, layer, 1)
    widget.shown_is_bad.click()
    assert canvas_text(viewer).text == "band 2 of 6 · 450.0 nm · marked as bad"
    widget.shown_is_bad.click()
    assert canvas_text(viewer).text == "band 2 of 6 · 450.0 nm"


def test_copies_with_the_same_bands_are_marked_too(viewer, layer, widget, cube):
    copied = add_cube_layer(viewer, cube.replace(name="copy"))
    other = add_cube_layer(viewer, Cube(cube.data, "without wavelengths"))
    viewer.layers.selection.active = layer
    widget.mark_bad(np.array([True, False, False, False, False, False]))
    assert not cube_of(copied).good_bands[0]
    assert cube_of(other).good_bands is None


def test_not_every_band_can_be_bad(viewer, layer, widget):
    widget.bad.setText("all")
    widget.bad.editingFinished.emit()
    assert widget.message.is_error
    assert widget.bad.text() == "4"


def test_marks_are_written_to_the_file(viewer, layer, widget, tmp_path):
    widget.mark_bad(np.array([False, True, False, False, False, True]))
    data, attributes, _ = layer.as_layer_data_tuple()
    (written,) = reader.write_cube(str(tmp_path / "marked.hdr"), data, attributes)
    assert list(read_envi(written).good_bands) == [True, False, True, True, True, False]


def test_a_plain_image_can_be_marked(viewer):
    layer = viewer.add_image(np.zeros((4, 5, 6)), name="plain")
    mark_good_bands(layer, np.array([True, False, True, True]))
    assert list(cube_of(layer).good_bands) == [True, False, True, True]
    mark_good_bands(layer, None)
    assert cube_of(layer).good_bands is None


# --- opening ----------------------------------------------------------------------------------------------------------


def test_bad_bands_do_not_set_the_contrast(cube):
    data = cube.data.copy()
    data[3] = 1000  # the band that is marked as bad
    assert contrast(cube.replace(data=data))[1] < 1


def test_a_file_far_larger_than_the_memory_opens_at_once(tmp_path, cube):
    written = write_envi(cube, tmp_path / "huge.hdr")
    text = written.read_text().replace("lines = 8", "lines = 40000").replace("samples = 10", "samples = 30000")
    written.write_text(text)
    data = next(path for path in tmp_path.iterdir() if path.suffix != ".hdr")
    with data.open("r+b") as file:
        file.truncate(6 * 40000 * 30000 * 4)  # 29 GB, none of it written
    begin = time.process_time()
    ((shown, options, _),) = reader.read(str(written))
    assert time.process_time() - begin < 5
    assert shown.shape == (6, 40000, 30000)
    assert options["contrast_limits"] == (0.0, 1.0)


@pytest.mark.parametrize(
    ("text", "bands"),
    [
        ("660, 510, 450", (4, 2, 1)),
        ("0.66, 0.51, 0.45", (4, 2, 1)),  # micrometres: there is no light of 0.66 nm in this cube
        ("0.66, 0.51, 0.45 um", (4, 2, 1)),
        ("660;510;450 nm", (4, 2, 1)),
    ],
)
def test_wavelengths_are_taken_in_the_unit_that_a_person_means(cube, text, bands):
    assert typed(cube, text).bands == bands
    in_um = cube.replace(wavelengths=cube.wavelengths / 1000, wavelength_unit="um")
    assert typed(in_um, text).bands == bands


@pytest.mark.parametrize("text", ["6.6, 5.1, 4.5", "1660, 510, 450", "660, 510, 450 furlongs", "660, 510"])
def test_wavelengths_that_the_cube_has_not_are_refused(cube, text):
    with pytest.raises(SettingsError, match=r"lies outside|is not understood"):
        typed(cube, text)


def test_a_complaint_about_bad_bands_goes_with_the_right_entry(viewer, layer, widget):
    before = widget.bad.text()
    widget.bad.setText("99")
    widget.bad.editingFinished.emit()
    assert widget.message.is_error
    widget.bad.setText(before)  # the same bands as before: nothing to mark, and nothing to complain of
    widget.bad.editingFinished.emit()
    assert not widget.message.is_error
    assert widget.message.text() == ""
