"""How many processors and threads this process may use."""

import os

__all__ = ["n_cpus", "n_threads"]

THREADS = "TF_NUM_INTRAOP_THREADS"


def n_threads() -> int:
    """Count the threads that may compute at once in this process.

    As many as TensorFlow was told to use, so that processes which share a host leave each other
    room; else one per processor.
    """
    told = os.environ.get(THREADS, "")
    return int(told) if told.isdecimal() and int(told) > 0 else n_cpus()


def n_cpus() -> int:
    """Count the processors that the system lets this process have."""
    affine = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(affine(0)) if affine else os.cpu_count() or 1
