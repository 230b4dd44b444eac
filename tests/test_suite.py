"""The suite itself: no test changes the process that pytest and the other tests run in."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests import conftest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))
# What takes effect in the whole process. What monkeypatch and contextlib do, they undo. Strings
# are programs for processes of their own.
CALLS = {
    *("resource.setrlimit", "signal.signal", "signal.pthread_kill", "os.umask", "os.chdir"),
    *("os.putenv", "os.unsetenv", "os.fork", "os.nice", "os.setpgrp", "os.setsid"),
    *("os.environ.update", "os.environ.pop", "os.environ.setdefault", "os.environ.clear"),
}
ENVIRONMENT = {"conftest.py"}  # before TensorFlow is imported


def changes(program: str) -> Iterator[str]:
    """What a program changes in its process."""
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            first = ast.unparse(node.args[0]).strip("'") if node.args else ""
            patched = called.endswith(".setattr") and first.partition(".")[0] == "os"
            yield from [called] * (called in CALLS or patched)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
            targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
            yield from (t for t in map(ast.unparse, targets) if t.startswith("os.environ"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_no_test_changes_its_own_process(path):
    if path.name not in ENVIRONMENT:
        assert list(changes(path.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))",
        "signal.signal(signal.SIGINT, f)",
        "os.umask(0)",
        "os.chdir(folder)",
        "os.environ['A'] = 'b'",
        "os.environ |= {'A': 'b'}",
        "os.environ.pop('A')",
        "monkeypatch.setattr('os.fsync', f)",
        "monkeypatch.setattr(os, 'fsync', f)",
    ],
)
def test_what_changes_a_process_is_seen(line):
    assert len(list(changes(line))) == 1


# === What begins ===


def test_the_files_that_begin_are_there():
    assert set(conftest.LONGEST) <= {path.relative_to(TESTS).as_posix() for path in FILES}


def test_the_longest_files_begin_in_their_order_and_the_others_stay_as_they_were():
    names = ["test_cli.py", "test_stages.py", "a/test_stages.py", conftest.LONGEST[0]]
    items = [SimpleNamespace(path=TESTS / name) for name in names]
    conftest.pytest_collection_modifyitems(items)

    begin = [conftest.LONGEST[0], "test_stages.py", "test_cli.py", "a/test_stages.py"]
    assert [item.path.relative_to(TESTS).as_posix() for item in items] == begin
