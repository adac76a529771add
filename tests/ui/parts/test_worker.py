import os
import sys
import threading
import time

import numpy as np
import pytest

from napari_decsc import registry as methods
from napari_decsc.denoising.protocol import Command, Iteration, Preview
from napari_decsc.errors import DenoisingError
from napari_decsc.ui.parts import worker as work


class Fast:
    """Twenty thousand evaluations without a pause, each with a preview that tells its number."""

    name = "fast"
    evaluations = 20_000

    def describe(self):
        return {"method": "fast", "settings": {}, "weights": None, "device": "cpu"}

    def denoise(self, noisy):
        for number in range(1, self.evaluations + 1):
            preview = Preview(np.full((1, 1, 1), number, np.float32), slice(0, 1), slice(0, 1))
            command = yield Iteration(number, 1.0, 1.0, 0.0, preview=preview)
            if command is Command.STOP:
                break
        return noisy


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setitem(methods.METHODS, "fast", methods.Method("fast", "", dict, lambda settings: Fast()))


def finished(qtbot, worker):
    with qtbot.waitSignal(worker.finished, timeout=10_000):
        worker.start()


def test_iterations_are_gathered_and_none_is_lost(qtbot, fast, cube):
    worker = work.denoising_worker("fast", {}, cube)
    batches, begin = [], time.monotonic()
    worker.yielded.connect(batches.append)
    finished(qtbot, worker)
    assert [iteration.number for batch in batches for iteration in batch] == list(range(1, Fast.evaluations + 1))
    # the first and the last batch wait for nobody
    assert len(batches) <= (time.monotonic() - begin) / work.PAUSE + 2


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone knows a niceness for one thread")
@pytest.mark.parametrize(("load", "behind"), [(0.0, work.NICENESS), (1e3, 0)])
def test_work_steps_behind_the_window_but_not_behind_other_programs(qtbot, monkeypatch, load, behind):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    monkeypatch.setattr(os, "getpriority", lambda which, who: {os.getpid(): 3}[who])
    wanted = []
    monkeypatch.setattr(os, "setpriority", lambda which, who, niceness: wanted.append((who, niceness)))
    worker = work.calculation_worker(threading.get_native_id)
    with qtbot.waitSignal(worker.returned, timeout=10_000) as returned:
        worker.start()
    assert wanted == [(returned.args[0], 3 + behind)]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone knows a niceness for one thread")
def test_a_priority_that_may_not_be_had_ends_no_work(qtbot, monkeypatch):
    def forbidden(which, who, niceness):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbidden)
    worker = work.calculation_worker(lambda: 7)
    with qtbot.waitSignal(worker.returned, timeout=10_000) as returned:
        worker.start()
    assert returned.args == [7]


def test_only_the_newest_preview_of_a_place_is_handed_over(qtbot, fast, cube):
    worker = work.denoising_worker("fast", {}, cube)
    batches = []
    worker.yielded.connect(batches.append)
    finished(qtbot, worker)
    for batch in batches:
        assert [i.number for i in batch if i.preview is not None] == [batch[-1].number]


def test_stop_ends_with_the_best_estimate(qtbot, fake, cube, monkeypatch):
    worker = work.denoising_worker("fake", methods.METHODS["fake"].settings(max_iterations=1000), cube)
    worker.yielded.connect(lambda batch: work.stop(worker))
    with qtbot.waitSignal(worker.returned, timeout=10_000) as returned:
        worker.start()
    outcome = returned.args[0]
    np.testing.assert_array_equal(outcome.cube.data, cube.data / 2)
    assert outcome.report["stopped"]
    assert len(outcome.report["tiles"][0]["relative_residual"]) < 1000


def test_a_run_may_be_stopped_before_it_has_begun(qtbot, fake, cube):
    worker = work.denoising_worker("fake", methods.METHODS["fake"].settings(max_iterations=1000), cube)
    work.stop(worker)
    with qtbot.waitSignal(worker.returned, timeout=10_000) as returned:
        worker.start()
    assert returned.args[0].report["stopped"]


def test_a_runtime_error_ends_the_worker_and_is_told(qtbot, fake, cube):
    fake.error = RuntimeError("out of memory")
    worker = work.denoising_worker("fake", methods.METHODS["fake"].settings(), cube)
    errors = []
    worker.errored.connect(errors.append)
    finished(qtbot, worker)
    assert [type(error) for error in errors] == [work.WorkFailed]
    assert "memory is not enough" in str(errors[0])


def test_our_own_errors_are_shown_as_they_are(qtbot, fake, cube):
    fake.error = DenoisingError("the weights are for 31 bands, this cube has 6")
    worker = work.denoising_worker("fake", methods.METHODS["fake"].settings(), cube)
    with qtbot.waitSignal(worker.errored, timeout=10_000) as errored:
        worker.start()
    assert str(errored.args[0]) == "the weights are for 31 bands, this cube has 6"


def test_a_calculation_that_fails_is_told(qtbot):
    worker = work.calculation_worker(lambda: 1 // 0)
    with qtbot.waitSignals([worker.errored, worker.finished], timeout=10_000):
        worker.start()
