"""Charts of what a score is of use for: the look budget, and the net benefit."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from skinlesion.reporting import svg
from skinlesion.reporting.measures import Scored
from skinlesion.reporting.svg import ACCENT, DOTTED, INK, MUTED

__all__ = ["both", "look_budget", "net_benefit"]

DASHED = (0, (5, 2))
BUDGETS = (1, 2, 5, 10, 20, 50)
BELOW = 0.2  # of the net benefit's axis that is below 0


def both(curves: Mapping[str, pd.DataFrame], shown: Scored) -> dict[str, str]:
    """Draw the curves of a set of scored lesions.

    Args:
        curves: Its look_budget and net_benefit, as stage `evaluate` writes them.
        shown: What was measured on it.

    Returns:
        A chart by the name of its curve.
    """
    threshold = shown.cost.threshold if shown.cost else None
    return {
        "look_budget": look_budget(curves["look_budget"]),
        "net_benefit": net_benefit(curves["net_benefit"], threshold=threshold),
    }


def look_budget(points: pd.DataFrame) -> str:
    """Draw the sensitivity against the lesions looked at per patient.

    Args:
        points: n, sensitivity with low and high, and of further orders alone, baseline and
            random; one row per n. What is not known is not drawn.
    """
    lines: dict[str, tuple[str, dict[str, Any]]] = {
        "sensitivity": ("the model", {"color": ACCENT, "lw": 2}),
        "alone": ("each lesion alone", {"color": ACCENT, "lw": 1, "ls": DASHED}),
        "baseline": ("the baseline", {"color": MUTED, "lw": 1.5}),
        "random": ("a random order", {"color": MUTED, "lw": 1, "ls": DOTTED}),
    }

    def draw(figure: Figure) -> None:
        axes, n = figure.subplots(), points["n"]
        axes.fill_between(n, points["low"], points["high"], color=ACCENT, alpha=0.15, lw=0)
        for column, (label, options) in lines.items():
            if points[column].notna().any():
                axes.plot(n, points[column], label=label, **options)
        axes.set(xscale="log", xlim=(1, n.max()), ylim=(0, 1))
        axes.set(xlabel="lesions looked at per patient", ylabel="share of a patient's cancers")
        axes.xaxis.set_major_locator(FixedLocator(BUDGETS))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        svg.in_percent(axes.yaxis)
        figure.legend(loc="outside upper left", ncols=2, frameon=False)

    return svg.draw("look budget", draw)


def net_benefit(points: pd.DataFrame, *, threshold: float | None) -> str:
    """Draw the net benefit against the threshold, per 1,000 lesions.

    Args:
        points: threshold, net_benefit with low and high, examine_all and examine_none; one row
            per threshold.
        threshold: One to be marked; None, or one off the axis, is not.
    """
    lines: dict[str, tuple[str, dict[str, Any]]] = {
        "net_benefit": ("by the model", {"color": ACCENT, "lw": 2}),
        "examine_all": ("examining all", {"color": MUTED, "lw": 1.5}),
        "examine_none": ("examining none", {"color": MUTED, "lw": 1, "ls": DOTTED}),
    }

    def draw(figure: Figure) -> None:
        axes, x = figure.subplots(), points["threshold"]
        per_1000 = 1000 * points.drop(columns="threshold")
        axes.fill_between(x, per_1000["low"], per_1000["high"], color=ACCENT, alpha=0.15, lw=0)
        for column, (label, options) in lines.items():
            axes.plot(x, per_1000[column], label=label, **options)
        if threshold is not None and x.min() <= threshold <= x.max():
            axes.axvline(threshold, color=INK, lw=0.8, ls=DOTTED)
        top = 1.05 * per_1000[["high", *lines]].max().max() or 1.0
        axes.set(xscale="log", xlim=(x.min(), x.max()), ylim=(-BELOW * top, top))
        axes.set(xlabel="threshold", ylabel="net benefit per 1,000 lesions")
        axes.xaxis.set_major_locator(LogLocator(numticks=5))
        svg.in_percent(axes.xaxis)
        figure.legend(loc="outside upper left", ncols=2, frameon=False)

    return svg.draw("net benefit", draw)
