"""Shows a running denoising on stderr: a bar on a terminal, elsewhere a line now and then."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from napari_decsc.denoising.progress import Bar, residual_text
from napari_decsc.denoising.protocol import Command, Iteration

#: Seconds between two lines where there is no terminal.
EVERY = 5.0


class Progress:
    """A listener for `napari_decsc.denoising.protocol.run`, to be used in a ``with`` block.

    Parameters
    ----------
    label : str
        What is running.
    stream : text stream, optional
        Where to write; stderr unless given.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self.label = label
        self.stream = sys.stderr if stream is None else stream
        self._bar = Bar(label, self.stream)
        self._next_line = 0.0
        self._last: Iteration | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, at)
        if self._last is not None:
            self._say(self._last)

    def __call__(self, iteration: Iteration) -> None:
        """Show one iteration."""
        if self.stream.isatty():
            self._bar(iteration)
        elif iteration.rare is not None:
            return  # said with the result
        elif iteration.message:
            print(f"{self.label}: {iteration.message}", file=self.stream, flush=True)
        elif time.monotonic() >= self._next_line:
            self._say(iteration)
            self._last, self._next_line = None, time.monotonic() + EVERY
        else:
            self._last = iteration  # said at the end, if nothing comes after it

    def _say(self, iteration: Iteration) -> None:
        print(f"{self.label}: {_where(iteration)}, {iteration.elapsed:.1f} s", file=self.stream, flush=True)


def _where(iteration: Iteration) -> str:
    tile = f"tile {iteration.tile} of {iteration.tiles}, " if iteration.tiles > 1 else ""
    if iteration.number == 0:
        return f"{tile}start estimate"
    return f"{tile}evaluation {iteration.number}, {residual_text(iteration)}"


def together(*listeners: Callable[[Iteration], None]) -> Callable[[Iteration], Command | None]:
    """One listener that tells several."""

    def listen(iteration: Iteration) -> None:
        for listener in listeners:
            listener(iteration)

    return listen
