"""Parts of a computation on the cores of a CPU, side by side, whole part by whole part.

Worth it where a part's steps take a millisecond and more: shorter ones wait for the interpreter, and are soonest done
on one thread.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import torch

#: Threads that take parts at most: each has memory of its own.
MOST = 4

Part = TypeVar("Part")
Result = TypeVar("Result")


@contextmanager
def threads(count: int) -> Iterator[int]:
    """Let what is called here compute on so many threads.

    PyTorch counts them for each thread that calls; one that is new begins with the number that was set last.

    Parameters
    ----------
    count : int
        How many threads there are.

    Yields
    ------
    int
        How many threads there were.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield before
    finally:
        torch.set_num_threads(before)


def one_thread() -> AbstractContextManager[int]:
    """For thousands of short steps: handing each to several threads costs more than it gains.

    Returns
    -------
    context manager
        Of :func:`threads`.
    """
    return threads(1)


def side_by_side(work: Callable[[Part], Result], parts: Sequence[Part], device: torch.device) -> Iterator[Result]:
    """The results of all parts in their order; on the CPU up to `MOST` threads take whole parts.

    ``work`` runs without gradients, and may change no tensor that was made outside of it.

    Parameters
    ----------
    work : callable
        Takes a part. It runs without gradients, and may change no tensor that was made outside of it.
    parts : sequence
        What it takes, one after the other.
    device : torch.device
        Where it computes: threads are for the CPU.

    Yields
    ------
    object
        What ``work`` returned, in the order of the parts.
    """
    without_gradients = torch.no_grad()(work)
    with one_thread() as most:
        if device.type != "cpu" or most == 1 or len(parts) == 1:
            yield from map(without_gradients, parts)
        else:
            # a thread that is new does not know yet that it has no others to help it
            with ThreadPoolExecutor(min(most, MOST), initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield from pool.map(without_gradients, parts)
