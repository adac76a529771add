"""Where to compute: only where all of it can be computed."""

import pytest
import torch

from napari_decsc.deq.execution.choices import device_choices
from napari_decsc.deq.execution.devices import choose
from napari_decsc.errors import SettingsError


def test_a_device_without_double_precision_is_neither_chosen_nor_offered(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose("auto").type == "cpu"
    assert "mps" not in device_choices()


def test_such_a_device_that_is_asked_for_is_refused_with_the_cure(monkeypatch):
    def empty(*size, device, dtype=torch.float32):
        if dtype is torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64")

    monkeypatch.setattr(torch, "empty", empty)
    with pytest.raises(SettingsError, match=r"device 'mps' cannot be used here \(.*float64.*choose auto or cpu"):
        choose("mps")
