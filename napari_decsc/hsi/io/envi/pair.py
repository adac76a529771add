"""Which header belongs to which data file: always two files in one folder whose names differ by their ends only."""

import contextlib
import os
from pathlib import Path

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.io.atomic import recover
from napari_decsc.hsi.io.envi.header import is_header

#: Ends of data files, in the order in which they are tried; "" is a name without extension. `.img` comes first: it is
#: what this package writes, so a pair it wrote is never mistaken for an older data file beside it.
ENDS = (
    *(".img", "", ".dat", ".raw", ".bsq", ".bil", ".bip", ".bin"),
    *(".hyspex", ".cube", ".cub", ".rfl", ".rad", ".int", ".sli", ".envi", ".ref", ".rdn", ".refl"),
)
_HDR = ".hdr"
#: What compressed data files end with.
_PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")


def is_envi(path: Path) -> bool:
    """True for an ENVI header, and for a data file with an ENVI header beside it. Cheap; never raises.

    Parameters
    ----------
    path : Path
        Any.

    Returns
    -------
    bool
    """
    try:
        _end_exchange(path)
        header = path if _is_header_name(path) else _first(_header_names(path), path.parent)
        if header is None or not path.is_file() or not header.is_file():
            return False
        with header.open("rb") as file:
            return is_header(file.read(64))
    except (OSError, ValueError):  # no permission; a name with a NUL in it
        return False


def find_header(path: Path) -> Path:
    """The header of a file: itself if it is one, else the one beside the data file.

    Parameters
    ----------
    path : Path
        Either file of a pair.

    Returns
    -------
    Path

    Raises
    ------
    FileFormatError
        If there is none.
    """
    with contextlib.suppress(OSError):
        _end_exchange(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileFormatError(f"{path}: {what}; give the name of an ENVI header or its data file")
    if _is_header_name(path):
        return path
    names = _header_names(path)
    header = _first(names, path.parent)
    if header is None:
        raise FileFormatError(f"{path}: has no header beside it; tried {', '.join(names)}")
    return header


def find_data(header: Path, size: int) -> Path:
    """The data file of a header. Of several candidates, the first of the size, else the first.

    With an unusual extension, a file counts only if it is the one of exactly that size.

    Parameters
    ----------
    header : Path
        Of the pair.
    size : int
        Bytes, as the header tells.

    Returns
    -------
    Path

    Raises
    ------
    FileFormatError
        With the names that were tried, if there is none.
    """
    names = _data_names(header)
    found = _beside(names, header.parent) or _of_size(header, size)
    if not found:
        packed = _beside([name + end for end in _PACKED for name in names], header.parent)
        if packed:
            raise FileFormatError(f"{packed[0]}: the data of {header.name} are compressed; unpack them first")
        raise FileFormatError(
            f"{header}: no data file beside it; tried {', '.join(names)} (in upper or lower case), and every other "
            f"extension for a file of {size} bytes; put it beside the header under one of these names"
        )
    return min(found, key=lambda path: path.stat().st_size != size)


def _header_names(data: Path) -> list[str]:
    """Names a data file's header may have: `x.img.hdr`, and `x.hdr` where the data file's extension is a usual one.

    The latter keeps a picture `x.png` beside `x.hdr` from being taken for the cube.
    """
    names = [data.name + _HDR]
    if data.suffix and data.suffix.lower() in ENDS:
        names.append(data.stem + _HDR)
    return names


def _data_names(header: Path) -> list[str]:
    """Names the data file of a header may have."""
    base = header.name[: -len(_HDR)]
    ends = [""] if Path(base).suffix.lower() in ENDS[2:] + ENDS[:1] else []
    return [base + end for end in dict.fromkeys([*ends, *ENDS])]


def _of_size(header: Path, size: int) -> list[Path]:
    """The one file beside the header that differs in its extension alone and is exactly as long as described."""
    stem = header.name[: -len(_HDR)].casefold()
    names = [name for name in os.listdir(header.parent) if Path(name).stem.casefold() == stem]
    paths = [header.parent / name for name in names if not _is_header_name(Path(name))]
    found = [path for path in paths if path.is_file() and path.stat().st_size == size]
    return found if len(found) == 1 else []


def _end_exchange(path: Path) -> None:
    """If a program died while it exchanged this pair, end what it began: the pair is whole again."""
    for name in [path.name] if _is_header_name(path) else _header_names(path):
        recover(path.with_name(name))


def _is_header_name(path: Path) -> bool:
    return path.suffix.lower() == _HDR


def _first(names: list[str], folder: Path) -> Path | None:
    return next(iter(_beside(names, folder)), None)


def _beside(names: list[str], folder: Path) -> list[Path]:
    """Files of these names in the folder, in any case of letters, in the order of the names; exact spelling first."""
    order = {name.casefold(): place for place, name in enumerate(names)}
    entries = [entry for entry in os.listdir(folder) if entry.casefold() in order]
    entries.sort(key=lambda entry: (order[entry.casefold()], entry not in names, entry))
    return [folder / entry for entry in entries if (folder / entry).is_file()]
