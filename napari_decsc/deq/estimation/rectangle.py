"""The largest rectangle of pixels that were measured: a scene that was georeferenced has borders without data."""

import numpy as np
from numpy.typing import NDArray


def bridged(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same with single empty columns bridged: such a column keeps blocks of a sample apart that were no neighbours.

    Parameters
    ----------
    there : bool array, shape (rows, cols)
        Whether a pixel was measured.

    Returns
    -------
    bool array, shape (rows, cols)
        A new one.
    """
    result = there.copy()
    between = ~there[:, 1:-1].any(0)
    result[:, 1:-1] |= between & there[:, :-2] & there[:, 2:]
    return result


def largest(there: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and cols of the largest rectangle in which all is true, the first of several.

    Row by row, the columns of true values that end there are a skyline; a stack of rising ones finds the largest
    rectangle below it in one pass.

    Parameters
    ----------
    there : bool array, shape (rows, cols)
        Whether a pixel was measured.

    Returns
    -------
    rows, cols : slice
        Empty if nothing is true.
    """
    best, found = 0, (slice(0, 0), slice(0, 0))
    heights = np.zeros(there.shape[1], np.int64)
    for row, here in enumerate(there):
        heights = np.where(here, heights + 1, 0)
        rising: list[tuple[int, int]] = []  # where a column began to be as high, and how high
        for col, height in enumerate([*heights.tolist(), 0]):
            begin = col
            while rising and rising[-1][1] >= height:
                begin, high = rising.pop()
                if high * (col - begin) > best:
                    best, found = high * (col - begin), (slice(row + 1 - high, row + 1), slice(begin, col))
            rising.append((begin, height))
    return found
