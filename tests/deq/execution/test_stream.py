"""Tiles that are read and written while others are solved."""

import threading

import numpy as np
import pytest

from napari_decsc.denoising.protocol import Command, run
from napari_decsc.denoising.sinks import ArraySink
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.execution import tiles as tiling
from napari_decsc.deq.execution.source import Source
from napari_decsc.deq.execution.stream import Stream
from napari_decsc.deq.execution.tile_queue import TileQueue
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.hsi.sample import sample_cube

CUBE = sample_cube(96, 48, 4)
TILES = tiling.plan(96, 48, 32, 8)
SECONDS = 20


class Watched:
    """A source and a sink that tell when, and in which thread, something was read or written."""

    def __init__(self, fails_at: int = -1):
        self.source, self.sink = Source.of(CUBE), ArraySink(CUBE.shape)
        self.read, self.written, self.fails_at = {}, [], fails_at
        self.seen = {id(tile): threading.Event() for tile in TILES}

    def tile(self, tile):
        self.read[id(tile)] = threading.current_thread().name
        self.seen[id(tile)].set()
        return self.source.tile(tile)

    def restored(self, core, rows, cols):
        return self.source.restored(core, rows, cols)

    def write(self, values, rows, cols):
        if len(self.written) == self.fails_at:
            raise OSError("no space left")
        self.written.append(rows.start)
        self.sink.write(values, rows, cols)


def core_of(values, tile):
    rows, cols = (span.continued[span.inside] for span in (tile.row, tile.col))
    return values[:, rows[:, None], cols]


def passed_through(watched: Watched, *, beside: bool):
    with Stream(watched, watched, beside=beside) as stream:
        for tile, following in zip(TILES, [*TILES[1:], None], strict=True):
            stream.write(core_of(stream.read(tile, following), tile), tile)
    return watched.sink.data


@pytest.mark.parametrize("beside", [False, True])
def test_all_tiles_come_through(beside):
    np.testing.assert_allclose(passed_through(Watched(), beside=beside), CUBE.data, rtol=1e-6)


def test_the_next_tile_is_read_while_this_one_is_with_the_solver():
    watched = Watched()
    with Stream(watched, watched, beside=True) as stream:
        stream.read(TILES[0], TILES[1])
        assert watched.seen[id(TILES[1])].wait(SECONDS)
        assert watched.read[id(TILES[1])] != threading.current_thread().name
        assert id(TILES[2]) not in watched.read


def test_without_a_thread_nothing_is_read_ahead():
    watched = Watched()
    with Stream(watched, watched, beside=False) as stream:
        stream.read(TILES[0], TILES[1])
    assert set(watched.read) == {id(TILES[0])}


def test_a_tile_that_was_not_announced_is_read_all_the_same():
    watched = Watched()
    with Stream(watched, watched, beside=True) as stream:
        stream.read(TILES[0], TILES[1])
        np.testing.assert_array_equal(stream.read(TILES[2], None), watched.source.tile(TILES[2]))


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("at", [0, len(TILES) - 1])
def test_an_error_of_the_sink_is_never_lost(beside, at):
    with pytest.raises(OSError, match="no space"):
        passed_through(Watched(fails_at=at), beside=beside)


@pytest.mark.parametrize("stop", [False, True])
def test_a_run_is_the_same_with_and_without(stop):
    settings = DecscSettings(tile=32, max_iterations=2)
    cube, denoiser = sample_cube(64, 40, 8), DecscDenoiser(settings)
    command = Command.STOP if stop else None
    expected = run(denoiser.denoise(cube), lambda iteration: command)
    solvers, beside = [], TileQueue.run

    def with_a_thread(queue):
        queue.stream = Stream(queue.solver.run.source, queue.stream.sink, beside=True)
        solvers.append(queue.solver)
        return beside(queue)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TileQueue, "run", with_a_thread)
        found = run(DecscDenoiser(settings).denoise(cube), lambda iteration: command)
    assert solvers
    np.testing.assert_array_equal(found.data, expected.data)
