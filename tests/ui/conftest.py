"""A small cube, and a denoiser without torch that does as the test asks."""

import math
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest

from napari_decsc import registry as methods
from napari_decsc.denoising.protocol import Command, Iteration, Preview
from napari_decsc.hsi.cube import Cube
from napari_decsc.settings import as_dict, check, described


@dataclass(frozen=True)
class FakeSettings:
    """Settings of the fake denoiser."""

    weights: str = described("none", "Name of weights")
    solver: str = described("anderson", "Solver", choices=("anderson", "picard"))
    tolerance: float = described(1e-3, "Stop at this relative residual", minimum=0, maximum=1)
    max_iterations: int = described(5, "Stop after this many", minimum=1, maximum=1000)

    def __post_init__(self) -> None:
        check(self)


class FakeDenoiser:
    """Halves the cube's values, ten evaluations' worth of residual; waits at ``gate`` before every evaluation."""

    name = "fake"

    def __init__(self, settings, gate, error, says, rare):
        self.settings, self.gate, self.error, self.says, self.rare = settings, gate, error, says, rare

    def describe(self):
        return {"method": "fake", "settings": as_dict(self.settings), "weights": None, "device": "cpu"}

    def denoise(self, noisy):
        begin = time.monotonic()
        half = np.asarray(noisy.data, np.float32) / 2
        whole = Preview(half, slice(0, noisy.shape[1]), slice(0, noisy.shape[2]))
        command, number = None, 0
        while command is not Command.STOP and number < self.settings.max_iterations:
            self.gate.wait(5)
            number += 1
            if self.error is not None and number == 2:
                raise self.error
            threading.Event().wait(0.005)  # an evaluation takes its time
            residual = 10.0**-number
            said = self.says if number == 2 else ""
            seconds = time.monotonic() - begin
            command = yield Iteration(number, residual, residual, seconds, preview=whole, message=said)
        if self.rare is not None:
            yield Iteration(0, math.nan, math.nan, time.monotonic() - begin, rare=self.rare)
        return noisy.replace(data=half)


class FakeMethod:
    """What a test may set.

    ``gate`` cleared holds the denoiser back; ``error`` is raised, and ``says`` said, in the second evaluation; ``rare``
    is what it keeps as rare signal.
    """

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.error = None
        self.says = ""
        self.rare = None

    def make(self, settings):
        return FakeDenoiser(settings, self.gate, self.error, self.says, self.rare)


@pytest.fixture
def fake(monkeypatch):
    """The only method there is, for one test."""
    method = FakeMethod()
    offered = {"fake": methods.Method("fake", "Halves every value", FakeSettings, method.make)}
    monkeypatch.setattr(methods, "METHODS", offered)
    yield method
    method.gate.set()


@pytest.fixture(autouse=True)
def remembered(monkeypatch, tmp_path):
    """What the window remembers from one day to the next, of this test alone."""
    from qtpy.QtCore import QSettings

    from napari_decsc.ui.files import open_button

    file = str(tmp_path / "window.ini")
    monkeypatch.setattr(open_button, "settings", lambda: QSettings(file, QSettings.Format.IniFormat))


@pytest.fixture
def cube():
    """Six bands of 8 x 10 pixels; band 3 (counted from 0) is marked as bad; every voxel has its own value."""
    good = np.array([True, True, True, False, True, True])
    data = np.linspace(0.1, 0.9, 6 * 8 * 10, dtype=np.float32).reshape(6, 8, 10)
    wavelengths = np.array([400.0, 450.0, 510.0, 580.0, 660.0, 750.0])
    return Cube(data, "leaf", wavelengths=wavelengths, wavelength_unit="nm", good_bands=good)


#: Milliseconds that anything may take on a machine with other work; who does not wait in vain does not wait longer.
PATIENCE = 120_000


@pytest.fixture
def qtbot(qtbot):
    """pytest-qt's robot, in no hurry: what is waited for comes, however late, so that no test is one of speed."""

    def patient(wait):
        return lambda *arguments, timeout=0, **more: wait(*arguments, timeout=max(timeout, PATIENCE), **more)

    for name in ("waitSignal", "waitSignals", "waitUntil"):
        setattr(qtbot, name, patient(getattr(qtbot, name)))
    return qtbot


@pytest.fixture
def viewer(qtbot):
    """A viewer without its window, which takes a second to build; tests of docks and windows make a real one."""
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def kept(qtbot):
    """Keep a widget alive to the end of the test, as a window would, and close it then."""

    def keep(widget):
        qtbot.addWidget(widget, before_close_func=lambda widget: widget.leave())
        return widget

    return keep
