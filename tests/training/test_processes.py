"""training.processes: the environment says which process this is."""

import re
import subprocess
import sys

import pytest

from skinlesion.errors import InputError
from skinlesion.training import processes

SET = {"JOB_ADDRESSES": "10.0.0.1:1234", "NUM_PROCESSES": "4", "PROCESS_ID": "3"}


@pytest.fixture
def environment(monkeypatch):
    """Set the names of Keras, without their beginning; None for one that is not set."""
    for name in processes.NAMES:
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

    assert processes.current() == (4, 3)


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
        processes.current()


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


def test_nothing_heavy_is_loaded_to_know():
    load = "import sys, skinlesion.training.processes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True).stdout

    assert "skinlesion.training.processes" in loaded.split()
    assert not {"keras", "numpy", "pandas", "tensorflow"} & set(loaded.split())
