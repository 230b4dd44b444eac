"""The commands `skinlesion compare` and `skinlesion experiments`, of runs that exist."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="\b\nExample:\n  skinlesion compare main learning-rate-0.001 --scores calibrated/oof.csv"
)
def compare(
    first: Annotated[
        str,
        typer.Argument(
            metavar="FIRST",
            help="Experiment, branch, tag, commit or CSV file of scores; or several: a,b.",
        ),
    ],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="The same.")],
    scores: Annotated[
        Path, typer.Option(help="Where a run keeps its scores; to choose: calibrated/oof.csv.")
    ] = Path("calibrated/holdout.csv"),
) -> None:
    """Compare two runs, or two recipes of which each was trained several times.

    Shows the intervals of the differences; patients are resampled in pairs. Several trainings,
    with commas between, are compared by the mean of their logits, and in pairs: name the seeds of
    both sides in the same order. Out-of-fold scores of several folds, or several trainings, also
    give the interval over trainings. To choose among runs, compare out-of-fold scores; use the
    holdout once, for the run that was chosen.
    """
    from skinlesion import params
    from skinlesion.evaluation import bootstrap, measurement, recipes

    blocks = recipes.Blocks(
        measure=params.load("measure", bootstrap.Params),
        evaluate=params.load("evaluate", measurement.Params),
    )
    pairs = recipes.read(first.split(","), second.split(","), scores)
    print(recipes.text(pairs, blocks, first=first, second=second))


@app.command(epilog="\b\nExample:\n  skinlesion experiments")
def experiments() -> None:
    """List experiments of all commits, newest first.

    Shows the params that differ from the commit, and the figures of holdout and out-of-fold
    lesions. Choose by out of fold; the holdout is for the run that was chosen.
    """
    from skinlesion.experiments import listing

    print(listing.table(listing.collect()))
