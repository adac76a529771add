"""Cubes as napari layers. The only code that knows ``layer.metadata``: one key, which holds one `Record`."""

import itertools
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.errors import CubeError
from napari_decsc.hsi.band_list import format_bands
from napari_decsc.hsi.cube import Cube
from napari_decsc.ui.cubes.contrast import contrast
from napari_decsc.ui.cubes.lineage import BAD_BANDS, NO_DATA, Lineage, Step
from napari_decsc.ui.cubes.part import part_of

#: The key in ``layer.metadata``.
KEY = "napari_decsc"
AXES = ("band", "row", "col")
#: Name of the layer with rings around pinned pixels.
PINS = "Pinned spectra"
#: Colours of a difference: blue below 0, white at 0, red above; after the "RdBu" scale of ColorBrewer.
DIVERGING = ("#053061", "#4393c3", "#f7f7f7", "#d6604d", "#67001f")
#: The word in a provenance that says that a cube is the difference of two.
DIFFERENCE = "difference"


@dataclass(frozen=True, eq=False)
class Record:
    """What a layer remembers: its cube, the clean cube it can be scored against, and how it was made.

    ``shown`` is the array that was given to the layer: the cube's own, or a view of it that napari can draw. ``corner``
    is where in the world its first pixel was put (row, col), and None where that does not matter. ``band_axis`` is the
    axis of the array, as it came, that a person chose for the bands. ``lineage`` is how its values came about, None
    where nobody knows.
    """

    cube: Cube
    clean: Cube | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    shown: Any = None
    corner: tuple[float, float] | None = None
    band_axis: int = 0
    lineage: Lineage | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Record":
        """Itself: nothing in it changes, and duplicating a layer must not read a memory map as a whole."""
        return self


@dataclass(frozen=True, eq=False)
class Composite:
    """What the layer of a colour picture remembers: a weak reference to the cube's layer, and its bands in words."""

    source: "weakref.ref[Any]"
    text: str


@dataclass(frozen=True, eq=False)
class Stack:
    """What a layer of images remembers that are no bands, such as components: what each of them is, in words."""

    texts: tuple[str, ...]


def layer_data(
    cube: Cube,
    *,
    clean: Cube | None = None,
    provenance: Mapping[str, Any] | None = None,
    like: Any = None,
    place: Mapping[str, Any] | None = None,
    contrast_limits: tuple[float, float] | None = None,
    lineage: Lineage | None = None,
) -> tuple[Any, dict[str, Any], str]:
    """A cube as napari's layer data tuple.

    ``like`` is a layer whose place in the world and contrast limits it takes over; ``place`` (from `placement`) and
    ``contrast_limits`` give them one by one, for a layer that may be gone by now. ``lineage`` is how the values came
    about, where that is known.
    """
    shown = drawable(cube.data)
    made_by, place = dict(provenance or {}), placement(like) if place is None else place
    is_signed = DIFFERENCE in made_by
    if contrast_limits is None and is_signed:
        contrast_limits = balanced(cube)
    elif contrast_limits is None:
        contrast_limits = contrast(cube) if like is None else tuple(like.contrast_limits)
    options = {
        "name": cube.name,
        "metadata": {KEY: Record(cube, clean, made_by, shown, _corner(place), lineage=lineage)},
        "contrast_limits": contrast_limits,
        "colormap": _diverging() if is_signed else "gray",
        **place,
    }
    return shown, options, "image"


def balanced(cube: Cube) -> tuple[float, float]:
    """Contrast limits of a difference: as far below 0 as above, so that 0 has the colour in the middle."""
    limit = max(abs(value) for value in contrast(cube))
    return -limit, limit


def is_cube_layer(layer: Any) -> bool:
    """Whether a layer can be read as a cube: a plain image with the axes (band, row, col) and real numbers."""
    if isinstance(layer.metadata.get(KEY), Stack):
        return False
    if type(layer).__name__ != "Image" or layer.rgb or layer.multiscale or layer.ndim != 3:
        return False
    return 0 not in layer.data.shape and np.dtype(layer.data.dtype).kind in "iuf"


def cube_layers(viewer: Any) -> list[Any]:
    """The layers that are cubes, differences among them, from bottom to top."""
    return [layer for layer in viewer.layers if is_cube_layer(layer)]


def is_difference(layer: Any) -> bool:
    """Whether a layer holds the difference of two cubes: no spectra of a scene, and values on both sides of 0."""
    return DIFFERENCE in provenance_of(layer)


def scene_layers(viewer: Any) -> list[Any]:
    """The cubes that show a scene, and can be denoised, compared and scored: all but differences."""
    return [layer for layer in cube_layers(viewer) if not is_difference(layer)]


def free_name(viewer: Any, name: str) -> str:
    """The name, or the first of "name (2)", "name (3)", ... that no layer has: lists show nothing but names."""
    taken = {layer.name for layer in viewer.layers}
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def cube_of(layer: Any) -> Cube:
    """The cube a layer shows, under the layer's name.

    Raises
    ------
    CubeError
        If the layer is no cube.
    """
    if not is_cube_layer(layer):
        raise CubeError(f"{layer.name}: not a cube; choose an image layer with the axes (band, row, col)")
    record = record_of(layer)
    if record is None:
        return Cube(data=layer.data, name=layer.name)
    return recorded_cube(record, layer.data, _corner({"translate": layer.translate}), _step(layer)).replace(
        name=layer.name
    )


def recorded_cube(
    record: Record, data: Any, corner: tuple[float, float] | None, step: tuple[float, float] | None = None
) -> Cube:
    """What is known of a cube, for pixels that a layer has now.

    ``corner`` and ``step`` are where in the world the first pixel lies, and the size of a pixel. Another plugin may
    have cropped or changed the pixels, or a person moved the layer: then only what still holds is kept.
    """
    is_moved = corner is not None and record.corner is not None and not np.allclose(corner, record.corner)
    if not is_moved and data is record.shown:
        return record.cube
    if not is_moved and data.shape == record.cube.shape:
        return record.cube.replace(data=data)
    shift = _shift(record, corner, step)
    return part_of(record.cube, record.cube.data if data is record.shown else data, shift)


def shift_of(layer: Any, record: Record) -> tuple[float, ...] | None:
    """Where the first pixel of a layer lies in the remembered cube (row, col), None where nobody knows."""
    return _shift(record, _corner({"translate": layer.translate}), _step(layer))


def _shift(
    record: Record, corner: tuple[float, float] | None, step: tuple[float, float] | None
) -> tuple[float, ...] | None:
    if corner is None or record.corner is None or step is None:
        return None
    return tuple(float(a - b) / size for a, b, size in zip(corner, record.corner, step, strict=True))


def clean_of(layer: Any) -> Cube | None:
    """The clean cube a layer can be scored against, or None where it is unknown or no longer fits."""
    record = record_of(layer)
    if record is None or record.clean is None or record.clean.shape != tuple(layer.data.shape):
        return None
    return record.clean


def provenance_of(layer: Any) -> dict[str, Any]:
    """How the layer was made; empty for a file or a layer of another plugin."""
    record = record_of(layer)
    return {} if record is None else dict(record.provenance)


def remember(
    layer: Any, cube: Cube, clean: Cube | None, provenance: Mapping[str, Any], lineage: Lineage | None = None
) -> None:
    """Show ``cube`` in an existing layer, with what is known of it."""
    shown = drawable(cube.data)
    corner = _corner({"translate": layer.translate})
    layer.metadata = {**layer.metadata, KEY: Record(cube, clean, dict(provenance), shown, corner, lineage=lineage)}
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


def stack_text(layer: Any, number: int) -> str:
    """What an image of a stack is; empty for any other layer."""
    record = layer.metadata.get(KEY)
    return record.texts[number] if isinstance(record, Stack) and 0 <= number < len(record.texts) else ""


def mark_good_bands(layer: Any, good: NDArray[np.bool_] | None) -> None:
    """Say which bands of a layer's cube are good, shape (band,); None takes all marks away. The pixels stay."""
    record = record_of(layer)
    cube = cube_of(layer)
    listed = None if good is None or good.all() else np.asarray(good, bool)
    if record is None or layer.data.shape[0] != record.cube.bands:
        record = Record(cube, shown=layer.data, corner=_corner({"translate": layer.translate}))
    marked = record.cube.replace(good_bands=listed)
    step = Step(BAD_BANDS, "bad bands", bands="" if listed is None else format_bands(~listed))
    is_news = not np.array_equal(_good(record.cube), _good(marked))
    lineage = _after(record, step) if is_news else record.lineage
    layer.metadata = {**layer.metadata, KEY: replace(record, cube=marked, lineage=lineage)}


def set_no_data(layer: Any, value: float | None) -> None:
    """Say which raw value of a layer means "not measured"; None for none. The pixels stay."""
    record, cube = record_of(layer), cube_of(layer).replace(no_data=value)
    if record is None or record.cube.shape != tuple(layer.data.shape):
        record = Record(cube, shown=layer.data, corner=_corner({"translate": layer.translate}))
    told, step = record.cube.replace(no_data=value), Step(NO_DATA, "no data", {"value": value})
    layer.metadata = {**layer.metadata, KEY: replace(record, cube=told, lineage=_after(record, step))}
    layer.contrast_limits = balanced(cube) if is_difference(layer) else contrast(cube)


def _good(cube: Cube) -> NDArray[np.bool_]:
    return np.ones(cube.bands, bool) if cube.good_bands is None else cube.good_bands


def _after(record: Record, step: Step) -> Lineage | None:
    """The lineage after a step; of several alike in a row the last one counts."""
    known = record.lineage
    if known is None:
        return None
    alike = bool(known.steps) and known.steps[-1].kind == step.kind
    return replace(known, steps=known.steps[:-1] if alike else known.steps).then(step)


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


def _corner(place: Mapping[str, Any]) -> tuple[float, float]:
    """Where in the world (row, col) a layer's first pixel is put."""
    row, col = np.asarray(place.get("translate", (0.0, 0.0)), float)[-2:]
    return float(row), float(col)


def _step(layer: Any) -> tuple[float, float]:
    """The size of a pixel in the world (row, col)."""
    row, col = np.asarray(layer.scale, float)[-2:]
    return float(row), float(col)


def _diverging() -> Any:
    from napari.utils.colormaps import Colormap

    return Colormap(DIVERGING, name="difference")


def record_of(layer: Any) -> Record | None:
    """What a layer remembers, or None for a layer that is not of this package's making."""
    record = layer.metadata.get(KEY)
    return record if isinstance(record, Record) else None
