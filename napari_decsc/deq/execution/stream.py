"""Values in, values out: tiles are read and written while others are solved."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor

from napari_decsc.denoising.protocol import Sink
from napari_decsc.deq.execution.source import Source, Values
from napari_decsc.deq.execution.tiles import Tile

#: Values that are put in raw units and written at once.
AT_ONCE = 1 << 21


class Stream:
    """The way of tiles from a source through a solver into a sink; a context manager.

    Parameters
    ----------
    source : Source
        Is read.
    sink : Sink
        Takes the cores.
    beside : bool
        Whether the next tile is read ahead and the last one written in a thread of its own, one thing after the other:
        at most one tile is held that is not needed yet, and one that is not needed any more. Otherwise both happen at
        once.
    """

    def __init__(self, source: Source, sink: Sink, *, beside: bool) -> None:
        self.source, self.sink = source, sink
        self._lane: Executor | None = ThreadPoolExecutor(1, "tiles") if beside else None
        self._ahead: tuple[Tile, Future[Values]] | None = None
        self._written: Future[None] | None = None

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._lane is not None:
            self._lane.shutdown(cancel_futures=kind is not None)
        if kind is None:
            self._wait()

    def read(self, tile: Tile, following: Tile | None) -> Values:
        """Values of a tile, as of :meth:`Source.tile`.

        Parameters
        ----------
        tile : Tile
            That is solved next.
        following : Tile, optional
            The one after it, if all goes well.

        Returns
        -------
        float32 array, shape (band, row, col)
            Peak 1; NaN where a voxel carries no information.
        """
        ahead, self._ahead = self._ahead, None
        values = ahead[1].result() if ahead is not None and ahead[0] == tile else self.source.tile(tile)
        if self._lane is not None and following is not None:
            self._ahead = following, self._lane.submit(self.source.tile, following)
        return values

    def write(self, core: Values, tile: Tile) -> None:
        """Write the core of a tile. An error of the tile before is raised here, the last one's at the end.

        Parameters
        ----------
        core : float array, shape (band, row, col)
            Peak 1.
        tile : Tile
            Whose core it is.
        """
        self._wait()
        if self._lane is None:
            self._write(core, tile)
        else:
            self._written = self._lane.submit(self._write, core, tile)

    def _write(self, core: Values, tile: Tile) -> None:
        rows, cols = tile.row.core, tile.col.core
        some = max(1, AT_ONCE // (len(core) * core.shape[2]))
        for top in range(rows.start, rows.stop, some):  # what is held beside the core is small
            part = slice(top, min(top + some, rows.stop))
            values = core[:, part.start - rows.start : part.stop - rows.start]
            self.sink.write(self.source.restored(values, part, cols), part, cols)

    def _wait(self) -> None:
        written, self._written = self._written, None
        if written is not None:
            written.result()
