"""A running denoising as a progress bar: on a terminal, or in a notebook."""

import math
from types import TracebackType
from typing import Any, TextIO

from napari_decsc.denoising.protocol import Iteration, in_words


class Bar:
    """A listener for `napari_decsc.denoising.protocol.run` that draws a bar; use it in a ``with`` block.

    It counts tiles where there are several, else evaluations of the map, of which nobody knows how many it takes.
    Nothing is drawn where there is neither terminal nor notebook.

    Parameters
    ----------
    label : str
        What is running.
    stream : text stream, optional
        Where to draw; unless given, a notebook's own bar, or stderr.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self.label, self.stream = label, stream
        self._bar: Any = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            if kind is None and self._bar.total is not None:
                self._bar.update(self._bar.total - self._bar.n)
            self._bar.close()

    def __call__(self, iteration: Iteration) -> None:
        """Show one iteration."""
        several = iteration.tiles > 1
        if self._bar is None:
            self._bar = _made(
                self.label, iteration.tiles if several else None, "tile" if several else "eval", self.stream
            )
        if iteration.message:
            self._bar.write(f"{self.label}: {iteration.message}", file=self.stream)
            return
        if iteration.rare is not None:
            return
        self._bar.set_postfix_str(residual_text(iteration), refresh=False)
        done = iteration.tile - 1 if several else iteration.number
        self._bar.update(max(0, done - self._bar.n))


def residual_text(iteration: Iteration) -> str:
    """Such as "residual 1.2e-03", or what an estimate without a residual is.

    Parameters
    ----------
    iteration : Iteration
        An event of a run.

    Returns
    -------
    str
        For a person.
    """
    if not math.isfinite(iteration.relative_residual):
        return "start estimate"
    return f"residual {in_words(iteration.relative_residual)}"


def _made(label: str, total: int | None, unit: str, stream: TextIO | None) -> Any:
    if stream is None:
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    # None: only on a terminal; a notebook's bar takes it for False
    return tqdm(desc=label, total=total, unit=unit, file=stream, disable=None, leave=True)
