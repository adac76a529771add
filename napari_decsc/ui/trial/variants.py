"""What is tried on a box: methods or strengths, and what came of each. No window here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_decsc import registry
from napari_decsc.denoising.protocol import Denoiser, run
from napari_decsc.errors import DecscError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.metrics import score_cubes

#: Strengths that are tried, of those that a method takes.
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5)
#: Voxels of a box that is tried in about two seconds.
VOXELS = 300_000
#: Its least side, pixels.
SMALLEST = 32
#: Its largest side, pixels.
LARGEST = 128


@dataclass(frozen=True)
class Box:
    """Rows and columns of a cube, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, cube: Cube) -> Cube:
        """The part of a cube in this box, read into memory; what is known of the bands stays."""
        data = np.array(cube.data[:, self.top : self.bottom, self.left : self.right])
        return cube.replace(data=data, name=f"box of {cube.name}", source=None)


@dataclass(frozen=True, eq=False)
class Variant:
    """A method with settings, and what tells it from the others."""

    name: str
    method: str
    settings: Any


@dataclass(frozen=True, eq=False)
class Trial:
    """What a variant made of the box: the cube or an error, seconds, PSNR in dB (NaN without a clean cube)."""

    variant: Variant
    cube: Cube | None
    seconds: float
    psnr: float = float("nan")
    error: str = ""
    denoiser: Denoiser | None = None


def default_box(bands: int, rows: int, cols: int) -> Box:
    """A box in the middle that is tried in about two seconds."""
    side = int(np.clip(np.sqrt(VOXELS / bands), SMALLEST, LARGEST))
    height, width = min(side, rows), min(side, cols)
    top, left = (rows - height) // 2, (cols - width) // 2
    return Box(top, top + height, left, left + width)


def all_methods() -> list[Variant]:
    """Every method with its default settings."""
    return [Variant(name, name, method.settings()) for name, method in registry.METHODS.items()]


def strengths(method: str, settings: Any) -> list[Variant]:
    """A method with several strengths; none where it has no strength."""
    if not hasattr(settings, "strength"):
        return []
    return [Variant(f"strength {value:g}", method, replace(settings, strength=value)) for value in STRENGTHS]


def with_strength() -> list[str]:
    """Names of the methods that have a strength."""
    return [name for name, method in registry.METHODS.items() if hasattr(method.settings(), "strength")]


def attempt(variant: Variant, noisy: Cube, clean: Cube | None, before: Denoiser | None = None) -> Trial:
    """Denoise a box; ``before`` is a denoiser of the same box whose solution may be gone on from."""
    begin = time.perf_counter()
    try:
        denoiser = registry.make_denoiser(variant.method, variant.settings, before)
        made = run(denoiser.denoise(noisy))
    except DecscError as error:
        return Trial(variant, None, time.perf_counter() - begin, error=str(error))
    seconds = time.perf_counter() - begin
    psnr = float("nan") if clean is None else float(score_cubes(clean, made).mpsnr)
    return Trial(variant, made, seconds, psnr, denoiser=denoiser)


def best(trials: Sequence[Trial]) -> int | None:
    """The number of the trial with the highest PSNR; None where no clean cube is known."""
    known = [(trial.psnr, number) for number, trial in enumerate(trials) if not np.isnan(trial.psnr)]
    return max(known)[1] if known else None
