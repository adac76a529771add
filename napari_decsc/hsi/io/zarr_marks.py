"""What makes a folder a Zarr store, to be known before anything of it is read."""

from pathlib import Path

#: Files that make a folder a Zarr store: version 3, and a group or an array of version 2.
MARKS = ("zarr.json", ".zgroup", ".zarray")


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr store, or a group or an array in one: one image. Never raises.

    Parameters
    ----------
    path : Path
        Any.

    Returns
    -------
    bool
    """
    try:
        return path.is_dir() and any((path / mark).is_file() for mark in MARKS)
    except (OSError, ValueError):
        return False
