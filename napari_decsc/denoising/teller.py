"""What a run tells those who watch it, and what it hears from them."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np

from napari_decsc.denoising.pacing import Pace
from napari_decsc.denoising.protocol import Command, Iteration
from napari_decsc.denoising.stopwatch import Stopwatch

Steps = Generator[Iteration, Command | None, None]
Answer = Generator[Iteration, Command | None, bool]


@dataclass(eq=False)
class Teller:
    """Tells events of a run at its own seconds, and remembers whether somebody said stop.

    Parameters
    ----------
    previews : bool
        Whether somebody looks on: the begin of every stage is an event, too, and evaluations tell by how much they
        changed the picture.
    stopped : bool
        Whether tiles get their start estimate alone from now on.
    watch : Stopwatch
        Stands still while listeners run.
    pace : Pace
        How often previews come.
    """

    previews: bool = True
    stopped: bool = False
    watch: Stopwatch = field(default_factory=Stopwatch)
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        """Seconds count from now on."""
        self.watch.start()

    def tell(self, event: Iteration) -> Answer:
        """Tell an event.

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
        event = replace(event, elapsed=self.watch.elapsed)
        with self.watch.pause():
            command = yield event
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
