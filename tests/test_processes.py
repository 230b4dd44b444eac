"""skinlesion.processes: the environment says who a process is, and how many threads are its."""

import os
import re
import subprocess
import sys

import pytest

from skinlesion import processes
from skinlesion.errors import InputError

SET = {"JOB_ADDRESSES": "10.0.0.1:1234", "NUM_PROCESSES": "4", "PROCESS_ID": "3"}


@pytest.fixture
def environment(monkeypatch):
    """Set the names of Keras, without their beginning; None for one that is not set."""
    for name in (*processes.NAMES, processes.THREADS):
        monkeypatch.delenv(name, raising=False)

    def put(**values: str | None) -> None:
        for name, value in values.items():
            if value is not None:
                monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)

    return put


# === Which process ===


def test_no_process_is_named_where_no_variable_is_set(environment):
    environment()

    assert not processes.named()


@pytest.mark.parametrize("name", SET)
def test_one_variable_is_enough_to_name_processes(environment, name):
    environment(**{name: SET[name]})

    assert processes.named()


def test_the_place_is_of_how_many_which(environment):
    environment(**SET)

    assert processes.place() == (4, 3)


@pytest.mark.parametrize(
    ("count", "process", "expected"),
    [
        ("4", None, "PROCESS_ID must be a whole number from 0 to 3. It is not set."),
        (None, "0", "NUM_PROCESSES must be a whole number from 1 to 10000. It is not set."),
        ("4", "", "PROCESS_ID must be a whole number from 0 to 3. Got '' instead."),
        ("0", "0", "NUM_PROCESSES must be a whole number from 1 to 10000. Got '0' instead."),
        ("10001", "0", "NUM_PROCESSES must be a whole number from 1 to 10000. Got '10001'"),
        ("2", "2", "PROCESS_ID must be a whole number from 0 to 1. Got '2' instead."),
        ("2", "-1", "PROCESS_ID must be a whole number from 0 to 1. Got '-1' instead."),
        ("two", "1", "NUM_PROCESSES must be a whole number from 1 to 10000. Got 'two' instead."),
        ("2", "$SLURM_PROCID", "PROCESS_ID must be a whole number from 0 to 1. Got '$SLURM_"),
    ],
)
def test_an_environment_that_names_no_process_is_an_error(environment, count, process, expected):
    environment(NUM_PROCESSES=count, PROCESS_ID=process)
    with pytest.raises(InputError, match=re.escape(f"KERAS_DISTRIBUTION_{expected}")):
        processes.place()


# === Where they meet ===


@pytest.mark.parametrize("given", ["a:1", "a:1,b:2,c:3"])
def test_process_0_has_an_address_or_each_has(environment, given):
    environment(JOB_ADDRESSES=given)

    assert processes.addresses(3) == given.split(",")


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (None, "It is not set."),
        ("10.0.0.1", "Got '10.0.0.1' instead."),
        ("a:1,b:2", "Got 'a:1,b:2' instead."),
        ("a:1,b,c:3", "Got 'a:1,b,c:3' instead."),
    ],
)
def test_addresses_of_others_or_without_a_port_are_an_error(environment, given, got):
    environment(JOB_ADDRESSES=given)
    expected = f"must be HOST:PORT of process 0, or of each of 3 with commas between. {got}"
    with pytest.raises(InputError, match=re.escape(expected)):
        processes.addresses(3)


# === Threads ===


def test_there_is_a_thread_per_processor_that_this_process_may_use(environment, monkeypatch):
    environment()
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 5, 6}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)

    assert processes.n_threads() == 3


@pytest.mark.parametrize(("n_cpus", "expected"), [(6, 6), (None, 1)])
def test_where_no_system_says_which_all_are_used(environment, monkeypatch, n_cpus, expected):
    environment()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: n_cpus)

    assert processes.n_threads() == expected


@pytest.mark.parametrize(
    ("told", "expected"), [("2", 2), ("0", 3), ("", 3), ("-1", 3), ("many", 3)]
)
def test_the_number_that_tensorflow_was_told_goes_before(environment, monkeypatch, told, expected):
    environment()
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 5, 6}, raising=False)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", told)

    assert processes.n_threads() == expected


def test_nothing_heavy_is_loaded_to_know():
    load = "import sys, skinlesion.processes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True).stdout

    assert "skinlesion.processes" in loaded.split()
    assert not {"keras", "numpy", "pandas", "tensorflow"} & set(loaded.split())
