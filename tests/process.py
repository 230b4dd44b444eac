"""Changes to the process, limited to one module or made in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENCE = 300  # seconds after which a test has failed; a busy machine takes its time


def changed(module: ModuleType, **attributes: Any) -> ModuleType:
    """A module with some of it changed, to be put in its place in one module of ours.

    monkeypatch.setattr(atomic, "os", changed(os, fsync=fails)) leaves the `os` of pytest alone.
    """
    copy = ModuleType(module.__name__)
    vars(copy).update(vars(module) | attributes)
    return copy


def python(code: str, *args: object, **variables: str) -> subprocess.CompletedProcess:
    """Run code in a process of its own, which may change what it wants of itself."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | variables,
        capture_output=True,
        text=True,
    )
