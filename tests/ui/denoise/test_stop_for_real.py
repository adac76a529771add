"""The real denoiser on a real cube stops while it computes, in whatever stage; fifty runs leave nothing behind."""

import gc

import numpy as np
import psutil
import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication

from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.adding import add_cube_layer
from napari_decsc.ui.denoise.state import READY
from napari_decsc.ui.denoise.widget import DenoiseWidget


@pytest.fixture
def real(real_data):
    """All bands of a part of a real scene, water vapour and all."""
    (file,) = (real_data / "remote_sensing" / "real_noise").glob("*jasper*.npz")
    return Cube(np.load(file)["cube"][:, :64, :64], "jasper")


@pytest.fixture
def widget(viewer, real, kept):
    add_cube_layer(viewer, real)
    made = kept(DenoiseWidget(viewer))
    made.show()
    return made


@pytest.mark.parametrize("stage", [READY, "subspace", "equilibrium 1"])
def test_the_real_denoiser_lets_go(qtbot, viewer, widget, stage):
    before = len(viewer.layers)
    widget.run()
    # a stage may be over before it is seen: then the one after it is stopped
    seen = lambda: stage in [one.name for one in widget.state.stages] or not widget.is_running  # noqa: E731
    qtbot.waitUntil(seen, timeout=120_000)
    widget.stop_button.click()
    qtbot.waitUntil(widget.run_button.isEnabled, timeout=10_000)
    assert not widget.is_running
    assert "Stopped by you after" in widget.message.text()
    assert "ayer is the" in widget.message.text()  # what it is
    qtbot.waitUntil(lambda: widget._trailing is None, timeout=120_000)
    assert len(viewer.layers) == before + 1


def test_fifty_runs_leave_nothing_behind(qtbot, viewer, cube, kept, fake):
    add_cube_layer(viewer, cube)
    widget = kept(DenoiseWidget(viewer))

    def run_and_remove():
        with qtbot.waitSignal(widget.done, timeout=10_000):
            widget.run()
        qtbot.waitUntil(lambda: not widget.is_running, timeout=5000)
        viewer.layers.remove(widget.result.layer)

    for _ in range(5):  # what is made once
        run_and_remove()
    objects, memory = counted(), psutil.Process().memory_info().rss
    for _ in range(50):
        run_and_remove()
    assert counted() <= objects + 5
    assert psutil.Process().memory_info().rss - memory < 20e6


def counted():
    """Objects of Qt that Python holds, once all that can go is gone."""
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
        gc.collect()
    return sum(issubclass(type(one), QObject) for one in gc.get_objects())
