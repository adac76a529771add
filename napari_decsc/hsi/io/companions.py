"""Files beside a TIFF that tell what it holds: an ENVI header, or the METADATA.XML of EnMAP and DESIS.

Either may be opened instead of the TIFF.
"""

import os
import re
from pathlib import Path

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi.gains import GAINS, OFFSETS, with_usable_gains
from napari_decsc.hsi.io.envi.header import Header, read_header
from napari_decsc.hsi.io.envi.layout import Layout
from napari_decsc.hsi.io.envi.optional import OptionalFields
from napari_decsc.hsi.io.envi.wavelengths import spectral_axis
from napari_decsc.hsi.io.zarr_marks import MARKS
from napari_decsc.hsi.no_data import as_meant

_TIFF = (".tif", ".tiff")
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: Names of images of EnMAP and DESIS, and of what describes them; what is before is the same.
_IMAGE = re.compile(r"(.*)SPECTRAL_IMAGE(_VNIR|_SWIR)?(_COG)?\.tiff?", re.IGNORECASE)
_METADATA = "METADATA.XML"
#: Fields of a header that describe a raw data file, which a TIFF is not.
_OF_LAYOUT = frozenset(Layout(1, 1, 1, 1, "bsq").fields())


def described(path: Path) -> Path:
    """The TIFF that a header or a METADATA.XML describes, the store of a zarr.json; any other path as it is.

    Raises
    ------
    FileFormatError
        If the metadata describe several images, or none that is there.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    Path
    """
    if path.suffix.lower() == ".hdr":
        found = [one for one in _tiffs(path) if _describes_tiff(path, one)]
        return found[0] if found else path
    if path.name.upper().endswith(_METADATA) and path.is_file():
        return _image(path)
    # file dialogs cannot choose a folder
    return path.parent if path.name in MARKS and path.is_file() else path


def is_described_tiff(path: Path) -> bool:
    """Whether this is a TIFF, or the header of one: no raw data file. Never raises.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    bool
    """
    try:
        if path.suffix.lower() in _TIFF:
            return _is_tiff(path) and _header(path) is not None
        return path.suffix.lower() == ".hdr" and described(path) != path
    except (FileFormatError, OSError, ValueError):
        return False


def with_companions(cube: Cube, path: Path) -> Cube:
    """The cube of a TIFF with what the files beside it say and the TIFF does not.

    Parameters
    ----------
    cube : Cube
        Of a TIFF.
    path : Path
        Its file.

    Returns
    -------
    Cube
        The same one for any other file.
    """
    if path.suffix.lower() not in _TIFF:
        return cube
    match = _IMAGE.fullmatch(path.name)
    metadata = None if match is None else _beside(path.parent, match[1] + _METADATA)
    if match is not None and metadata is not None:
        from napari_decsc.hsi.io.formats.band_xml import with_band_xml

        cube = with_band_xml(cube, metadata, (match[2] or "").strip("_").upper())
    header = _header(path)
    return cube if header is None else _with_header(cube, read_header(header))


def _with_header(cube: Cube, header: Header) -> Cube:
    optional = OptionalFields(header)
    wavelengths, unit, fwhm = spectral_axis(optional, cube.bands)
    good, no_data = optional.flags("bbl", cube.bands), as_meant(optional.number("data ignore value"))
    scale = optional.scale()
    told = {key: value for key, value in header.fields.items() if key not in _OF_LAYOUT}
    if cube.wavelengths is None and wavelengths is not None:
        cube = cube.replace(wavelengths=wavelengths, wavelength_unit=unit, fwhm=fwhm)
    is_scaled = cube.scale != 1 or cube.calibration is not None
    if scale is not None and not is_scaled:
        cube = cube.replace(scale=scale)
    cube = cube.replace(
        good_bands=good if cube.good_bands is None else cube.good_bands,
        no_data=no_data if cube.no_data is None else cube.no_data,
        header={**told, **cube.header},
    )
    if is_scaled:  # the TIFF itself tells how its numbers are meant
        cube = cube.replace(header={key: value for key, value in cube.header.items() if key not in (GAINS, OFFSETS)})
    else:
        cube = with_usable_gains(cube, optional)
    return cube.replace(notes=(*cube.notes, *optional.notes))


def _header(tiff: Path) -> Path | None:
    """The ENVI header that describes a TIFF: `a.tif.hdr`, or `a.hdr` if it says so."""
    names = (f"{tiff.name}.hdr", f"{tiff.stem}.hdr")
    found = (_beside(tiff.parent, name) for name in names)
    return next((path for path in found if path is not None and _describes_tiff(path, tiff)), None)


def _describes_tiff(header: Path, tiff: Path) -> bool:
    """Whether a header is about the TIFF as such, and not about numbers at some place in it."""
    try:
        fields = read_header(header)
        said = "tiff" in fields.text("file type").lower()
        is_its_own = header.name.lower() == f"{tiff.name}.hdr".lower()
        starts = fields.whole("header offset", 0, default=0) == 0
        return (said or (is_its_own and starts)) and _is_tiff(tiff)
    except FileFormatError:
        return False


def _is_tiff(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in _MAGIC
    except OSError:
        return False


def _tiffs(header: Path) -> list[Path]:
    """The TIFF files beside a header that it may be about."""
    base = header.name[: -len(".hdr")]
    names = [base] if Path(base).suffix.lower() in _TIFF else [base + end for end in _TIFF]
    return [path for name in names if (path := _beside(header.parent, name)) is not None]


def _image(metadata: Path) -> Path:
    start = metadata.name[: -len(_METADATA)].lower()
    names = [name for name in sorted(os.listdir(metadata.parent)) if _IMAGE.fullmatch(name)]
    names = [name for name in names if name.lower().startswith(f"{start}spectral_image")]
    if len(names) == 1:
        return metadata.with_name(names[0])
    if names:
        raise FileFormatError(f"{metadata}: describes {' and '.join(names)}; open one of them")
    raise FileFormatError(f"{metadata}: its image {start.upper()}SPECTRAL_IMAGE.TIF is not there; put it beside it")


def _beside(folder: Path, name: str) -> Path | None:
    """A file of this name, in upper or lower case."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return None
    found = [entry for entry in entries if entry.casefold() == name.casefold() and (folder / entry).is_file()]
    return folder / (name if name in found else found[0]) if found else None
