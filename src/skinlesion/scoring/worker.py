"""What runs on a worker of a Dask cluster.

Nothing here loads Keras before it must: a worker says in a sentence what it lacks, and takes its
share of the threads before TensorFlow counts the processors.
"""

import asyncio
import importlib
import os
import pickle
import platform
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.system
import distributed

from skinlesion.dataset import threads
from skinlesion.errors import InputError

if TYPE_CHECKING:
    from skinlesion.dataset import stores
    from skinlesion.scoring import executor

__all__ = ["Images", "Job", "Needs", "check", "modules", "needs", "run"]

# What a worker runs lies in these rooms, and on the ground.
_ROOMS = ("dataset", "features", "network", "shift", "scoring", "explanation")
_GROUND = ("errors", "metrics", "params", "quiet")
_PACKAGE = __name__.partition(".")[0]
_PACKAGES = ("distributed", "pandas")  # beside those that make pixels and scores
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Needs:
    """What must be the same in every process: hashes and versions, by name."""

    code: Mapping[str, str]  # sha256 of each module's file, as it was when it was first looked at
    packages: Mapping[str, str]
    models: Mapping[str, str]  # md5 of each model's folder, by its path


@dataclass(frozen=True)
class Job:
    """What pieces of one run have in common. Two of one token are equal."""

    token: str
    n_beside: Mapping[str, int] = field(compare=False)  # workers, by host
    plan: bytes = field(compare=False)  # an `executor.Plan`, pickled
    needs: Needs = field(compare=False)


@dataclass(frozen=True)
class Images:
    """A file or folder of tiles."""

    path: Path
    n_bytes: int | None  # of a file


async def check(job: Job, images: Images, dask_worker: distributed.Worker) -> tuple[str, str]:
    """Load the models, and compare what the worker has with what the job needs.

    Args:
        job: The job.
        images: The tiles that it reads.
        dask_worker: Given by Dask.

    Returns:
        A sentence for what is wrong, or ""; and the kind of machine.
    """
    return await asyncio.to_thread(_checked, job, images, dask_worker)


def run(job: Job, images: Images, work: bytes) -> tuple[Any, int]:
    """Run a function over a piece.

    Args:
        job: The job.
        images: The tiles.
        work: The function and its piece, pickled.

    Returns:
        What the function returns, and the number of steps done.

    Raises:
        InputError: The worker is not as the job needs it; or as for the function.
    """
    with _ONE_AT_A_TIME:
        models, store = _ready(job, images, distributed.get_worker())
        function, piece = pickle.loads(work)
        steps: list[int] = []
        return function(models, store, piece, steps.append), sum(steps)


def needs(models: Iterable[Path], modules: Iterable[str]) -> Needs:
    """Hash what must be the same in every process.

    Args:
        models: The folders of the models.
        modules: Names of modules; each is loaded.
    """
    identity = importlib.import_module("skinlesion.network.identity")
    python = {"python": platform.python_version()}
    others = {name: version(name) for name in _PACKAGES}
    return Needs(
        code={name: _source(name) for name in modules},
        packages=python | others | identity.versions(),
        models=identity.md5s(models),
    )


def modules() -> list[str]:
    """List the loaded modules that may have a part in what a worker does."""
    rooms = [f"{_PACKAGE}.{name}" for name in (*_ROOMS, *_GROUND)]
    of_rooms = (".".join(name.split(".")[:2]) for name in sys.modules)
    return sorted(n for n, room in zip(list(sys.modules), of_rooms, strict=True) if room in rooms)


def _checked(job: Job, images: Images, dask_worker: distributed.Worker) -> tuple[str, str]:
    try:
        with _ONE_AT_A_TIME:
            _ready(job, images, dask_worker)
    except InputError as error:
        return str(error), ""
    identity = importlib.import_module("skinlesion.network.identity")
    return "", ", ".join(identity.machine())


def _ready(
    job: Job, images: Images, worker: distributed.Worker
) -> tuple["executor.Models", "stores.Store"]:
    """Have the models and the tiles at hand, or say by the worker's name what is wrong."""
    try:
        return _models(job, worker), _store(job.token, images)
    except SystemExit as error:  # of `skinlesion.network`, where the backend is not installed
        found = str(error).removeprefix("error: ")
    except InputError as error:
        found = str(error)
    except (ImportError, AttributeError) as error:
        found = f"it must have the code of this process. {error}"
    raise InputError(f"worker {worker.address}: {found}") from None


@lru_cache(maxsize=1)
def _compared(job: Job) -> "executor.Models":
    """Compare what there is with what the job needs, once per job, and load the models."""
    folders = [Path(name) for name in job.needs.models]
    absent = [folder for folder in folders if not folder.is_dir()]
    if absent:
        raise InputError(f"{absent[0]} must be a folder that all workers see. There is none.")
    found = needs(folders, job.needs.code)
    differing = list(_differences(job.needs, found))
    if differing:
        raise InputError(f"it must have what this process has. Other {'; other '.join(differing)}.")
    return _loaded(job.plan, tuple(job.needs.models.values()))


@lru_cache(maxsize=1)
def _loaded(plan: bytes, models_md5: tuple[str, ...]) -> "executor.Models":
    """Load the models, once for all jobs that need the same ones."""
    unpickled: executor.Plan = pickle.loads(plan)
    return unpickled.load()


def _models(job: Job, worker: distributed.Worker) -> "executor.Models":
    if worker.state.nthreads != 1:
        raise InputError(
            f"it must have one thread: dask worker --nthreads 1. Got {worker.state.nthreads}."
        )
    _take_share(job.n_beside.get(worker.ip, 1))
    return _compared(job)


@lru_cache(maxsize=2)
def _store(token: str, images: Images) -> "stores.Store":
    """Open tiles, once per run: another run may find another file of that name."""
    module = importlib.import_module("skinlesion.dataset.stores")
    opened: stores.Store = module.open_store(images.path)
    n_bytes = images.path.stat().st_size if images.path.is_file() else None
    if n_bytes != images.n_bytes:
        raise InputError(
            f"{images.path} must be the same for all. Got {n_bytes} bytes, not {images.n_bytes}."
        )
    return opened


def _differences(wanted: Needs, found: Needs) -> Iterator[str]:
    for what in ("code", "packages", "models"):
        here, there = getattr(wanted, what), getattr(found, what)
        names = [name for name in here | there if here.get(name) != there.get(name)]
        if names and what == "packages":
            names = [f"{n} {there.get(n, 'none')} in place of {here.get(n, 'none')}" for n in names]
        if names:
            yield f"{what}: {', '.join(names)}"


def _take_share(n_beside: int) -> None:
    """Leave the other workers of the host their processors, if it was not told how many to use."""
    own = threads.n_cpus()
    if own == os.cpu_count():  # else it was bound to some, which are its own
        own = max(1, dask.system.CPU_COUNT // n_beside)
    os.environ.setdefault(threads.THREADS, str(own))


@cache
def _source(module: str) -> str:
    """Hash a module's file once: later it may be another one than the code that was loaded."""
    identity = importlib.import_module("skinlesion.network.identity")
    return str(identity.sha256(Path(importlib.import_module(module).__file__ or "")))
