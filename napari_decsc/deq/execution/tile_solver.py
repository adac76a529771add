"""The solve of a tile: windows of its bands one after another, blended where they overlap."""

from dataclasses import dataclass

import numpy as np

from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.equilibria import Equilibria, Events, Part
from napari_decsc.deq.execution.session import Run, Session
from napari_decsc.deq.execution.source import Values
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.model.base import Decsc


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
            return (yield from Equilibria(self.run, self.session, parts[0], is_picture=True).solve(values))
        core = np.zeros((bands, _extent(tile.row.core), _extent(tile.col.core)), np.float32)
        weights = np.zeros((bands, 1, 1), np.float32)
        for part in parts:
            weight = tiling.blend(part.window, bands)[:, None, None]
            solve = Equilibria(self.run, self.session, part, is_picture=False).solve(values[part.window])
            core[part.window] += weight * (yield from solve)
            weights[part.window] += weight
        return core / weights


def _extent(part: slice) -> int:
    extent: int = part.stop - part.start
    return extent
