"""Whole runs of the stage `train` in processes of their own, for the tests of several modules."""

import contextlib
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from tests import test_stages
from tests.process import PATIENCE
from tests.test_stages import RAW, ROOT, command, write_params

from skinlesion.training import processes

STAGES = ("check", "split", "resample", "encode")
FAST = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # to compile
# Runs the stage that follows, and dies in the given epoch of the seed whose log lies in that
# folder: by a signal when its values have been logged, or of the first file that takes more than a
# few kB, half written.
DYING = """
import os, resource, runpy, signal, sys
from dvclive import Live

how, epoch, folder, sync = sys.argv.pop(1), int(sys.argv.pop(1)), sys.argv.pop(1), Live.sync

def dying(live):
    sync(live)
    is_now = live.step == epoch and live.dir.endswith(folder)
    if is_now and how == "logging":
        os.kill(os.getpid(), signal.SIGKILL)
    if is_now and how == "writing":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

Live.sync = dying
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def prepare(challenge: Path, folder: Path, **changes: dict) -> Path:
    """Put into a folder all that `train` reads."""
    shutil.copytree(challenge, folder / RAW)
    write_params(folder, **changes)
    with contextlib.chdir(folder):
        for name in STAGES:
            test_stages.run(name, *command(name))
    return folder


def remove_outs(folder: Path) -> None:
    """Remove what DVC removes before it runs the stage."""
    for out in ("models", "metrics/train"):
        shutil.rmtree(folder / out, ignore_errors=True)


def start(folder: Path, *prelude: str, **variables: str) -> subprocess.Popen:
    line = [sys.executable, *prelude, str(ROOT / "stages/train.py"), *command("train")]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    path = {"PYTHONPATH": str(ROOT / "src"), "XLA_FLAGS": FAST}
    env = test_stages.environment(folder) | path | variables
    return subprocess.Popen(line, cwd=folder, env=env, **given)


def finished(process: subprocess.Popen) -> tuple[str, str]:
    """What a process printed on stdout and on stderr; it must end well."""
    out, err = process.communicate(timeout=3 * PATIENCE)
    assert process.returncode == 0, err
    return out, err


def hosts(n_processes: int) -> list[dict[str, str]]:
    """The environment of each process; the first listens on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return [
        dict(zip(processes.NAMES, (address, str(n_processes), str(process)), strict=True))
        for process in range(n_processes)
    ]


def written(folder: Path) -> dict[str, bytes]:
    """All that the stage has written, by its place."""
    paths = [*folder.glob("models/**/*"), *folder.glob("metrics/train/**/*")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths if p.is_file()}


def kept(folder: Path) -> list[str]:
    """The endings of what lies in `checkpoints`."""
    return sorted(path.suffix for path in (folder / "checkpoints").iterdir())
