"""A denoiser that goes through named stages, each as long as the test wants."""

import math
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest

from napari_decsc import registry as methods
from napari_decsc.denoising.protocol import Command, Iteration, Preview
from napari_decsc.hsi.noise.measured import LineOffsets, MeasuredNoise
from napari_decsc.settings import check, described

STAGES = ("noise model", "subspace", "groups", "equilibrium 1", "equilibrium 2")


@dataclass(frozen=True)
class StagedSettings:
    """Settings of the staged denoiser."""

    tolerance: float = described(1e-3, "Stop at this relative residual", minimum=0, maximum=1)
    max_iterations: int = described(3, "Evaluations of every equilibrium", minimum=1, maximum=1000)

    def __post_init__(self):
        check(self)


def measured(bands):
    """A noise model such as a denoiser finds: correlated between bands, with stripes."""
    correlation = (0.5 ** np.abs(np.subtract.outer(np.arange(bands), np.arange(bands)))).astype(np.float32)
    level = np.linspace(0.01, 0.05, bands, dtype=np.float32)
    flat, lines = np.ones((8, 8), np.float32), LineOffsets(0.0, level / 2)
    zeros = np.zeros(bands, np.float32)
    return MeasuredNoise(level, correlation, flat, level * 10, zeros, level, lines=(lines,))


class Staged:
    """Halves the values. ``gates`` holds a stage back at its begin; inside one nothing is heard, as in a long step."""

    name = "staged"

    def __init__(self, settings, gates):
        self.settings, self.gates = settings, gates

    def describe(self):
        return {"method": "staged", "settings": {}, "weights": None, "device": "cpu"}

    def denoise(self, noisy):
        begin = time.monotonic()
        half = np.asarray(noisy.data, np.float32) / 2
        whole = Preview(half, slice(0, noisy.shape[1]), slice(0, noisy.shape[2]))
        for stage in STAGES:
            known = measured(noisy.bands) if stage == "subspace" else None
            first = whole if stage == "groups" else None
            said = Iteration(
                0, math.nan, math.nan, time.monotonic() - begin, preview=first, stage=stage, noise=known, bound=0.8
            )
            if (yield said) is Command.STOP:
                return noisy.replace(data=half if stage.startswith("equilibrium") else np.asarray(noisy.data) * 1.0)
            self.gates[stage].wait(20)
            if not stage.startswith("equilibrium"):
                continue
            for number in range(1, self.settings.max_iterations + 1):
                threading.Event().wait(0.005)
                residual = 10.0**-number
                seconds = time.monotonic() - begin
                event = Iteration(number, residual, residual, seconds, stage=stage, change=residual / 10, bound=0.8)
                if (yield event) is Command.STOP:
                    return noisy.replace(data=half)
        return noisy.replace(data=half)


@pytest.fixture
def gates(monkeypatch):
    """The staged denoiser is the only method; a gate for every stage, open unless the test closes it."""
    made = {stage: threading.Event() for stage in STAGES}
    for gate in made.values():
        gate.set()
    offered = {"staged": methods.Method("staged", "Halves", StagedSettings, lambda settings: Staged(settings, made))}
    monkeypatch.setattr(methods, "METHODS", offered)
    yield made
    for gate in made.values():
        gate.set()
