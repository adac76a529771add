"""What a run tells those who watch it, and what it hears from them.

Its seconds do not count what listeners do, and pictures for them come only as often as they cost little.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from napari_decsc.denoising.protocol import Command, Iteration

#: Least time between two pictures, seconds.
PAUSE = 0.3
#: Largest share of the time that pictures may take.
SHARE = 0.1

Steps = Generator[Iteration, Command | None, None]
Answer = Generator[Iteration, Command | None, bool]


class Teller:
    """Tells events of a run at its own seconds, and remembers whether somebody said stop.

    Parameters
    ----------
    previews : bool
        Whether somebody looks on: the begin of every stage is an event, too, and evaluations tell by how much they
        changed the picture.
    stopped : bool
        Whether tiles get their start estimate alone from now on.
    clock : callable
        Gives seconds that never run backwards.
    """

    def __init__(
        self, previews: bool = True, stopped: bool = False, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.previews, self.stopped, self._clock = previews, stopped, clock
        self._begun = clock()  # later by all that listeners take
        self._next_picture = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds of the run so far."""
        return self._clock() - self._begun

    @property
    def picture_is_due(self) -> bool:
        """Whether it is time for a picture: at once, then after pauses that grow with its cost."""
        return self.previews and self.elapsed >= self._next_picture

    @contextmanager
    def making_picture(self) -> Iterator[None]:
        """Count the seconds of the ``with`` block as those of a picture.

        Returns
        -------
        context manager
            Gives nothing.
        """
        begun = self.elapsed
        yield
        ended = self.elapsed
        self._next_picture = ended + max(PAUSE, (ended - begun) / SHARE)

    def tell(self, event: Iteration) -> Answer:
        """Tell an event; the clock stands still while somebody listens.

        Parameters
        ----------
        event : Iteration
            Its seconds are those of now.

        Yields
        ------
        Iteration
            The event.

        Returns
        -------
        bool
            Whether somebody said stop, now or before.
        """
        told = self._clock()
        command = yield replace(event, elapsed=told - self._begun)
        self._begun += self._clock() - told
        self.stopped |= command is Command.STOP
        return self.stopped

    def begins(self, stage: str, number: int, total: int) -> Answer:
        """Tell that a stage begins, of which nobody needs to know who only waits for a file.

        Parameters
        ----------
        stage : str
            See :class:`Iteration`.
        number, total : int
            Which of how many solves.

        Yields
        ------
        Iteration
            At most one.

        Returns
        -------
        bool
            Whether somebody said stop, now or before.
        """
        if self.previews and not self.stopped:
            yield from self.tell(aside(number, total, stage=stage))
        return self.stopped


def aside(number: int, total: int, *, stage: str = "", message: str = "") -> Iteration:
    """An event that is no evaluation.

    Parameters
    ----------
    number, total : int
        Which of how many solves.
    stage, message : str
        See :class:`Iteration`.

    Returns
    -------
    Iteration
        Its residuals are NaN.
    """
    return Iteration(0, np.nan, np.nan, 0.0, number, total, stage=stage, message=message)
