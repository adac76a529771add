"""Where to compute."""

import torch

from napari_decsc.errors import SettingsError


def choose(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA, else the processor.

    Moments and mixing weights are found in double precision, which MPS does not have.

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
        If it is not to be had, or knows no double precision.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, dtype=torch.float64, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise SettingsError(
            f"device {name!r} cannot be used here ({_first_line(error)}); choose auto or cpu"
        ) from error
    return device


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
