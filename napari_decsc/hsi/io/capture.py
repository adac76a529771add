"""The files of one capture: a raw cube and its references, told by the makers' names for them.

Specim writes `capture/DARKREF_NAME`, `capture/WHITEREF_NAME` and, where the panel had an exposure of its own,
`capture/WHITEDARKREF_NAME`; Headwall `darkReference` and `whiteReference`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.folders import CAPTURE, kind_beside, name_of, scenes

_WHITE_DARK = re.compile(r"(?:^|[_\-. ])white[_\- ]?dark[_\- ]?ref", re.IGNORECASE)
_ROLES = ("dark", "white", "white dark")


@dataclass(frozen=True)
class Capture:
    """A raw cube and the references that belong to it, as far as they were found.

    Parameters
    ----------
    raw : Path
        The scene.
    dark, white, white_dark : Path, optional
        References: shutter closed; a panel; shutter closed, at the panel's exposure.
    """

    raw: Path
    dark: Path | None = None
    white: Path | None = None
    white_dark: Path | None = None


def _role_of(path: Path, others: Iterable[Path]) -> str | None:
    """What a file is: "dark", "white", "white dark" (the dark reference of the white one), or None for a scene."""
    return "white dark" if _WHITE_DARK.search(path.name.partition(".")[0]) else kind_beside(path, others)


def find_capture(path: Path) -> Capture:
    """The capture of a folder that holds one scene, or of a raw cube; its references lie beside it.

    Raises
    ------
    FileFormatError
        If a folder holds no scene, or several.

    Parameters
    ----------
    path : Path
        A folder, or a raw cube's file.

    Returns
    -------
    Capture
        References that are not there are None.
    """
    if not path.is_dir():
        return _with_references(name_of(path))
    cubes = scenes(path)[0]
    found = [one for one in cubes if _role_of(one, cubes) is None]
    if len(found) == 1:
        return _with_references(found[0])
    if found:
        names = ", ".join(one.name for one in found[:6])
        raise FileFormatError(f"{path}: holds {len(found)} scenes, {names}; give one of them instead of the folder")
    raise FileFormatError(f"{path}: no raw cube in it or in its folder {CAPTURE}; give the raw cube itself")


def _with_references(raw: Path) -> Capture:
    cubes, references = scenes(raw.parent)
    by_role: dict[str, list[Path]] = {role: [] for role in _ROLES}
    for path in (*cubes, *references):
        role = _role_of(path, cubes)
        if role is not None and path != raw:
            by_role[role].append(path)
    chosen = {role: _of(raw, paths) for role, paths in by_role.items()}
    return Capture(raw, chosen["dark"], chosen["white"], chosen["white dark"])


def _of(raw: Path, references: list[Path]) -> Path | None:
    """The reference with the scene's name in its own, else the only one."""
    stem = re.escape(raw.name.partition(".")[0].lower())
    has_stem = re.compile(rf".*[_\- ]{stem}|{stem}[_\- ].*")
    names = {path: path.name.partition(".")[0].lower() for path in references}
    named = [path for path, name in names.items() if has_stem.fullmatch(name)]
    # of "a_dark" and "a_b_dark" the first is the reference of "a"
    return min(named, key=lambda path: len(names[path])) if named else (references[0] if len(references) == 1 else None)
