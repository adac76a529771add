"""The models by name."""

import dataclasses
from typing import Any

from napari_decsc.deq.model.base import Decsc
from napari_decsc.deq.model.published import PublishedConfig, PublishedModel
from napari_decsc.deq.model.subspace import SubspaceConfig, SubspaceModel

PRESETS: dict[str, tuple[type[Decsc], type]] = {
    "paper": (PublishedModel, PublishedConfig),
    "subspace": (SubspaceModel, SubspaceConfig),
}


def build(preset: str, config: dict[str, Any]) -> Decsc:
    """A model before any training, from a preset's name and the fields of its configuration (lists may be tuples).

    Parameters
    ----------
    preset : str
        A key of `PRESETS`.
    config : mapping
        Fields of its configuration; lists may stand for tuples.

    Returns
    -------
    Decsc
        With parameters as they are before any training.
    """
    model, settings = PRESETS[preset]
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    return model(settings(**values))


def config_of(model: Decsc) -> dict[str, Any]:
    """The configuration that :func:`build` takes.

    Parameters
    ----------
    model : Decsc
        Of any preset.

    Returns
    -------
    dict of str to object
        Ready for JSON.
    """
    return dataclasses.asdict(model.config)
