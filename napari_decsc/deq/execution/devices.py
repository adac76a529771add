"""Where to compute."""

import torch

from napari_decsc.errors import SettingsError


def choose(name: str) -> torch.device:
    """The device of that name; "auto": CUDA, else MPS, else CPU. Raises SettingsError when it is not to be had."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(
            f"device {name!r} cannot be used here ({_first_line(error)}); choose auto or cpu"
        ) from error
    return device


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of a computation says that memory is used up; PyTorch has its own class for CUDA alone."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(said in words for said in _OUT_OF_MEMORY)


#: As MPS and the processor's allocator say it.
_OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
