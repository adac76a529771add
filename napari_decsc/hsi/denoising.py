"""What a denoiser is: a generator that yields one frozen event per evaluation and returns the denoised cube.

The same generator serves the live plot, the stop button, scripts, the command line and tests without a window::

    steps = denoiser.denoise(noisy)
    for iteration in steps: ...          # the return value is the denoised cube: see `run`
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube


class Command(Enum):
    """What may be sent into a running denoiser with ``generator.send``."""

    STOP = "stop"  # finish now and return the best estimate so far


@dataclass(frozen=True)
class Preview:
    """An estimate of a part of the cube, in the units of the noisy cube's raw data.

    ``data`` has the shape (band, rows.stop - rows.start, cols.stop - cols.start) and type float32.
    """

    data: NDArray[np.float32]
    rows: slice
    cols: slice


@dataclass(frozen=True)
class Iteration:
    """One evaluation of the fixed-point map.

    ``number`` counts from 1 within its tile (0: the start estimate, before any evaluation, whose residuals are NaN);
    ``residual`` is ||f(z) - z||, ``relative_residual`` is ||f(z) - z|| / ||f(z)||; ``elapsed`` is in seconds since the
    denoising began, without the time listeners took; ``tile`` counts from 1 to ``tiles``; ``preview`` comes now and
    then.
    """

    number: int
    residual: float
    relative_residual: float
    elapsed: float
    tile: int = 1
    tiles: int = 1
    preview: Preview | None = None


#: What `Denoiser.denoise` returns: yields iterations, may be sent a `Command`, returns the denoised cube.
Denoising = Generator[Iteration, Command | None, Cube]


@runtime_checkable
class Denoiser(Protocol):
    """Anything that denoises. ``name`` is what ``--method`` calls it."""

    name: str

    def denoise(self, noisy: Cube) -> Denoising:
        """Yield one `Iteration` per evaluation, return the denoised cube (float32, raw units, metadata kept)."""
        ...

    def describe(self) -> dict[str, Any]:
        """What made the result, ready for JSON: keys "method", "settings", "weights" (name, hash) or None, "device"."""
        ...


def run(denoising: Denoising, listen: Callable[[Iteration], Command | None] | None = None) -> Cube:
    """Drive a denoising to its end; ``listen`` sees every iteration and may return a command. Returns the cube."""
    command: Command | None = None
    try:
        iteration = next(denoising)
        while True:
            command = listen(iteration) if listen is not None else None
            iteration = denoising.send(command)
    except StopIteration as end:
        cube: Cube = end.value
        return cube
