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
    """What is known of the thread that calls."""

    #: how many take whole parts while steps are on one; 0 where PyTorch's own count says it
    free = 0
    #: whether PyTorch's count is its own
    is_known = False


class _Process:
    """Who is on one thread, and what PyTorch's count was before: a thread that is new then would begin with 1."""

    lock = threading.Lock()
    blocks = 0
    usual = 1


_here = _Here()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let what is called here compute on so many threads.

    PyTorch counts them for each thread that calls.

    Parameters
    ----------
    count : int
        How many threads there are.

    Yields
    ------
    None
        Once.
    """
    before, free = _count(), _here.free
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
    with _Process.lock:
        if _Process.blocks == 0:
            _Process.usual = free
        _Process.blocks += 1
    try:
        with threads(1):
            _here.free = free
            yield
    finally:
        with _Process.lock:
            _Process.blocks -= 1


def all_threads() -> AbstractContextManager[None]:
    """For single steps that are long: on as many threads as there are.

    Returns
    -------
    context manager
        Of :func:`threads`.
    """
    return threads(_free())


def _free() -> int:
    count = _count()
    return _here.free or count


def _count() -> int:
    """PyTorch's count for the thread that calls; a new one begins with what was set last, by whomever."""
    if not _here.is_known:
        _here.is_known = True
        with _Process.lock:
            if _Process.blocks and torch.get_num_threads() == 1:
                torch.set_num_threads(_Process.usual)
    return torch.get_num_threads()


def _alone() -> None:
    """A thread that takes parts has no others to help it."""
    _here.is_known = True
    torch.set_num_threads(1)


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
    if device.type != "cpu" or most == 1 or len(parts) == 1:
        for part in parts:
            with one_thread():
                found = without_gradients(part)
            yield found
    else:
        try:
            with ThreadPoolExecutor(most, initializer=_alone) as pool:
                yield from pool.map(without_gradients, parts)
        finally:
            torch.set_num_threads(torch.get_num_threads())  # threads that are new begin with this again
