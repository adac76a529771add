"""Where to compute."""

import torch

from napari_decsc.errors import SettingsError


def choose(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA, else MPS, else the processor.

    Parameters
    ----------
    name : str
        As PyTorch calls devices, or "auto".

    Returns
    -------
    torch device

    Raises
    ------
    SettingsError
        If it is not to be had.
    """
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


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
