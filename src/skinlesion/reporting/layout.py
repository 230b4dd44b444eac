"""The report as one HTML page, without script or outside file."""

import math
from collections.abc import Iterable, Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined

from skinlesion.evaluation import comparison
from skinlesion.evaluation.bootstrap import Interval
from skinlesion.reporting import charts, clinics, statements, svg, usefulness_charts
from skinlesion.reporting.inputs import Inputs
from skinlesion.reporting.measures import Uncertainty

__all__ = ["mark", "number", "render", "typeset"]

DRAWN = "synthetic"  # the folder that stage `synthesize` draws
MAX_DECIMALS = 6


def render(inputs: Inputs) -> str:
    """Write the page.

    Args:
        inputs: What it shows. Text in it is shown as text, whatever it holds.

    Returns:
        HTML that needs no other file. The same inputs give the same bytes.
    """
    environment = Environment(
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined
    )
    compared = partial(comparison.verdict, first="sorting", second="the model")
    environment.filters |= {"number": number, "percent": svg.percent, "compared": compared}
    environment.filters["change"] = clinics.change
    environment.globals |= {"typeset": typeset, "mark": mark}
    shown = inputs.details.sets[inputs.details.primary]
    areas = [shown.ranking["auc"], *(group.auc for group in shown.subgroups.groups)]
    return environment.get_template("template.html").render(
        vars(inputs),
        style=_text("style.css"),
        said=statements,
        charts=_charts(inputs),
        drawn=Path(inputs.raw).name == DRAWN,
        shown=shown,
        groups=_by("attribute", map(vars, shown.subgroups.groups)),
        tiles=_by("kind", inputs.gallery),
        auc_limits=_limits(areas, 0.5, 1),
        clinic_limits=_clinic_limits(inputs),
        loss_limits=_loss_limits(shown.uncertainty),
        drop_limits={area: _limits(_drops(inputs, area), 0) for area in ("pauc", "auc")},
    )


def number(value: float) -> str:
    """Write a number with three significant digits, or all of its integer part.

    Args:
        value: Finite.
    """
    return _fixed(value, _decimals(value))


def typeset(interval: Interval, scale: float | None = None) -> tuple[str, str]:
    """Write a value and its limits, to the same number of decimals.

    Args:
        interval: value, low and high.
        scale: A number whose decimals these get, so that a column agrees; None takes the
            largest of the three.

    Returns:
        The value, and the limits with a dash between, or "to" where one is negative. What is
        not defined is said to be so.
    """
    value, low, high = (interval[k] for k in ("value", "low", "high"))
    if value is None:
        return "not defined", ""
    if low is None or high is None:
        return _fixed(value, _decimals(scale or value)), "no interval"
    largest = max(abs(value), abs(low), abs(high))
    decimals = _decimals(scale if scale and largest else largest)
    limits = _fixed(low, decimals), _fixed(high, decimals)
    return _fixed(value, decimals), (" to " if low < 0 else "\N{EN DASH}").join(limits)


def mark(interval: Interval, limits: tuple[float, float], reference: float | None) -> str:
    """Draw one estimate and its interval, to be set into a row of a table.

    Args:
        interval: value, low and high; what is None is not drawn.
        limits: Of the axis. What lies beyond is drawn at its end.
        reference: Where a thin line goes, from row to row; None for no line.

    Returns:
        An SVG as wide and as high as its cell.
    """
    places = np.array([reference, *(interval[k] for k in ("value", "low", "high"))], np.float64)
    shares = 100 * np.clip((places - limits[0]) / (limits[1] - limits[0]), 0, 1)
    line, value, low, high = (None if np.isnan(x) else f"{x:.2f}%" for x in shares)
    parts = [
        f'<line class="reference" x1="{line}" x2="{line}" y1="0" y2="100%"/>' if line else "",
        f'<line x1="{low}" x2="{high}" y1="50%" y2="50%"/>' if low and high else "",
        f'<circle cx="{value}" cy="50%" r="4"/>' if value else "",
    ]
    return f'<svg class="mark" aria-hidden="true">{"".join(parts)}</svg>'


def _decimals(value: float) -> int:
    if not value:
        return 0
    # 1 counts as just below it, so that a rate's upper limit is 1.000 beside 0.872.
    exponent = -1 if abs(value) == 1 else math.floor(math.log10(abs(value)))
    return min(max(2 - exponent, 0), MAX_DECIMALS)


def _fixed(value: float, decimals: int) -> str:
    rounded = round(value, decimals) + 0.0  # no negative zero
    return f"{rounded:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _clinic_limits(inputs: Inputs) -> dict[str, tuple[float, float]]:
    shown = clinics.intervals(inputs.details.clinics)
    return {"auc": _limits(shown["auc"], 0.5, 1), "difference": _limits(shown["difference"], 0)}


def _text(name: str) -> str:
    """Read a file that lies beside this module."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _by(key: str, records: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        groups.setdefault(record[key], []).append(record)
    return groups


def _drops(inputs: Inputs, area: str) -> list[Interval]:
    rows = [*inputs.importance, *inputs.table_importance]
    return [row[permuted][area] for row in rows for permuted in ("across", "within")]


def _loss_limits(found: Uncertainty | None) -> dict[str, tuple[float, float]]:
    bins = found.errors.bins if found else []
    names = ("loss", "excess") if bins else ()
    return {name: _limits([getattr(b, name) for b in bins], 0) for name in names}


def _limits(intervals: Iterable[Interval], *inside: float) -> tuple[float, float]:
    """Limits of an axis that hold all of these, in steps of half a power of ten."""
    values = [v for i in intervals for v in i.values() if v is not None] + list(inside)
    low, high = min(values), max(values)
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-6))) / 2
    steps = math.floor(round(low / step, 6)), math.ceil(round(high / step, 6))
    return steps[0] * step, max(steps[1], steps[0] + 1) * step


def _charts(inputs: Inputs) -> dict[str, Any]:
    curves, details = inputs.curves, inputs.details
    prevalence = details.sets[details.primary].prevalence
    return {
        "roc": charts.roc(curves["roc"], min_tpr=details.min_tpr),
        "precision_recall": charts.precision_recall(
            curves["precision_recall"], prevalence=prevalence
        ),
        "scores": charts.scores(curves["scores"]),
        "calibration": charts.calibration(
            {"before": curves["calibration_before"], "after": curves["calibration"]}
        ),
        **usefulness_charts.both(curves, details.sets[details.primary]),
        "training": charts.training(
            {k: fold.epochs for k, fold in inputs.folds.items()},
            {k: fold.facts.best_epoch for k, fold in inputs.folds.items()},
        ),
    }
