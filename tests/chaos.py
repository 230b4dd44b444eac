"""Kill `dvc repro`, `dvc push` and `dvc pull` at random moments; the outs must agree in the end.

    python -m tests.chaos [KILLS] [SEED]

On a small project, with kill -9 of all processes of a command. A killed command is given again,
with no other remedy, until it was killed KILLS times in all; each time that it comes to its end,
dvc.lock and all outs are compared with those of a run that nobody killed. Prints a line for each
command, for docs/results.md.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests import test_stages
from tests.test_stages import ROOT

PUSHED = "skinlesion-dvc-remote"  # beside the project: .dvc/config


def project(folder: Path) -> Path:
    """Make a git repository of the project with small params."""
    for name in ("src", "stages"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("dvc.yaml", ".gitignore", ".dvcignore", ".dvc/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    test_stages.write_params(folder)
    run(folder, "git init --quiet --initial-branch main")
    run(folder, test_stages.COMMIT)
    return folder


def run(folder: Path, line: str) -> float:
    """Run a command to its end; return how long it took, in seconds."""
    begin = time.monotonic()
    ran = test_stages.shell(folder, line)
    if ran.returncode:
        raise SystemExit(f"chaos: {line} in {folder} failed:\n{ran.stdout}\n{ran.stderr}")
    return time.monotonic() - begin


def killed(folder: Path, line: str, after_s: float) -> bool:
    """Run a command, and kill it with all its processes; False where it had come to its end."""
    given = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    environment = test_stages.environment(folder)
    with subprocess.Popen(
        line.split(), cwd=folder, env=environment, start_new_session=True, **given
    ) as process:
        try:
            _, said = process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return True
    if process.returncode:
        raise SystemExit(f"chaos: after a kill, {line} in {folder} fails:\n{said}")
    return False


def outs(folder: Path) -> dict[str, bytes]:
    """The bytes of dvc.lock and of each out, by their place."""
    listed = test_stages.shell(folder, "dvc ls . --dvc-only --recursive --json").stdout
    names = ["dvc.lock", *(entry["path"] for entry in json.loads(listed) if not entry["isdir"])]
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def attack(
    folder: Path, line: str, *, n_kills: int, undo: Callable[[], None], check: Callable[[], None]
) -> None:
    """Kill a command at moments between its begin and its end.

    Args:
        folder: Where it runs.
        line: The command.
        n_kills: How often.
        undo: Takes back all that it did.
        check: Fails where its result is not whole.
    """
    undo()
    took, n_killed, n_ends = run(folder, line), 0, 1
    check()
    undo()
    while n_killed < n_kills:
        # What is done stays done, so that a command comes to its end after a few kills.
        if killed(folder, line, random.uniform(0.05, 0.7) * took):
            n_killed += 1
            continue
        check()
        n_ends += 1
        undo()
    run(folder, line)
    check()
    print(f"chaos: {line}: killed {n_killed} times, came {n_ends + 1} times to the same end")


def remove(*places: Path) -> None:
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
        place.unlink(missing_ok=True)


def main(n_kills: int, seed: int) -> None:
    random.seed(seed)
    print(f"chaos: {n_kills} kills of each command, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = project(Path(scratch, "project"))
        run(folder, "dvc repro")
        expected, (remote, clone) = outs(folder), (Path(scratch, PUSHED), Path(scratch, "clone"))
        run(folder, test_stages.COMMIT)

        def compare(place: Path) -> None:
            found = outs(place)
            wrong = [name for name in expected | found if expected.get(name) != found.get(name)]
            if wrong:
                raise SystemExit(f"chaos: not as after a run that nobody killed: {wrong}")

        def pushed() -> None:
            remove(clone)
            run(clone.parent, f"git clone --quiet {folder} {clone}")
            run(clone, "dvc pull")
            compare(clone)

        def afresh() -> None:
            names = {Path(name).parts[0] for name in expected}
            remove(*(folder / name for name in names), folder / ".dvc/cache", folder / ".dvc/tmp")

        def unpulled() -> None:
            remove(clone)
            run(clone.parent, f"git clone --quiet {folder} {clone}")

        common = {"n_kills": n_kills}
        # DVC's index of what lies in a remote would outlive it.
        unpushed = partial(remove, remote, Path(scratch, "site"))
        attack(folder, "dvc push", undo=unpushed, check=pushed, **common)
        attack(clone, "dvc pull", undo=unpulled, check=lambda: compare(clone), **common)
        attack(folder, "dvc repro", undo=afresh, check=lambda: compare(folder), **common)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(given[0] if given else 30, given[1] if given[1:] else int(time.time()))
