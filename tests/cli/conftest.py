"""A denoiser that needs no torch, and small cubes on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_decsc import registry as methods
from napari_decsc.denoising.protocol import Denoising, Iteration
from napari_decsc.errors import DenoisingError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import write_envi
from napari_decsc.settings import as_dict, check, described


@dataclass(frozen=True)
class FlatSettings:
    """Settings of `Flat`."""

    steps: int = described(3, "Evaluations", minimum=1, maximum=9)
    strength: float = described(1.0, "Share of the band's mean", minimum=0, maximum=1)
    fail: bool = described(False, "Fail after the first evaluation")

    def __post_init__(self) -> None:
        check(self)


class Flat:
    """Replaces every band by its mean: exact for cubes whose bands are constant."""

    name = "flat"

    def __init__(self, settings: FlatSettings) -> None:
        self.settings = settings

    def denoise(self, noisy: Cube) -> Denoising:
        for number in range(1, self.settings.steps + 1):
            yield Iteration(number, 10.0**-number, 10.0**-number, 0.5 * number)
            if self.settings.fail:
                raise DenoisingError("the memory is not enough; use smaller tiles")
        means = noisy.data.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
        data = (1 - self.settings.strength) * noisy.data + self.settings.strength * means
        return noisy.replace(data=data.astype(np.float32))

    def describe(self) -> dict[str, Any]:
        return {"method": self.name, "settings": as_dict(self.settings), "weights": None, "device": "cpu"}


@pytest.fixture(autouse=True)
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """The method "flat" beside the real ones."""
    monkeypatch.setitem(methods.METHODS, "flat", methods.Method("flat", "Band means", FlatSettings, Flat))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with clean.hdr (4 bands, each constant: 0.2, 0.4, 0.6, 0.8) and noisy.hdr (the same, +-0.1)."""
    levels = np.array([0.2, 0.4, 0.6, 0.8], np.float32)[:, None, None]
    clean = np.broadcast_to(levels, (4, 16, 12)).copy()
    checkers = (np.indices((16, 12)).sum(axis=0) % 2) * 0.2 - 0.1  # mean 0, mean square 0.01: 20 dB at peak 1
    wavelengths = np.array([400.0, 500.0, 600.0, 700.0])
    for name, data in (("clean", clean), ("noisy", (clean + checkers).astype(np.float32))):
        cube = Cube(data, name=name, wavelengths=wavelengths, wavelength_unit="nm")
        write_envi(cube, tmp_path / f"{name}.hdr")
    return tmp_path
