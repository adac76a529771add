"""Noisy crops held ready for training, with everything found on them that nothing learned enters into.

Noise levels, basis, outliers and the basic estimate are found on a whole crop, as it is in use;
patches are cut out of that. Finding it costs more than a training step, so a crop serves for a number of patches.
"""

from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from napari_decsc.deq.estimation.basic_estimate import BasicEstimate
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.training.corruption import corrupt, usable
from napari_decsc.deq.training.data import Crops

Found = TypeVar("Found", bound=BasicEstimate | Context)


@dataclass(frozen=True, eq=False)
class Example:
    """A noisy crop, and what was found of it.

    Parameters
    ----------
    clean : tensor of shape (1, B, rows, cols)
        Peak about 1.
    found : BasicEstimate or Context
        What :meth:`Decsc.prepare` found of it made noisy.
    error : tensor of shape (B,)
        Mean square, over the whole crop, of what the model, as it was then, made of it: a yardstick, so that noisy and
        quiet, smooth and textured crops weigh alike.
    """

    clean: Tensor
    found: BasicEstimate | Context
    error: Tensor

    def patch(self, size: int, rng: np.random.Generator) -> "Example":
        """A part, beginning at multiples of 4.

        Parameters
        ----------
        size : int
            Rows and cols, or all there are.
        rng : numpy Generator
            Chooses.

        Returns
        -------
        Example
        """
        rows, cols = (_slice(extent, size, rng) for extent in self.clean.shape[2:])
        return Example(self.clean[:, :, rows, cols], cut(self.found, rows, cols), self.error)


@torch.no_grad()
def prepare(model: Decsc, clean: Tensor, rng: np.random.Generator) -> Example:
    """Add blind noise to a clean crop and find what there is to find.

    Parameters
    ----------
    model : Decsc
        Finds it.
    clean : tensor of shape (B, rows, cols)
        Peak about 1.
    rng : numpy Generator
        Draws the noise.

    Returns
    -------
    Example
    """
    clean = clean[None]
    generator = torch.Generator(clean.device).manual_seed(int(rng.integers(2**62)))
    noisy = corrupt(clean, rng, generator)
    found = model.prepare(noisy, usable(noisy))
    c = model.condition(found)
    error = (model.output(model.start(c), c) - clean).square().mean((0, 2, 3))
    return Example(clean, found, error.clamp(min=3e-7))


def cut(found: Found, rows: slice, cols: slice) -> Found:
    """The part of every cube and image; what belongs to the whole stays.

    Parameters
    ----------
    found : BasicEstimate or Context
        Of a crop.
    rows, cols : slice
        Of the crop.

    Returns
    -------
    BasicEstimate or Context
        Of the part.
    """
    whole = found.target.shape[2:]
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    parts: dict[str, Any] = {
        name: value[:, :, rows, cols]
        for name, value in values.items()
        if isinstance(value, Tensor) and value.ndim == 4 and value.shape[2:] == whole
    }
    return replace(found, **parts)


class Pool:
    """The latest examples. Which ones there are at a step follows from the seed and the step alone.

    Parameters
    ----------
    crops : Crops
        Clean ones.
    seed : int
        Of all that is drawn.
    size : int
        How many examples are held.
    per_step : float
        How many are new at a step.
    """

    def __init__(self, crops: Crops, seed: int, size: int, per_step: float) -> None:
        self.crops, self.seed, self.size, self.per_step = crops, seed, size, per_step
        self.examples: OrderedDict[int, Example] = OrderedDict()

    def advance(self, model: Decsc, step: int) -> None:
        """Make the examples that belong to a step, drop those that do not.

        Parameters
        ----------
        model : Decsc
            As it is now.
        step : int
            Of training.
        """
        newest = min(self.size, FIRST) + int(step * self.per_step)
        for number in range(max(0, newest - self.size), newest):
            if number not in self.examples:
                rng = np.random.default_rng([self.seed, 1, number])
                self.examples[number] = prepare(model, self.crops.draw(rng), rng)
        while next(iter(self.examples)) < newest - self.size:
            self.examples.popitem(last=False)

    def draw(self, size: int, rng: np.random.Generator) -> Example:
        """A patch of one of the examples.

        Parameters
        ----------
        size : int
            Rows and cols.
        rng : numpy Generator
            Chooses.

        Returns
        -------
        Example
        """
        examples = list(self.examples.values())
        return examples[int(rng.integers(len(examples)))].patch(size, rng)


#: Examples that are made before the first step.
FIRST = 24


def _slice(extent: int, size: int, rng: np.random.Generator) -> slice:
    size = min(size, extent)
    start = 4 * int(rng.integers((extent - size) // 4 + 1))
    return slice(start, start + size)
