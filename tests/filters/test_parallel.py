"""Threads are those that the thread that calls was given."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from napari_decsc.filters import parallel
from napari_decsc.filters.parallel import all_threads, one_thread, side_by_side, threads

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


@pytest.fixture
def pools(monkeypatch):
    counts = []

    def pool(count, **more):
        counts.append(count)
        return ThreadPoolExecutor(count, **more)

    monkeypatch.setattr(parallel, "ThreadPoolExecutor", pool)
    return counts


def test_whole_parts_are_taken_by_all_threads_while_steps_are_on_one(pools):
    with threads(3), one_thread():
        assert torch.get_num_threads() == 1
        with one_thread():
            assert list(side_by_side(abs, [-1, 2], CPU)) == [1, 2]
        with all_threads():
            assert torch.get_num_threads() == 3
        assert torch.get_num_threads() == 1
    assert pools == [3]


def test_threads_that_are_told_within_are_those_that_count(pools):
    with threads(4), one_thread(), threads(2), one_thread():
        list(side_by_side(abs, [-1, 2], CPU))
    assert pools == [2]


def test_a_part_that_fails_leaves_the_threads_as_they_were():
    def failing(_):
        raise ValueError("no")

    with threads(3):
        for parts in ([1], [1, 2]):
            with contextlib.suppress(ValueError), one_thread():
                list(side_by_side(failing, parts, CPU))
            assert torch.get_num_threads() == 3
        with all_threads():
            assert torch.get_num_threads() == 3


def test_threads_that_begin_after_parts_were_taken_have_as_many_as_before():
    with threads(3):
        list(side_by_side(abs, [-1, 2], CPU))
        with ThreadPoolExecutor(1) as beside:
            assert beside.submit(torch.get_num_threads).result() == 3


@pytest.mark.parametrize("count", [1, 3])
def test_who_stops_taking_results_leaves_the_threads_as_they_were(count: int):
    with threads(count):
        results = side_by_side(abs, [-1, 2, 3], CPU)
        assert next(results) == 1
        assert torch.get_num_threads() == count
        results.close()
        assert torch.get_num_threads() == count


def test_a_thread_that_begins_while_another_is_on_one_has_as_many_as_that_one_had(pools):
    def count():
        with all_threads():
            return torch.get_num_threads()

    with threads(3), one_thread(), ThreadPoolExecutor(1) as beside:
        assert beside.submit(count).result() == 3
        beside.submit(lambda: list(side_by_side(abs, [-1, 2], CPU))).result()
    assert pools == [3]
