"""Where denoised tiles go: an array in memory, or, where that would be too large, one in a file that nobody sees."""

import os
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_decsc.hsi.io import memory_map as mapped


class ArraySink:
    """An array (band, row, col) of float32, in memory or, with ``on_disk``, mapped from a temporary file.

    The file has no name: its space is free again as soon as the array is.

    Parameters
    ----------
    shape : tuple of int
        (band, row, col).
    on_disk : bool
        Whether the array is mapped from a temporary file.
    """

    def __init__(self, shape: tuple[int, int, int], *, on_disk: bool = False) -> None:
        self.data: NDArray[np.float32] = _scratch(shape) if on_disk else np.zeros(shape, np.float32)

    def write(self, values: NDArray[np.float32], rows: slice, cols: slice) -> None:
        """See :class:`napari_decsc.denoising.protocol.Sink`."""
        self.data[:, rows, cols] = values
        mapped.release(self.data)


def _scratch(shape: tuple[int, int, int]) -> NDArray[Any]:
    size = 4 * int(np.prod(shape))
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            # a disk that fills up later would end the process, not raise an error
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
        return np.memmap(file, np.float32, "r+", shape=shape)
