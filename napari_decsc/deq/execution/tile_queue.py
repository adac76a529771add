"""The tiles of a run, one after another; where the memory does not do, smaller ones, then the processor.

Of a tile, windows of its bands are solved one after another, and blended where they overlap.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch

from napari_decsc.denoising.protocol import Sink
from napari_decsc.denoising.teller import Steps, aside
from napari_decsc.deq.execution import memory
from napari_decsc.deq.execution import plan as planning
from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.equilibria import Equilibria, Events, Part
from napari_decsc.deq.execution.session import Run, Session
from napari_decsc.deq.execution.source import Values
from napari_decsc.deq.execution.stream import Stream
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Decsc
from napari_decsc.errors import DenoisingError, is_out_of_memory

#: Smaller tiles are not tried on a GPU: the processor is the better place for them.
LEAST_SIDE = 64


@dataclass
class TileSolver:
    """Solves tiles of one cube one after another.

    Parameters
    ----------
    run : Run
        What is the same for all.
    session : Session
        Is replaced when the device is.
    """

    run: Run
    session: Session

    @property
    def model(self) -> Decsc:
        """The model, where it lies now."""
        return self.session.model

    @property
    def windows(self) -> list[slice]:
        """The windows of bands that are solved one by one: a single one where the model takes any number."""
        bands = len(self.run.source.kept)
        return tiling.band_windows(bands, self.model.bands or bands)

    def solve(self, tile: Tile, values: Values, done: int, total: int) -> Events:
        """Events of one tile; returns its core, peak 1.

        Parameters
        ----------
        tile : Tile
            That is solved.
        values : float array, shape (band, row, col)
            What is known of it: :meth:`Source.tile`.
        done, total : int
            Solves that lie behind, and all; the windows of this tile count on from there.

        Yields
        ------
        Iteration

        Returns
        -------
        float32 array, shape (band, row, col)
            The core, peak 1.
        """
        bands, windows = len(self.run.source.kept), self.windows
        parts = [Part(tile, window, number, total) for number, window in enumerate(windows, done + 1)]
        if len(parts) == 1:
            only = Equilibria(self.run, self.session, parts[0], is_picture=True).solve(values)
            del values
            return (yield from only)
        core = np.zeros((bands, _extent(tile.row.core), _extent(tile.col.core)), np.float32)
        weights = np.zeros((bands, 1, 1), np.float32)
        for part in parts:
            weight = tiling.blend(part.window, bands)[:, None, None]
            solve = Equilibria(self.run, self.session, part, is_picture=False).solve(values[part.window])
            core[part.window] += weight * (yield from solve)
            weights[part.window] += weight
        return core / weights


class TileQueue:
    """Solves tiles into a sink, and goes on in less memory when a tile does not fit.

    Parameters
    ----------
    solver : TileSolver
        Solves one tile.
    tiles : list of Tile
        In this order.
    sink : Sink
        Takes the cores.
    """

    def __init__(self, solver: TileSolver, tiles: list[Tile], sink: Sink) -> None:
        self.solver = solver
        # on a processor there is hardly anything to gain (docs/scaling.md)
        self.stream = Stream(solver.run.source, sink, beside=solver.session.device.type != "cpu")
        self.whole, self.parts = deque(tiles), deque[Tile]()
        self.side = 0
        self.done, self.left = 0, len(tiles)

    @property
    def solves(self) -> int:
        """How many solves the run takes, as far as is known now."""
        return self.done + len(self.solver.windows) * self.left

    def run(self) -> Steps:
        """Solve all tiles.

        Yields
        ------
        Iteration
            Those of all tiles.

        Raises
        ------
        DenoisingError
            If not even the smallest fits into the processor's memory.
        """
        with self.stream:
            while self.whole or self.parts:
                if not self.parts:
                    self.parts.extend(self._split(self.whole.popleft()))
                try:
                    core = yield from self._solve(self.parts[0])
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                else:
                    self._finish(self.parts.popleft(), core)
                    continue
                # only here is what the failed solve held really free
                message = self._step_down()
                yield from self.solver.run.teller.tell(aside(self.done + 1, self.solves, message=message))

    def _solve(self, tile: Tile) -> Events:
        # nobody holds the values longer than they are looked at
        return (yield from self.solver.solve(tile, self.stream.read(tile, self._following()), self.done, self.solves))

    def _finish(self, tile: Tile, core: Values) -> None:
        if self.solves == 1:
            memory.give_back()
        self.stream.write(core, tile)
        self.done += len(self.solver.windows)
        self.left -= 1

    def _following(self) -> Tile | None:
        """The tile that comes after the one that is solved now."""
        if len(self.parts) > 1:
            return self.parts[1]
        return self._split(self.whole[0])[0] if self.whole else None

    def _split(self, tile: Tile) -> list[Tile]:
        return tiling.split(tile, self.side, self.solver.model.multiple)

    def _step_down(self) -> str:
        """Halve the tiles, or go on with the processor; returns what to say. Raises DenoisingError at the end."""
        solver, multiple, device = self.solver, self.solver.model.multiple, self.solver.session.device
        solver.run.solutions.limit = 0
        solver.run.solutions.forget()
        solver.session.whole.clear()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        half = tiling.side_of(self.parts[0]) // 2 // multiple * multiple
        # a tile that is mostly margin takes hardly less memory than the next larger one
        if half >= (multiple if device.type == "cpu" else LEAST_SIDE):
            self._cut(half)
            return f"the memory of {device} is used up; going on with tiles of {half} x {half} pixels"
        if device.type == "cpu":
            raise DenoisingError(used_up(solver.run.source.cube.name, device))
        self._to_processor()
        return f"the memory of {device} is used up even by small tiles; going on with the processor"

    def _cut(self, side: int) -> None:
        """Cut what waits into tiles of ``side`` pixels; 0 leaves tiles as they were planned."""
        multiple, self.side = self.solver.model.multiple, side
        self.parts = deque(part for tile in self.parts for part in tiling.split(tile, side, multiple))
        self.left = len(self.parts) + sum(len(tiling.split(tile, side, multiple)) for tile in self.whole)

    def _to_processor(self) -> None:
        solver, run = self.solver, self.solver.run
        solver.session = solver.session.on(torch.device("cpu"))
        plan = planning.make(solver.model, run.settings, run.source.shape, solver.session.device, streamed=True)
        self._cut(plan.side)


def used_up(name: str, device: torch.device) -> str:
    """The sentence for the end of all memory.

    Parameters
    ----------
    name : str
        Of the cube.
    device : torch device
        Whose memory it is.

    Returns
    -------
    str
    """
    return f"{name}: the memory of {device} is used up; choose a smaller tile or memory, or the CPU"


def _extent(part: slice) -> int:
    extent: int = part.stop - part.start
    return extent
