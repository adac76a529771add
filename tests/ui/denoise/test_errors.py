"""Every error of a run is one clear message, no unfinished layer stays, and the form is usable again."""

import numpy as np
import pytest

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise.widget import DenoiseWidget


@pytest.fixture
def widget(viewer, kept):
    """The real methods, on a cube of three bands."""
    data = np.random.default_rng(0).uniform(0.2, 0.8, (3, 16, 16)).astype(np.float32)
    add_cube_layer(viewer, Cube(data, "three bands"))
    return kept(DenoiseWidget(viewer))


def failure(qtbot, viewer, widget):
    """Run, and return the message; whatever it is, the form must be ready for the next run."""
    told = []
    widget.failed.connect(told.append)
    with qtbot.waitSignal(widget.failed, timeout=60_000):
        widget.run()
    qtbot.waitUntil(lambda: not widget.is_running, timeout=10_000)
    assert told == [widget.message.text()]
    assert widget.message.is_error
    assert "Traceback" not in told[0]
    assert "Unexpected" not in told[0]
    assert [layer.name for layer in viewer.layers] == ["three bands"]
    assert widget.run_button.isEnabled()
    assert not widget.stop_button.isEnabled()
    assert not widget.keeping.save_button.isEnabled()
    return told[0]


def test_weights_that_are_missing(qtbot, viewer, widget):
    widget.form.choices["weights"].box.setEditText("/absent/mine.safetensors")
    assert "/absent/mine.safetensors" in failure(qtbot, viewer, widget)
    widget.form.choices["weights"].box.setEditText("nothing")
    text = failure(qtbot, viewer, widget)
    assert "nothing" in text
    assert "subspace" in text  # what there is instead


def test_too_few_bands(qtbot, viewer, widget):
    widget.form.choices["weights"].box.setEditText("paper")
    text = failure(qtbot, viewer, widget)
    assert "31" in text
    assert "3" in text.replace("31", "")


def test_a_device_that_is_not_there(qtbot, viewer, widget):
    widget.form.choices["device"].box.setEditText("cuda:7")
    assert "cuda:7" in failure(qtbot, viewer, widget)


def test_a_limit_for_the_memory_that_is_no_amount(qtbot, viewer, widget):
    widget.form.fields["memory"].value = "plenty"
    assert "plenty" in failure(qtbot, viewer, widget)


def test_a_tolerance_that_is_no_number(qtbot, viewer, widget):
    widget.form.fields["tolerance"].value = "small"
    with qtbot.waitSignal(widget.failed, timeout=5000) as failed:
        widget.run()
    assert "tolerance is 'small'" in failed.args[0]
    assert widget.run_button.isEnabled()


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError("CUDA out of memory")],
)
def test_memory_that_runs_out(qtbot, viewer, kept, cube, fake, error):
    add_cube_layer(viewer, cube.replace(name="three bands"))
    widget = kept(DenoiseWidget(viewer))
    fake.error = error
    assert failure(qtbot, viewer, widget).startswith("The memory is not enough; set a smaller tile")


def test_a_cube_that_is_removed_before_the_run(qtbot, viewer, widget):
    viewer.layers.clear()
    assert not widget.run_button.isEnabled()
    assert widget.message.text().startswith("Open a cube first")
