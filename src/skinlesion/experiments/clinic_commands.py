"""The command `skinlesion clinics`. It imports what it needs: DVC takes a second to load."""

from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog="\b\nExample:\n"
    "  skinlesion clinics attribution\n"
    "\b\nIn two runs:\n"
    "  dvc exp run -n patients -S split.train_folds=[0,1,2,3,4]\n"
    "  dvc exp run $(skinlesion clinics attribution --against patients)"
)
def clinics(
    column: Annotated[
        str, typer.Argument(metavar="COLUMN", help="Of the training table, such as attribution.")
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Experiment or commit under patient folds, to compare with."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "-S", "--set-param", metavar="KEY=VALUE", help="As for `dvc exp run`; repeatable."
        ),
    ] = None,
) -> None:
    """Show which folds a column of clinics gives, as arguments of `dvc exp run`.

    Each clinic is left out in turn, so that the report can say how the model does in a clinic that
    it never saw; and, against a run whose folds are of patients, how much that costs. The
    arguments go to stdout, what each fold holds to stderr.
    """
    from skinlesion.experiments import clinic_folds
    from skinlesion.preparation import clinics as folds

    found = clinic_folds.find(column, settings or [])
    typer.echo(folds.summary(found.names, found.names.to_leave_out()), err=True)
    print(clinic_folds.arguments(found, against=against))
