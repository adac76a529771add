"""Differences of neighbours, which hold all of the noise and little of the scene: what noise levels are measured on.

The functions act on NumPy arrays and on tensors alike; NaN, for a voxel that tells nothing, spreads to its differences.

Shapes: images (..., row, col).
"""

from typing import Any, TypeVar

#: Median absolute value of a normal variable of variance 1.
NORMAL_MAD = 0.6745

Images = TypeVar("Images", bound=Any)


def second_differences(images: Images) -> Images:
    """Of 2 x 2 pixels, one diagonal minus the other, halved: white noise keeps its level.

    Blind to planes, to offsets of columns and rows, and to edges along these. Along the line of images that have one
    row or one column; first differences where there are two pixels.

    Parameters
    ----------
    images : array or tensor, shape (..., row, col)
        Of any unit.

    Returns
    -------
    array or tensor
        One row and one column smaller; shape (..., pixel) of images of one row or column.
    """
    rows, cols = images.shape[-2:]
    if min(rows, cols) > 1:
        down = images[..., 1:, :] - images[..., :-1, :]
        found: Images = (down[..., 1:] - down[..., :-1]) / 2
        return found
    line = images[..., 0] if cols == 1 else images[..., 0, :]
    if max(rows, cols) < 3:
        found = (line[..., 1:] - line[..., :-1]) / 2**0.5
    else:
        found = (line[..., 2:] - 2 * line[..., 1:-1] + line[..., :-2]) / 6**0.5
    return found


def first_differences(images: Images) -> Images:
    """Of neighbours along the columns, by sqrt(2): white noise keeps its level, and column offsets do not show.

    Parameters
    ----------
    images : array or tensor, shape (..., row, col)
        Of any unit.

    Returns
    -------
    array or tensor, shape (..., row - 1, col)
    """
    found: Images = (images[..., 1:, :] - images[..., :-1, :]) * 0.5**0.5
    return found
