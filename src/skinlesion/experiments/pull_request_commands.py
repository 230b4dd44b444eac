"""The commands `skinlesion pull-request …`. Each imports what it needs, as DVC is slow to load."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skinlesion.errors import InputError

if TYPE_CHECKING:
    from skinlesion.evaluation import bootstrap
    from skinlesion.experiments.pull_request import Compared

__all__ = ["app"]

HERE = Path()
SCORES_CSV = Path("calibrated/holdout.csv")
REPORT_HTML = Path("metrics/report.html")
ROC_CSV = "metrics/plots/holdout_roc.csv"
REPORT_MD = "report.md"
NO_CREDENTIALS = "this run has no credentials for the remote."

app = typer.Typer(
    help="Report what a pull request changes, and judge it. From the root of the repository.",
    rich_markup_mode=None,
)


@app.command(epilog="\b\nExample:\n  skinlesion pull-request report --base origin/main report")
def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write into.")],
    base: Annotated[str, typer.Option(help="Branch or commit to compare with.")],
    head: Annotated[str, typer.Option(help="Commit that the report names.")] = "HEAD",
    remote: Annotated[
        bool, typer.Option(help="Use the DVC remote, or do without credentials for it.")
    ] = True,
) -> None:
    """Write the report on the current commit.

    FOLDER gets report.md, gate.json, report.html and a picture of each curve.
    """
    from skinlesion import params
    from skinlesion.evaluation import bootstrap
    from skinlesion.experiments import (
        changes,
        checkout,
        pull_request,
        pull_request_text,
        stage_graph,
    )
    from skinlesion.experiments import gate as gates

    p = params.load("pull_request", pull_request.Params)
    sampling = params.load("measure", bootstrap.Params)
    before, after = checkout.commits(base, HERE)
    folder.mkdir(parents=True, exist_ok=True)
    files, absent = _files(before, after, folder, remote)
    facts = pull_request.Facts(
        before=before,
        head=checkout.commit(head, HERE),
        metrics=changes.metrics(before, after, HERE),
        params=changes.params(before, after, HERE),
        compared=_compared(before, after, sampling) if remote else NO_CREDENTIALS,
        confidence=sampling.confidence,
        roc=_roc(before, after),
        stale=checkout.stale(HERE),
        not_in_remote=checkout.not_in_remote(HERE) if remote else None,
        outs=changes.outs(before, after, HERE),
        graph=stage_graph.compare(*(stage_graph.read(c, HERE) for c in (before, after))),
        files=files,
        absent=absent,
    )
    found = pull_request.objections(facts, p)
    (folder / REPORT_MD).write_text(pull_request_text.markdown(facts, p), encoding="utf-8")
    gates.write(folder, pull_request.verdict(facts, p), found)
    print(f"report: {len(facts.metrics)} metrics, {len(files)} files, {len(found)} objections")


@app.command(
    epilog="\b\nExample:\n"
    "  skinlesion pull-request link report/report.md '*.png=https://example.org/{name}'"
)
def link(
    report_md: Annotated[
        Path, typer.Argument(metavar="REPORT_MD", help="A report; it is changed.")
    ],
    addresses: Annotated[
        list[str],
        typer.Argument(
            metavar="NAMES=ADDRESS...", help="Pattern of names; {name} stands for the name."
        ),
    ],
) -> None:
    """Link the files beside a report by their addresses.

    An address that is empty is left out.
    """
    from skinlesion.experiments import links

    text = report_md.read_text(encoding="utf-8")
    report_md.write_text(links.absolute(text, links.parse(addresses)), encoding="utf-8")


@app.command(epilog="\b\nExample:\n  skinlesion pull-request gate report")
def gate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a report.")],
) -> None:
    """Fail where a report found what stands in the way of a merge."""
    from skinlesion.experiments import gate as gates

    print(f"gate: {gates.passed(folder)}")


@app.command(
    epilog="\b\nExample:\n  skinlesion pull-request prepare report/report.md comment.md\n\n"
    "\b\nThe same where no package is installed:\n"
    "  PYTHONPATH=src python3 -m skinlesion.experiments.prepare report/report.md comment.md"
)
def prepare(
    report_md: Annotated[Path, typer.Argument(metavar="REPORT_MD", help="A report.")],
    comment_md: Annotated[Path, typer.Argument(metavar="COMMENT_MD", help="File to write.")],
) -> None:
    """Make of a report a comment that CML may post, and print where it goes.

    Runs in a job of GitHub or GitLab. Prints nothing where the pull request is closed or has a
    newer commit.
    """
    from skinlesion.experiments import prepare as preparing

    print(preparing.prepare(report_md, comment_md, os.environ))


def _files(before: str, after: str, folder: Path, remote: bool) -> tuple[list[str], list[str]]:
    """Write the files beside the report: their names, and a sentence per one that cannot be had."""
    from skinlesion.experiments import checkout, pictures

    if remote:
        pictures.fetch(before, after, HERE)
    drawn, absent = pictures.draw(before, after, folder, HERE)
    if not remote:
        return drawn, [f"{REPORT_HTML}: {NO_CREDENTIALS}", *absent]
    try:
        content = checkout.read(REPORT_HTML.as_posix(), after, HERE)
    except InputError as error:
        return drawn, [str(error), *absent]
    (folder / REPORT_HTML.name).write_bytes(content)
    return [REPORT_HTML.name, *drawn], absent


def _compared(before: str, after: str, p: "bootstrap.Params") -> "Compared | str":
    """The intervals of the differences; or why there are none, for the report to say so."""
    from skinlesion.evaluation import comparison, runs

    try:
        first, second = (runs.read(commit, SCORES_CSV) for commit in (before, after))
        return comparison.paired(first, second, p)
    except InputError as error:
        return str(error)


def _roc(before: str, after: str) -> str:
    """The ROC curves of both commits as a chart; "" where one is missing or is no such table."""
    from skinlesion.experiments import checkout, roc_chart

    try:
        return roc_chart.mermaid(*(checkout.read(ROC_CSV, c, HERE) for c in (before, after)))
    except InputError:
        return ""
