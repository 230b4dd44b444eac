"""The commands `skinlesion compare` and `skinlesion experiments`, of runs that exist."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="\b\nExample:\n"
    "  skinlesion compare main learning-rate-0.001 --scores predictions/oof.csv"
)
def compare(
    first: Annotated[
        str,
        typer.Argument(
            metavar="FIRST", help="Experiment, branch, tag, commit or CSV file of scores."
        ),
    ],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="The same.")],
    scores: Annotated[
        Path, typer.Option(help="Where a run keeps its scores; to choose: predictions/oof.csv.")
    ] = Path("predictions/holdout.csv"),
) -> None:
    """Compare the pAUC and AUC of two runs.

    Shows the interval of the difference; patients are resampled in pairs. To choose among runs,
    compare out-of-fold scores; use the holdout once, for the run that was chosen.
    """
    from skinlesion import params
    from skinlesion.evaluation import bootstrap, comparison

    sampling = params.load("measure", bootstrap.Params)
    one, other = (comparison.read(run, scores) for run in (first, second))
    found = comparison.paired(one, other, sampling)
    print(comparison.summary(one, found, first=first, second=second))


@app.command(epilog="\b\nExample:\n  skinlesion experiments")
def experiments() -> None:
    """List experiments of all commits, newest first.

    Shows the params that differ from the commit, and the figures of holdout and out-of-fold
    lesions. Choose by out of fold; the holdout is for the run that was chosen.
    """
    from skinlesion.experiments import listing

    print(listing.table(listing.collect()))
