"""Any size: tiles agree, budgets are kept, used-up memory is survived, a stream is the same as an array."""

import functools
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_decsc.denoising.protocol import StreamingDenoiser, run
from napari_decsc.denoising.sinks import ArraySink
from napari_decsc.denoising.teller import Teller
from napari_decsc.deq.denoiser import DecscDenoiser, _solution_bytes
from napari_decsc.deq.estimation.signal_subspace import moved
from napari_decsc.deq.execution import memory
from napari_decsc.deq.execution import plan as planning
from napari_decsc.deq.execution.plan import Plan
from napari_decsc.deq.execution.session import Run, Session, Solutions
from napari_decsc.deq.execution.source import Source, sample_pixels
from napari_decsc.deq.execution.tile_queue import TileQueue, TileSolver
from napari_decsc.deq.model.presets import PublishedModel
from napari_decsc.deq.settings import DecscSettings
from napari_decsc.deq.weights import files as weights
from napari_decsc.errors import DenoisingError, SettingsError
from napari_decsc.hsi.cube import Cube
from napari_decsc.hsi.io.envi import read_envi, write_envi
from napari_decsc.hsi.io.files import new_sink
from napari_decsc.hsi.noise.models import add_noise, make_noise
from napari_decsc.hsi.sample import sample_cube

CPU = torch.device("cpu")


def noisy(rows: int, cols: int, bands: int) -> Cube:
    return add_noise(sample_cube(rows, cols, bands), make_noise("gaussian"), seed=1)


def settings(**values) -> DecscSettings:
    return DecscSettings(**{"device": "cpu", "max_iterations": 3, "tolerance": 0, **values})


#: The lighter model, for what does not depend on the model.
LIGHT = {"weights": "paper"}


def denoised(cube: Cube, listen=None, **values) -> np.ndarray:
    return run(DecscDenoiser(settings(**values)).denoise(cube), listen).data


def test_a_stream_of_tiles_holds_the_same_as_an_array(tmp_path):
    cube = noisy(40, 70, 31)
    data = np.where(cube.data > 0.9, np.float32(np.nan), cube.data)
    cube = read_envi(write_envi(cube.replace(data=data), tmp_path / "noisy.hdr"))
    denoiser = DecscDenoiser(settings(tile=32, **LIGHT))
    assert isinstance(denoiser, StreamingDenoiser)
    with new_sink(cube, tmp_path / "out.hdr") as sink:
        run(denoiser.denoise_into(cube, sink))
    assert np.array_equal(read_envi(tmp_path / "out.hdr").data, denoised(cube, tile=32, **LIGHT), equal_nan=True)


def test_strength_0_streams_the_cube_as_it_is():
    cube, sink = noisy(40, 70, 3), ArraySink((3, 40, 70))
    run(DecscDenoiser(settings(strength=0.0, tile=32)).denoise_into(cube, sink))
    assert np.array_equal(sink.data, cube.data)


class Full(Exception):
    """Not an error of memory."""


def with_less_memory(monkeypatch, pixels: int, error: type[BaseException]) -> list[tuple[int, ...]]:
    """Let f fail on images of more than so many pixels, as a GPU does; returns the sizes that were tried."""
    tried, real = [], PublishedModel.f

    def f(self, z, c):
        tried.append(tuple(c.target.shape[2:]))
        if tried[-1][0] * tried[-1][1] > pixels:
            raise error("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(self, z, c)

    monkeypatch.setattr(PublishedModel, "f", f)
    return tried


@functools.cache
def halved() -> tuple[Cube, np.ndarray]:
    """A cube, and its result in two tiles."""
    cube = noisy(128, 64, 31)
    return cube, denoised(cube, tile=64, **LIGHT)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_used_up_memory_halves_the_tiles_and_says_so(monkeypatch, error):
    cube, expected = halved()
    events = []
    with_less_memory(monkeypatch, 128 * 96, error)
    result = denoised(cube, events.append, tile=0, **LIGHT)
    said = [event.message for event in events if event.message]
    assert said == ["the memory of cpu is used up; going on with tiles of 64 x 64 pixels"]
    assert np.array_equal(result, expected)
    assert {event.tile for event in events if event.number == 3} == {1, 2}
    assert events[-1].tiles == 2


def test_memory_that_is_too_small_for_any_tile_ends_with_a_sentence(monkeypatch):
    with_less_memory(monkeypatch, 0, torch.OutOfMemoryError)
    with pytest.raises(DenoisingError, match="used up; choose"):
        denoised(noisy(64, 64, 31), **LIGHT)


def test_other_errors_are_no_matter_of_memory(monkeypatch):
    with_less_memory(monkeypatch, 0, Full)
    with pytest.raises(Full):
        denoised(noisy(32, 32, 31), **LIGHT)


@pytest.mark.parametrize("name", ["paper", "subspace"])
def test_a_gpu_that_cannot_hold_small_tiles_hands_over_to_the_processor(monkeypatch, name):
    # "meta" stands for a GPU: a device of another type, which always fails here, and leaves what it found of columns
    real = TileSolver.solve

    def solve(self, tile, *rest):
        if self.session.device.type != "cpu":
            found = moved(self.session.subspace, self.session.device)
            self.session.by_columns[tile.col.start, tile.col.length] = found
            raise torch.OutOfMemoryError("CUDA out of memory")
        return (yield from real(self, tile, *rest))

    cube = add_noise(sample_cube(128, 64, 31), make_noise("mixture"), seed=0)
    events, sink = [], ArraySink(cube.shape)
    chosen = settings(tile=64, weights=name, max_iterations=2)
    denoiser = DecscDenoiser(chosen)
    expected, plan = run(denoiser.denoise(cube)).data, denoiser.plan(cube.shape)
    monkeypatch.setattr(TileSolver, "solve", solve)
    job = Run(chosen, Source.of(cube), Teller(), Solutions())
    session = Session(torch.device("meta"), weights.load(name).model, denoiser._solutions.subspace)
    assert name == "paper" or session.subspace.outliers
    run(TileQueue(TileSolver(job, session), plan.tiles, sink).run(), events.append)
    said = [event.message for event in events if event.message]
    assert [message.split("; ")[1] for message in said] == ["going on with the processor"]
    assert np.sqrt(np.square(sink.data - expected).mean()) < 1e-6


def test_a_session_elsewhere_leaves_the_first_as_it_was():
    model, meta = weights.load("paper").model, torch.device("meta")
    first = Session(CPU, model, None, {(0, 64): None})
    second = first.on(meta)
    assert not second.by_columns
    assert {one.device for one in second.model.parameters()} == {meta}
    assert {one.device for one in first.model.parameters()} == {CPU}
    assert len(list(second.model.parameters())) == len(list(model.parameters()))


def plan_of(shape: tuple[int, int, int], name: str = "subspace", *, streamed: bool = True, **values) -> Plan:
    model = weights.load(name).model
    return planning.make(model, settings(weights=name, **values), shape, CPU, streamed=streamed)


@pytest.mark.parametrize("name", ["subspace", "paper"])
@pytest.mark.parametrize("budget", ["900MB", "1.5GB", "4GB"])
def test_a_plan_stays_within_its_budget_and_uses_it(name, budget):
    plan = plan_of((60, 3000, 2000), name, memory=budget)
    assert plan.memory <= plan.budget == memory.budget(budget, CPU)
    outer = max(tile.row.length for tile in plan.tiles)
    wider = memory.PROGRAM + memory.of_tile(weights.load(name).model, 60, (outer + 64) ** 2)
    assert wider > plan.budget


@pytest.mark.parametrize("bands", [12, 31])
def test_the_pace_is_measured_where_there_is_something_to_solve(bands):
    model, cube = weights.load("subspace").model, planning._trial(bands, 64)
    with torch.inference_mode():
        found = model.identify(cube, torch.ones_like(cube, dtype=torch.bool))
        c = model.begin(cube, torch.ones_like(cube, dtype=torch.bool), found)
    assert len(c.components)
    assert not c.exact  # so that evaluations take their time
    pace = planning.pace(model, bands, CPU)
    assert pace.estimation > 0
    assert pace.solve > pace.evaluation > 1e-9


def test_less_memory_makes_smaller_tiles_even_where_a_side_is_asked_for():
    shape = (31, 2000, 2000)
    large, small = (plan_of(shape, memory=text, tile=512) for text in ("20GB", "1GB"))
    assert large.side == 512
    assert small.side < 512
    assert plan_of(shape, tile=512).side == 512


def test_a_result_beyond_half_of_the_budget_is_not_held_in_memory():
    shape = (31, 2500, 2500)
    assert plan_of(shape, memory="1GB", streamed=False).on_disk
    assert not plan_of(shape, memory="20GB", streamed=False).on_disk
    assert not plan_of(shape, memory="1GB").on_disk


def test_tiles_that_fill_the_budget_are_solved_in_memory_that_is_given_back():
    assert plan_of((31, 2000, 2000), memory="1GB").short
    assert not plan_of((31, 200, 200), memory="20GB").short


def test_solutions_of_several_tiles_are_kept_only_within_the_budget():
    plan = plan_of((31, 2000, 2000), memory="1GB", streamed=False)
    assert _solution_bytes(plan) + plan.memory <= plan.budget
    assert _solution_bytes(plan_of((31, 200, 200), memory="1GB", streamed=False)) == 250_000_000


def test_all_that_a_solution_holds_counts_and_no_gains_are_held():
    denoiser = DecscDenoiser(settings(tile=32))
    run(denoiser.denoise(add_noise(sample_cube(64, 64), make_noise("mixture"), seed=1)))
    held = denoiser._solutions
    parts = [part for c, z, _ in held.by_tile.values() for part in (c.target, c.filter.groups.positions, *z)]
    assert len(held.by_tile) == 4
    assert not any("frozen" in vars(c.filter) for c, *_ in held.by_tile.values())
    # groups are held too: 32 numbers of 8 bytes for every group
    assert sum(part.nbytes for part in parts) < held.size < 8 * sum(part.nbytes for part in parts)
    held.limit = held.size  # there is no room for one more
    key, (c, z, strength) = next(iter(held.by_tile.items()))
    held.add((64, 64, 0), c, z, strength)
    assert (64, 64, 0) not in held.by_tile
    held.add(key, c, z, strength)
    assert len(held.by_tile) == 4


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
@pytest.mark.parametrize("short", [True, False])
def test_free_blocks_go_back_to_the_system_at_once_where_memory_is_short_and_at_the_end_elsewhere(short: bool):
    # in a process of its own: here, blocks may lie in what earlier tests have left free
    code = f"""if True:
        import numpy as np, psutil
        from napari_decsc.deq.execution import memory
        resident = lambda: psutil.Process().memory_info().rss
        with memory.handled({short}):
            blocks = [np.ones(4_000_000) for _ in range(4)]
            held = resident()
            del blocks[:-1]  # the last one would hold up those below it on a heap
            at_once = held - resident()
        print(at_once, held - resident())
    """
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    at_once, in_the_end = map(int, done.stdout.split())
    assert at_once > 60e6 if short else at_once < 10e6
    assert in_the_end > 60e6


def test_a_run_that_is_left_to_the_end_of_the_program_ends_in_silence():
    code = """if True:
        import sys
        from napari_decsc.deq.execution import memory

        def solve():
            with memory.handled(False):
                yield

        sys._kept = memory, solve()  # let go of last, when modules have lost their names
        next(sys._kept[1])
    """
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr == ""


def test_too_little_memory_is_refused_with_how_much_is_enough():
    with pytest.raises(SettingsError, match="too little") as refused:
        plan_of((31, 2000, 2000), memory="100MB")
    enough = str(refused.value).partition("give ")[2].removesuffix(" or more")
    assert plan_of((31, 2000, 2000), memory=enough).side == 32


def test_the_sample_for_the_noise_levels_is_bounded_whatever_the_bands():
    assert sample_pixels(1) == sample_pixels(31) == 256 * 256
    assert sample_pixels(200) * 200 <= 1 << 22
    assert sample_pixels(2000) == 128 * 128


@pytest.mark.parametrize(
    ("bands", "rows", "cols", "sides"), [(1, 150, 77, (64, 96)), (3, 40, 131, (32, 64)), (31, 97, 70, (64,)),
                                         (60, 66, 40, (32,))],
)  # fmt: skip
def test_the_result_does_not_depend_on_the_tiles(bands, rows, cols, sides):
    cube = noisy(rows, cols, bands)
    whole = denoised(cube, max_iterations=60, tolerance=1e-4)
    for side in sides:
        tiled = denoised(cube, max_iterations=60, tolerance=1e-4, tile=side)
        difference = np.square(whole - tiled)
        # one pixel at the edge of the test for rare signal may fall either way
        difference[:, difference.sum(0) == difference.sum(0).max()] = 0
        assert np.sqrt(difference.mean()) < 2e-3
        # no seam: where two tiles meet it is no worse than a little more than elsewhere
        seam = (
            difference[:, side - 1 : side + 1].mean() if rows > side else difference[:, :, side - 1 : side + 1].mean()
        )
        assert np.sqrt(seam) < 2e-3


def test_the_number_of_threads_changes_the_result_by_rounding_alone():
    cube, before = noisy(32, 48, 3), torch.get_num_threads()
    try:
        results = []
        for threads in (1, 4):
            torch.set_num_threads(threads)
            results.append(denoised(cube, max_iterations=8))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(*results, atol=1e-5, rtol=0)


def test_every_tile_stops_on_its_own():
    cube, residuals = noisy(64, 160, 31), {}
    cube.data[:, :, :80] = np.float32(0.5) + np.float32(0.1) * (cube.data[:, :, :80] - np.float32(0.5))

    def listen(iteration):
        if iteration.number:
            residuals.setdefault(iteration.tile, []).append(iteration.relative_residual)

    denoised(cube, listen, tile=64, tolerance=1e-2, max_iterations=60, **LIGHT)
    assert len(residuals) == 3
    for history in residuals.values():
        assert history[-1] <= 1e-2 < min(history[:-1], default=1)


@pytest.mark.parametrize("bands", [1, 2, 3, 5])
def test_what_was_learned_does_no_harm_where_bands_are_few(bands):
    """The conditioning network must not fall behind the estimate that it is given, however few bands there are."""
    model = weights.load("subspace").model
    clean = sample_cube(96, 96, bands)
    cube = add_noise(clean, make_noise("gaussian"), seed=0)
    data, peak = torch.from_numpy(cube.data)[None], float(clean.data.max())
    with torch.inference_mode():
        found = model.prepare(data / peak, torch.ones_like(data, dtype=torch.bool))
        given = found.subspace.cube(found.pilot) * found.subspace.sigma[:, :, None, None] * peak
        context = model.condition(found)
        learned = model.output(model.start(context), context) * peak
    before, after = (float((each - torch.from_numpy(clean.data)).square().mean()) for each in (given, learned))
    assert after < 1.1 * before
