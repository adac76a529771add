"""Where napari keeps things: version 0.9 moved parts of the viewer. The only code that asks which version runs."""

import weakref
from typing import Any

_renames: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def grid(viewer: Any) -> Any:
    """The model of the grid mode."""
    return viewer.canvas.grid if _is_moved(viewer) else viewer.grid


def canvas_text(viewer: Any) -> Any:
    """The text overlay of the canvas."""
    return viewer.canvas.overlays.text if _is_moved(viewer) else viewer.text_overlay


def camera(viewer: Any) -> Any:
    """The camera model."""
    return viewer.scene.camera if _is_moved(viewer) else viewer.camera


def unwrapped(viewer: Any) -> Any:
    """The viewer itself. Widgets of plugins get a proxy, through which a layer is another object than in events."""
    return getattr(viewer, "__wrapped__", viewer)


def layer_list_events(viewer: Any) -> list[Any]:
    """Emitters that say that the layer list reads differently."""
    events = viewer.layers.events
    names = [name for name in ("inserted", "removed", "reordered", "renamed") if name in events.emitters]
    told = [events[name] for name in names]
    return told if "renamed" in names else [*told, renames(viewer)]


def renames(viewer: Any) -> Any:
    """The emitter that says that a layer has a new name, where the layer list of this version does not tell."""
    from napari.utils.events import EventEmitter

    if viewer not in _renames:
        _renames[viewer] = emitter = EventEmitter(type_name="renamed")

        def watch(layer: Any) -> None:
            layer.events.name.connect(lambda event: emitter())

        viewer.layers.events.inserted.connect(lambda event: watch(event.value))
        for layer in viewer.layers:
            watch(layer)
    return _renames[viewer]


def metadata_events(layer: Any) -> list[Any]:
    """The emitter that says that ``layer.metadata`` was set; none where this version of napari does not tell."""
    return [layer.events.metadata] if "metadata" in layer.events.emitters else []


def _is_moved(viewer: Any) -> bool:
    # the fields of the model: asking for the attribute itself would warn on one side and fail on the other
    return "canvas" in type(viewer).model_fields if hasattr(type(viewer), "model_fields") else False
