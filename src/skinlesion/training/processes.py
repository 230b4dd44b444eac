"""The index of this process among those that train together, from Keras' environment variables."""

import os
from typing import NamedTuple

from skinlesion.errors import InputError

__all__ = ["NAMES", "Process", "addresses", "current", "named"]

ADDRESSES, COUNT, ID = NAMES = (
    "KERAS_DISTRIBUTION_JOB_ADDRESSES",
    "KERAS_DISTRIBUTION_NUM_PROCESSES",
    "KERAS_DISTRIBUTION_PROCESS_ID",
)
MAX_PROCESSES = 10_000


class Process(NamedTuple):
    """The index of a process, and how many there are."""

    n_processes: int
    process_index: int  # from 0


def named() -> bool:
    """Return whether one of the variables is set."""
    return not os.environ.keys().isdisjoint(NAMES)


def current() -> Process:
    """Read the number of processes and the index of this one from the environment.

    Raises:
        InputError: One of the two is not set, or no number in its range.

    Source:
        https://keras.io/api/distribution/initialize, whose names these are.
    """
    n_processes = _number(COUNT, range(1, MAX_PROCESSES + 1))
    return Process(n_processes, _number(ID, range(n_processes)))


def addresses(n_processes: int) -> list[str]:
    """Read the addresses of the processes from the environment.

    Args:
        n_processes: Of which each may have an address, or process 0 alone.

    Raises:
        InputError: They are not set, are another number, or one has no port.
    """
    found = os.environ.get(ADDRESSES, "").split(",")
    if len(found) not in (1, n_processes) or not all(":" in each for each in found):
        expected = f"HOST:PORT of process 0, or of each of {n_processes} with commas between"
        raise _refusal(ADDRESSES, expected)
    return found


def _number(name: str, within: range) -> int:
    value = os.environ.get(name, "")
    if not value.isdecimal() or int(value) not in within:
        raise _refusal(name, f"a whole number from {within[0]} to {within[-1]}")
    return int(value)


def _refusal(name: str, expected: str) -> InputError:
    value = os.environ.get(name)
    got = "It is not set." if value is None else f"Got {value!r} instead."
    return InputError(f"{name} must be {expected}. {got}")
