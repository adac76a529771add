"""The plan of a run: which tiles, how many evaluations at most, how much memory and how long. Made before any work."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from napari_decsc.deq.execution import memory
from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.source import sample_pixels
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Decsc
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.errors import DenoisingError, SettingsError
from napari_decsc.hsi.sample import sample_cube

#: Side of the image on which times are measured ...
TRIAL = 96
#: ... and of the one before it.
WARM = 64


@dataclass(frozen=True)
class Plan:
    """How a cube is denoised.

    Parameters
    ----------
    shape : tuple of int
        Bands, rows, columns.
    device : str
        Where it is computed.
    side : int
        Of the tiles' cores in pixels; 0 for the whole image.
    tiles : list of Tile
        Row by row.
    windows : int
        Of bands; a tile is solved in each.
    memory : int
        Bytes that the run is estimated to take at its peak where it computes, the program included on a processor.
    budget : int
        Bytes that it may take.
    short : bool
        Whether no memory may be wasted, see :func:`memory.handled`.
    on_disk : bool
        Whether a result that nobody streams is held in a temporary file.
    """

    shape: tuple[int, int, int]
    device: str
    side: int
    tiles: list[Tile]
    windows: int
    memory: int
    budget: int
    short: bool
    on_disk: bool

    @property
    def spare(self) -> int:
        """Bytes of the budget that no tile needs, beside the one that is being solved."""
        return max(0, self.budget - self.memory)

    @property
    def solves(self) -> int:
        """Tiles times windows of bands."""
        return len(self.tiles) * self.windows

    def as_dict(self) -> dict[str, Any]:
        """What a person may want to know, ready for JSON.

        Returns
        -------
        dict of str to object
            Sizes in pixels, memory in bytes.
        """
        bands, rows, cols = self.shape
        outer = [max(span.length for span in spans) for spans in self._spans()]
        return {
            "bands": bands, "rows": rows, "cols": cols, "device": self.device, "tiles": len(self.tiles),
            "windows_of_bands": self.windows, "tile_side": self.side or max(rows, cols), "tile_with_margins": outer,
            "memory_bytes": self.memory, "budget_bytes": self.budget,
        }  # fmt: skip

    def pixels(self) -> int:
        """Pixels that are solved, margins included, in all tiles and windows.

        Returns
        -------
        int
            Pixels.
        """
        return self.windows * sum(tile.row.length * tile.col.length for tile in self.tiles)

    def _spans(self) -> tuple[list[tiling.Span], list[tiling.Span]]:
        return [tile.row for tile in self.tiles], [tile.col for tile in self.tiles]


def make(
    model: Decsc, settings: DecscSettings, shape: tuple[int, int, int], device: torch.device, *, streamed: bool
) -> Plan:
    """The plan for a cube of this shape.

    Parameters
    ----------
    model : Decsc
        That solves.
    settings : DecscSettings
        Tile, memory, device.
    shape : tuple of int
        Bands, rows, columns.
    device : torch device
        Where it is computed.
    streamed : bool
        Whether somebody takes the tiles.

    Returns
    -------
    Plan

    Raises
    ------
    DenoisingError
        If the model needs more bands.
    SettingsError
        If the budget is too small for any tile, or the model cannot remove one kind of noise alone.
    """
    bands, rows, cols = shape
    if settings.only and not model.removes_apart:
        raise SettingsError(
            f"only is {settings.only!r}; the weights {settings.weights!r} do not tell it from other noise: "
            "choose the weights 'subspace'"
        )
    if model.bands is not None and bands < model.bands:
        raise DenoisingError(
            f"the cube has {bands} bands; the weights {settings.weights!r} need {model.bands} or more: "
            "choose the weights 'subspace'"
        )
    budget = memory.budget(settings.memory, device)
    result = 0 if streamed else 4 * bands * rows * cols
    on_disk = result > memory.for_results(settings.memory, device)
    # what is left for a tile: on a CPU the program and the result lie in the same memory
    held = memory.program(settings.memory) + (0 if on_disk else result) if device.type == "cpu" else 0
    # what a user allows is filled with as large a tile as it holds; half of what is free is wide enough to waste some
    waste = memory.waste(device, bands)
    side = _side(model, settings, shape, budget if settings.memory.strip() else int(budget / waste), held)
    tiles = tiling.plan(rows, cols, side, model.multiple)
    outer = max(tile.row.length for tile in tiles) * max(tile.col.length for tile in tiles)
    sampled = min(rows * cols, sample_pixels(bands))
    need = held + max(memory.of_tile(model, bands, outer), memory.of_estimation(bands, sampled))
    windows = len(tiling.band_windows(bands, model.bands or bands))
    return Plan(shape, str(device), side, tiles, windows, need, budget, need * waste > budget, on_disk)


def _side(model: Decsc, settings: DecscSettings, shape: tuple[int, int, int], budget: int, held: int) -> int:
    """The side that is asked for, or smaller if the budget says so; 0 where the whole image may be one tile."""
    if settings.tile and not settings.memory.strip():
        return settings.tile
    bands, rows, cols = shape
    (whole,) = tiling.plan(rows, cols, 0, model.multiple)
    if memory.of_tile(model, bands, whole.row.length * whole.col.length) <= budget - held:
        return settings.tile
    side = tiling.side_within(budget, memory.per_pixel(model, bands), model.multiple, held + memory.fixed())
    return min(side, settings.tile or side)


@dataclass(frozen=True)
class Pace:
    """How long a model takes, in seconds.

    Parameters
    ----------
    estimation : float
        For each pixel that noise and subspace are found on.
    solve : float
        For each pixel that is solved, with one evaluation in every stage.
    evaluation : float
        What one more in every stage adds for each.
    """

    estimation: float
    solve: float
    evaluation: float


def pace(model: Decsc, bands: int, device: torch.device) -> Pace:
    """How long a model takes here, measured on small images of a scene with Gaussian noise and impulses.

    In pure noise there would be hardly anything to compute.

    Parameters
    ----------
    model : Decsc
        That solves.
    bands : int
        Of the cube.
    device : torch device
        Where it is computed.

    Returns
    -------
    Pace
    """
    found = Pace(0, 0, 0)
    for side in (WARM, TRIAL):  # what is done for the first time takes longer
        with model.computing():
            found = _pace(model, _trial(model.bands or bands, side).to(device))
    return found


def _trial(bands: int, side: int) -> Tensor:
    """A noisy scene (1, band, row, col), peak 1."""
    generator = torch.Generator().manual_seed(0)
    clean = torch.from_numpy(sample_cube(side, side, bands).data)[None]
    noisy = clean + 0.05 * torch.randn(clean.shape, generator=generator)
    return torch.where(torch.rand(clean.shape, generator=generator) < 0.05, 0.9, noisy)


def _pace(model: Decsc, cube: Tensor) -> Pace:
    mask, pixels = torch.ones_like(cube, dtype=torch.bool), cube[0, 0].numel()
    begun = _now(cube.device)
    subspace = model.identify(cube, mask)
    identified, further = _now(cube.device), 0.0
    c = model.begin(cube, mask, subspace)
    z = model.start(c)
    while c.stage < model.stages(c):
        c = model.renewed(c, z)
        z = model.f(model.start(c), c)
        before = _now(cube.device)
        z = model.f(z, c)
        further += _now(cube.device) - before
    model.output(z, c)
    solve = _now(cube.device) - identified - further
    return Pace((identified - begun) / pixels, solve / pixels, further / pixels)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
