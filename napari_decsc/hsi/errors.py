"""Errors that a person may cause. Each says what is wrong, where, and what to do about it, in one sentence."""


class DecscError(Exception):
    """Base of every error this package raises on purpose; its text is fit to be shown to a person as it is."""


class CubeError(DecscError):
    """A cube, or what is said about it, is inconsistent."""


class FileFormatError(DecscError):
    """A file cannot be read or written as asked."""


class SettingsError(DecscError):
    """A setting has a value that cannot be used."""


class DenoisingError(DecscError):
    """Denoising could not be done or finished (memory, device, weights)."""
