"""The report on a pull request: made, judged and posted.

    python scripts/pull_request.py report --base origin/main FOLDER
    python scripts/pull_request.py gate FOLDER
    python scripts/pull_request.py post REPORT_MD

`report` writes report.md, the curves and the full report into FOLDER. `gate` fails where it
found what stands in the way of a merge. `post` makes REPORT_MD a comment, or puts it in the
place of the last one. All run from the root of the repository; `gate` and `post` also where
nothing is installed, so what `report` needs is imported where it is used.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from skinlesion import errors
from skinlesion.experiments import forge

if TYPE_CHECKING:
    from skinlesion.evaluation import bootstrap
    from skinlesion.experiments.pull_request import Compared

HERE = Path()
SCORES_CSV = Path("predictions/holdout.csv")
REPORT_HTML = Path("metrics/report.html")
NO_CREDENTIALS = "this run has no credentials for the remote."


def report(folder: Path, base: str, remote: bool, address: str) -> None:
    """Write the report on the current commit."""
    from skinlesion import params
    from skinlesion.evaluation import bootstrap
    from skinlesion.experiments import changes, pull_request

    p = params.load("pull_request", pull_request.Params)
    sampling = params.load("measure", bootstrap.Params)
    before, after = changes.commits(base, HERE)
    folder.mkdir(parents=True, exist_ok=True)
    files, absent = _files(before, after, folder, remote)
    facts = pull_request.Facts(
        before=before,
        after=after,
        metrics=changes.metrics(before, after, HERE),
        params=changes.params(before, after, HERE),
        compared=_compared(before, after, sampling) if remote else NO_CREDENTIALS,
        confidence=sampling.confidence,
        stale=changes.stale(HERE),
        not_in_remote=changes.not_in_remote(HERE) if remote else None,
        graph=changes.graph(HERE),
        files=files,
        absent=absent,
        address=address,
    )
    found = pull_request.objections(facts, p)
    (folder / "report.md").write_text(pull_request.markdown(facts, p), encoding="utf-8")
    (folder / "gate.txt").write_text("".join(f"{sentence}\n" for sentence in found), "utf-8")
    print(f"report: {len(facts.metrics)} metrics, {len(files)} files, {len(found)} objections")


def _files(before: str, after: str, folder: Path, remote: bool) -> tuple[list[str], list[str]]:
    """Write the files beside the report: their names, and a sentence per one that cannot be had."""
    from skinlesion.experiments import changes, pictures

    if remote:
        pictures.fetch(before, after, HERE)
    drawn, absent = pictures.draw(before, after, folder, HERE)
    if not remote:
        return drawn, [f"{REPORT_HTML}: {NO_CREDENTIALS}", *absent]
    try:
        content = changes.read(REPORT_HTML.as_posix(), after, HERE)
    except errors.InputError as error:
        return drawn, [str(error), *absent]
    (folder / REPORT_HTML.name).write_bytes(content)
    return [REPORT_HTML.name, *drawn], absent


def _compared(before: str, after: str, p: "bootstrap.Params") -> "Compared | str":
    """The intervals of the differences; or why there are none, for the report to say so."""
    from skinlesion.evaluation import comparison

    try:
        first, second = (comparison.read(commit, SCORES_CSV) for commit in (before, after))
        return comparison.paired(first, second, p)
    except errors.InputError as error:
        return str(error)


def gate(folder: Path) -> None:
    """Fail where the report found what stands in the way of a merge."""
    try:
        found = (folder / "gate.txt").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise errors.InputError(f"{folder} must hold the gate.txt of a report. {error}") from None
    if found:
        raise errors.InputError(f"this pull request does not pass.\n{found}")
    print("gate: passed")


def post(report_md: Path) -> None:
    """Make a report a comment."""
    text = forge.read(report_md)
    where = forge.gitlab(os.environ) if "GITLAB_CI" in os.environ else forge.github(os.environ)
    if where is None:
        print("post: nothing, since the pull request is closed or has a newer commit")
    else:
        print(f"post: comment {forge.post(text, where)}")


def main() -> None:
    """Read the command line, and do as it says."""
    parser = argparse.ArgumentParser(description="The report on a pull request.")
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("report", help="write the report")
    made.add_argument("folder", type=Path, help="to write into")
    made.add_argument("--base", required=True, help="branch or commit to compare with")
    made.add_argument("--address", default="", help="where the files of FOLDER will be seen")
    made.add_argument(
        "--remote",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="use the DVC remote; --no-remote where there are no credentials for it",
    )
    made.set_defaults(run=report)
    judged = commands.add_parser("gate", help="fail where the report has objections")
    judged.add_argument("folder", type=Path, help="of the report")
    judged.set_defaults(run=gate)
    posted = commands.add_parser("post", help="write or update the comment")
    posted.add_argument("report_md", type=Path, help="what to post")
    posted.set_defaults(run=post)
    given = vars(parser.parse_args())
    given.pop("run")(**given)


if __name__ == "__main__":
    errors.run(main)
