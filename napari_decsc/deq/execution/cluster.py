"""The tiles of a run on many machines: a `dask.distributed` cluster that is there already.

Every worker maps the input file itself; where the result is an ENVI file that is written tile by tile, workers write
their tiles into it, so that only a few numbers travel. So workers must see both files under the same names. A tile
whose worker is lost is done again by another one: it writes the same values to the same place.

`dask.distributed` is imported when a scheduler is asked for, and not before.
"""

import importlib
import os
import secrets
import threading
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_decsc.denoising.protocol import Iteration, Sink, run
from napari_decsc.denoising.teller import Steps, Teller, aside
from napari_decsc.deq.estimation.signal_subspace import SignalSubspace
from napari_decsc.deq.execution import memory
from napari_decsc.deq.execution.devices import choose
from napari_decsc.deq.execution.plan import Plan
from napari_decsc.deq.execution.session import Run, Session, Solutions
from napari_decsc.deq.execution.source import Source, Values
from napari_decsc.deq.execution.tile_queue import TileQueue, TileSolver
from napari_decsc.deq.execution.tiles import Tile
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DecscError, DenoisingError, SettingsError
from napari_decsc.filters.parallel import threads
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io import memory_map as mapped
from napari_decsc.hsi.io.envi.streaming import EnviSink

#: Seconds to wait for the scheduler's answer.
CONNECT = 10
#: Seconds between two looks at the workers.
LOOK = 1.0
#: The stage of a run whose workers are all lost.
WAITING = "waiting for a worker"
#: Looks without a worker after which a run that was told to stop ends: one may be starting anew.
PATIENCE = 3
#: How often a tile is tried again after an error; a lost worker does not count.
RETRIES = 2


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker must know besides the tile. ``token`` names the run; ``subspace`` lies on the processor."""

    token: str
    settings: DecscSettings
    weights_hash: str
    file: mapped.Reference
    name: str
    no_data: float | None
    scale: float
    peak: float
    stuck: tuple[float, ...]
    blank: tuple[int, ...]
    cut: tuple[float, ...]
    left_out: dict[int, str]
    fill: bool
    wavelengths: NDArray[np.float64] | None
    subspace: SignalSubspace | None
    sink: EnviSink | None

    def source(self) -> Source:
        """The cube, mapped here."""
        cube = Cube(self.file.open(), self.name, self.wavelengths, no_data=self.no_data, scale=self.scale)
        return Source(cube, self.peak, self.stuck, self.blank, self.cut, self.left_out, self.fill)


@dataclass(frozen=True, eq=False)
class _Done:
    """What comes back of a tile: its iterations without previews, and its values where the worker did not write them.

    ``parts`` are several if the worker had to cut the tile.
    """

    iterations: tuple[Iteration, ...]
    parts: tuple[tuple[Values, slice, slice], ...]


class _Parts:
    """A sink that only collects."""

    def __init__(self) -> None:
        self.parts: list[tuple[Values, slice, slice]] = []

    def write(self, values: Values, rows: slice, cols: slice) -> None:
        self.parts.append((values, rows, cols))


def solve(
    plan: Plan, settings: DecscSettings, weights_hash: str, source: Source, subspace: SignalSubspace | None,
    sink: Sink, teller: Teller,
) -> Steps:  # fmt: skip
    """Solve the tiles of a plan on the cluster at ``settings.scheduler``. Events of a tile come when it is done.

    Parameters
    ----------
    plan : Plan
        Its tiles are solved.
    settings : DecscSettings
        With a scheduler.
    weights_hash : str
        That workers' own weights must have.
    source : Source
        Of a cube that is a file.
    subspace : SignalSubspace, optional
        Of the whole cube.
    sink : Sink
        Takes the tiles.
    teller : Teller
        Tells the events.

    Yields
    ------
    Iteration
        Those of all tiles.

    Raises
    ------
    SettingsError
        Without `dask.distributed`, or for a cube that is no file.
    DenoisingError
        If the scheduler cannot be reached or a worker cannot work.
    """
    distributed = _distributed()
    job = _job(settings, weights_hash, source, subspace, sink)
    try:
        client = distributed.Client(settings.scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise DenoisingError(
            f"scheduler {settings.scheduler!r} cannot be reached ({_line(error)}); "
            "give the address that `dask scheduler` prints, such as tcp://host:8786"
        ) from None
    with client:
        _check(client, settings.scheduler, job)
        try:
            yield from _Cluster(distributed, client, job, plan, sink, teller).run()
        finally:
            client.run(_forget, job.token, on_error="ignore")


class _Cluster:
    """The run, seen from here."""

    def __init__(self, distributed: Any, client: Any, job: _Job, plan: Plan, sink: Sink, teller: Teller) -> None:
        self.distributed, self.client, self.job, self.sink, self.teller = distributed, client, job, sink, teller
        self.waiting, self.running = deque(plan.tiles), dict[Any, Tile]()
        self.windows, self.done, self.solves = plan.windows, 0, plan.solves
        self.workers, self.empty_looks = set(client.nthreads()), 0

    def run(self) -> Steps:
        try:
            while self.waiting or self.running:
                self._submit()
                for future in self._finished():
                    yield from self._take(future)
                yield from self._look()
        finally:
            for future in self.running:
                future.cancel()

    def _submit(self) -> None:
        """Keep every worker busy, and no more: what is not sent yet can still be changed.

        Tiles that workers have already begun are finished even if somebody says stop: nobody can tell where they are.
        """
        room = 2 * sum(self.client.nthreads().values()) + 2
        while self.waiting and len(self.running) < room:
            tile = self.waiting.popleft()
            future = self.client.submit(_solve_tile, self.job, tile, self.teller.stopped, retries=RETRIES, pure=False)
            self.running[future] = tile

    def _finished(self) -> list[Any]:
        try:
            with self.client.as_current():
                done = self.distributed.wait(list(self.running), timeout=LOOK, return_when="FIRST_COMPLETED").done
        except self.distributed.TimeoutError:
            return []
        return list(done)

    def _take(self, future: Any) -> Steps:
        tile = self.running.pop(future)
        try:
            done: _Done = future.result()
        except DecscError:
            raise
        except self.distributed.CancelledError:
            # the scheduler lost it: ask again
            self.waiting.appendleft(tile)
            return
        except Exception as error:
            raise DenoisingError(f"{self.job.name}: a tile failed on the cluster ({_line(error)})") from error
        for values, rows, cols in done.parts:
            self.sink.write(values, rows, cols)
        for iteration in done.iterations:
            number = self.done + min(iteration.tile, self.windows)
            yield from self.teller.tell(replace(iteration, tile=number, tiles=self.solves))
        self.done += self.windows

    def _look(self) -> Steps:
        now = set(self.client.nthreads())
        lost, self.workers = self.workers - now, now
        if lost:
            left = f"{len(now)} left" if now else "none is left, waiting for one"
            message = f"lost {len(lost)} worker{'s' * (len(lost) > 1)} ({left}); unfinished tiles are done again"
            yield from self.teller.tell(aside(self.done + 1, self.solves, message=message))
        self.empty_looks = self.empty_looks + 1 if not now and (self.waiting or self.running) else 0
        if not self.empty_looks:
            return
        yield from self.teller.tell(aside(self.done + 1, self.solves, stage=WAITING))
        if self.teller.stopped and self.empty_looks > PATIENCE:
            raise DenoisingError(
                f"{self.job.name}: stopped while no worker was left to finish it; start workers with dask worker "
                f"{self.job.settings.scheduler}, and denoise again"
            )


def _solve_tile(job: _Job, tile: Tile, begin_only: bool) -> _Done:
    """One tile, on a worker."""
    solver = _solver(job, begin_only=begin_only)
    collected = _Parts()
    sink = collected if job.sink is None else job.sink
    iterations: list[Iteration] = []
    _hold_memory(job, solver, tile)
    with threads(_threads()):
        run(TileQueue(solver, [tile], sink).run(), iterations.append)
    return _Done(tuple(iterations), tuple(collected.parts))


def _threads() -> int:
    """On how many threads a tile is solved: one for each thread of a worker, or what the environment says."""
    told = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(told) if told.isdigit() and int(told) else 1


def _is_short(solver: TileSolver, tile: Tile) -> bool:
    """Whether no memory of this worker may be wasted: half of what it has is for tiles, one for each of its threads.

    A budget that was given is that of one tile.
    """
    device, told = solver.session.device, solver.run.settings.memory
    if device.type != "cpu":
        return False
    worker, bands = _distributed().get_worker(), len(solver.run.source.kept)
    need = memory.of_tile(solver.model, bands, tile.row.length * tile.col.length) * memory.waste(device, bands)
    room = (worker.memory_manager.memory_limit or memory.free(device)) / 2 / worker.state.nthreads
    if told.strip():
        room = min(room, memory.budget(told, device) - memory.program(told))
    return bool(need > room)


def _check_worker(job: _Job) -> str:
    """What keeps this worker from the job, in words, or nothing. Runs before its threads begin, if they are new."""
    memory.share()
    try:
        _solver(job, begin_only=True)
    except DecscError as error:
        return str(error)
    if job.sink is not None and not mapped.exists_with_size(job.sink.path, job.sink.layout.size):
        return f"{job.sink.path.parent}: the file that is being written is not seen from here"
    return ""


#: What a worker holds between tiles: the session and the source of the last run, by its token ...
_last: dict[str, tuple[Session, Source]] = {}
#: ... and memory, handled as that run needs it: to fetch it anew for every tile takes a twentieth of the time.
_memory: dict[str, ExitStack] = {}
_lock = threading.Lock()


def _hold_memory(job: _Job, solver: TileSolver, tile: Tile) -> None:
    with _lock:
        if job.token not in _memory:
            _give_back()
            _memory[job.token] = ExitStack()
            _memory[job.token].enter_context(memory.handled(_is_short(solver, tile)))


def _give_back() -> None:
    while _memory:
        _memory.popitem()[1].close()


def _forget(token: str) -> None:
    """The end of a run, on a worker; what it holds of another one stays."""
    with _lock:
        _last.pop(token, None)
        if token in _memory:
            _give_back()


def _solver(job: _Job, *, begin_only: bool) -> TileSolver:
    with _lock:
        if job.token not in _last:
            _last.clear()
            _last[job.token] = _prepared(job)
        session, source = _last[job.token]
    return TileSolver(Run(job.settings, source, Teller(previews=False, stopped=begin_only), Solutions()), session)


def _prepared(job: _Job) -> tuple[Session, Source]:
    loaded, device = weights.load(job.settings.weights), choose(job.settings.device)
    if loaded.hash != job.weights_hash:
        raise DenoisingError(f"the weights {job.settings.weights!r} are others here; install the same version")
    return Session(torch.device("cpu"), loaded.model, job.subspace).on(device), job.source()


def _job(
    settings: DecscSettings, weights_hash: str, source: Source, subspace: SignalSubspace | None, sink: Sink
) -> _Job:
    cube, file = source.cube, mapped.reference(source.cube.data)
    if file is None:
        raise SettingsError(
            f"scheduler: {cube.name} is held in memory, and other machines cannot see it; save it as ENVI and open that"
        )
    there = None if subspace is None else subspace.to(torch.device("cpu"))
    written = sink if isinstance(sink, EnviSink) else None
    return _Job(
        secrets.token_hex(8), settings, weights_hash, file, cube.name, cube.no_data, cube.scale, source.peak,
        source.stuck, source.blank, source.cut, dict(source.left_out), source.fill, cube.wavelengths, there, written,
    )  # fmt: skip


def _check(client: Any, address: str, job: _Job) -> None:
    """Ask every worker before any work begins."""
    if not client.nthreads():
        raise DenoisingError(f"scheduler {address!r} has no workers; start some with `dask worker {address}`")
    try:
        answers: dict[str, str] = client.run(_check_worker, job)
    except Exception as error:
        raise DenoisingError(
            f"scheduler {address!r}: a worker cannot do it ({_line(error)}); "
            "install napari-decsc[cluster] in the same version everywhere"
        ) from error
    for worker, trouble in answers.items():
        if trouble:
            raise DenoisingError(
                f"worker {worker}: {trouble}; workers must see input and output under the same names as this computer"
            )


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise SettingsError(
            "scheduler: needs dask.distributed, which is not installed; pip install 'napari-decsc[cluster]'"
        ) from None


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
