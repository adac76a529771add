"""Opening the cube in a file of any known format."""

from pathlib import Path

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.companions import described, with_companions
from napari_decsc.hsi.io.known_formats import by_content, by_extension, recognised


def open_cube(path: str | Path, *, variable: str | None = None, band_axis: int | str | None = None) -> Cube:
    """The cube in a file, its data memory-mapped where the format allows it.

    Parameters
    ----------
    path : str or Path
        The file; of an ENVI pair either one.
    variable : str, optional
        The array to take from a file that holds several.
    band_axis : int or str, optional
        The axis of that array that counts the bands: 0, 1, 2, or its name. ENVI files, which say both, take no notice
        of the two.

    Returns
    -------
    Cube
        ``notes`` says what of the file could not be used.

    Raises
    ------
    AmbiguousFileError
        If one of the two is needed; it carries the choices.
    FileFormatError
        If there is no such file, no format fits, or the file cannot be read; fit to be shown as it is.
    """
    path = described(Path(path))
    asked = {key: value for key, value in (("variable", variable), ("band_axis", band_axis)) if value is not None}
    known = recognised(path) or by_content(path) or by_extension(path)
    return with_companions(known.open(path, **asked) if known.asks else known.open(path), path)


def can_open(path: str | Path) -> bool:
    """True if the file holds what is surely a cube, so that this package should open it; never raises, reads little.

    Of formats that hold all sorts of things, only files of this package and those with an array of three axes, none
    shorter than 4, count: pictures and small stacks are left to others, though :func:`open_cube` opens stacks too.

    Parameters
    ----------
    path : str or Path
        Of a file or folder.

    Returns
    -------
    bool
        False for what does not exist.
    """
    try:
        return recognised(described(Path(path))) is not None
    except (TypeError, ValueError, FileFormatError):
        return False
