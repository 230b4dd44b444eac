"""Queue a sweep with names one can read, and compare what came of it.

    python scripts/sweep.py queue -S 'augment.cutout.rate=0.0,0.5' [-S ...] [--prefix P] [--missing]
    python scripts/sweep.py table [--metric oof.pauc] [--match '*'] [--rev HEAD]
    python scripts/sweep.py plot PNG [--metric oof.pauc] [--match '*'] [--rev HEAD]

Run it beside params.yaml. docs/sweeps.md shows it with the commands of DVC around it.
"""

import argparse
import os
from itertools import chain
from pathlib import Path
from typing import Any

import dvc.api
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.flatten import flatten

from skinlesion import errors
from skinlesion.experiments import sweep


def queue(args: argparse.Namespace) -> None:
    """Queue the combinations of a grid: all of them, or those that are not there yet."""
    named = sweep.named(args.set, _known(), prefix=args.prefix)
    with Repo() as repo:
        states = {name: state for name, state in _states(repo).items() if name in named}
        _require_no_dead([name for name, state in states.items() if state == "dead"])
        if states and not args.missing:
            there = "".join(f"\n  {name} ({states[name]})" for name in named if name in states)
            raise errors.InputError(f"each experiment must be new, or --missing given. Got:{there}")
        new = [name for name in named if name not in states]
        for name in new:
            repo.experiments.run(queue=True, name=name, params=named[name])
            print(name)
    print(f"queued {len(new)} experiments of {len(named)}, {len(states)} are there already")


def table(args: argparse.Namespace) -> None:
    """Print the finished experiments, best first."""
    results = _results(args)
    print(sweep.table(results))
    print(f"best by {results.metric}: {results.scores.index[0]}")
    for state, n in results.unfinished.items():
        print(f"without {results.metric}: {n} {state.lower()}")


def plot(args: argparse.Namespace) -> None:
    """Draw the finished experiments against their settings."""
    results = _results(args)
    sweep.draw(results).savefig(args.png, metadata={"Software": None})
    print(f"{args.png}: {len(results.scores)} experiments, by {', '.join(results.shorts.values())}")


def _known(rev: str | None = None) -> list[str]:
    return list(flatten(dvc.api.params_show("params.yaml", rev=rev)))


def _results(args: argparse.Namespace) -> sweep.Results:
    rows = dvc.api.exp_show(revs=args.rev)
    return sweep.read(rows, _known(args.rev), metric=args.metric, match=args.match)


def _states(repo: Repo) -> dict[str, str]:
    """Say which experiments of this commit are done, queued, running or dead; not the failed."""
    tasks, rev = repo.experiments.celery_queue, repo.scm.get_rev()
    states = {name: "done" for name, _ in repo.experiments.ls(rev=rev)[rev]}
    queued = ((entry, "queued") for entry in tasks.iter_queued())
    active = ((e, "dead" if _died(tasks, e.stash_rev) else "running") for e in tasks.iter_active())
    return states | {e.name: state for e, state in chain(queued, active) if e.baseline_rev == rev}


def _died(tasks: Any, task: str) -> bool:
    # DVC takes a task for running until its worker says otherwise, even where that was killed.
    process = tasks.proc.get(task)
    if process is None or process.returncode is not None:  # about to start, or to be collected
        return False
    try:
        os.kill(process.pid, 0)  # asks only
    except ProcessLookupError:
        return True
    return False


def _require_no_dead(names: list[str]) -> None:
    if names:
        raise errors.InputError(
            "what DVC takes for running must run. The process of these was killed; mark them as "
            f"failed, then queue with --missing:\n  dvc queue kill {' '.join(names)}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--metric", default="oof.pauc", help="higher is better")
    which.add_argument("--match", default="*", help="experiments to take: a pattern of names")
    which.add_argument("--rev", help="the commit that was varied, if not HEAD")

    command = commands.add_parser("queue", help=queue.__doc__)
    command.set_defaults(run=queue)
    command.add_argument(
        "-S", dest="set", action="append", required=True, metavar="KEY=VALUES", help="as for DVC"
    )
    command.add_argument("--prefix", default="", help="begin each name with it")
    command.add_argument("--missing", action="store_true", help="skip what is there")

    command = commands.add_parser("table", help=table.__doc__, parents=[which])
    command.set_defaults(run=table)

    command = commands.add_parser("plot", help=plot.__doc__, parents=[which])
    command.set_defaults(run=plot)
    command.add_argument("png", type=Path, help="the file to write")
    return parser


def main() -> None:
    """Do what the command line says."""
    args = _parser().parse_args()
    try:
        args.run(args)
    except DvcException as error:
        raise errors.InputError(str(error)) from None


if __name__ == "__main__":
    errors.run(main)
