"""What a run is made of: what is the same wherever its tiles are solved, what lies on one device, what a run leaves."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_decsc.denoising.teller import Teller
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace, moved
from napari_decsc.deq.execution.source import Source, Values
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Context, Decsc
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.solvers.fixed_point import Code
from napari_decsc.hsi.cube import Cube

#: A part of a solve: first row, first col and first band of its core.
Key = tuple[int, int, int]


@dataclass
class Solutions:
    """Solutions of the last solve: what a later one of the same cube, in the same tiles, may start from.

    Parameters
    ----------
    limit : int
        Bytes that they take at most: what is beyond that is dropped.
    cube : Cube, optional
        That was solved.
    tiles : list of Tile
        In which it was.
    left_out : tuple of int
        Bands that took no part.
    subspace : SignalSubspace, optional
        Of the whole cube.
    by_tile : dict
        Context, solution and strength, by tile and window of bands.
    sizes : dict
        Bytes that each takes.
    """

    limit: int = 0
    cube: Cube | None = None
    tiles: list[Tile] = field(default_factory=list)
    left_out: tuple[int, ...] = ()
    subspace: SignalSubspace | None = None
    by_tile: dict[Key, tuple[Context, Code, float]] = field(default_factory=dict)
    sizes: dict[Key, int] = field(default_factory=dict)

    def begin(self, cube: Cube, tiles: list[Tile], limit: int, left_out: tuple[int, ...] = ()) -> None:
        """Forget what belongs to another cube, other tiles, or others of its bands.

        Parameters
        ----------
        cube : Cube
            That will be solved.
        tiles : list of Tile
            In which it will.
        limit : int
            Bytes.
        left_out : tuple of int
            Bands that will not take part.
        """
        self.limit = limit
        if cube is not self.cube or (tiles, left_out) != (self.tiles, self.left_out):
            self.cube, self.tiles, self.left_out, self.subspace = cube, tiles, left_out, None
            self.forget()

    def forget(self) -> None:
        """Give the memory of all solutions back."""
        self.by_tile, self.sizes = {}, {}

    def add(self, key: Key, c: Context, z: Code, strength: float) -> None:
        """Hold a solution, if there is room.

        Parameters
        ----------
        key : tuple
            Tile and window of bands.
        c : Context
            Of its stage.
        z : tuple of tensors
            The solution.
        strength : float
            At which it was found.
        """
        self.by_tile.pop(key, None)
        self.sizes.pop(key, None)
        c = c.lean()
        size = _bytes((c, z))
        if self.size + size <= self.limit:
            self.by_tile[key], self.sizes[key] = (c, z, strength), size

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return sum(self.sizes.values())


@dataclass(frozen=True, eq=False)
class Run:
    """What is the same for all tiles of a run, wherever they are solved.

    Parameters
    ----------
    settings : DecscSettings
        Of the method.
    source : Source
        The noisy cube.
    teller : Teller
        Tells what happens, and hears whether to stop.
    solutions : Solutions
        Takes what a later run may start from.
    """

    settings: DecscSettings
    source: Source
    teller: Teller
    solutions: Solutions


@dataclass(frozen=True, eq=False)
class Session:
    """A device, and all that lies on it: another device takes another session (:meth:`on`).

    Parameters
    ----------
    device : torch device
        Where it is computed.
    model : Decsc
        On the device.
    subspace : SignalSubspace, optional
        Of the whole cube, on the device.
    by_columns : dict
        A cache: the subspace with the offsets of the columns of tiles, by the first of these and their number.
    whole : list of SignalSubspace
        The subspace with what else is known of the whole image, where that is a tile; taken out when it is begun.
    """

    device: torch.device
    model: Decsc
    subspace: SignalSubspace | None
    by_columns: dict[tuple[int, int], SignalSubspace | None] = field(default_factory=dict)
    whole: list[SignalSubspace] = field(default_factory=list)

    def on(self, device: torch.device) -> "Session":
        """The session that goes on from this one elsewhere; this one stays as it is.

        Parameters
        ----------
        device : torch device
            Elsewhere.

        Returns
        -------
        Session
        """
        return Session(device, _copied(self.model, device), moved(self.subspace, device))

    def subspace_of(self, tile: Tile, source: Source) -> SignalSubspace | None:
        """The subspace with the offsets of a tile's columns: tiles below each other share them.

        A tile that is the whole image finds them itself, where they are not known.

        Parameters
        ----------
        tile : Tile
            That is to be solved.
        source : Source
            The noisy cube.

        Returns
        -------
        SignalSubspace or None
            None where none was given.
        """
        has_offsets = self.subspace is not None and self.model.finds_offsets and bool(self.subspace.outliers)
        if tile.is_whole and self.whole:
            return self.whole.pop()
        if tile.is_whole or not has_offsets:
            return self.subspace
        key = (tile.col.start, tile.col.length)
        if key not in self.by_columns:
            rows = tensors(source.columns(tile.col), self.device)
            self.by_columns[key] = self.model.with_column_offsets(*rows, self.subspace)
        return self.by_columns[key]


def _copied(model: Decsc, device: torch.device) -> Decsc:
    """The model on a device, copied on the way: ``model.to`` would take it away from others who work with it."""
    parts = {id(one): nn.Parameter(one.detach().to(device), one.requires_grad) for one in model.parameters()}
    return copy.deepcopy(model, {**parts, **{id(one): one.to(device) for one in model.buffers()}})


def tensors(values: Values, device: torch.device) -> tuple[Tensor, Tensor]:
    """Values as a cube without NaN, and what was not NaN.

    Parameters
    ----------
    values : float array, shape (band, row, col)
        NaN where a voxel carries no information.
    device : torch device
        Where to.

    Returns
    -------
    tensor and bool tensor of shape (1, band, row, col)
        0 and False where there was NaN.
    """
    cube = torch.from_numpy(np.ascontiguousarray(values))[None].to(device)
    mask = cube.isfinite()
    return torch.where(mask, cube, 0), mask


def _bytes(held: Any) -> int:
    """Bytes of all tensors in the fields of an object, at any depth; what several share counts once."""
    return sum({part.data_ptr(): part.nbytes() for part in _storages(held)}.values())


def _storages(held: Any) -> Iterator[torch.UntypedStorage]:
    if isinstance(held, Tensor):
        yield held.untyped_storage()
    elif isinstance(held, Mapping):
        yield from _storages(tuple(held.values()))
    elif isinstance(held, tuple | list):
        for part in held:
            yield from _storages(part)
    elif hasattr(held, "__dict__"):
        yield from _storages(vars(held))
