"""Which errors are a person's to mend, and the sentence that says how."""

from napari_decsc.errors import DecscError


def sentence(error: BaseException) -> str | None:
    """What to tell a person, or None for an error that is ours (a traceback helps to mend it)."""
    if isinstance(error, DecscError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the memory is not enough for this; use --tile or --memory with denoise, or a smaller cube"
    if isinstance(error, OSError):
        return _system(error)
    return None


def _system(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return reason if error.filename is None else f"{error.filename}: {reason}"
