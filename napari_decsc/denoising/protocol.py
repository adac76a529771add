"""What a denoiser is: a generator that yields one frozen event per evaluation and returns the denoised cube.

The same generator serves the live plot, the stop button, scripts, the command line and tests without a window::

    steps = denoiser.denoise(noisy)
    for iteration in steps: ...          # the return value is the denoised cube: see `run`
"""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise


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

    ``number`` counts from 1 within its tile (0: an estimate before any evaluation, whose residuals are NaN; the first
    tile may have two, of which the first shows the whole cube roughly);
    ``residual`` is ||f(z) - z||, ``relative_residual`` is ||f(z) - z|| / ||f(z)||; ``elapsed`` is in seconds since the
    denoising began, without the time listeners took; ``tile`` counts from 1 to ``tiles``; ``preview`` comes now and
    then; ``message`` is a sentence for the person who waits, when something changed (memory used up, a worker lost).

    ``stage`` names what is being done ("noise model", "subspace", "groups", "equilibrium 1", ...): an event with a new
    name says that this stage begins; the residual starts anew in every equilibrium. ``noise`` comes as soon as it was
    measured, and again when it was renewed. ``change`` is the root mean square by which the evaluation changed the
    picture, as a share of the cube's peak. ``bound`` is the proved factor by which the map of this stage contracts.
    """

    number: int
    residual: float
    relative_residual: float
    elapsed: float
    tile: int = 1
    tiles: int = 1
    preview: Preview | None = None
    message: str = ""
    stage: str = ""
    noise: MeasuredNoise | None = None
    change: float = math.nan
    bound: float = math.nan


#: What `Denoiser.denoise` returns: yields iterations, may be sent a `Command`, returns the denoised cube.
Denoising = Generator[Iteration, Command | None, Cube]


class Sink(Protocol):
    """Where a denoiser that works in tiles puts its results."""

    def write(self, values: NDArray[np.float32], rows: slice, cols: slice) -> None:
        """Take (band, row, col) values in raw units, for these rows and cols of the cube. Each pixel comes once."""
        ...


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


@runtime_checkable
class StreamingDenoiser(Denoiser, Protocol):
    """A denoiser that need not hold the result: every part goes into a sink as soon as it is done."""

    def denoise_into(self, noisy: Cube, sink: Sink) -> Generator[Iteration, Command | None, None]:
        """As `Denoiser.denoise`, but the denoised cube is in the sink when the generator ends."""
        ...


@runtime_checkable
class ResumableDenoiser(Denoiser, Protocol):
    """A denoiser whose solution of a cube can be gone on from with other settings."""

    def resume(self, settings: Any) -> Denoiser:
        """A denoiser of these settings that starts from this one's last solution, if it is given the same cube object.

        Settings whose solution is no start for the others make it begin afresh.
        """
        ...


Returned = TypeVar("Returned")


def run(
    denoising: Generator[Iteration, Command | None, Returned],
    listen: Callable[[Iteration], Command | None] | None = None,
) -> Returned:
    """Drive a denoising to its end; ``listen`` sees every iteration and may return a command. Returns what it does."""
    command: Command | None = None
    try:
        iteration = next(denoising)
        while True:
            command = listen(iteration) if listen is not None else None
            iteration = denoising.send(command)
    except StopIteration as end:
        returned: Returned = end.value
        return returned
