"""Folders of a capture: which files in them are scenes, and which are references of dark and white."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.zarr_marks import is_zarr

#: Where Specim's programs keep the scene and its references; results are made of them.
CAPTURE = "capture"
#: Files that are looked at in a folder.
_MOST = 2_000
#: Folders within folders.
_DEEPEST = 2
_REFERENCE = re.compile(
    r"(?:^|[_\-. ])(?:white)?(dark|white)[_\- ]?(?:ref(?:erence)?|current|frame|panel|board|tile)(?![a-z])"
    r"|^(dark|white)$",
    re.IGNORECASE,
)
#: Names made of that of a scene beside them; alone, "egg_white" may be a scene.
_OF_SCENE = re.compile(r"(dark|white)[_\- ](.+)|(.+)[_\- ](dark|white)", re.IGNORECASE)
#: Files of EnMAP and DESIS that tell of each pixel how good it is.
_QUALITY = re.compile(r"-QL_.*\.tiff?$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """A file of a folder that can be opened.

    Parameters
    ----------
    path : Path
        By its one name: of an ENVI pair the header.
    kind : str
        "cube", "dark reference", "white reference", "quality layer" or "spectral library".
    """

    path: Path
    kind: str


def reference_kind(path: str | Path) -> str | None:
    """Of which kind a reference is, "dark" or "white", by the name of its file; None for any other file.

    So say DARKREF_..., WHITEREF_... (Specim), darkReference, whiteReference (Headwall), dark_current, white_panel and
    the like, and plain dark or white.

    Parameters
    ----------
    path : str or Path
        Only its name counts.

    Returns
    -------
    str or None
    """
    match = _REFERENCE.search(_stem(path))
    return None if match is None else (match[1] or match[2]).lower()


def kind_beside(path: str | Path, others: Iterable[str | Path]) -> str | None:
    """As `reference_kind`, of a file that is called after a scene beside it: DARK_NAME, NAME_white.

    Parameters
    ----------
    path : str or Path
        Only its name counts.
    others : iterable of str or Path
        The cubes beside it.

    Returns
    -------
    str or None
    """
    match = _OF_SCENE.fullmatch(_stem(path))
    names = {_stem(one).lower() for one in others}
    if match is None or (match[2] or match[3]).lower() not in names:
        return reference_kind(path)
    return (match[1] or match[4]).lower()


def _stem(path: str | Path) -> str:
    return Path(path).name.partition(".")[0]


def listed(folder: str | Path) -> list[Entry]:
    """The cubes, references and libraries in a folder and the folders in it, two floors down.

    Raises
    ------
    FileFormatError
        If the folder cannot be read.

    Parameters
    ----------
    folder : str or Path
        Any.

    Returns
    -------
    list of Entry
        Each once.
    """
    found: dict[Path, Entry] = {}
    for path in _files(Path(folder), _DEEPEST):
        entry = _entry(path)
        if entry is not None:
            found.setdefault(entry.path, entry)
    return _with_scenes(found.values())


def _with_scenes(entries: Iterable[Entry]) -> list[Entry]:
    """The entries of which those that are called after a scene beside them are its references."""
    entries = list(entries)
    beside: dict[Path, list[Path]] = {}
    for entry in entries:
        beside.setdefault(entry.path.parent, []).append(entry.path)
    kinds = [kind_beside(entry.path, beside[entry.path.parent]) if entry.kind == "cube" else None for entry in entries]
    pairs = zip(entries, kinds, strict=True)
    return [entry if kind is None else Entry(entry.path, f"{kind} reference") for entry, kind in pairs]


def scenes(folder: str | Path) -> tuple[list[Path], list[Path]]:
    """The cubes that lie in a folder itself, and the references among them that are no scenes.

    A folder without cubes whose `capture` has some stands for that one.

    Parameters
    ----------
    folder : str or Path
        Any.

    Returns
    -------
    two lists of Path
        Cubes; references.

    Raises
    ------
    FileFormatError
        If the folder cannot be read.
    """
    folder = Path(folder)
    for place in (folder, folder / CAPTURE):
        if place.is_dir():
            found = dict.fromkeys(entry for path in _files(place, 0) if (entry := _entry(path)) is not None)
            entries = _with_scenes(found)
            cubes = [entry.path for entry in entries if entry.kind == "cube"]
            if cubes:
                return cubes, [entry.path for entry in entries if entry.kind.endswith("reference")]
    return [], []


def name_of(path: Path) -> Path:
    """The one name of a cube: of an ENVI pair its header, of a TIFF that another file describes the TIFF.

    Parameters
    ----------
    path : Path
        Either file of a pair.

    Returns
    -------
    Path
    """
    from napari_decsc.hsi.io.companions import described, is_described_tiff
    from napari_decsc.hsi.io.envi import is_envi
    from napari_decsc.hsi.io.envi.pair import find_header

    if is_described_tiff(path) or path.suffix.lower() == ".xml":
        with contextlib.suppress(FileFormatError):  # metadata of two images stand for neither
            return described(path)
    return find_header(path) if is_envi(path) else path


def _entry(path: Path) -> Entry | None:
    from napari_decsc.hsi.io.envi import is_library
    from napari_decsc.hsi.io.files import can_open

    path = name_of(path)
    if is_library(path):
        return Entry(path, "spectral library")
    if not can_open(path):
        return None
    if _QUALITY.search(path.name):
        return Entry(path, "quality layer")
    reference = reference_kind(path)
    return Entry(path, "cube" if reference is None else f"{reference} reference")


def _files(folder: Path, floors: int) -> Iterator[Path]:
    """Files by their names, those of the folder itself first; hidden ones are passed over."""
    try:
        names = sorted(os.listdir(folder))[:_MOST]
    except OSError as error:
        raise FileFormatError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from None
    paths = [folder / name for name in names if not name.startswith(".")]
    yield from (path for path in paths if path.is_file() or is_zarr(path))
    for path in paths:
        if floors and path.is_dir() and not path.is_symlink() and not is_zarr(path):
            yield from _files(path, floors - 1)
