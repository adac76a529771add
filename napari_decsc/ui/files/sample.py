"""Sample data: the built-in scene, and a way to a cube of one's own."""

from pathlib import Path
from typing import Any

from napari_decsc.errors import FileFormatError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.layers import layer_data
from napari_decsc.ui.cubes.lineage import begun
from napari_decsc.ui.files import reader

PATTERN = (
    "Hyperspectral cubes (*.hdr *.img *.raw *.dat *.bil *.bip *.bsq "
    "*.mat *.npy *.npz *.tif *.tiff *.h5 *.hdf5 *.he5 *.nc *.zarr.zip zarr.json)"
)


def built_in() -> list[tuple[Any, dict[str, Any], str]]:
    """The built-in scene, clean."""
    reader.label_current_viewer()
    cube = sample_cube()
    return [layer_data(cube, lineage=begun(cube))]


def sample_cube() -> Cube:
    """The built-in scene as a cube."""
    from napari_decsc.hsi.sample import sample_cube as make

    return make()


def real_cube() -> list[tuple[Any, dict[str, Any], str]]:
    """A cube from a file that the person chooses."""
    from qtpy.QtWidgets import QFileDialog

    name, _ = QFileDialog.getOpenFileName(None, "Open a hyperspectral cube", str(Path.home()), f"{PATTERN};;All (*)")
    if not name:
        raise FileFormatError("No file was chosen, so nothing was opened.")
    return reader.read(name)
