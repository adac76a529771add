"""Errors tell what kind they are, without the library that raised them."""

import pytest
import torch

from napari_decsc.errors import is_out_of_memory


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (torch.OutOfMemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: 9 bytes"), True),
        (RuntimeError("memory format option is only supported by strided tensors"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_memory_that_is_used_up_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected
