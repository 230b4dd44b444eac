"""Kill `dvc repro`, `dvc push` and `dvc pull` at random moments; the outs must agree in the end.

    python -m tests.chaos [KILLS] [SEED]

On a small project, with kill -9 of all processes of a command. A killed command is given again,
after the one remedy of docs/sharing.md, until it was killed KILLS times in all. Each time that it
comes to its end, dvc.lock and all outs are compared with those of a run that nobody killed. Prints
a line for each kill, and one for each command, for docs/results.md. Ctrl-C ends it and whatever
it runs, and removes its folder.
"""

import contextlib
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

from ruamel.yaml import YAML
from tests import test_stages
from tests.test_stages import ROOT

REMEDY = "python -c 'from dvc.repo import Repo; Repo().drop_data_index()'"
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


def code(folder: Path, line: str, after_s: float | None = None) -> tuple[int, str]:
    """Run a command, and kill it with all its processes after so many seconds, or at Ctrl-C.

    Returns:
        Its exit code, below 0 where it was killed, and what it said.
    """
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment, said = test_stages.environment(folder), ""
    with subprocess.Popen(
        ["sh", "-c", line], cwd=folder, env=environment, start_new_session=True, **given
    ) as process:
        try:
            said, _ = process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):  # all have ended
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said


def run(folder: Path, line: str) -> float:
    """Run a command to its end; return how long it took, in seconds."""
    begin = time.monotonic()
    failed, said = code(folder, line)
    if failed:
        raise SystemExit(f"chaos: {line} in {folder} failed:\n{said}")
    return time.monotonic() - begin


def killed(folder: Path, line: str, after_s: float) -> bool:
    """Run a command, and kill it; False where it had come to its end.

    A killed push or pull leaves a half list of files in DVC's index, which the next one takes for
    the whole: docs/sharing.md has the remedy, which follows here.
    """
    # Not below a shell: DVC takes its lock for held until the killed process is waited for.
    failed, said = code(folder, f"exec {line}", after_s)
    if failed > 0:
        raise SystemExit(f"chaos: after a kill, {line} in {folder} fails:\n{said}")
    if failed:
        run(folder, REMEDY)
    return failed < 0


def outs(folder: Path) -> dict[str, bytes]:
    """The bytes of dvc.lock and of each file that lies where an out should, by their place."""
    stages = YAML(typ="safe").load(folder / "dvc.lock")["stages"].values()
    places = [folder / out["path"] for stage in stages for out in stage.get("outs", [])]
    files = [folder / "dvc.lock", *(f for place in places for f in (place, *place.rglob("*")))]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file()}


def compare(folder: Path, expected: dict[str, bytes]) -> None:
    """Fail where what lies in a folder is not what is expected, to the byte."""
    found = outs(folder)
    wrong = [name for name in expected | found if expected.get(name) != found.get(name)]
    if wrong:
        raise SystemExit(f"chaos: not as after a run that nobody killed: {wrong}")


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
        after_s = random.uniform(0.05, 0.7) * took
        if killed(folder, line, after_s):
            n_killed += 1
            print(f"chaos: {line}: kill {n_killed} of {n_kills}, {after_s:.1f} s after", flush=True)
            continue
        check()
        n_ends += 1
        undo()
    run(folder, line)
    check()
    ends = f"came {n_ends + 1} times to the same end"
    print(f"chaos: {line}: killed {n_killed} times, {ends}", flush=True)


def remove(*places: Path) -> None:
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
        place.unlink(missing_ok=True)


def attacks(scratch: Path, n_kills: int) -> None:
    """Kill each of the three commands, in a project that is run once before."""
    folder = project(scratch / "project")
    took = run(folder, "dvc repro")
    print(f"chaos: {took:.0f} s without a kill", flush=True)
    expected, (remote, clone) = outs(folder), (scratch / PUSHED, scratch / "clone")
    run(folder, test_stages.COMMIT)

    def pushed() -> None:
        unpulled()
        run(clone, "dvc pull")
        compare(clone, expected)

    def afresh() -> None:
        names = {Path(name).parts[0] for name in expected}
        remove(*(folder / name for name in names), folder / ".dvc/cache", folder / ".dvc/tmp")

    def unpulled() -> None:
        remove(clone)
        run(clone.parent, f"git clone --quiet {folder} {clone}")

    given = {"n_kills": n_kills}
    # DVC's index of what lies in a remote would outlive it.
    unpushed = partial(remove, remote, scratch / "site")
    attack(folder, "dvc push", undo=unpushed, check=pushed, **given)
    attack(clone, "dvc pull", undo=unpulled, check=partial(compare, clone, expected), **given)
    attack(folder, "dvc repro", undo=afresh, check=partial(compare, folder, expected), **given)


def main(n_kills: int, seed: int) -> None:
    random.seed(seed)
    print(f"chaos: {n_kills} kills of each command, seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        attacks(Path(scratch), n_kills)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    try:
        main(given[0] if given else 30, given[1] if given[1:] else int(time.time()))
    except KeyboardInterrupt:
        raise SystemExit("chaos: interrupted") from None
