"""The files of a folder of training cubes: what is trained on, what is kept back, and what is passed over and why.

Symbolic links are followed, to files and to folders. A folder that is met a second time, by a link in a circle or by
two names, is read once. A link does not lead around what is kept back: ``train/more -> ../val`` stays kept back.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".tif", ".npz", ".hdr")
#: Folders of scenes that are no clean or no training cubes.
HELD_BACK = {"val", "real_noise", "test", "envi"}


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Parameters
    ----------
    scenes : tuple of Path
        Files to train on, in a fixed order.
    validation : tuple of Path
        Stacks (.tif) directly in folders called ``val``, in a fixed order.
    passed_over : tuple of str
        A sentence for every folder and link that was left out.
    """

    scenes: tuple[Path, ...]
    validation: tuple[Path, ...]
    passed_over: tuple[str, ...]


def listing(folder: Path) -> Listing:
    """Look through a folder and its sub-folders.

    Parameters
    ----------
    folder : Path
        Where to begin; one that is not there holds nothing.

    Returns
    -------
    Listing
        Its files, sorted.
    """
    scenes: list[Path] = []
    validation: list[Path] = []
    passed: list[str] = []
    for place, files in _walk(folder, passed):
        kept_back = _held_back(place, folder)
        if kept_back and files:
            passed.append(f"{place}: {len(files)} files kept back from training, as all in folders called {kept_back}")
        for path in files:
            if kept_back is None and (why := _held_back(path, folder)) is not None:
                passed.append(f"{path}: kept back from training, a link into a folder called {why}")
            elif kept_back is None:
                scenes.append(path)
            elif path.suffix == ".tif" and "val" in (place.name, place.resolve().name):
                validation.append(path)
    return Listing(tuple(sorted(scenes)), tuple(sorted(validation)), tuple(passed))


def _walk(folder: Path, passed: list[str]) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder once, with the files in it that may be scenes."""
    seen: dict[str, Path] = {}
    for where, below, names in os.walk(folder, followlinks=True):
        place, real = Path(where), os.path.realpath(where)
        if real in seen:
            passed.append(f"{place}: leads to {seen[real]}, which is read already")
            below.clear()
            continue
        seen[real] = place
        # folders before links to them, so that a scene keeps its own name; sorted, so that the order is fixed
        below.sort(key=lambda name: (os.path.islink(os.path.join(where, name)), name))
        files = [place / name for name in sorted(names) if Path(name).suffix in SUFFIXES]
        passed += [f"{path}: a link to a file that is not there" for path in files if not path.exists()]
        yield place, [path for path in files if path.is_file()]


def _held_back(path: Path, folder: Path) -> str | None:
    """The name of a folder on the way that keeps a path back, by its own name or by what it is a link to."""
    real, root = path.resolve(), folder.resolve()
    parts = [*path.relative_to(folder).parts]
    # what lies outside of the folder is judged by its last two names: a parent called "test" is no one's choice
    parts += real.relative_to(root).parts if real.is_relative_to(root) else _last(real)
    return next((part for part in parts if part in HELD_BACK), None)


def _last(real: Path) -> tuple[str, ...]:
    return real.parts[-2:] if real.is_file() else real.parts[-1:]
