"""What a solve leaves for a later one of the same cube: contexts and codes, within a limit of memory."""

from dataclasses import dataclass, field

from torch import Tensor

from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Context
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
    size : int
        Bytes that they take.
    """

    limit: int = 0
    cube: Cube | None = None
    tiles: list[Tile] = field(default_factory=list)
    left_out: tuple[int, ...] = ()
    subspace: SignalSubspace | None = None
    by_tile: dict[Key, tuple[Context, Code, float]] = field(default_factory=dict)
    size: int = 0

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
        self.by_tile, self.size = {}, 0

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
        old = self.by_tile.pop(key, None)
        self.size -= 0 if old is None else _bytes(old[0], old[1])
        size = _bytes(c, z)
        if self.size + size <= self.limit:
            self.by_tile[key] = (c, z, strength)
            self.size += size


def _bytes(c: Context, z: Code) -> int:
    held = [part for part in vars(c).values() if isinstance(part, Tensor)]
    return sum(part.nbytes for part in (*held, *z))
