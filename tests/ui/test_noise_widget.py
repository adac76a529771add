import numpy as np

from napari_decsc.hsi.metrics import score_cubes
from napari_decsc.hsi.noise import Gaussian, Mixture, add_noise
from napari_decsc.ui.layers import add_cube_layer, clean_of, cube_of, provenance_of
from napari_decsc.ui.noise_widget import NoiseWidget


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
    qtbot.waitUntil(widget.run_button.isEnabled, timeout=5000)


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
