"""Files that a command is about to write: refused before any work, and never left half-written."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from napari_decsc.hsi.errors import FileFormatError


def check_outputs(paths: Iterable[Path], *, overwrite: bool) -> None:
    """Raise FileFormatError if a file is there already (and may not be replaced) or its folder cannot be written."""
    for path in paths:
        folder = path.parent
        if not folder.is_dir():
            raise FileFormatError(f"{path}: the folder {folder} does not exist; make it or choose another one")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FileFormatError(f"{path}: the folder {folder} may not be written to; choose another one")
        if path.is_dir():
            raise FileFormatError(f"{path} is a folder; give the name of a file")
        if path.exists() and not overwrite:
            raise FileFormatError(f"{path} exists already; add --overwrite to replace it, or choose another name")


def check_not_inputs(outputs: Iterable[Path], inputs: Iterable[Path | None]) -> None:
    """Raise FileFormatError if a file to be written is one that is read from (it may be memory-mapped)."""
    sources = [path for path in inputs if path is not None and path.exists()]
    for output in outputs:
        if output.exists() and any(output.samefile(source) for source in sources):
            raise FileFormatError(f"{output} is read by this command; write to another name")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is seen whole or not at all: beside its place, then moved."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        part.chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner may read
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text in UTF-8."""
    write_bytes(path, text.encode())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
