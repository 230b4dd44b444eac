"""dataset.threads: a process computes with the threads that it may have."""

import os

import pytest
from tests.process import changed

from skinlesion.dataset import threads


def test_there_is_a_thread_per_processor_that_this_process_may_use(monkeypatch):
    monkeypatch.delenv(threads.THREADS, raising=False)
    one = changed(os, sched_getaffinity=lambda pid: {1, 5, 6}, cpu_count=lambda: 64)
    monkeypatch.setattr(threads, "os", one)

    assert threads.n_threads() == 3


@pytest.mark.parametrize(("n_cpus", "expected"), [(6, 6), (None, 1)])
def test_where_no_system_says_which_all_are_used(monkeypatch, n_cpus, expected):
    monkeypatch.delenv(threads.THREADS, raising=False)
    macos = changed(os, sched_getaffinity=None, cpu_count=lambda: n_cpus)
    monkeypatch.setattr(threads, "os", macos)

    assert threads.n_threads() == expected


@pytest.mark.parametrize(
    ("told", "expected"), [("2", 2), ("0", 3), ("", 3), ("-1", 3), ("many", 3)]
)
def test_the_number_that_tensorflow_was_told_goes_before(monkeypatch, told, expected):
    monkeypatch.delenv(threads.THREADS, raising=False)
    monkeypatch.setattr(threads, "os", changed(os, sched_getaffinity=lambda pid: {1, 5, 6}))
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", told)

    assert threads.n_threads() == expected
