"""ENVI files: a text header (`scene.hdr`) and raw numbers beside it (`scene.img`)."""

from napari_decsc.hsi.io.envi.library import SpectralLibrary, is_library, read_library, write_library
from napari_decsc.hsi.io.envi.pair import is_envi
from napari_decsc.hsi.io.envi.reader import read_envi
from napari_decsc.hsi.io.envi.writer import write_envi

__all__ = [
    "SpectralLibrary",
    "is_envi",
    "is_library",
    "read_envi",
    "read_library",
    "write_envi",
    "write_library",
]
