"""Notes that other programs keep beside an image: facts, statistics, overviews of a file that may since be another.

GDAL (and with it QGIS, rasterio, terra) believes them before the file itself, ENVI believes its own. So whoever
replaces an image takes its notes away, as GDAL does.
"""

import os
from pathlib import Path

#: Ends that are put behind the whole name of an image: GDAL's facts, overviews and masks, ENVI's overviews.
_BEHIND = (".aux.xml", ".ovr", ".msk", ".enp")
#: Ends that stand in place of the image's extension: ENVI's statistics and overviews.
_INSTEAD_ENVI = (".sta", ".enp")
#: World files and headers that tell of a TIFF what it does not tell itself.
_INSTEAD_TIFF = (".tfw", ".tifw", ".tiffw")
_ENDS = tuple(dict.fromkeys((*_BEHIND, *_INSTEAD_ENVI, *_INSTEAD_TIFF, ".hdr")))


def notes_of_envi(data: Path) -> list[Path]:
    """The notes that lie beside the data file of an ENVI pair.

    Parameters
    ----------
    data : Path
        The data file.

    Returns
    -------
    list of Path
        Those that are there.
    """
    return _there(data, [data.name + end for end in _BEHIND] + [data.stem + end for end in _INSTEAD_ENVI])


def notes_of_tiff(path: Path) -> list[Path]:
    """The notes that lie beside a TIFF, a header of its very name (`x.tif.hdr`) among them.

    Parameters
    ----------
    path : Path
        The TIFF.

    Returns
    -------
    list of Path
        Those that are there.
    """
    behind = [path.name + end for end in (*_BEHIND, ".hdr")]
    return _there(path, behind + [path.stem + end for end in _INSTEAD_TIFF])


def notes_of(path: Path) -> list[Path]:
    """GDAL's notes beside a file of any other format.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Path
        Those that are there.
    """
    return _there(path, [path.name + ".aux.xml"])


def is_note(name: str) -> bool:
    """Whether a file of this name may be a note, and no image.

    Parameters
    ----------
    name : str
        Of a file.

    Returns
    -------
    bool
    """
    return name.lower().endswith(_ENDS)


def _there(image: Path, names: list[str]) -> list[Path]:
    paths = [image.with_name(name) for name in dict.fromkeys(names)]
    return [path for path in paths if path != image and os.path.isfile(path)]
