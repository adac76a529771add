"""Threads are those that the thread that calls was given."""

from concurrent.futures import ThreadPoolExecutor

import torch

from napari_decsc.filters import parallel
from napari_decsc.filters.parallel import side_by_side, threads

CPU = torch.device("cpu")


def test_each_thread_that_takes_parts_computes_alone():
    with threads(3):
        assert list(side_by_side(lambda _: torch.get_num_threads(), range(8), CPU)) == [1] * 8
        assert torch.get_num_threads() == 3


def test_as_many_threads_take_parts_as_the_one_that_calls_has(monkeypatch):
    pools = []

    def pool(count, **more):
        pools.append(count)
        return ThreadPoolExecutor(count, **more)

    def calls(count):
        with threads(count):
            return list(side_by_side(abs, [-1, 2], CPU))

    monkeypatch.setattr(parallel, "ThreadPoolExecutor", pool)
    with ThreadPoolExecutor(1) as beside:
        assert [beside.submit(calls, count).result() for count in (1, 2, 3, 9)] == [[1, 2]] * 4
    assert pools == [2, 3, parallel.MOST]
