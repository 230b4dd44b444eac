"""scoring.worker: what a worker compares, and the threads that it takes; test_cluster runs some."""

import ast
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.process import changed

from skinlesion.dataset import threads
from skinlesion.scoring import worker

pytestmark = pytest.mark.usefixtures("keras_started")


def test_a_module_has_the_hash_of_what_was_loaded_until_its_process_ends(tmp_path, monkeypatch):
    """A worker that outlives a change of the code still runs the old one."""
    module = ModuleType("skinlesion.scoring.changing")
    module.__file__ = str(tmp_path / "changing.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = []
    for text in ("1", "2"):
        (tmp_path / "changing.py").write_text(text)
        found.append(worker.needs([], [module.__name__]).code)

    assert found[0] == found[1]
    assert len(found[0][module.__name__]) == 64


def test_what_scores_and_explains_is_compared_and_nothing_else():
    found = worker.modules()

    assert {"skinlesion.errors", "skinlesion.network.backend", "skinlesion.scoring.worker"} <= {
        *found
    }
    rooms = {name.split(".")[1] for name in found}
    assert rooms <= {*worker._ROOMS, *worker._GROUND}


def imported(path: Path) -> set[Path]:
    """The modules of the package that a module imports."""
    found, package = set(), Path(worker.__file__).parents[1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skinlesion"):
            base = package.joinpath(*node.module.split(".")[1:])
            found |= {base.with_suffix(".py"), *(base / f"{a.name}.py" for a in node.names)}
    return {path for path in found if path.is_file()}


def test_what_is_sent_to_a_worker_stands_on_compared_rooms_only():
    """The table expert, say, is run by the process that starts the work."""
    package = Path(worker.__file__).parents[1]
    todo = {path for path in package.rglob("*.py") if "run.map(" in path.read_text()}
    assert {path.stem for path in todo} == {"predict", "branches", "occlusion"}
    seen: set[Path] = set()
    while todo:
        seen |= todo
        todo = {other for path in todo for other in imported(path)} - seen
    rooms = {path.relative_to(package).with_suffix("").parts[0] for path in seen}
    assert rooms <= {*worker._ROOMS, *worker._GROUND}
    assert {"dataset", "features", "network", "scoring"} <= rooms


@pytest.mark.parametrize(
    ("n_own", "n_here", "n_beside", "expected"),
    [(8, 8, 2, "4"), (8, 8, 3, "2"), (8, 8, 20, "1"), (3, 8, 2, "3")],
    ids=["half", "a third", "more workers than processors", "bound to some"],
)
def test_workers_of_a_host_divide_its_processors(monkeypatch, n_own, n_here, n_beside, expected):
    environment: dict[str, str] = {}
    given = changed(os, cpu_count=lambda: n_here, environ=environment)
    monkeypatch.setattr(threads, "n_cpus", lambda: n_own)
    monkeypatch.setattr(worker, "os", given)
    monkeypatch.setattr("dask.system.CPU_COUNT", n_here)
    worker._take_share(n_beside)

    assert environment[threads.THREADS] == expected


def test_a_worker_that_was_told_its_threads_keeps_them(monkeypatch):
    monkeypatch.setenv(threads.THREADS, "5")
    worker._take_share(1)

    assert os.environ[threads.THREADS] == "5"
