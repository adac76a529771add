"""Crop and try: a box, every method or strength on it, then the whole with one click."""

from dataclasses import dataclass

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_decsc import registry as methods
from napari_decsc.denoising.protocol import Iteration
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube
from napari_decsc.settings import described
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import shown_band
from napari_decsc.ui.trial.gallery import Tile
from napari_decsc.ui.trial.variants import Box, default_box
from napari_decsc.ui.trial.widget import TrialWidget
from napari_decsc.ui.workbench import Workbench


@dataclass(frozen=True)
class Settings:
    strength: float = described(1.0, "How much is taken", minimum=0, maximum=2)


@dataclass(frozen=True)
class Plain:
    rounds: int = described(1, "Rounds", minimum=1, maximum=9)


class Scaled:
    """Multiplies by 1 - strength / 2, of which 1 is right; ``seen`` are the shapes it was given."""

    name, seen = "scale", []

    def __init__(self, settings):
        self.settings = settings

    def describe(self):
        return {"method": self.name, "settings": {}, "weights": None, "device": "cpu"}

    def denoise(self, noisy):
        Scaled.seen.append(noisy.shape)
        yield Iteration(1, 0.1, 0.1, 0.0)
        return noisy.replace(data=np.asarray(noisy.data) * np.float32(1 - self.settings.strength / 2))


class Refusing(Scaled):
    name = "refuse"

    def denoise(self, noisy):
        raise DenoisingError("this one refuses")
        yield


@pytest.fixture
def offered(monkeypatch):
    Scaled.seen.clear()
    table = {
        "scale": methods.Method("scale", "Scales", Settings, Scaled),
        "refuse": methods.Method("refuse", "Refuses", Plain, Refusing),
    }
    monkeypatch.setattr(methods, "METHODS", table)


@pytest.fixture
def cubes():
    rng = np.random.default_rng(3)
    clean = Cube(rng.uniform(0.2, 0.8, (4, 60, 80)).astype(np.float32), "clean")
    return clean, clean.replace(data=clean.data * 2, name="noisy")


@pytest.fixture
def widget(viewer, cubes, offered, kept):
    clean, noisy = cubes
    add_cube_layer(viewer, noisy, clean=clean)
    made = kept(TrialWidget(viewer))
    made.resize(380, 900)
    made.show()
    return made


def tried(qtbot, widget):
    with qtbot.waitSignal(widget.tried, timeout=10_000):
        QTest.mouseClick(widget.button, Qt.MouseButton.LeftButton)


def test_a_choice_stays_while_layers_come_and_go(qtbot, viewer, widget, cubes):
    noisy, clean = viewer.layers["noisy"], add_cube_layer(viewer, cubes[0])
    viewer.layers.selection.active = clean
    widget.cube.layer = noisy
    with qtbot.waitSignal(widget.tried, timeout=10_000):
        widget.run()  # its box is a layer, which napari selects for a moment
    assert widget.cube.layer is noisy
    viewer.layers.selection.active = noisy
    viewer.layers.selection.active = clean
    assert widget.cube.layer is clean


def test_every_method_is_seen_on_the_box_side_by_side(qtbot, viewer, widget):
    tried(qtbot, widget)
    box = widget.shape.box(viewer.layers["noisy"])
    assert box == default_box(4, 60, 80)
    assert Scaled.seen == [(4, box.bottom - box.top, box.right - box.left)]
    assert [tile.title for tile in widget.gallery.tiles] == ["noisy", "scale", "refuse"]
    _, scaled, refused = widget.gallery.tiles
    noisy = viewer.layers["noisy"]
    low, high = noisy.contrast_limits
    half = noisy.data[shown_band(viewer, noisy), box.top : box.bottom, box.left : box.right] / 2
    np.testing.assert_allclose(scaled.shades * (high - low) + low, half, rtol=1e-4)
    assert refused.shades is None
    assert refused.below == "this one refuses"


def test_strengths_are_tried_and_the_best_is_chosen(qtbot, widget):
    widget.what.setCurrentText("Strengths of scale")
    tried(qtbot, widget)
    titles = [tile.title for tile in widget.gallery.tiles]
    assert titles == ["noisy", *(f"strength {value}" for value in ("0.25", "0.5", "0.75", "1", "1.5"))]
    assert titles[widget.gallery.current] == "strength 1"  # brings the clean cube back
    assert "Highest PSNR" not in titles
    assert widget.what.findText("Strengths of refuse") < 0  # it has none


def test_a_box_that_was_drawn_is_taken(qtbot, viewer, widget):
    QTest.mouseClick(widget.box_button, Qt.MouseButton.LeftButton)
    shapes = viewer.layers["Try here"]
    assert viewer.layers.selection.active is shapes
    assert str(shapes.mode) == "add_rectangle"
    shapes.add_rectangles(np.array([(9.6, 20.4), (9.6, 50.4), (39.6, 50.4), (39.6, 20.4)]))
    tried(qtbot, widget)
    assert widget.shape.box(viewer.layers["noisy"]) == Box(10, 40, 21, 51)
    assert Scaled.seen == [(4, 30, 30)]


def test_a_box_outside_is_said(widget, viewer):
    widget.draw()
    viewer.layers["Try here"].add_rectangles(np.array([(200, 200), (200, 230), (230, 230), (230, 200)]))
    QTest.mouseClick(widget.button, Qt.MouseButton.LeftButton)
    assert widget.message.is_error
    assert "outside of noisy" in widget.message.text()


def test_other_bands_are_seen_with_the_slider(qtbot, viewer, widget):
    tried(qtbot, widget)
    before = widget.gallery.tiles[1].shades
    viewer.dims.set_point(0, 3)
    assert widget.gallery.tiles[0].below == "band 4"
    assert not np.array_equal(before, widget.gallery.tiles[1].shades)


def test_clicks_and_keys_choose_and_the_noisy_one_cannot_be_chosen(qtbot, widget):
    widget.what.setCurrentText("Strengths of scale")
    tried(qtbot, widget)
    gallery = widget.gallery
    QTest.mouseClick(gallery, Qt.MouseButton.LeftButton, pos=gallery.places()[2].center().toPoint())
    assert gallery.current == 2
    QTest.keyClick(gallery, Qt.Key.Key_Left)
    QTest.keyClick(gallery, Qt.Key.Key_Left)
    assert gallery.current == 1
    QTest.mouseClick(gallery, Qt.MouseButton.LeftButton, pos=gallery.places()[0].center().toPoint())
    assert gallery.current == 1


def test_one_click_runs_the_whole_with_what_was_chosen(qtbot, make_napari_viewer, cubes, offered):
    viewer = make_napari_viewer()
    layer = add_cube_layer(viewer, cubes[1])
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench)
    bench.trial.what.setCurrentText("Strengths of scale")
    tried(qtbot, bench.trial)
    bench.trial.gallery.choose(2)  # strength 0.5
    with qtbot.waitSignal(bench.denoise.done, timeout=10_000) as done:
        QTest.mouseClick(bench.trial.whole_button, Qt.MouseButton.LeftButton)
    np.testing.assert_allclose(done.args[0].denoised.data, 0.75 * cubes[1].data, rtol=1e-6)
    assert done.args[0].source is layer
    assert bench.tabs.currentWidget() is bench.denoise


def test_all_pictures_and_the_button_are_seen_in_a_low_window(qtbot, widget):
    """At 1280 x 800 a panel has 515 points; in a high window pictures fill the width."""
    widget.gallery.show_tiles([Tile(str(number), "37.8 dB · 1 s", np.eye(8)) for number in range(4)])
    widget.message.say("3 tried in 2 s. Highest PSNR: scale. Choose by a click; the slider changes the band.")
    widget.show()
    for height, wide in ((515, False), (1000, True)):
        widget.resize(378, height)
        bottom = widget.whole_button.rect().bottomLeft()
        qtbot.waitUntil(lambda h=height, at=bottom: widget.whole_button.mapTo(widget, at).y() < h)
        qtbot.waitUntil(lambda w=wide: (widget.gallery.places()[0].width() > 150) == w)
        last = widget.gallery.places()[-1]
        assert last.bottom() < widget.gallery.height()
