"""Say in a few lines what a run gave: its figures, where its report is, what to try next."""

from pathlib import Path

from skinlesion.evaluation.bootstrap import Interval
from skinlesion.reporting import formats
from skinlesion.reporting.details import Details
from skinlesion.reporting.measures import Scored

__all__ = ["text"]

DETAILS, REPORT = Path("metrics/details.json"), Path("metrics/report.html")
SETS = {"holdout": "Holdout", "oof": "Out of fold"}
NEXT = """\
What to try next, after `source .venv/bin/activate`:
  dvc exp run -S model.backbone=tiny     another run; back to this one by
                                         git restore params.yaml dvc.lock metrics && dvc checkout
  skinlesion experiments                 all runs, side by side
  skinlesion score --help                scores for the lesions of any challenge folder
Your own data, sweeps, several GPUs, a team: README.md."""


def text(folder: Path) -> str:
    """Return the summary of the last run.

    Args:
        folder: The root of the repository.

    Raises:
        InputError: There is no metrics/details.json, or it is malformed.
    """
    details = formats.load(folder / DETAILS, Details)
    parts = [_figures(SETS[name], scored, details) for name, scored in details.sets.items()]
    return "\n\n".join([*parts, _report(folder), NEXT])


def _figures(title: str, scored: Scored, details: Details) -> str:
    auc, pauc = (scored.ranking[name] for name in ("auc", "pauc"))
    confidence = f"{details.bootstrap.confidence:.0%} interval over patients"
    return (
        f"{title}: {scored.n_lesions:,} lesions of {scored.n_patients:,} patients, "
        f"{scored.n_positives:,} cancers ({confidence})\n"
        f"  AUC   {_interval(auc)}\n"
        f"  pAUC  {_interval(pauc)}, of at most {1 - details.min_tpr:.2g}"
    )


def _interval(found: Interval) -> str:
    value, low, high = (
        "?" if number is None else f"{number:.3f}"
        for number in (found["value"], found["low"], found["high"])
    )
    return f"{value} ({low} to {high})"


def _report(folder: Path) -> str:
    if (folder / REPORT).exists():
        return f"The report, one page for a browser: {REPORT}"
    return f"The report, {REPORT}, is not in this folder: `dvc pull` or `dvc repro` brings it."
