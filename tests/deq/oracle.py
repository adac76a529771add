"""The measured model that lies beside the real data, as an oracle: where it is, and how its weights are called here."""

import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from napari_decsc.deq.model import Subspace, SubspaceConfig

NAMES = {
    "K": "shared.filters.step", "Kt": "shared.filters.encode", "Kf": "shared.filters.output",
    "D": "unshared.filters.step", "Dt": "unshared.filters.encode", "Df": "unshared.filters.output",
    "t2": "shared_threshold", "t3": "unshared_threshold", "kf": "firmness", "ha": "huber_limit",
    "detail.w": "detail.plain", "detail.cd": "detail.centre_difference", "detail.hd": "detail.col_difference",
    "detail.vd": "detail.row_difference", "detail.bd": "detail.band_difference", "detail.b": "detail.bias",
    "detail.g1": "detail.gate1", "detail.g2": "detail.gate2", "detail.gb": "detail.gate_bias",
}  # fmt: skip
BLOCK = {
    "inp": "embed", "g": "gate", "c": "addition", "n1": "block.norm1", "n2": "block.norm2", "n3": "norm",
    "qkv": "block.attention.query_key_value", "p": "block.attention.project", "m1": "block.expand",
    "m2": "block.contract", "rb": "block.attention.position_bias", "ta": "reach",
}  # fmt: skip


def renamed(name: str) -> str:
    if not name.startswith("blocks."):
        return NAMES[name]
    _, index, part, *rest = name.split(".")
    return ".".join(["blocks", index, BLOCK[part], *rest])


def load(folder: Path, weights: str) -> tuple[Any, Subspace]:
    """(the reference model, the same weights in the package's own untied model)."""
    spec = importlib.util.spec_from_file_location("decsc_reference", folder / "decsc_reference.py")
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    with safe_open(folder / f"{weights}.safetensors", "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    theirs = reference.Decsc(**config)
    theirs.load_state_dict(tensors)
    gamma = config.get("gamma", 0.0)
    kinds = {"shared_filters": "untied", "unshared_filters": "untied", "detail_reach": math.inf, "wrap": True}
    ours = Subspace(SubspaceConfig(low=tuple(config["low"]), damping=gamma, **kinds))
    state = {renamed(name): tensor for name, tensor in tensors.items() if name != "hs"}
    # what is one number there is one per component here
    ours.load_state_dict(state | {"damping": torch.full((ours.rank,), gamma)})
    return theirs.eval(), ours.eval()
