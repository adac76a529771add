"""Cubes as napari layers. The only code that knows ``layer.metadata``: one key, which holds one `Record`."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.contrast import contrast

#: The key in ``layer.metadata``.
KEY = "napari_decsc"
AXES = ("band", "row", "col")
#: Name of the layer with rings around pinned pixels.
PINS = "Pinned spectra"


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


@dataclass(frozen=True, eq=False)
class Composite:
    """What the layer of a colour picture remembers: a weak reference to the cube's layer, and its bands in words."""

    source: "weakref.ref[Any]"
    text: str


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
    """Add a cube to the viewer and show its wavelength on the canvas; ``options`` as in `layer_data`.

    It lies above all images, and below the marks and drawings that belong on top of them.
    """
    from napari.layers import Image

    from napari_decsc.ui.cubes.band_label import label_bands

    data, keywords, _ = layer_data(cube, **options)
    label_bands(viewer)
    images = [place for place, layer in enumerate(viewer.layers) if isinstance(layer, Image)]
    viewer.layers.insert(images[-1] + 1 if images else len(viewer.layers), Image(data, **keywords))
    return viewer.layers[images[-1] + 1 if images else -1]


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


def composite_of(viewer: Any, layer: Any) -> Any | None:
    """The layer that shows a cube's layer in colours, or None."""
    for other in viewer.layers:
        record = other.metadata.get(KEY)
        if isinstance(record, Composite) and record.source() is layer:
            return other
    return None


def composite_text(layer: Any) -> str:
    """Which bands a colour picture shows; empty for any other layer."""
    record = layer.metadata.get(KEY)
    return record.text if isinstance(record, Composite) else ""


def mark_good_bands(layer: Any, good: NDArray[np.bool_] | None) -> None:
    """Say which bands of a layer's cube are good, shape (band,); None takes all marks away. The pixels stay."""
    record = _record(layer)
    cube = cube_of(layer)
    keep = None if good is None or good.all() else np.asarray(good, bool)
    if record is None or layer.data.shape[0] != record.cube.bands:
        record = Record(cube, shown=layer.data)
    layer.metadata = {**layer.metadata, KEY: replace(record, cube=record.cube.replace(good_bands=keep))}


def placement(layer: Any) -> dict[str, Any]:
    """Where in the world a derived layer belongs: that of ``layer``, or pixels for a new cube."""
    if layer is None:
        return {"axis_labels": AXES}
    names = ("scale", "translate", "rotate", "shear", "affine", "axis_labels", "units")
    return {name: getattr(layer, name) for name in names}


def drawable(data: Any) -> Any:
    """The array itself, or where its byte order is foreign a lazy view, one band a chunk, in the machine's own."""
    dtype = np.dtype(data.dtype)
    if dtype.isnative:
        return data
    import dask.array

    lazy: Any = dask.array.from_array(data, chunks=(1, *data.shape[1:]))  # type: ignore[no-untyped-call]
    return lazy.astype(dtype.newbyteorder("="))


def _record(layer: Any) -> Record | None:
    record = layer.metadata.get(KEY)
    return record if isinstance(record, Record) else None
