"""A result that is saved and opened again: the window says how it was made."""

import json

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_decsc.cli import main
from napari_decsc.denoising import provenance
from napari_decsc.hsi.io.envi import read_envi
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.cubes.layers import cube_of, is_difference, provenance_of
from napari_decsc.ui.denoise.widget import DenoiseWidget
from napari_decsc.ui.files import reader
from napari_decsc.ui.view.widget import ViewWidget


@pytest.fixture
def saved(qtbot, viewer, cube, fake, kept, tmp_path, monkeypatch):
    """A cube with noise was denoised and saved by the buttons; the header."""
    noise = {"model": "gaussian", "seed": 5, "settings": {"sigma": 30.0}}
    add_cube_layer(viewer, cube.replace(name="noisy"), clean=cube, provenance={"noise": noise})
    widget = kept(DenoiseWidget(viewer))
    with qtbot.waitSignal(widget.done, timeout=10_000):
        widget.run_button.click()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out.hdr"), ""))
    widget.keeping.save_button.save()
    qtbot.waitUntil(lambda: widget.message.text().startswith("Wrote"), timeout=5000)
    return tmp_path / "out.hdr"


def opened(viewer, path):
    ((data, options, _),) = reader.read(str(path))
    return viewer.add_image(data, **options)


def test_the_reopened_result_says_how_it_was_made(viewer, saved, kept):
    viewer.layers.clear()
    layer = opened(viewer, saved)
    made = provenance_of(layer)
    assert made["noise"]["seed"] == 5
    assert made["denoising"]["method"] == "fake"
    assert made["denoising"]["convergence"]["evaluations"] == 5
    assert made["denoising"]["convergence"]["converged"]
    assert made["denoising"]["input"]["name"] == "noisy"
    assert made["denoising"]["scores"]["denoised"]
    view = kept(ViewWidget(viewer))
    view.show()
    assert view.facts.made_by.isVisible()
    assert "gaussian, seed 5" in view.facts.made_by.text()
    assert "fake, 5 evaluations, relative residual 1.0e-05, converged" in view.facts.made_by.text()
    assert "max iterations 5" in view.facts.made_by.toolTip()


def test_saving_it_once_more_changes_nothing_of_it(viewer, saved, tmp_path):
    layer = opened(viewer, saved)
    attributes = {"name": "again", "metadata": layer.metadata}
    (again,) = reader.write_cube(str(tmp_path / "again.hdr"), layer.data, attributes)
    first, second = read_envi(saved).header, read_envi(again).header
    assert provenance.read(second) == provenance.read(first)
    assert second["description"] == first["description"]


def test_info_prints_it(saved, capsys):
    assert main(["info", str(saved)]) == 0
    out = capsys.readouterr().out
    assert "made by" in out
    assert "5 evaluations, relative residual 1.0e-05, converged" in out
    assert main(["info", str(saved), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made_by"]["denoising"]["method"] == "fake"


def test_info_counts_bands_from_one(cube, tmp_path, capsys):
    from napari_decsc.hsi.io.envi import write_envi

    assert main(["info", str(write_envi(cube, tmp_path / "leaf.hdr")), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bad_bands"] == [4]  # index 3


def test_a_difference_is_one_again(viewer, cube, tmp_path):
    layer = add_cube_layer(viewer, cube, provenance={"difference": "a minus b"})
    attributes = {"name": "difference", "metadata": layer.metadata}
    (file,) = reader.write_cube(str(tmp_path / "difference.hdr"), layer.data, attributes)
    assert is_difference(opened(viewer, file))
    assert cube_of(opened(viewer, file)).header["description"].startswith("Difference of two cubes")
