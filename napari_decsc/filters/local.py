"""Spatial smoothing of images whose noise is white and of variance 1: the quick estimates that measurements start from.

Shapes: N cubes, C images (bands or eigen-images) of rows x cols pixels.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_decsc.filters.differences import NORMAL_MAD
from napari_decsc.filters.order import medians

#: Pixels whose window means are taken at once on a CPU, in whole images.
IN_CACHE = 1 << 17
#: Side of the windows of the local Wiener filter, pixels.
NEAR = 9
#: Side of the window in which the noise that it lets through is measured.
WIDE = 31
#: A window holds signal from this variance on: chance rarely makes more of noise of variance 1.
SIGNAL_FROM = 1.3
#: A column is offset as a whole when its median is so many times what chance explains.
OFFSET = 4.0
#: In a raw cube, where structure is still there, columns are offset by so many times what chance or the other columns
#: explain.
STRIPED = 6.0
#: A column is compared with so many on each side.
ASIDE = 3
#: The like in the next band counts from so many times chance on.
LIKELY = 2.0
#: Noise variance that the local Wiener filter, and a hard threshold, let through where there is no signal.
LEAK = 0.016
#: An adjacent band shows the like if it deviates the same way, by this share.
LIKE = 0.5


def box_mean(images: Tensor, side: int) -> Tensor:
    """Mean of the window of side x side pixels around each pixel, of what lies inside the image; ``side`` is odd.

    Parameters
    ----------
    images : tensor of shape (N, C, rows, cols)
        NaN spreads.
    side : int
        Odd, pixels.

    Returns
    -------
    tensor of shape (N, C, rows, cols)
        A new one.
    """
    means = torch.empty_like(images, memory_format=torch.contiguous_format)
    into, inside = means.flatten(0, 1), _inside(images, side)
    for part, few in _in_cache(images):
        into[part] = _window_mean(few, side, inside)
    return means


def _in_cache(images: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """A few of the images (N, C, rows, cols) after the other, (some, rows, cols): they stay in the cache of a core."""
    flat = images.flatten(0, 1)
    some = max(1, IN_CACHE // max(1, flat[0].numel())) if images.device.type == "cpu" else len(flat)
    for start in range(0, len(flat), some):
        part = slice(start, start + some)
        yield part, flat[part]


def _window_mean(images: Tensor, side: int, inside: Tensor) -> Tensor:
    """Mean of the windows of (C, row, col), given how many pixels of each there are."""
    half, (rows, cols) = side // 2, images.shape[1:]
    sums = _line_sums(F.pad(images, (half, half, half, half)), side, 1, rows)
    return _line_sums(sums, side, 2, cols).div_(inside)


def _line_sums(values: Tensor, side: int, dim: int, size: int) -> Tensor:
    """Sums of ``side`` neighbours along one axis of (C, rows, cols), from those of 1, 2, 4, ...: quick at any side."""
    length, start, left, total = 1, 0, side, None
    while left:
        if left & 1:
            part = values.narrow(dim, start, size)
            total = part if total is None else total + part
            start += length
        left >>= 1
        if left:
            more = values.shape[dim] - length
            values = values.narrow(dim, 0, more) + values.narrow(dim, length, more)
            length *= 2
    assert total is not None
    return total


def _inside(images: Tensor, side: int) -> Tensor:
    """How many pixels of the window around each lie inside the image (row, col)."""
    down, right = (_inside_line(size, side, images.device) for size in images.shape[-2:])
    return down[:, None] * right


def _inside_line(size: int, side: int, device: torch.device) -> Tensor:
    half, place = side // 2, torch.arange(size, device=device, dtype=torch.float32)
    return (place + half + 1).clamp(max=size) - (place - half).clamp(min=0)


def local_wiener(images: Tensor) -> tuple[Tensor, Tensor]:
    """Every pixel drawn to its neighbours' mean.

    x -> m + g (x - m); the gain g = max(v - 1.3, 0) / v comes from the mean m and variance v of a window.
    Source: Lee, *Digital image enhancement and noise filtering by use of local statistics*, IEEE TPAMI 2 (1980).

    Parameters
    ----------
    images : tensor of shape (N, C, rows, cols)
        Unit noise, white.

    Returns
    -------
    estimate : tensor of shape (N, C, rows, cols)
        A new one.
    gain : tensor of shape (N, C, rows, cols)
        From 0 to 1.
    """
    estimate, gain = (torch.empty_like(images, memory_format=torch.contiguous_format) for _ in range(2))
    inside = _inside(images, NEAR)
    for part, few in _in_cache(images):
        mean = _window_mean(few, NEAR, inside)
        variance = _window_mean(few.square(), NEAR, inside).sub_(mean.square())
        kept = (variance - SIGNAL_FROM).clamp_(min=0).div_(variance.clamp_(min=1e-6))
        torch.lerp(mean, few, kept, out=estimate.flatten(0, 1)[part])
        gain.flatten(0, 1)[part] = kept
    return estimate, gain


def without_leak(estimate: Tensor, leak: float) -> Tensor:
    """An estimate that is nothing but noise of variance ``leak`` that came through becomes 0.

    Parameters
    ----------
    estimate : tensor of shape (N, C, rows, cols)
        Of images of unit noise.
    leak : float
        Variance of the noise that comes through the filter.

    Returns
    -------
    tensor of shape (N, C, rows, cols)
        A new one.
    """
    energy = box_mean(estimate.square(), WIDE)
    return estimate * ((energy - leak).clamp(min=0) / energy.clamp(min=1e-9))


def column_offsets(residual: Tensor, mask: Tensor) -> Tensor:
    """By how much whole columns are offset, each band on its own.

    0 where chance explains it, and where a band beside it shows the like.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What an estimate leaves over of a whitened cube.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel counts.

    Returns
    -------
    tensor of shape (N, B, 1, cols)
        In noise levels.
    """
    median, chance = _column_medians(residual, mask)
    return torch.where((median.abs() > OFFSET * chance) & ~in_adjacent_band(median), median, 0)


def stripes(cube: Tensor, mask: Tensor, sigma: Tensor) -> Tensor:
    """By how much columns of a raw cube are offset against those beside them.

    0 where chance explains it, or what columns of this band differ by anyway; and where a band beside it shows the
    like.

    Parameters
    ----------
    cube : tensor of shape (N, B, rows, cols)
        As it was measured.
    mask : bool tensor, shape (N, B, rows, cols)
        True where a voxel counts.
    sigma : tensor of shape (N, B)
        Noise level of every band.

    Returns
    -------
    tensor of shape (N, B, 1, cols)
        In the unit of the cube.
    """
    median, chance = _column_medians(cube, mask)
    chance = chance * sigma[:, :, None, None]
    median = torch.where(mask.any(2, keepdim=True), median, torch.nan)
    around = F.pad(median, (ASIDE, ASIDE), value=torch.nan).unfold(3, 2 * ASIDE + 1, 1).nanmedian(4).values
    away = (median - around).nan_to_num(0)
    usual = away.abs().median(3, keepdim=True).values / NORMAL_MAD
    likely = torch.where(away.abs() > LIKELY * chance, away, 0)
    offset = (away.abs() > STRIPED * torch.maximum(chance, usual)) & ~in_adjacent_band(away, likely)
    return torch.where(offset, away, 0)


def _column_medians(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Median of what is usable of each column, (N, B, 1, cols), and its deviation by chance where the noise is 1."""
    median = medians(torch.where(mask, values, torch.nan).mT)[:, :, None].nan_to_num(0)
    # that of the median of n normal values is 1.25 / sqrt(n)
    return median, 1.25 / mask.sum(2, keepdim=True).clamp(min=1).sqrt()


def in_adjacent_band(residual: Tensor, others: Tensor | None = None) -> Tensor:
    """True where a band beside it deviates in the same way, half as much or more.

    Impulses, dead pixels and stripes strike single bands; structure that an estimate misses goes through several.

    Parameters
    ----------
    residual : tensor of shape (N, B, rows, cols)
        What an estimate leaves over.
    others : tensor of shape (N, B, rows, cols), optional
        What counts of the bands beside; all of ``residual`` if left out.

    Returns
    -------
    bool tensor, shape (N, B, rows, cols)
        False in a cube of one band.
    """
    others = residual if others is None else others
    found, bands = torch.zeros_like(residual, dtype=torch.bool), residual.shape[1]
    some = max(1, IN_CACHE // max(1, residual[0, 0].numel()))
    for start in range(0, bands, some):  # a few bands at a time, in the cache of a core
        stop = min(bands, start + some)
        values = residual[:, start:stop]
        sign, limit = values.sign(), LIKE * values.abs()
        for step in (-1, 1):
            first, last = max(start, -step), min(stop, bands - step)
            if first < last:
                here = slice(first - start, last - start)
                like = others[:, first + step : last + step] * sign[:, here] > limit[:, here]
                found[:, first:last] |= like
    return found
