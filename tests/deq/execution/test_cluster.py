"""Tiles on a real dask cluster of worker processes: same result, whoever dies."""

import contextlib
import dataclasses
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_decsc.denoising.protocol import Command, run
from napari_decsc.deq.denoiser import DecscDenoiser
from napari_decsc.deq.execution import cluster
from napari_decsc.deq.execution.tile_queue import TileQueue
from napari_decsc.deq.execution.tiles import plan
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DenoisingError, SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import new_sink
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.sample import sample_cube

#: They share a scheduler: one of the processes that run tests in parallel takes them all.
pytestmark = pytest.mark.xdist_group("cluster")

SETTINGS = {"tile": 32, "max_iterations": 2, "tolerance": 0, "device": "cpu"}

SCHEDULER = """
import asyncio
from distributed import Scheduler
async def main():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(main())
"""
# no nanny, so that a killed worker stays dead
WORKER = """
import asyncio, sys
from distributed import Worker
import napari_decsc.deq.execution.cluster
async def main():
    address, folder = sys.argv[1:]
    async with Worker(address, nthreads=1, dashboard=False, local_directory=folder) as worker:
        print(worker.address, flush=True)
        await worker.finished()
asyncio.run(main())
"""


def start(code: str, *arguments: str) -> subprocess.Popen:
    """A process that prints its address when it is ready."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip


def address_of(process: subprocess.Popen) -> str:
    return process.stdout.readline().strip()


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    process.stdout.close()


@contextlib.contextmanager
def running(code: str, *arguments: str, count: int = 1):
    """Processes that are ready, and their addresses."""
    found = [start(code, *arguments) for _ in range(count)]
    try:
        addresses = [address_of(process) for process in found]
        assert all(addresses)
        yield found, addresses
    finally:
        for process in found:
            end(process)


@pytest.fixture
def own_scheduler():
    """A scheduler that nobody works for."""
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    with running(SCHEDULER) as (_, addresses):
        yield addresses[0]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """A scheduler with two worker processes that no test harms: they take seconds to start."""
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    with (
        running(SCHEDULER) as (_, addresses),
        running(WORKER, addresses[0], str(tmp_path_factory.mktemp("workers")), count=2),
    ):
        yield addresses[0]


@pytest.fixture
def noisy(tmp_path) -> Cube:
    cube = add_noise(sample_cube(64, 64, 3), make_noise("gaussian"), seed=1)
    return read_envi(write_envi(cube, tmp_path / "noisy.hdr"))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def denoised(noisy: Cube, path: Path, listen=None, **settings) -> np.ndarray:
    with new_sink(noisy, path) as sink:
        run(DecscDenoiser(DecscSettings(**{**SETTINGS, **settings})).denoise_into(noisy, sink), listen)
    return np.array(read_envi(path).data)


def test_a_killed_worker_changes_nothing_in_the_result(noisy, own_scheduler, tmp_path):
    alone = denoised(noisy, tmp_path / "alone.hdr")
    events = []

    def listen(iteration):
        events.append(iteration)
        if len(events) == 2:  # the first tells the noise, before any tile is given away
            workers[0].kill()

    with running(WORKER, own_scheduler, str(tmp_path), count=2) as (workers, _):
        together = denoised(noisy, tmp_path / "together.hdr", listen, scheduler=own_scheduler)
        assert workers[0].poll() is not None or workers[0].wait(5) is not None
    assert np.array_equal(alone, together)
    assert any("lost 1 worker" in event.message for event in events)
    assert {event.tile for event in events if not event.message} == {1, 2, 3, 4}
    assert [event.number for event in events[1:] if not event.message and not event.rare] == [0, 1, 2, 1, 2] * 4


@pytest.fixture
def threads_of_tiles(noisy, tmp_path, monkeypatch):
    """On how many threads tiles are solved by a worker in this process, of so many threads."""
    distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    found = set()

    class Watched(TileQueue):
        def run(self):
            found.add(torch.get_num_threads())
            return super().run()

    monkeypatch.setattr(cluster, "TileQueue", Watched)

    def of(at_once: int) -> set[int]:
        options = {"processes": False, "dashboard_address": ":0", "silence_logs": 50, "memory_limit": 0}
        with distributed.LocalCluster(n_workers=1, threads_per_worker=at_once, **options) as local:
            denoised(noisy, tmp_path / "out.hdr", scheduler=local.scheduler_address)
        return found

    return of


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_thread_of_a_worker_solves_on_one_thread(threads_of_tiles, monkeypatch, at_once):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(3)
    assert threads_of_tiles(at_once) == {1}
    assert torch.get_num_threads() == 3


def test_the_end_of_a_run_leaves_what_is_held_of_another(monkeypatch):
    monkeypatch.setattr(cluster, "_last", {"another": None})
    monkeypatch.setattr(cluster, "_memory", {"another": ExitStack()})
    cluster._forget("this one")
    assert list(cluster._last) == list(cluster._memory) == ["another"]


def test_a_worker_holds_nothing_of_a_run_that_has_ended(threads_of_tiles):
    assert threads_of_tiles(1)
    assert not cluster._last
    assert not cluster._memory


def test_a_tile_is_solved_on_the_threads_that_the_environment_tells(threads_of_tiles, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    torch.set_num_threads(3)
    assert threads_of_tiles(1) == {3}


@pytest.mark.parametrize(
    ("limit", "at_once", "told", "short"),
    [(20, 1, "", False), (20, 64, "", True), (0.4, 1, "", True), (20, 1, "2GB", False), (20, 1, "600MB", True)],
)
def test_memory_is_wasted_where_half_of_the_worker_s_holds_that(noisy, monkeypatch, limit, at_once, told, short):
    """A tile of 31 bands of 200 x 200 pixels takes 220 MB or so where nothing is given back."""
    worker = SimpleNamespace(
        memory_manager=SimpleNamespace(memory_limit=int(limit * 10**9)), state=SimpleNamespace(nthreads=at_once)
    )
    monkeypatch.setattr(cluster, "_distributed", lambda: SimpleNamespace(get_worker=lambda: worker))
    settings, device = DecscSettings(memory=told), torch.device("cpu")
    torch.set_num_threads(1)
    source = SimpleNamespace(kept=range(31))
    solver = SimpleNamespace(
        model=weights.load("subspace").model,
        session=SimpleNamespace(device=device),
        run=SimpleNamespace(settings=settings, source=source),
    )
    (tile,) = plan(200, 200, 200, 16)
    assert cluster._is_short(solver, tile) == short


def test_stop_is_heard_while_no_worker_is_left(noisy, own_scheduler, tmp_path):
    events = []

    def listen(iteration):
        events.append(iteration)
        if len(events) == 2:
            workers[0].kill()
        return Command.STOP if iteration.stage == cluster.WAITING else None

    with (
        running(WORKER, own_scheduler, str(tmp_path)) as (workers, _),
        pytest.raises(DenoisingError, match=r"stopped while no worker was left .* dask worker tcp://"),
    ):
        denoised(noisy, tmp_path / "together.hdr", listen, scheduler=own_scheduler)
    assert not (tmp_path / "together.hdr").exists()


def test_a_result_that_is_no_shared_file_comes_back_to_the_caller(noisy, scheduler):
    settings = DecscSettings(**SETTINGS)
    alone = run(DecscDenoiser(settings).denoise(noisy))
    together = run(DecscDenoiser(DecscSettings(**SETTINGS, scheduler=scheduler)).denoise(noisy))
    assert np.array_equal(alone.data, together.data)


def test_stop_leaves_the_start_estimate_in_what_was_not_begun(noisy, scheduler, tmp_path):
    result = denoised(noisy, tmp_path / "out.hdr", lambda _: Command.STOP, scheduler=scheduler)
    assert np.isfinite(result).all()
    clean = sample_cube(64, 64, 3).data
    assert np.square(result - clean).mean() < 0.3 * np.square(noisy.data - clean).mean()


def test_a_worker_that_does_not_see_the_file_is_named_with_the_cure(noisy, scheduler, tmp_path, monkeypatch):
    from napari_decsc.hsi.io import memory_map as mapped

    real = mapped.reference
    elsewhere = tmp_path / "only_here.img"

    def moved(array):
        found = real(array)
        return None if found is None else dataclasses.replace(found, path=elsewhere)

    monkeypatch.setattr(mapped, "reference", moved)
    with pytest.raises(DenoisingError, match=r"only_here.*under the same names"):
        denoised(noisy, tmp_path / "out.hdr", scheduler=scheduler)
    assert not (tmp_path / "out.hdr").exists()


def test_a_cube_in_memory_is_refused_with_the_cure(noisy, scheduler):
    held = noisy.replace(data=np.array(noisy.data))
    with pytest.raises(SettingsError, match="save it as ENVI"):
        run(DecscDenoiser(DecscSettings(**SETTINGS, scheduler=scheduler)).denoise(held))


def test_a_scheduler_without_workers_is_refused_with_the_cure(noisy, own_scheduler, tmp_path):
    with pytest.raises(DenoisingError, match="has no workers"):
        denoised(noisy, tmp_path / "out.hdr", scheduler=own_scheduler)


def test_no_scheduler_is_refused_with_the_cure(noisy, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_decsc.deq.execution.cluster.CONNECT", 0.5)
    with pytest.raises(DenoisingError, match="cannot be reached"):
        denoised(noisy, tmp_path / "out.hdr", scheduler="tcp://127.0.0.1:9")


def test_a_run_on_this_computer_imports_no_dask(noisy):
    code = (
        "import sys; from napari_decsc.deq.denoiser import DecscDenoiser; from napari_decsc.deq.settings import *;"
        "from napari_decsc.hsi.io.envi import read_envi; from napari_decsc.denoising.protocol import run;"
        f"run(DecscDenoiser(DecscSettings(max_iterations=1)).denoise(read_envi({str(noisy.source)!r})));"
        "assert not {'dask', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
