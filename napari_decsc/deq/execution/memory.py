"""How much memory a solve may take, and takes."""

import ctypes
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import torch

from napari_decsc.deq.model.base import Decsc
from napari_decsc.errors import SettingsError
from napari_decsc.filters.parallel import MOST

#: What the program itself takes before it solves anything, in bytes: Python, PyTorch, the weights.
PROGRAM = 400_000_000
#: Bytes that a solve takes beside what grows with the tile: buffers of libraries, parts that are given back late.
_FIXED = 30_000_000
#: Bytes that each further thread works on.
_THREAD = 120_000_000

#: glibc's number of the setting that says how much free memory it holds, bytes.
_M_TRIM_THRESHOLD = -1
#: ... from which size on a block is fetched from the system by itself, bytes.
_M_MMAP_THRESHOLD = -3
#: ... how many such blocks there may be.
_M_MMAP_MAX = -4
#: ... and in how many parts memory is kept from which threads take theirs: from a single one, each what others left.
#: glibc hears it once: it stays so to the end of the program, and does nothing where there are many already.
_M_ARENA_MAX = -8
#: Free memory is held, however much; blocks of so many bytes are given back; and where glibc's settings move by
#: themselves in a program that works with large blocks.
_HELD = {_M_TRIM_THRESHOLD: 2**31 - 1, _M_MMAP_MAX: 0, _M_ARENA_MAX: 1}
_AT_ONCE = {_M_MMAP_THRESHOLD: 16 << 20, _M_ARENA_MAX: 1}
_USUAL = {_M_TRIM_THRESHOLD: 64 << 20, _M_MMAP_THRESHOLD: 32 << 20, _M_MMAP_MAX: 65536}

#: Fewer bands are few for :func:`waste`.
_FEW_BANDS = 8
#: What it is on a CPU: of few bands, of more.
_WASTE = (1.8, 1.3)

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def budget(text: str, device: torch.device) -> int:
    """Bytes from a text such as "2GB" or "500 MB".

    Parameters
    ----------
    text : str
        Decimal units; empty: half of what is free.
    device : torch device
        Where the computation runs.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    SettingsError
        For any other text.
    """
    if not text.strip():
        return free(device) // 2
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", text, re.IGNORECASE)
    if match is None:
        raise SettingsError(f"memory is {text!r}; write a number and a unit, such as 2GB or 500MB")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def free(device: torch.device) -> int:
    """Bytes that are free where the computation runs.

    Parameters
    ----------
    device : torch device
        Where the computation runs.

    Returns
    -------
    int
        Bytes.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def program(text: str) -> int:
    """What the program takes of a budget: nothing of half of what is free, for then it is there already.

    Parameters
    ----------
    text : str
        The budget, as a person wrote it.

    Returns
    -------
    int
        Bytes.
    """
    return PROGRAM if text.strip() else 0


def for_results(text: str, device: torch.device) -> int:
    """Bytes of the computer's own memory that a result may take: half of the budget there, the program apart.

    Parameters
    ----------
    text : str
        The budget, as a person wrote it.
    device : torch device
        Where the computation runs.

    Returns
    -------
    int
        Bytes.
    """
    text = text if device.type == "cpu" else ""
    return max(0, budget(text, torch.device("cpu")) - program(text)) // 2


@contextmanager
def handled(short: bool) -> Iterator[None]:
    """How the C library handles free memory during a solve; at the end all of it goes back to the system.

    Fetching memory from the system costs more time than most arithmetic on it. Where memory is plentiful, what a tensor
    leaves is held for the next, until :func:`give_back` says otherwise. Where it is ``short``, large blocks are given
    back as soon as they are free: what is held lies in pieces that the next tensor may not fit into. Other C libraries
    than glibc do as they do.

    Parameters
    ----------
    short : bool
        Whether memory is short.

    Yields
    ------
    None
        For the time of the solve.
    """
    mallopt, trim = _of_glibc("mallopt"), _of_glibc("malloc_trim")
    if mallopt is None or trim is None:
        yield
        return

    def choose(settings: dict[int, int]) -> None:
        for number, value in settings.items():
            mallopt(number, value)

    usual = _USUAL  # where a run is left to the end of the program, the module's own names are gone before it
    choose(_AT_ONCE if short else _HELD)
    try:
        yield
    finally:
        choose(usual)
        trim(0)


def give_back() -> None:
    """Free memory goes back to the system: between parts of a run that need memory of other sizes. glibc alone."""
    trim = _of_glibc("malloc_trim")
    if trim is not None:
        trim(0)


def share() -> None:
    """Threads that begin from now on take memory from one part. glibc alone.

    In a part of its own a thread fetches large blocks from the system again and again: a tile takes a quarter longer.
    """
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where that has none of this name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


def fixed() -> int:
    """Bytes that a solve takes whatever its tile.

    Returns
    -------
    int
        Bytes.
    """
    return _FIXED + _THREAD * (min(torch.get_num_threads(), MOST) - 1)


def waste(device: torch.device, bands: int) -> float:
    """How many times what is reckoned a run takes where nothing is given back before its end.

    Parameters
    ----------
    device : torch device
        Where the computation runs.
    bands : int
        Of the cube.

    Returns
    -------
    float
        1 or more.
    """
    return _WASTE[bands >= _FEW_BANDS] if device.type == "cpu" else 1


def of_tile(model: Decsc, bands: int, pixels: int) -> int:
    """Bytes that the solve of a tile takes at its peak.

    Parameters
    ----------
    model : Decsc
        That solves.
    bands : int
        Of the cube.
    pixels : int
        Of the tile, margins included.

    Returns
    -------
    int
        Bytes.
    """
    return fixed() + pixels * per_pixel(model, bands)


def of_estimation(bands: int, pixels: int) -> int:
    """Bytes that estimation takes on a sample.

    Parameters
    ----------
    bands : int
        Of the cube.
    pixels : int
        Of the sample.

    Returns
    -------
    int
        Bytes.
    """
    return fixed() + 76 * bands * pixels


def per_pixel(model: Decsc, bands: int) -> int:
    """Bytes for each pixel of a tile, at the peak of its solve; fitted to measurements, see docs/scaling.md.

    Parameters
    ----------
    model : Decsc
        That solves.
    bands : int
        Of the cube.

    Returns
    -------
    int
        Bytes.
    """
    return model.bytes_per_pixel(bands)
