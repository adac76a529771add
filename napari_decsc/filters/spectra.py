"""Linear maps of spectra."""

from torch import Tensor


def mix_bands(matrix: Tensor, cube: Tensor) -> Tensor:
    """Every spectrum times a matrix: (N, C, B), (N, B, rows, cols) -> (N, C, rows, cols)."""
    mixed = matrix @ cube.flatten(2)
    return mixed.view(*mixed.shape[:2], *cube.shape[2:])
