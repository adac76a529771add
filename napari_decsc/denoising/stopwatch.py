"""A clock that can be stopped: a denoiser's seconds must not count what its listeners do."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the seconds between starts and stops.

    A generator stops it while it is suspended::

        watch = Stopwatch()
        watch.start()
        ...
        with watch.pause():
            command = yield Iteration(..., elapsed=watch.elapsed)

    Parameters
    ----------
    clock : callable
        Gives seconds that never run backwards; the system's clock of highest resolution unless given.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._total = 0.0
        self._since: float | None = None

    @property
    def running(self) -> bool:
        """Whether time is being counted now."""
        return self._since is not None

    @property
    def elapsed(self) -> float:
        """Seconds counted so far."""
        return self._total if self._since is None else self._total + self._clock() - self._since

    def start(self) -> None:
        """Count from now on; nothing changes if it runs already."""
        if self._since is None:
            self._since = self._clock()

    def stop(self) -> None:
        """Count no longer; nothing changes if it stands already."""
        self._total, self._since = self.elapsed, None

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Stand still inside the ``with`` block, then go on if it ran before.

        Returns
        -------
        context manager
            Gives nothing.
        """
        was_running = self.running
        self.stop()
        try:
            yield
        finally:
            if was_running:
                self.start()
