"""The commands `skinlesion sweep …`. Each imports what it needs: DVC takes a second to load."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from skinlesion.experiments.sweep import Results

__all__ = ["app"]

app = typer.Typer(
    help="Queue and compare a grid of experiments.",
    rich_markup_mode=None,
)

Metric = Annotated[str, typer.Option(help="Metric to sort by; higher is better.")]
Match = Annotated[str, typer.Option(help="Pattern of the names to take, such as 'mine_*'.")]
Rev = Annotated[str | None, typer.Option(help="Commit that was varied.  [default: HEAD]")]


@app.command(
    epilog="\b\nExample:\n"
    "  skinlesion sweep queue -S model.backbone=tiny -S 'augment.cutout.rate=0.0,0.5'\n"
    "  dvc queue start"
)
def queue(
    settings: Annotated[
        list[str],
        typer.Option(
            "-S", "--set-param", metavar="KEY=VALUES", help="As for `dvc exp run`; repeatable."
        ),
    ],
    prefix: Annotated[str, typer.Option(help="What each name begins with.")] = "",
    missing: Annotated[
        bool, typer.Option("--missing", help="Queue only combinations that do not exist yet.")
    ] = False,
) -> None:
    """Queue all combinations of a grid, each named by its settings."""
    from skinlesion.experiments import queueing

    found = queueing.queue(settings, prefix=prefix, only_missing=missing)
    for name in found.new:
        print(name)
    n_all = len(found.new) + found.n_existing
    print(f"queued {len(found.new)} experiments of {n_all}, {found.n_existing} exist already")


@app.command(epilog="\b\nExample:\n  skinlesion sweep table --match 'cutout-*'")
def table(metric: Metric = "oof.pauc", match: Match = "*", rev: Rev = None) -> None:
    """Print the finished experiments of a commit, best first."""
    from skinlesion.experiments import sweep

    results = _results(metric, match, rev)
    print(sweep.table(results))
    print(f"best by {results.metric}: {results.scores.index[0]}")
    for state, n in results.unfinished.items():
        print(f"without {results.metric}: {n} {state.lower()}")


@app.command(epilog="\b\nExample:\n  skinlesion sweep plot sweep.png")
def plot(
    png: Annotated[Path, typer.Argument(metavar="PNG", help="Picture to write.")],
    metric: Metric = "oof.pauc",
    match: Match = "*",
    rev: Rev = None,
) -> None:
    """Draw the finished experiments of a commit against the params that were varied."""
    from skinlesion.experiments import sweep_chart

    results = _results(metric, match, rev)
    sweep_chart.draw(results).savefig(png, format="png", metadata={"Software": None})
    print(f"{png}: {len(results.scores)} experiments, by {', '.join(results.shorts.values())}")


def _results(metric: str, match: str, rev: str | None) -> "Results":
    import dvc.api

    from skinlesion.experiments import queueing, repository, sweep

    with repository.opened():
        rows = dvc.api.exp_show(revs=rev)
    return sweep.read(rows, queueing.known(rev), metric=metric, match=match)
