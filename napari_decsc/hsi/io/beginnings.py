"""How files begin: what is in a file whose name does not tell it, or tells something else."""

import re
import zipfile
from collections.abc import Set
from pathlib import Path

#: How files begin, where that is, the extension of the format that reads such files, and the formats that do so too.
_BEGINNINGS: tuple[tuple[bytes, int, str, tuple[str, ...]], ...] = (
    *((magic, 0, ".tif", ("TIFF",)) for magic in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    *((b"\x89HDF\r\n\x1a\n", place, ".h5", ("HDF5", "NetCDF", "MATLAB")) for place in (0, 512)),
    *((b"CDF" + version, 0, ".nc", ("NetCDF",)) for version in (b"\1", b"\2", b"\5")),
    *((magic, 0, ".mat", ("MATLAB",)) for magic in (b"MATLAB 5.0 MAT-file", b"# Created by Octave")),
    (b"\x93NUMPY", 0, ".npy", ("NumPy",)),
    (b"\x0e\x03\x13\x01", 0, ".h5", ("HDF5", "NetCDF")),
)
#: How files of other programs begin: formats that are not read, and that GDAL converts.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"EHFA_HEADER_TAG", "ERDAS Imagine"),
    (b"HEAD74", "ERDAS 7 (.lan, .gis)"),
    (b"PCIDSK", "PCIDSK"),
    *((magic, "NITF") for magic in (b"NITF0", b"NSIF0")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"SIMPLE  =", "FITS"),
    *((magic, "PDS") for magic in (b"PDS_VERSION_ID", b"CCSD3ZF", b"ODL_VERSION_ID", b"LBLSIZE=")),
    (b"<VRTDataset", "a virtual raster of GDAL (VRT)"),
    (b"[general]\ncreator=R package", "the native format of R's raster (.grd)"),
)
#: The first word of headers of Esri, which end in .hdr too.
_ESRI = re.compile(rb"\s*(byteorder|layout|nrows|ncols|nbands|nbits|pixeltype|bandrowbytes|ulxmap)\s", re.IGNORECASE)
_HTML = re.compile(rb"\s*<(!doctype html|html|head)", re.IGNORECASE)
#: How files begin that hold no cube at all, what they are, and the cure.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "is a pointer of Git LFS that stands for the file; fetch the file (git lfs pull)"),
    (b"\x1f\x8b", "is compressed by gzip; unpack it first (gunzip)"),
    *((magic, "is an archive; unpack it first") for magic in (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ\0")),
    (b"\x89PNG", "is a picture (PNG) with colours in place of bands; open the file of the cube it was made of"),
    (b"\xff\xd8\xff", "is a picture (JPEG) with colours in place of bands; open the file of the cube it was made of"),
)


def told_fault(path: Path) -> str:
    """What is wrong with a file that no format recognises, by its first bytes, and the cure.

    Parameters
    ----------
    path : Path
        Of a file; it need not exist.

    Returns
    -------
    str
        The rest of a sentence that begins with the file's name; empty if nothing is known.
    """
    try:
        with path.open("rb") as file:
            start = file.read(200)
    except (OSError, ValueError):
        return ""
    if not start:
        return "is empty (0 bytes); copy or download it again"
    if _HTML.match(start):
        return "is a web page, perhaps what a server says in place of the file; download it again"
    if b"<Dimap_Document" in start:
        return (
            "is BEAM-DIMAP of SNAP, which keeps a file for each band and is not read; "
            "export it from SNAP as GeoTIFF or NetCDF"
        )
    if path.suffix.lower() == ".npz" and start.startswith(b"PK\3\4") and not zipfile.is_zipfile(path):
        return "is cut short: the end of the archive is missing; copy or download it again"
    for magic, what in _FOREIGN:
        if start.startswith(magic):
            return _by_gdal(what, path.name, path.stem)
    if path.suffix.lower() == ".hdr" and _ESRI.match(start):
        return _by_gdal("a header of Esri's (BIL, BIP, BSQ)", f"{path.stem}.bil", path.stem)
    return next((what for magic, what in _OTHERS if start.startswith(magic)), "")


def _by_gdal(what: str, name: str, stem: str) -> str:
    return f"is {what}, which is not read; convert it with GDAL (gdal_translate {name} {stem}.tif)"


def told_extension(path: Path, named: Set[str]) -> str | None:
    """The extension that a file should have by its first bytes, if the one it has is wrong.

    Parameters
    ----------
    path : Path
        Of a file; it need not exist.
    named : set of str
        The names of the formats that its extension stands for; empty if it stands for none.

    Returns
    -------
    str or None
        With the dot; None where one of the named formats reads files that begin so, and for unknown beginnings.
    """
    try:
        with path.open("rb") as file:
            start = file.read(520)
    except (OSError, ValueError):
        return None
    for magic, place, extension, names in _BEGINNINGS:
        if start[place : place + len(magic)] == magic:
            return None if named & set(names) else extension
    return None
