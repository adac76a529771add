"""Weights of trained models: shipped ones by name, one's own by path. Always safetensors, which cannot run code.

A file's metadata say how to build its model ("preset", "config" as JSON) and where it comes from ("recipe", "data").
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from napari_decsc.deq.model.base import Decsc
from napari_decsc.deq.model.presets import PRESETS, build, config_of
from napari_decsc.deq.weights.choices import SHIPPED
from napari_decsc.errors import DenoisingError


@dataclass(frozen=True)
class Weights:
    """A trained model and what is known of it.

    Parameters
    ----------
    model : Decsc
        Ready to evaluate, on the CPU.
    name : str
        Of shipped weights, or of the file.
    path : Path
        The file.
    hash : str
        Its SHA-256.
    metadata : mapping of str to str
        What the file says of itself.
    """

    model: Decsc
    name: str
    path: Path
    hash: str
    metadata: Mapping[str, str]


def shipped() -> list[str]:
    """Names of the weights inside the package.

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def find(name: str) -> Path:
    """The file of shipped weights, or the path of one's own.

    Parameters
    ----------
    name : str
        Of shipped weights, or a path.

    Returns
    -------
    Path
        It exists.

    Raises
    ------
    DenoisingError
        If there is no such file.
    """
    if name in shipped():
        return SHIPPED / f"{name}.safetensors"
    path = Path(name).expanduser()
    if not path.is_file():
        raise DenoisingError(f"weights {name!r}: no such file; choose {', '.join(shipped())} or a .safetensors file")
    return path


def load(name: str) -> Weights:
    """The model with its weights, ready to evaluate on the CPU.

    Parameters
    ----------
    name : str
        Of shipped weights, or a path.

    Returns
    -------
    Weights
        See there.

    Raises
    ------
    DenoisingError
        If the file is missing, or none of this program. Pickled weights are never read.
    """
    path = find(name)
    try:
        with safe_open(path, "pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise DenoisingError(f"{path.name}: no safetensors file ({error}); pickled weights are never read") from error
    model = _model(path.name, metadata, tensors)
    shown = name if path.parent == SHIPPED else path.name
    return Weights(model, shown, path, hashlib.sha256(path.read_bytes()).hexdigest(), metadata)


def save(model: Decsc, path: Path, metadata: Mapping[str, str]) -> None:
    """Write weights and metadata; the file appears whole or not at all.

    Parameters
    ----------
    model : Decsc
        Trained.
    path : Path
        Ends in .safetensors.
    metadata : mapping of str to str
        "recipe", "data" and the like.
    """
    about = {"summary": _summary(model), **metadata, "preset": model.preset, "config": json.dumps(config_of(model))}
    tensors = {}
    for name, tensor in model.state_dict().items():
        stored = torch.bfloat16 if name.startswith(model.stored_in_half) else tensor.dtype
        tensors[name] = tensor.cpu().to(stored).contiguous()
    partial = path.with_suffix(".partial")
    partial.write_bytes(to_bytes(tensors, about))
    partial.replace(path)


def _summary(model: Decsc) -> str:
    """The line for the person who chooses, with the bound that is proved of these weights."""
    bound = model.contraction()
    return model.summary if bound is None else f"{model.summary}; proved: contracts by {bound:.4f} per evaluation"


def _model(file: str, metadata: dict[str, str], tensors: dict[str, torch.Tensor]) -> Decsc:
    try:
        preset, config = metadata["preset"], json.loads(metadata["config"])
        if preset not in PRESETS:
            raise KeyError(preset)
        model = build(preset, config)
        lost, unknown = model.load_state_dict(tensors, strict=False)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DenoisingError(
            f"{file}: not weights of this program ({error}); it needs 'preset' and 'config'"
        ) from error
    if unknown or lost:
        raise DenoisingError(f"{file}: tensors do not fit its preset (unknown {unknown}, missing {lost})")
    return model.eval()
