"""A matrix as a picture in diverging or single colours, for Qt to paint: no plotting library."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QImage

#: Colours at -1, 0 and 1 of a diverging scale, and at 0 and 1 of a scale of one sign.
DIVERGING = np.array([(33, 102, 172), (247, 247, 247), (178, 24, 43)], float)
SINGLE = np.array([(20, 22, 40), (230, 150, 30), (255, 250, 220)], float)


def matrix_picture(values: NDArray[np.floating], low: float, high: float) -> QImage:
    """An image of one pixel an entry, shape (row, col); diverging where 0 lies between the ends, NaN transparent."""
    values = np.asarray(values, float)
    shares = np.clip((values - low) / (high - low), 0, 1)
    stops = DIVERGING if low < 0 < high else SINGLE
    colours = [np.interp(np.nan_to_num(shares), (0, 0.5, 1), stops[:, channel]) for channel in range(3)]
    pixels = np.stack([*colours, np.where(np.isfinite(values), 255, 0)], axis=-1).astype(np.uint8)
    rows, cols = values.shape
    image = QImage(np.ascontiguousarray(pixels).tobytes(), cols, rows, 4 * cols, QImage.Format.Format_RGBA8888)
    return image.copy()  # its own bytes
