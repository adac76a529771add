"""Opening: by a button that names the reader, at a good band; what is no cube is said, and an axis can be chosen."""

from pathlib import Path

import npe2
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QInputDialog

import napari_decsc
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.hsi.io.files import open_cube
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import show_band, shown_band, slider_band
from napari_decsc.ui.cubes.first_view import first_band
from napari_decsc.ui.cubes.layers import cube_of, set_no_data
from napari_decsc.ui.cubes.turning import turn
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.files import asking, open_button
from napari_decsc.ui.noise.widget import NoiseWidget
from napari_decsc.ui.view.widget import ViewWidget
from napari_decsc.ui.workbench import Workbench


@pytest.fixture
def view(viewer, kept):
    made = kept(ViewWidget(viewer))
    made.resize(400, 900)
    made.show()
    return made


def click(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def header(cube, tmp_path, monkeypatch):
    file = write_envi(cube, tmp_path / "leaf.hdr")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file)], ""))
    return file


@pytest.fixture
def preferences(monkeypatch):
    """Napari's, of this test alone."""
    from napari.settings import get_settings

    plugins = get_settings().plugins
    monkeypatch.setattr(plugins, "extension2reader", {})
    return plugins


def test_the_button_opens_with_our_reader_and_offers_it_once(viewer, view, header, preferences):
    import npe2

    npe2.PluginManager.instance().discover()
    assert "reader" in view.open_button.toolTip()
    click(view.open_button)
    assert cube_of(viewer.layers[0]).wavelengths is not None
    assert view.offer.isVisible()
    click(view.offer.yes)
    assert preferences.extension2reader == {"*.hdr": "napari-decsc"}
    assert not view.offer.isVisible()
    viewer.layers.clear()
    click(view.open_button)
    assert not view.offer.isVisible()


def test_who_says_no_is_not_asked_again(viewer, view, header, preferences, kept):
    import npe2

    npe2.PluginManager.instance().discover()
    click(view.open_button)
    click(view.offer.no)
    assert preferences.extension2reader == {}
    again = kept(ViewWidget(viewer))
    again.show()
    assert not again.offer.isVisible()
    assert open_button.last_folder() == header.parent


def test_without_a_cube_the_button_and_the_reader_are_named(view):
    """As napari's dialog names it."""
    manifest = npe2.PluginManifest.from_file(Path(napari_decsc.__file__).with_name("napari.yaml"))
    assert "button" in view.message.text()
    for text in (view.message.text(), view.open_button.toolTip(), view.offer.yes.toolTip(), open_button.OFFER):
        assert f"reader '{manifest.display_name}'" in text
    assert view.open_button.isEnabled()


def test_a_cube_opens_at_a_good_band_near_red(viewer, cube):
    layer = add_cube_layer(viewer, cube)
    assert shown_band(viewer, layer) == 4  # 660 nm
    show_band(viewer, layer, 1)
    add_cube_layer(viewer, cube.replace(name="second"))
    QApplication.processEvents()
    assert shown_band(viewer, layer) == 1  # the person's choice stays


def test_the_first_band_is_never_a_bad_one(cube):
    good = np.array([True, True, True, False, False, True])
    assert first_band(cube.replace(good_bands=good)) == 5  # 660 nm is bad; 750 is nearer than 510
    plain = Cube(np.zeros((5, 2, 2)), good_bands=np.array([True, True, False, False, False]))
    assert first_band(plain) == 1  # nearest to the middle
    assert first_band(Cube(np.zeros((5, 2, 2)))) == 2


def test_emit_opens_at_a_good_band(viewer, real_data):
    (file,) = (real_data / "envi").glob("emit*.hdr")
    layer = add_cube_layer(viewer, open_cube(file))
    shown = shown_band(viewer, layer)
    assert cube_of(layer).good_bands[shown]
    assert abs(cube_of(layer).wavelengths_nm[shown] - 650) < 5


@pytest.fixture
def plain(viewer):
    """An array as other plugins and scripts bring it: nothing says that its last axis counts the bands."""
    data = np.arange(6 * 8 * 5, dtype=np.float32).reshape(6, 8, 5)
    return viewer.add_image(data, name="plain", scale=(2, 3, 1))


def test_view_asks_for_the_band_axis_where_nothing_says_it(viewer, plain, view):
    assert view.facts.unsure.isVisible()
    assert [view.facts.axis.itemText(place) for place in range(3)] == [
        "first axis (6)",
        "second axis (8)",
        "third axis (5)",
    ]
    before = np.array(plain.data)
    choose(view.facts.axis, 2)
    np.testing.assert_array_equal(plain.data, before.transpose(2, 0, 1))
    np.testing.assert_array_equal(plain.scale, (1, 2, 3))
    assert not view.facts.unsure.isVisible()
    assert view.facts.axis.currentIndex() == 2
    assert view.bands.band.maximum() == 5
    assert "5 bands × 6 rows × 8 cols" in view.facts.name.text()
    choose(view.facts.axis, 0)
    np.testing.assert_array_equal(plain.data, before)  # and back


def choose(box, index):
    """With the keys, as a person does."""
    box.setFocus()
    while box.currentIndex() != index:
        QTest.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < index else Qt.Key.Key_Up)


def test_every_axis_can_be_taken_after_every_other(viewer, plain):
    before = np.array(plain.data)
    for axis in (1, 2, 0, 2, 1, 0):
        turn(plain, axis)
        np.testing.assert_array_equal(plain.data, np.moveaxis(before, axis, 0))


def test_a_cube_of_a_file_is_not_asked_about(viewer, view, cube, tmp_path):
    add_cube_layer(viewer, open_cube(write_envi(cube.replace(wavelengths=None), tmp_path / "plain.hdr")))
    assert not view.facts.axis.isVisible()
    assert not view.facts.unsure.isVisible()


@pytest.mark.parametrize("panel", [DenoiseWidget, NoiseWidget])
def test_no_work_begins_before_the_axis_is_settled(qtbot, viewer, plain, fake, kept, monkeypatch, panel):
    widget = kept(panel(viewer))
    monkeypatch.setattr(asking, "window", lambda: widget)
    asked = []
    monkeypatch.setattr(QInputDialog, "getItem", lambda *parts: asked.append(parts) or ("", False))
    click(widget.run_button)
    assert len(viewer.layers) == 1  # the person went back
    _, _, text, items, proposed, _ = asked[0]
    assert "'plain' counts the bands" in text
    assert items[proposed] == "third axis (5)"
    monkeypatch.setattr(QInputDialog, "getItem", lambda *parts: asked.append(parts) or (parts[3][2], True))
    with qtbot.waitSignal(widget.done, timeout=10_000):
        click(widget.run_button)
    assert viewer.layers[-1].data.shape == (5, 6, 8)
    with qtbot.waitSignal(widget.done, timeout=10_000):
        click(widget.run_button)
    assert len(asked) == 2  # once for each layer


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((8, 9), {}, "has two axes, which is one band"),
        ((8, 9, 3), {"rgb": True}, "is a colour picture"),
        ((2, 3, 8, 9), {}, "has 4 axes (2 × 3 × 8 × 9); a cube has three"),
    ],
)
def test_what_is_no_cube_is_explained(viewer, view, kept, fake, shape, options, said):
    viewer.add_image(np.zeros(shape, np.float32), name="stranger", **options)
    assert view.stranger.isVisible()
    assert said in view.stranger.text.text()
    denoise = kept(DenoiseWidget(viewer))
    assert said in denoise.message.text()


def test_one_step_of_a_series_is_taken(viewer, view):
    data = np.arange(3 * 4 * 5 * 6, dtype=np.float32).reshape(3, 4, 5, 6)
    series = viewer.add_image(data, name="series", scale=(1, 1, 2, 2))
    viewer.dims.set_current_step(0, 2)
    assert view.stranger.button.isVisible()
    click(view.stranger.button)
    taken = viewer.layers[-1]
    np.testing.assert_array_equal(taken.data, data[2])
    assert taken.name == "series · step 3"
    np.testing.assert_array_equal(taken.scale, (1, 2, 2))
    assert not series.visible
    assert not view.stranger.isVisible()
    assert view.facts.unsure.isVisible()  # and its axis is asked for


def test_a_step_with_fewer_bands_than_another_cube_is_seen(viewer, view, cube):
    """The slider may stand behind its last band."""
    add_cube_layer(viewer, cube)
    viewer.add_image(np.zeros((3, 4, 5, 6), np.float32), name="series")
    viewer.dims.set_current_step(viewer.dims.ndim - 3, cube.bands - 1)
    click(view.stranger.button)
    assert slider_band(viewer, viewer.layers[-1]) == 2


def test_a_no_data_value_can_be_given(viewer, view, plain):
    view.facts.no_data.setFocus()
    QTest.keyClicks(view.facts.no_data, "7")
    QTest.keyClick(view.facts.no_data, Qt.Key.Key_Return)
    assert cube_of(plain).no_data == 7
    assert np.isnan(cube_of(plain).physical()).sum() == 1
    QTest.keyClicks(view.facts.no_data, "x")
    QTest.keyClick(view.facts.no_data, Qt.Key.Key_Return)
    assert view.message.is_error
    assert cube_of(plain).no_data == 7
    view.facts.no_data.clear()
    QTest.keyClick(view.facts.no_data, Qt.Key.Key_Return)
    assert cube_of(plain).no_data is None
    assert not view.message.is_error


def test_a_no_data_value_goes_to_the_file(viewer, cube, tmp_path):
    layer = add_cube_layer(viewer, cube)
    set_no_data(layer, -9999.0)
    assert open_cube(write_envi(cube_of(layer), tmp_path / "x.hdr")).no_data == -9999


def test_one_band_is_one_band(viewer, view):
    add_cube_layer(viewer, Cube(np.zeros((1, 1, 7), np.float32), "thin"))
    assert "1 band × 1 row × 7 cols" in view.facts.name.text()


@pytest.fixture
def begun(qtbot, make_napari_viewer):
    """The workbench with the sample that it has made by itself."""
    viewer = make_napari_viewer(show=True)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, area="right")
    qtbot.waitUntil(lambda: len(viewer.layers) == 1)
    return bench


def test_the_sample_makes_way_for_a_cube_of_ones_own(qtbot, begun, cube):
    viewer = begun.viewer
    (sample,) = viewer.layers
    own = add_cube_layer(viewer, cube)
    another = add_cube_layer(viewer, cube.replace(data=cube.data[:, :5], name="another"))
    qtbot.waitUntil(lambda: sample not in viewer.layers)
    assert list(viewer.layers) == [own, another]
    assert shown_band(viewer, own) == 4  # 660 nm, and not the sample's 650 nm, which is its band 26
    # fitted into the view, and not in a corner of the old one
    assert viewer_compat.camera(viewer).center[-2] == pytest.approx(3.5, abs=0.6)
    assert "Open Sample" in begun.view.message.text()


def test_the_sample_stays_beside_what_is_made_of_it(begun, cube):
    viewer = begun.viewer
    (sample,) = viewer.layers
    add_cube_layer(viewer, cube_of(sample).replace(name="noisy"))
    add_cube_layer(viewer, cube)
    QApplication.processEvents()
    assert sample in viewer.layers
