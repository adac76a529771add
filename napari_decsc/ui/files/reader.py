"""Reader and writer for napari: ENVI cubes and what else `napari_decsc.hsi.io.files` opens."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_decsc.denoising import provenance
from napari_decsc.errors import DecscError, FileFormatError
from napari_decsc.ui import viewer_compat
from napari_decsc.ui.cubes.layers import KEY, Record, layer_data, recorded_cube
from napari_decsc.ui.cubes.lineage import begun
from napari_decsc.ui.files.asking import open_asking, window
from napari_decsc.ui.files.libraries import show_library

#: What tells napari that a file was read and no layer came of it.
NOTHING: list[tuple[Any, ...]] = [(None,)]


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[Any]] | None:
    """The reader for a path, or None where it is no cube we know.

    Any folder is read: napari asks which reader to take, and who takes this one wants the cubes in it, or a sentence.
    """
    from napari_decsc.hsi.io.files import can_open

    paths = _paths(path)
    return read_in_window if paths and all(can_open(one) or one.is_dir() for one in paths) else None


def read_in_window(path: str | Sequence[str]) -> list[tuple[Any, ...]]:
    """As `read`; where a person sees the window, a file that cannot be read is one message, and the others open."""
    from napari.utils.notifications import show_error

    def tried(step: Callable[[Path], list[Any]], one: Path) -> list[Any]:
        try:
            return step(one)
        except DecscError as error:
            if window() is None:
                raise
            show_error(str(error))
            return []

    files = [file for one in _paths(path) for file in tried(_files, one)]
    layers = [layer for file in files for layer in tried(_read_one, file)]
    label_current_viewer()
    return layers or NOTHING


def read(path: str | Sequence[str]) -> list[tuple[Any, ...]]:
    """The cubes as layer data; large files stay on disk and are read band by band.

    A spectral library becomes curves in the Spectra panel and no layer; nor does a file about which a person was asked
    and did not answer.
    """
    layers = [layer for one in _paths(path) for file in _files(one) for layer in _read_one(file)]
    label_current_viewer()
    return layers or NOTHING


def _files(path: Path) -> list[Path]:
    """The file itself, or what of a folder is wanted."""
    from napari_decsc.ui.files.folder import is_plain_folder, wanted_files

    return wanted_files(path) if is_plain_folder(path) else [path]


def _read_one(path: Path) -> list[tuple[Any, ...]]:
    import napari
    from napari.utils.notifications import show_info

    from napari_decsc.hsi.io.envi import is_library

    if is_library(path):
        show_library(path, viewer_compat.unwrapped(napari.current_viewer()))
        return []
    found = open_asking(path)
    if found is None:
        return []
    cube, chosen = found
    if cube.notes:
        show_info("\n".join(cube.notes))
    return [layer_data(cube, provenance=provenance.read(cube.header), lineage=begun(cube, chosen))]


def write_cube(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one image layer in the format of the extension: ENVI, TIFF or NumPy.

    An existing file is replaced, as the file dialog has asked about that.

    Raises
    ------
    FileFormatError
        If the layer is no cube, or the file cannot be written.
    """
    from napari_decsc.hsi.cube import Cube
    from napari_decsc.hsi.io.files import save_cube

    name = attributes.get("name", "cube")
    if getattr(data, "ndim", 0) != 3 or attributes.get("rgb"):
        raise FileFormatError(f"{name}: not a cube; only images with the axes (band, row, col) can be saved as cubes")
    record = attributes.get("metadata", {}).get(KEY)
    if not isinstance(record, Record):
        return [str(save_cube(Cube(data=data, name=name), path, overwrite=True))]
    corner, step = (attributes.get(key) for key in ("translate", "scale"))
    cube = recorded_cube(record, data, *(None if one is None else tuple(one)[-2:] for one in (corner, step)))
    extra = provenance.fields(record.provenance, cube.header)
    return [str(save_cube(cube, path, overwrite=True, extra=extra))]


def _paths(path: str | Sequence[str]) -> list[Path]:
    return [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]


def label_current_viewer() -> None:
    """Show wavelengths on the canvas of the viewer that asked for data; readers are not told which one that is."""
    import napari

    from napari_decsc.ui.cubes.band_label import label_bands

    viewer = napari.current_viewer()
    if viewer is not None:
        label_bands(viewer)
