"""Parts of a computation on the cores of a CPU, side by side, whole part by whole part.

Worth it where a part's steps take a millisecond and more: shorter ones wait for the interpreter, and are soonest done
on one thread.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import torch

#: Threads that take parts at most: each has memory of its own.
MOST = 4

Part = TypeVar("Part")
Result = TypeVar("Result")


class _Here(threading.local):
    """What is known in the thread that calls: how many take whole parts where steps are on one; 0 for as many."""

    free = 0


_here = _Here()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let what is called here compute on so many threads.

    PyTorch counts them for each thread that calls; one that is new begins with the number that was set last.

    Parameters
    ----------
    count : int
        How many threads there are.

    Yields
    ------
    None
        Once.
    """
    before, free = torch.get_num_threads(), _here.free
    torch.set_num_threads(count)
    _here.free = 0
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _here.free = free


@contextmanager
def one_thread() -> Iterator[None]:
    """For thousands of short steps: handing each to several threads costs more than it gains.

    Whole parts are still taken by as many threads as there were.

    Yields
    ------
    None
        Once.
    """
    free = _free()
    with threads(1):
        _here.free = free
        yield


def all_threads() -> AbstractContextManager[None]:
    """For single steps that are long: on as many threads as there are.

    Returns
    -------
    context manager
        Of :func:`threads`.
    """
    return threads(_free())


def _free() -> int:
    return _here.free or torch.get_num_threads()


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
    most = min(_free(), MOST)
    with one_thread():
        if device.type != "cpu" or most == 1 or len(parts) == 1:
            yield from map(without_gradients, parts)
        else:
            # a thread that is new does not know yet that it has no others to help it
            with ThreadPoolExecutor(most, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield from pool.map(without_gradients, parts)
