"""Errors that a person may cause. Each says what is wrong, where, and what to do about it, in one sentence."""

from collections.abc import Sequence


class DecscError(Exception):
    """Base of every error this package raises on purpose; its text is fit to be shown to a person as it is."""


class CubeError(DecscError):
    """A cube, or what is said about it, is inconsistent."""


class FileFormatError(DecscError):
    """A file cannot be read or written as asked."""


class AmbiguousFileError(FileFormatError):
    """A file does not say which array is the cube, or which axis counts its bands; a person has to choose.

    Parameters
    ----------
    message : str
        Fit to be shown as it is.
    option : str
        The argument of ``open_cube`` that chooses: "variable" or "band_axis".
    choices : sequence of str
        What it may be.
    """

    def __init__(self, message: str, *, option: str, choices: Sequence[str]) -> None:
        super().__init__(message)
        self.option = option
        self.choices = tuple(choices)


class SettingsError(DecscError):
    """A setting has a value that cannot be used."""


class DenoisingError(DecscError):
    """Denoising could not be done or finished (memory, device, weights)."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is used up: Python's own, or one of those that PyTorch has for its devices.

    Parameters
    ----------
    error : exception
        As it was caught. PyTorch need not be loaded.

    Returns
    -------
    bool
    """
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and (type(error).__name__ == "OutOfMemoryError" or any(said in words for said in _OUT_OF_MEMORY))
    )


#: As CUDA, MPS, and the processor's allocator say it.
_OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "could not allocate memory")
