import numpy as np
import pytest
from qtpy.QtCore import QPoint, QThreadPool
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.hsi.noise.bands import on_bands
from napari_decsc.hsi.noise.models import Combined, Gaussian, Impulse, Mixture, add_noise
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.bands import show_band
from napari_decsc.ui.cubes.layers import clean_of, cube_of, provenance_of
from napari_decsc.ui.noise.widget import NoiseWidget
from napari_decsc.ui.spectra.widget import SpectrumWidget
from napari_decsc.ui.view.widget import ViewWidget


def test_without_a_cube_it_says_what_to_do(viewer, kept):
    widget = kept(NoiseWidget(viewer))
    assert not widget.run_button.isEnabled()
    assert "Open a cube first" in widget.message.text()


def test_the_noisy_layer_remembers_model_seed_and_clean_cube(viewer, cube, qtbot, kept):
    layer = add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    widget.show_settings(Gaussian(sigma=25), seed=11)
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        widget.run()
    (noisy,) = done.args
    np.testing.assert_array_equal(cube_of(noisy).data, add_noise(cube, Gaussian(sigma=25), 11).data)
    assert clean_of(noisy).data is cube.data
    assert provenance_of(noisy) == {"noise": {"model": "gaussian", "settings": {"sigma": 25.0}, "seed": 11}}
    assert noisy.contrast_limits == layer.contrast_limits
    assert f"{score_cubes(cube, cube_of(noisy)).mpsnr:.2f}" in widget.scores.text()
    qtbot.waitUntil(widget.run_button.isEnabled, timeout=10_000)
    viewer.layers.clear()
    assert widget.scores.text() == ""  # they were of a cube that is gone


def test_noise_upon_noise_is_scored_against_the_clean_cube(viewer, cube, qtbot, kept):
    noisy = add_cube_layer(viewer, add_noise(cube, Gaussian(), 0), clean=cube)
    widget = kept(NoiseWidget(viewer))
    widget.cube.layer = noisy
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        widget.run()
    assert clean_of(done.args[0]) is cube


def test_only_the_fields_of_the_chosen_model_are_shown(viewer, cube, kept):
    add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    widget.model.setCurrentText("gaussian")
    gaussian = widget.form
    assert list(gaussian.fields) == ["sigma"]
    widget.model.setCurrentText("stripe")
    assert gaussian.widget.isHidden()
    assert not widget.form.widget.isHidden()
    assert widget.summary.text().startswith("Stripes")
    widget.model.setCurrentText(Mixture.name)
    assert widget.form.fields == {}


def test_a_setting_out_of_range_is_said_and_nothing_runs(viewer, cube, qtbot, kept):
    add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    widget.model.setCurrentText("impulse")
    widget.form.fields["fractions"].value = "0.5, 3"
    with qtbot.waitSignal(widget.failed, timeout=1000) as failed:
        widget.run()
    assert "fractions" in failed.args[0]
    assert widget.message.is_error
    assert widget.run_button.isEnabled()
    assert len(viewer.layers) == 1


def test_the_choice_follows_the_layer_list(viewer, cube, kept):
    first = add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    second = add_cube_layer(viewer, cube.replace(name="oak"))
    assert widget.cube.layer is second  # a new layer is the selected one
    second.name = "elm"
    assert widget.cube.currentText() == "elm"
    viewer.layers.remove(second)
    assert widget.cube.layer is first
    viewer.layers.clear()
    assert widget.cube.layer is None


def test_a_combination_acts_as_all_its_parts_on_the_chosen_bands(viewer, cube, qtbot, kept):
    add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    model = Combined((Gaussian(sigma=25), Impulse(fractions=(0.2,))))
    widget.show_settings(model, seed=5)
    assert [name for name, tick in widget.form.ticks.items() if tick.isChecked()] == ["gaussian", "impulse"]
    widget.bands.setText("1-2, 650-700 nm")
    with qtbot.waitSignal(widget.done, timeout=10_000) as done:
        widget.run()
    chosen = np.array([True, True, False, False, True, False])
    expected = add_noise(cube, on_bands(model, chosen), 5)
    np.testing.assert_array_equal(cube_of(done.args[0]).data, expected.data)
    noise = provenance_of(done.args[0])["noise"]
    assert noise["bands"] == "1, 2, 5"
    assert [one["model"] for one in noise["settings"]["models"]] == ["gaussian", "impulse"]
    assert done.args[0].name == "combination · leaf"


def test_without_a_ticked_kind_it_says_so(viewer, cube, qtbot, kept):
    add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    widget.model.setCurrentText("combination")
    with qtbot.waitSignal(widget.failed, timeout=1000) as failed:
        widget.run()
    assert "tick one or more" in failed.args[0]


def test_bands_that_the_cube_has_not_are_said(viewer, cube, qtbot, kept):
    add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    widget.bands.setText("5-9")
    with qtbot.waitSignal(widget.failed, timeout=1000) as failed:
        widget.run()
    assert "5-9" in failed.args[0]


@pytest.fixture
def shown(viewer, cube, qtbot, kept):
    """The widget on the screen, with a cube whose peak is 2000 raw units."""
    layer = add_cube_layer(viewer, cube.replace(data=cube.data * 2000, scale=2000.0))
    widget = kept(NoiseWidget(viewer))
    widget.show_settings(Gaussian(sigma=51), seed=3)
    with qtbot.waitSignal(widget.preview.seen, timeout=10_000):
        widget.show()
    yield widget, layer
    # the widget is closed by now, and does not hear of the end of a preview that is being made
    assert QThreadPool.globalInstance().waitForDone(10_000)


def test_strength_is_shown_and_typed_in_data_units(shown):
    widget, _ = shown
    twin = widget.form._twins["sigma"].box
    assert twin.value() == pytest.approx(400)  # 51 of 255 is a fifth of 2000
    twin.setValue(1000)
    assert widget.form.fields["sigma"].value == pytest.approx(127.5)
    widget.form.fields["sigma"].value = 25.5
    assert twin.value() == pytest.approx(200)


def test_the_preview_is_the_shown_band_of_the_result(shown, viewer, qtbot):
    widget, layer = shown
    with qtbot.waitSignal(widget.preview.seen, timeout=10_000) as seen:
        show_band(viewer, layer, 2)
    preview = seen.args[0]
    noisy = add_noise(cube_of(layer), Gaussian(sigma=51), 3)
    expected = score_cubes(cube_of(layer), noisy).band_psnr[2]
    assert preview.psnr == pytest.approx(expected, rel=1e-6)
    assert f"PSNR {expected:.2f} dB" in widget.caption.text()
    low, high = layer.contrast_limits
    shades = np.clip((noisy.data[2] - low) / (high - low), 0, 1) * 255
    np.testing.assert_allclose(preview.shades, shades, atol=1)
    assert not widget.picture.pixmap().isNull()


def test_the_preview_follows_the_form(shown, qtbot):
    widget, _ = shown
    with qtbot.waitSignal(widget.preview.seen, timeout=10_000) as seen:
        widget.form.fields["sigma"].value = 5
    assert seen.args[0].request.model == Gaussian(sigma=5)
    with qtbot.waitSignal(widget.preview.seen, timeout=10_000) as seen:
        widget.seed.setValue(8)
    assert seen.args[0].request.seed == 8


def test_every_field_says_what_it_is(viewer, cube, kept):
    add_cube_layer(viewer, cube)
    widgets = [kept(one(viewer)) for one in (NoiseWidget, ViewWidget, SpectrumWidget)]
    for widget in widgets:
        for kind in (QAbstractSpinBox, QComboBox, QAbstractButton, QLineEdit):
            for field in widget.findChildren(kind):
                assert field.toolTip() or field.parent().toolTip(), f"{type(widget).__name__}: {field}"


def test_the_form_of_a_combination_fits_without_scrolling(viewer, cube, kept, qtbot):
    add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    widget.resize(370, 480)
    widget.show()
    widget.model.setCurrentText("combination")
    widget.form.ticks["gaussian"].setChecked(True)
    widget.form.ticks["impulse"].setChecked(True)
    qtbot.waitUntil(widget.run_button.isVisible)
    tops = [widget.form.ticks[name].mapTo(widget, QPoint(0, 0)).y() for name in widget.form.ticks]
    assert max(tops) < 300
    order = [widget.form.forms[name].widget.mapTo(widget, QPoint(0, 0)).y() for name in ("gaussian", "impulse")]
    assert order == sorted(order)


def test_a_combination_with_nothing_ticked_complains_once(viewer, cube, kept):
    add_cube_layer(viewer, cube)
    widget = kept(NoiseWidget(viewer))
    widget.show()
    widget.model.setCurrentText("combination")
    text = "no kind of noise is ticked; tick one or more"
    assert widget.caption.text() == f"No preview: {text}"
    widget.run_button.click()
    assert widget.message.text() == text
    assert widget.caption.text() == ""
    widget.renew_preview()
    assert widget.caption.text() == ""
    widget.form.ticks["gaussian"].setChecked(True)
    assert widget.message.text() == ""
