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

    ``option`` is the argument of ``open_cube`` that chooses ("variable" or "band_axis"), ``choices`` what it may be.
    """

    def __init__(self, message: str, *, option: str, choices: Sequence[str]) -> None:
        super().__init__(message)
        self.option = option
        self.choices = tuple(choices)


class SettingsError(DecscError):
    """A setting has a value that cannot be used."""


class DenoisingError(DecscError):
    """Denoising could not be done or finished (memory, device, weights)."""
