"""Cubes as napari layers. The only code that knows ``layer.metadata``: one key, which holds one `Record`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.errors import CubeError
from napari_decsc.hsi.scaling import sample

#: The key in ``layer.metadata``.
KEY = "napari_decsc"
AXES = ("band", "row", "col")


@dataclass(frozen=True, eq=False)
class Record:
    """What a layer remembers: its cube, the clean cube it can be scored against, and how it was made.

    ``shown`` is the array that was given to the layer: the cube's own, or a view of it that napari can draw.
    """

    cube: Cube
    clean: Cube | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    shown: Any = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Record":
        """Itself: nothing in it changes, and duplicating a layer must not read a memory map as a whole."""
        return self


def layer_data(
    cube: Cube,
    *,
    clean: Cube | None = None,
    provenance: Mapping[str, Any] | None = None,
    like: Any = None,
    place: Mapping[str, Any] | None = None,
    contrast_limits: tuple[float, float] | None = None,
) -> tuple[Any, dict[str, Any], str]:
    """A cube as napari's layer data tuple.

    ``like`` is a layer whose place in the world and contrast limits it takes over; ``place`` (from `placement`) and
    ``contrast_limits`` give them one by one, for a layer that may be gone by now.
    """
    shown = drawable(cube.data)
    if contrast_limits is None:
        contrast_limits = contrast(cube) if like is None else tuple(like.contrast_limits)
    options = {
        "name": cube.name,
        "metadata": {KEY: Record(cube, clean, dict(provenance or {}), shown)},
        "contrast_limits": contrast_limits,
        "colormap": "gray",
        **(placement(like) if place is None else place),
    }
    return shown, options, "image"


def add_cube_layer(viewer: Any, cube: Cube, **options: Any) -> Any:
    """Add a cube to the viewer and show its wavelength on the canvas; ``options`` as in `layer_data`."""
    from napari_decsc.ui.band_label import label_bands

    data, keywords, _ = layer_data(cube, **options)
    label_bands(viewer)
    return viewer.add_image(data, **keywords)


def is_cube_layer(layer: Any) -> bool:
    """Whether a layer can be read as a cube: a plain image with the axes (band, row, col) and real numbers."""
    if type(layer).__name__ != "Image" or layer.rgb or layer.multiscale or layer.ndim != 3:
        return False
    return 0 not in layer.data.shape and np.dtype(layer.data.dtype).kind in "iuf"


def cube_layers(viewer: Any) -> list[Any]:
    """The layers that are cubes, from bottom to top."""
    return [layer for layer in viewer.layers if is_cube_layer(layer)]


def cube_of(layer: Any) -> Cube:
    """The cube a layer shows, under the layer's name.

    Raises
    ------
    CubeError
        If the layer is no cube.
    """
    if not is_cube_layer(layer):
        raise CubeError(f"{layer.name}: not a cube; choose an image layer with the axes (band, row, col)")
    record = _record(layer)
    if record is None or layer.data.shape[0] != record.cube.bands:
        return Cube(data=layer.data, name=layer.name)
    if layer.data is record.shown:
        return record.cube.replace(name=layer.name)
    # another plugin cropped or changed the pixels: what is known of the bands still holds
    return record.cube.replace(data=layer.data, name=layer.name)


def clean_of(layer: Any) -> Cube | None:
    """The clean cube a layer can be scored against, or None where it is unknown or no longer fits."""
    record = _record(layer)
    if record is None or record.clean is None or record.clean.shape != tuple(layer.data.shape):
        return None
    return record.clean


def provenance_of(layer: Any) -> dict[str, Any]:
    """How the layer was made; empty for a file or a layer of another plugin."""
    record = _record(layer)
    return {} if record is None else dict(record.provenance)


def remember(layer: Any, cube: Cube, clean: Cube | None, provenance: Mapping[str, Any]) -> None:
    """Show ``cube`` in an existing layer, with what is known of it."""
    shown = drawable(cube.data)
    layer.metadata = {**layer.metadata, KEY: Record(cube, clean, dict(provenance), shown)}
    layer.data = shown


def placement(layer: Any) -> dict[str, Any]:
    """Where in the world a derived layer belongs: that of ``layer``, or pixels for a new cube."""
    if layer is None:
        return {"axis_labels": AXES}
    names = ("scale", "translate", "rotate", "shear", "affine", "axis_labels", "units")
    return {name: getattr(layer, name) for name in names}


def contrast(cube: Cube) -> tuple[float, float]:
    """Contrast limits in raw units: the 0.5th and 99.5th percentile of a sample of the measured voxels."""
    values = sample(cube)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) * cube.scale for value in np.percentile(values, (0.5, 99.5)))
    return (low, high) if high > low else (low, low + 1.0)


def drawable(data: Any) -> Any:
    """The array itself, or where its byte order is foreign a lazy view, one band a chunk, in the machine's own."""
    dtype = np.dtype(data.dtype)
    if dtype.isnative:
        return data
    import dask.array

    lazy = dask.array.from_array(data, chunks=(1, *data.shape[1:]))
    return lazy.astype(dtype.newbyteorder("="))


def _record(layer: Any) -> Record | None:
    record = layer.metadata.get(KEY)
    return record if isinstance(record, Record) else None
