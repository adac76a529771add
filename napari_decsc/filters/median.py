"""Medians of 3 x 3 neighbourhoods, of what is usable in them: compare and exchange, whole images at once."""

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.order import medians
from napari_decsc.filters.parallel import side_by_side

Three = tuple[Tensor, Tensor, Tensor]


def median_3x3(cube: Tensor, mask: Tensor) -> Tensor:
    """Median of the usable voxels of the 3 x 3 neighbourhood; of the whole band where there is none.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        In any unit.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel is usable.

    Returns
    -------
    tensor of shape (N, B, rows, cols)
        In the same unit.
    """
    edge = "reflect" if min(cube.shape[2:]) > 1 else "replicate"
    whole = mask.flatten(2).all(2)
    median = torch.empty_like(cube)
    bands = [tuple(index) for index in whole.nonzero().tolist()]

    def of_band(band: tuple[int, ...]) -> Tensor:
        return _median_of_nine(F.pad(cube[band][None], (1, 1, 1, 1), mode=edge)[0])

    for band, found in zip(bands, side_by_side(of_band, bands, cube.device), strict=True):
        median[band] = found
    if not whole.all():
        median[~whole] = _median_of_usable(torch.where(mask[~whole], cube[~whole], torch.nan), edge)
    return median


def _median_of_nine(padded: Tensor) -> Tensor:
    """Median of every 3 x 3 window of (rows + 2, cols + 2): of its rows, sorted column by column."""
    low, middle, high = _sorted(padded[:-2], padded[1:-1], padded[2:])
    return _median_of_columns(_three(low), _three(middle), _three(high))


def _median_of_columns(lows: Three, middles: Three, highs: Three) -> Tensor:
    """Median of three sorted columns of three: that of the largest low, the middle middle, the smallest high."""
    lowest = torch.maximum(torch.maximum(lows[0], lows[1]), lows[2])
    highest = torch.minimum(torch.minimum(highs[0], highs[1]), highs[2])
    return _middle(lowest, _middle(*middles), highest)


def _median_of_some(padded: Tensor) -> Tensor:
    """Median of those of every 3 x 3 window of (rows + 2, cols + 2) that are not NaN; NaN where all are.

    Half of the others, one more where they are odd in number, count as below everything, the rest as above: then the
    middle of the nine is the median, the lower one of two.
    """
    rows, cols = padded.shape[0] - 2, padded.shape[1] - 2
    nan = padded.isnan()
    above = padded.nan_to_num(torch.inf, torch.inf, -torch.inf)
    odd, none, nine = nan.new_zeros(rows, cols), nan.new_ones(rows, cols), []
    for row in range(3):
        for col in range(3):
            window = slice(row, row + rows), slice(col, col + cols)
            hidden = nan[window]
            odd ^= hidden
            nine.append(above[window].masked_fill(hidden & odd, -torch.inf))
            none &= hidden
    sorted_columns = [_sorted(nine[col], nine[col + 3], nine[col + 6]) for col in range(3)]
    lows, middles, highs = zip(*sorted_columns, strict=True)
    return _median_of_columns(lows, middles, highs).masked_fill_(none, torch.nan)


def _sorted(a: Tensor, b: Tensor, c: Tensor) -> Three:
    """Element by element, in rising order."""
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    return torch.minimum(low, c), torch.maximum(low, torch.minimum(high, c)), torch.maximum(high, c)


def _three(values: Tensor) -> Three:
    return values[:, :-2], values[:, 1:-1], values[:, 2:]


def _middle(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def _median_of_usable(bands: Tensor, edge: str) -> Tensor:
    """The same of bands (band, row, col) in which NaN marks what is hidden."""
    padded = F.pad(bands, (1, 1, 1, 1), mode=edge)
    median = torch.stack([_median_of_some(band) for band in padded])
    whole_band = torch.nan_to_num(medians(median.flatten(1)), nan=0.0)[:, None, None]
    return torch.where(torch.isnan(median), whole_band, median)
