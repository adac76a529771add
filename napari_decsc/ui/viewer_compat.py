"""Where napari keeps things: version 0.9 moved parts of the viewer. The only code that asks which version runs."""

from typing import Any


def grid(viewer: Any) -> Any:
    """The model of the grid mode."""
    return viewer.canvas.grid if _is_moved(viewer) else viewer.grid


def canvas_text(viewer: Any) -> Any:
    """The text overlay of the canvas."""
    return viewer.canvas.overlays.text if _is_moved(viewer) else viewer.text_overlay


def name_overlay(layer: Any) -> Any | None:
    """The overlay with the layer's name on the canvas, or None where napari has none."""
    return getattr(layer, "name_overlay", None)


def camera(viewer: Any) -> Any:
    """The camera model."""
    return viewer.scene.camera if _is_moved(viewer) else viewer.camera


def unwrapped(viewer: Any) -> Any:
    """The viewer itself. Widgets of plugins get a proxy, through which a layer is another object than in events."""
    return getattr(viewer, "__wrapped__", viewer)


def layer_list_events(viewer: Any) -> list[Any]:
    """Emitters that say that the layer list reads differently; older versions of napari do not tell of new names."""
    events = viewer.layers.events
    names = ("inserted", "removed", "reordered", "renamed")
    return [events[name] for name in names if name in events.emitters]


def metadata_events(layer: Any) -> list[Any]:
    """The emitter that says that ``layer.metadata`` was set; none where this version of napari does not tell."""
    return [layer.events.metadata] if "metadata" in layer.events.emitters else []


def _is_moved(viewer: Any) -> bool:
    # the fields of the model: asking for the attribute itself would warn on one side and fail on the other
    return "canvas" in type(viewer).model_fields if hasattr(type(viewer), "model_fields") else False
