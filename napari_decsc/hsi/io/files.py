"""Opening cubes from files of any known format, and saving them: what the rest of the package uses of it."""

from napari_decsc.hsi.io.known_formats import FORMATS, Format
from napari_decsc.hsi.io.opening import can_open, open_cube
from napari_decsc.hsi.io.saving import can_stream, files_of, new_sink, notes_of, save_cube, target_dtype

__all__ = (
    "FORMATS",
    "Format",
    "can_open",
    "can_stream",
    "files_of",
    "new_sink",
    "notes_of",
    "open_cube",
    "save_cube",
    "target_dtype",
)
