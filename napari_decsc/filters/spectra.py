"""Linear maps of spectra."""

import torch
from torch import Tensor

#: Pixels that are taken in double precision at once.
AT_ONCE = 8192


def eigen(moment: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, rising, and eigenvectors (..., B, B) of symmetric matrices, by way of double precision.

    In single precision the iteration does not end for moments of few pixels, which have many eigenvalues of 0.

    Parameters
    ----------
    moment : tensor of shape (..., B, B)
        Symmetric.

    Returns
    -------
    values : tensor of shape (..., B)
        Rising.
    vectors : tensor of shape (..., B, B)
        One a column.
    """
    values, vectors = torch.linalg.eigh(moment.double().nan_to_num())
    return values.to(moment.dtype), vectors.to(moment.dtype)


def mix_bands(matrix: Tensor, cube: Tensor) -> Tensor:
    """Every spectrum times a matrix.

    Parameters
    ----------
    matrix : tensor of shape (N, C, B)
        N may be 1.
    cube : tensor of shape (N, B, rows, cols)
        Spectra along the second axis.

    Returns
    -------
    tensor of shape (N, C, rows, cols)
        A new one.
    """
    mixed = matrix @ cube.flatten(2)
    return mixed.view(*mixed.shape[:2], *cube.shape[2:])


def mean_products(a: Tensor, b: Tensor) -> Tensor:
    """Mean over the pixels of every product of a band of one cube and a band of another, in double precision.

    Parameters
    ----------
    a, b : tensor of shape (band, pixel)
        As many pixels.

    Returns
    -------
    float64 tensor, shape (band of a, band of b)
        A new one.
    """
    parts = (slice(start, start + AT_ONCE) for start in range(0, a.shape[1], AT_ONCE))
    total = a.new_zeros(len(a), len(b), dtype=torch.float64)
    for part in parts:
        total += a[:, part].double() @ b[:, part].double().T
    return total / a.shape[1]
