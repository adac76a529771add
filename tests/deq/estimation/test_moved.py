"""A subspace that goes to another device takes everything with it."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from napari_decsc.deq.estimation.noise_model import LineNoise, NoiseModel
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace, moved


def tensors(value: Any) -> list[Tensor]:
    """Every tensor in a value, at any depth."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, tuple):
        return [found for part in value for found in tensors(part)]
    if dataclasses.is_dataclass(value):
        return [found for part in dataclasses.fields(value) for found in tensors(getattr(value, part.name))]
    return []


def test_no_tensor_stays_behind_and_none_is_lost():
    ones = torch.ones(1, 3)
    lines = LineNoise(0.0, ones[0])
    noise = NoiseModel(ones[0], basis=torch.eye(3)[:, :2], whitening=torch.eye(3), lines=(lines,))
    subspace = SignalSubspace(
        ones, torch.eye(3)[None, :, :2], ones[:, :, None], torch.zeros(1, 3, 1, 1), torch.ones(1, 2), torch.ones(1, 2),
        torch.tensor(True), column_offsets=torch.zeros(1, 3, 1, 5), noise=noise,
    )  # fmt: skip
    there = moved(subspace, torch.device("meta"))
    assert {one.device.type for one in tensors(there)} == {"meta"}
    assert [one.shape for one in tensors(there)] == [one.shape for one in tensors(subspace)]
    assert len(tensors(there)) == 12
    assert there.noise.lines[0].angle == 0.0
