"""What the benchmarks share: alternating timings, and processes with their peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SIZES = ("tiny", "usual", "large")

# What a process of its own runs: a function of a benchmark, its arguments and result as JSON.
_APART = """
import importlib, json, sys
module, function, arguments, out = sys.argv[1:]
found = getattr(importlib.import_module(module), function)(*json.loads(arguments))
open(out, "w").write(json.dumps(found))
"""


@dataclass(frozen=True)
class Spent:
    """What a process took, from its start to its end."""

    started: float  # seconds since the epoch
    seconds: float
    cpu_seconds: float  # what a busy machine does not stretch
    peak_mib: float  # of resident memory

    @property
    def row(self) -> dict[str, float]:
        """The columns that a table shows."""
        keys = ("seconds", "cpu_seconds", "peak_mib")
        return {key: getattr(self, key) for key in keys}


class Took(NamedTuple):
    """What a call takes of this process."""

    seconds: float
    cpu_seconds: float  # what a busy machine does not stretch


def took(run: Callable[[], object]) -> Took:
    """Time one call.

    Args:
        run: Called once.
    """
    start, cpu = time.perf_counter(), time.process_time()
    run()
    return Took(time.perf_counter() - start, time.process_time() - cpu)


def medians(sides: Mapping[str, Callable[[], object]], *, n_rounds: int) -> dict[str, Took]:
    """Time several ways in turn, A B A B, so that a busy machine slows all of them alike.

    Args:
        sides: The ways by name. Each is called once more, first, to warm up.
        n_rounds: How often each is timed.

    Returns:
        What each takes, by name; medians.
    """
    for run in sides.values():
        run()
    rounds = [{name: took(run) for name, run in sides.items()} for _ in range(n_rounds)]
    return {name: Took(*np.median([r[name] for r in rounds], axis=0).tolist()) for name in sides}


def spent(command: Sequence[str], *, cwd: Path = ROOT) -> Spent:
    """Run a command in a process of its own.

    Args:
        command: Finds the package of this checkout, and the benchmarks, whatever is installed.
        cwd: Where it runs.

    Returns:
        Its time and its peak memory. A process inherits the peak of the one that starts it, so
        a benchmark that measures memory loads nothing large itself.

    Raises:
        RuntimeError: The command fails; what it said is in the message.
    """
    paths = f"{ROOT / 'src'}{os.pathsep}{ROOT / 'benchmarks'}"
    quiet = {"TQDM_DISABLE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "ITERATIVE_DO_NOT_TRACK": "1"}
    env = os.environ | quiet | {"PYTHONPATH": paths}
    with tempfile.TemporaryFile("w+") as said:
        started = time.time()
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.time() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)[:200]}:\n{said.read()[-2000:]}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss: bytes or KiB
    return Spent(started, took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def apart(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Spent]:
    """Call a function of a benchmark in a process of its own.

    Args:
        function: At the top of its module; gives what JSON can hold.
        *arguments: What JSON can hold.

    Returns:
        What the function gives, and what its process took.

    Raises:
        RuntimeError: It fails.
    """
    module = Path(sys.modules[function.__module__].__file__ or "").stem
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        given = [module, function.__name__, json.dumps(arguments), str(out)]
        took = spent([sys.executable, "-c", _APART, *given])
        return json.loads(out.read_text()), took


def size(arguments: Sequence[str]) -> str:
    """Read how much is measured from a command line: "usual" where it says nothing.

    Args:
        arguments: What follows the name of the script.
    """
    chosen = arguments[0] if arguments else "usual"
    if chosen not in SIZES:
        raise SystemExit(f"the size must be one of {SIZES}. Got {chosen!r} instead.")
    return chosen
