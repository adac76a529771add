"""What of the groups of a block is worth filtering: mixtures of the images, and cosines of a patch, that hold signal.

A part of a scene shows fewer materials than the whole, and little that is finer than its noise: most of what would be
filtered gets gains that are nearly 0. To leave it out changes the result less than its noise does.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_decsc.filters.matching import Block

#: Of so many groups of a block one tells which coefficients its patches have ...
ONE_OF = 8
#: ... but no fewer than so many do.
FEWEST = 32
#: What the coefficients that are left out hold of signal in the mean group, all together, in noise variances of one.
LOST = 0.5
#: Where noise is not known from signal, each: as a share of the noise that passes the threshold.
LOST_IN_NOISE = 0.5
#: A coefficient of an estimate that holds so many times the noise variance at any place is not left out.
THERE = 1.0
#: A coefficient of noisy images, so many times.
THERE_IN_NOISE = 30.0
#: Coefficients are taken in so many at once: they fill a vector register.
STEP = 16
#: Mixtures of the images that are left out of a block hold no more than this together in the mean pixel, in noise
#: variances ...
WEAK = 0.0005
#: ... and none so much at any pixel.
WEAK_ANYWHERE = 0.1


@dataclass(frozen=True, eq=False)
class Kept:
    """What of a block is worth filtering: the gains of all else are 0.

    Parameters
    ----------
    mixtures : tensor of shape (image, mixture), optional
        Orthonormal mixtures of the images; None for the images themselves.
    coefficients : int tensor of shape (coefficient,), optional
        Of a patch, in rising order, the mean among them; None for all.
    """

    mixtures: Tensor | None = None
    coefficients: Tensor | None = None


def mixtures_of(estimate: Tensor | None, pilot: Tensor, block: Block) -> Tensor | None:
    """Mixtures of the images that hold signal in a block, as an estimate tells.

    Parameters
    ----------
    estimate : tensor of shape (image, some, some), optional
        Of the whole place, at any size; without it all images are filtered.
    pilot : tensor of shape (image, row, col)
        Whose groups the block holds.
    block : Block
        A part of it.

    Returns
    -------
    tensor of shape (image, mixture), or None
        Orthonormal; None for the images themselves.
    """
    if estimate is None or len(pilot) < 2:
        return None
    rows, cols = (
        slice(span.start * few // many, -(-span.stop * few // many))
        for span, few, many in zip((block.rows, block.cols), estimate.shape[1:], pilot.shape[1:], strict=True)
    )
    values = estimate[:, rows, cols].flatten(1)
    energy, mixtures = torch.linalg.eigh(values @ values.mT / values.shape[1])
    highest = (mixtures.mT @ values).abs().amax(1).square()
    weak = (energy.cumsum(0) < WEAK) & (highest < WEAK_ANYWHERE)
    left_out = min(int(weak.long().cumprod(0).sum()), len(pilot) - 1)
    return mixtures[:, left_out:] if left_out else None


def sampled(positions: Tensor) -> Tensor:
    """Some of the groups of a block, which tell which coefficients its patches have.

    Parameters
    ----------
    positions : int tensor, shape (group, patch)
        Of the block.

    Returns
    -------
    int tensor, shape (some, patch)
        A view.
    """
    return positions[:: max(1, min(ONE_OF, len(positions) // FEWEST))]


def coefficients_of_estimate(signal: Tensor, pilot: Tensor) -> Tensor:
    """Coefficients that an estimate has.

    Parameters
    ----------
    signal : tensor of shape (64,)
        What the gains keep of each in the mean group.
    pilot : tensor of shape (image, corner, 64)
        Coefficients of the estimate.

    Returns
    -------
    int tensor of shape (coefficient,)
        In rising order, the mean among them.
    """
    order = signal.argsort(descending=True, stable=True)
    left = signal[order].flip(0).cumsum(0).flip(0)
    return _in_registers(order, int((left > LOST).sum()), pilot.square().sum(0).amax(0) > THERE)


def coefficients_of_noisy(signal: Tensor, pilot: Tensor, members: int, threshold: float) -> Tensor:
    """Coefficients that hold more than noise in noisy images.

    Parameters
    ----------
    signal : tensor of shape (64,)
        What passes the threshold of each in the mean group.
    pilot : tensor of shape (image, corner, 64)
        Coefficients of the noisy images.
    members : int
        Patches of a group.
    threshold : float
        In noise levels.

    Returns
    -------
    int tensor of shape (coefficient,)
        In rising order, the mean among them.
    """
    noise = _passing(threshold) * len(pilot) * members
    highest = torch.maximum(pilot.amax((0, 1)), -pilot.amin((0, 1))).square()
    order = signal.argsort(descending=True, stable=True)
    return _in_registers(order, int((signal - noise > LOST_IN_NOISE * noise).sum()), highest > THERE_IN_NOISE)


def _passing(threshold: float) -> float:
    """Mean energy of what passes a threshold of noise of variance 1."""
    density = math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi)
    return 2 * threshold * density + math.erfc(threshold / math.sqrt(2))


def _in_registers(order: Tensor, many: int, there: Tensor) -> Tensor:
    """The first coefficients of an order, the mean, those that are there, and as many as fill whole registers."""
    worth = there.clone()
    worth[order[:many]] = True
    worth[0] = True
    others = order[~worth[order]]
    worth[others[: -int(worth.sum()) % STEP]] = True
    return worth.nonzero()[:, 0]
