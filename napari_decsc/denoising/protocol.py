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

from napari_decsc.denoising.rare_signal import RareSignal
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.noise.measured import MeasuredNoise


class Command(Enum):
    """What may be sent into a running denoiser with ``generator.send``."""

    STOP = "stop"  # finish now and return the best estimate so far


@dataclass(frozen=True)
class Preview:
    """An estimate of a part of the cube.

    Parameters
    ----------
    data : float32 array, shape (band, rows.stop - rows.start, cols.stop - cols.start)
        In the units of the noisy cube's raw data.
    rows, cols : slice
        Where it lies in the cube.
    """

    data: NDArray[np.float32]
    rows: slice
    cols: slice


@dataclass(frozen=True)
class Iteration:
    """One evaluation of the fixed-point map, or one thing that was done beside them.

    Parameters
    ----------
    number : int
        From 1 within its tile and stage; 0 for what is no evaluation, whose residuals are NaN.
    residual : float
        ||f(z) - z||.
    relative_residual : float
        ||f(z) - z|| / ||f(z)||; starts anew in every equilibrium.
    elapsed : float
        Seconds since the denoising began, without the time that listeners took.
    tile, tiles : int
        Which of how many, from 1.
    preview : Preview, optional
        Comes now and then.
    message : str
        A sentence for the person who waits, when something changed (memory used up, a worker lost).
    stage : str
        What is being done ("noise model", "subspace", "groups", "equilibrium 1", ..., "waiting for a worker").
        An event with a new name says that this stage begins.
    noise : MeasuredNoise, optional
        Comes as soon as it was measured, and again when it was renewed.
    change : float
        Root mean square by which the evaluation changed the picture, as a share of the cube's peak; NaN if unknown.
    bound : float
        The proved factor by which the map of this stage contracts; NaN if there is none.
    rare : RareSignal, optional
        What was kept of this tile though nothing else in the cube is like it; comes at the tile's end.
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
    rare: RareSignal | None = None


#: What `Denoiser.denoise` returns: yields iterations, may be sent a `Command`, returns the denoised cube.
Denoising = Generator[Iteration, Command | None, Cube]


class Sink(Protocol):
    """Where a denoiser that works in tiles puts its results."""

    def write(self, values: NDArray[np.float32], rows: slice, cols: slice) -> None:
        """Take a part of the result. Each pixel comes once.

        Parameters
        ----------
        values : float32 array, shape (band, row, col)
            Raw units.
        rows, cols : slice
            Where they lie in the cube.
        """
        ...


@runtime_checkable
class Denoiser(Protocol):
    """Anything that denoises. ``name`` is what ``--method`` calls it."""

    name: str

    def denoise(self, noisy: Cube) -> Denoising:
        """Denoise a cube: a generator of events, whose return value is the result.

        Parameters
        ----------
        noisy : Cube
            May be a memory map.

        Returns
        -------
        Cube
            Denoised: float32, raw units, metadata kept.

        Yields
        ------
        Iteration
            One per evaluation. A `Command` may be sent back.

        Raises
        ------
        DenoisingError
            If it cannot be done or finished.
        """
        ...

    def describe(self) -> dict[str, Any]:
        """What made the result, ready for JSON.

        Returns
        -------
        dict of str to object
            Keys "method", "settings", "weights" (name and hash, or None), "device".
        """
        ...


@runtime_checkable
class StreamingDenoiser(Denoiser, Protocol):
    """A denoiser that need not hold the result: every part goes into a sink as soon as it is done."""

    def denoise_into(self, noisy: Cube, sink: Sink) -> Generator[Iteration, Command | None, None]:
        """As `Denoiser.denoise`, but the denoised cube is in the sink when the generator ends.

        Parameters
        ----------
        noisy : Cube
            May be a memory map of any size.
        sink : Sink
            Takes the parts of the result.

        Yields
        ------
        Iteration
            As `Denoiser.denoise`.
        """
        ...


@runtime_checkable
class ResumableDenoiser(Denoiser, Protocol):
    """A denoiser whose solution of a cube can be gone on from with other settings."""

    def resume(self, settings: Any) -> Denoiser:
        """A denoiser of other settings that starts from this one's last solution, if it is given the same cube object.

        Settings whose solution is no start for the others make it begin afresh.

        Parameters
        ----------
        settings : object
            Of the class of this denoiser's.

        Returns
        -------
        Denoiser
            This one stays as it is.
        """
        ...


Returned = TypeVar("Returned")


def in_words(residual: float) -> str:
    """A residual for a person.

    Parameters
    ----------
    residual : float
        Relative, 0 or more.

    Returns
    -------
    str
        Such as "1.2e-03"; "0" where an evaluation changed nothing at all.
    """
    return f"{residual:.1e}" if residual else "0"


def run(
    denoising: Generator[Iteration, Command | None, Returned],
    listen: Callable[[Iteration], Command | None] | None = None,
) -> Returned:
    """Drive a denoising to its end.

    Parameters
    ----------
    denoising : generator
        As `Denoiser.denoise` makes it.
    listen : callable, optional
        Is told every iteration, and may return a `Command`.

    Returns
    -------
    object
        What the generator returns: the denoised cube.
    """
    command: Command | None = None
    try:
        iteration = next(denoising)
        while True:
            command = listen(iteration) if listen is not None else None
            iteration = denoising.send(command)
    except StopIteration as end:
        returned: Returned = end.value
        return returned
