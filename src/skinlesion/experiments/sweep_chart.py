"""Draw the finished experiments of a sweep against the params that were varied."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skinlesion.errors import InputError
from skinlesion.experiments.sweep import Results, cut, wrapped

__all__ = ["draw"]

BLUE, ORANGE, GREY = "#4477aa", "#ee7733", "#777777"


def draw(results: Results) -> Figure:
    """Draw the metric against each swept param: a panel per param, a dot per experiment.

    Args:
        results: From `read`. The best experiment is marked in every panel.

    Raises:
        InputError: No param was swept.
    """
    if not results.shorts:
        raise InputError("the experiments must differ in a param. They differ in none.")
    n_panels, best = len(results.shorts), results.scores.index[0]
    figure = Figure(figsize=(max(9, 1.5 + 3 * n_panels), 6), dpi=150, layout="constrained")
    panels = figure.subplots(1, n_panels, sharey=True, squeeze=False)[0]
    for axes, (key, title) in zip(panels, results.shorts.items(), strict=True):
        _panel(axes, results.scores, key)
        for name, value in results.baseline["value"].items():
            label = textwrap.fill(cut(str(name), 60), 20)
            axes.axhline(value, color=GREY, linestyle="--", label=label)
        axes.set_xlabel("\n".join(wrapped(title, 24)), fontsize=13)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel(results.metric, fontsize=13)
    figure.align_xlabels()
    title = f"{len(results.scores)} experiments. Best by {results.metric}:"
    lines = textwrap.wrap(best, 30 * n_panels + 20, break_on_hyphens=False)
    figure.suptitle("\n".join([title, *lines]), x=0.01, ha="left", fontsize=13)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=5, frameon=False, fontsize=11)
    return figure


def _panel(axes: Axes, scores: pd.DataFrame, key: str) -> None:
    values = sorted(scores[key].unique(), key=_order)
    groups = scores.groupby(key)["value"]
    # The experiments of a value stand side by side, the best on the right.
    n = groups.transform("size")
    x = scores[key].map(values.index) + ((n - 1) / 2 - groups.cumcount()) / n.max() * 0.75
    if scores["low"].notna().any():
        axes.vlines(x, scores["low"], scores["high"], color=BLUE, alpha=0.4, label="interval")
    axes.scatter(x, scores["value"], s=36, color=BLUE, zorder=3, label="experiment")
    axes.scatter(x.iloc[:1], scores["value"].iloc[:1], s=90, color=ORANGE, zorder=4, label="best")
    at, means = np.arange(len(values)), groups.mean().where(groups.size() > 1)[values]
    if means.notna().any():
        axes.hlines(means, at - 0.42, at + 0.42, color="black", lw=2, label="mean at the value")
    all_numbers = not _order(values[-1])[0]
    at = at[:: 1 + len(values) // 9] if all_numbers else at
    labels = [cut(values[i], 20) for i in at]
    tilt = 30 if len("".join(labels)) > 22 else 0
    side = "right" if tilt else "center"
    axes.set_xticks(at, labels, fontsize=11, rotation=tilt, ha=side, rotation_mode="anchor")


def _order(value: str) -> tuple[bool, float, str]:
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value  # after the numbers
