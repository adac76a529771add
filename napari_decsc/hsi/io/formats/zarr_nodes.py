"""Folders of a Zarr store, on the disk or in one zip file: their arrays, and the metadata of both versions."""

import contextlib
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.formats.guards import check_memory
from napari_decsc.hsi.io.zarr_marks import MARKS

#: A group or an array of a store.
Folder = Path | zipfile.Path
#: Bytes of the largest metadata.
_LARGEST = 16 << 20
#: Groups within groups.
_DEEPEST = 16


def in_zip(path: Path) -> zipfile.Path | None:
    """The store in a zip file: its root, or the one folder in it. Raises FileFormatError if it would fill the memory.

    A chunk is unpacked as a whole, into as much room as the zip file says that it takes.
    """
    file = zipfile.ZipFile(path)
    check_memory(max((one.file_size for one in file.infolist()), default=0), path, "a chunk")
    root = zipfile.Path(file)
    if _is_store(root):
        return root
    inner = [one for one in root.iterdir() if one.is_dir()][:2]
    return inner[0] if len(inner) == 1 and _is_store(inner[0]) else None


def _is_store(folder: Folder) -> bool:
    return any((folder / mark).is_file() for mark in MARKS)


def all_in(folder: Folder, name: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], Folder]]:
    """The groups and arrays of a store with the parts of their names; links to other folders are not followed."""
    yield name, folder
    _, array = metadata(folder)
    if not array and depth <= _DEEPEST:
        for one in _folders(folder):
            yield from all_in(one, (*name, one.name), depth + 1)


def _folders(folder: Folder) -> list[Folder]:
    """The groups and arrays in a group, by their names."""
    found: list[Folder] = []
    with contextlib.suppress(OSError):
        if isinstance(folder, Path):
            found += [Path(one.path) for one in os.scandir(folder) if one.is_dir(follow_symlinks=False)]
        else:
            found += [one for one in folder.iterdir() if one.is_dir()]
    return sorted((one for one in found if _is_store(one)), key=lambda one: one.name)


def metadata(folder: Folder) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attributes of a group or an array, and what describes the array (empty for a group)."""
    node = _json(folder / "zarr.json")
    if node:
        attributes = node.get("attributes")
        return attributes if isinstance(attributes, dict) else {}, node if node.get("node_type") == "array" else {}
    return _json(folder / ".zattrs"), _json(folder / ".zarray")


def _json(path: Folder) -> dict[str, Any]:
    if not path.is_file():
        return {}
    size = path.stat().st_size if isinstance(path, Path) else path.root.getinfo(path.at).file_size
    if size > _LARGEST:
        raise FileFormatError(f"{path}: is larger than {_LARGEST >> 20} MB, too large for metadata")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise FileFormatError(f"{path}: is no JSON; the store is damaged") from None
    return found if isinstance(found, dict) else {}
