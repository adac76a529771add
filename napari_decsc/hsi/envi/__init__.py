"""ENVI files: a text header (`scene.hdr`) and raw numbers beside it (`scene.img`)."""

from napari_decsc.hsi.envi.pair import is_envi
from napari_decsc.hsi.envi.reader import read_envi
from napari_decsc.hsi.envi.writer import write_envi

__all__ = ["is_envi", "read_envi", "write_envi"]
