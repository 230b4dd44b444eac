"""Charts of how well scores rank, how well probabilities fit, and how a network was trained."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.reporting import svg
from skinlesion.reporting.svg import ACCENT, DOTTED, INK, MUTED

__all__ = ["calibration", "precision_recall", "roc", "scores", "training"]

RARE = 0.02  # prevalence below which a linear axis of precision would show nothing
LOWEST = 1e-6  # probability at which a logarithmic axis ends


def roc(points: pd.DataFrame, *, min_tpr: float) -> str:
    """Draw a ROC curve with its band, and the area of the pAUC marked.

    Args:
        points: fpr, tpr, low and high, one row per point.
        min_tpr: Sensitivity above which the area counts, in [0, 1).
    """

    def draw(figure: Figure) -> None:
        axes = _unit_square(figure, "1 \N{MINUS SIGN} specificity", "sensitivity")
        axes.plot([0, 1], [0, 1], color=MUTED, lw=1, ls=DOTTED)
        axes.text(0.3, 0.28, "a random order", color=MUTED, va="top")
        x, y = points["fpr"], points["tpr"]
        above = (y >= min_tpr).to_numpy()
        axes.fill_between(x, y, min_tpr, above, interpolate=True, color=ACCENT, alpha=0.3, lw=0)
        axes.axhline(min_tpr, color=ACCENT, lw=1)
        label = f"the pAUC counts above {svg.percent(min_tpr)}"
        axes.text(0.99, min_tpr - 0.015, label, color=ACCENT, ha="right", va="top")
        _curve(axes, points)

    return svg.draw("ROC curve", draw)


def precision_recall(points: pd.DataFrame, *, prevalence: float) -> str:
    """Draw precision against sensitivity, logarithmically where positives are rare.

    Args:
        points: recall, precision, low and high, one row per point.
        prevalence: The precision of a random order, in (0, 1).
    """

    def draw(figure: Figure) -> None:
        axes = _unit_square(figure, "sensitivity (recall)", "precision")
        if prevalence < RARE:
            axes.set(yscale="log", ylim=(prevalence / 2, 1.1))
            svg.in_percent(axes.yaxis)
        axes.axhline(prevalence, color=MUTED, lw=1, ls=DOTTED)
        label = f"a random order: {svg.percent(prevalence)}"
        axes.annotate(label, (0, prevalence), (3, 3), textcoords="offset points", color=MUTED)
        _curve(axes, points)

    return svg.draw("precision and recall", draw)


def scores(bins: pd.DataFrame) -> str:
    """Draw where the scores of the two classes lie.

    Args:
        bins: score (log10, the middle of each bin), and the shares of positives and negatives.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        middle = bins["score"].to_numpy()
        half = (middle[-1] - middle[0]) / max(1, len(middle) - 1) / 2 or 0.5
        edges = np.append(middle - half, middle[-1] + half)
        classes = {"negatives": ("benign", MUTED), "positives": ("cancers", ACCENT)}
        for column, (label, colour) in classes.items():
            share = bins[column].to_numpy()
            axes.stairs(share, edges, color=colour, alpha=0.2, fill=True)
            axes.stairs(share, edges, color=colour, lw=1.5)
            top = middle[share.argmax()], share.max()
            axes.annotate(label, top, (0, 3), textcoords="offset points", color=colour, ha="center")
        axes.margins(y=0.12)
        axes.set(xlabel="score", ylabel="share of the class", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: svg.percent(10**x)))
        svg.in_percent(axes.yaxis)

    return svg.draw("scores of each class", draw, height_in=3.0)


def calibration(curves: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Draw probabilities against shares of positives, on the same logarithmic axes.

    A bin without positives has no place on them; its upper limit is drawn, open.

    Args:
        curves: By name, mean_score, prevalence, low and high, one row per bin.

    Returns:
        A chart by name.
    """
    shown = {name: _placed(table) for name, table in curves.items()}
    lowest = min(table[["mean_score", "y"]].min().min() for table in shown.values())
    limits = max(lowest, LOWEST) / 1.5, 1.2
    return {
        name: svg.draw(f"calibration {name}", partial(_calibration, bins=table, limits=limits))
        for name, table in shown.items()
    }


def training(
    epochs: Mapping[FoldSeed, pd.DataFrame], best: Mapping[FoldSeed, int]
) -> dict[FoldSeed, str]:
    """Draw the losses and the validation pAUC of each network, on the same axes.

    Args:
        epochs: By fold and seed, training and validation (losses) and pauc, one row per epoch.
        best: The best epoch of each, from 0.

    Returns:
        A chart of each.
    """
    every = pd.concat(epochs.values())
    limits = _padded(every[["training", "validation"]]), _padded(every[["pauc"]])
    return {
        one: svg.draw(
            f"training of {one}",
            partial(_training, epochs=table, best=best[one], limits=limits),
        )
        for one, table in epochs.items()
    }


def _curve(axes: Axes, points: pd.DataFrame) -> None:
    x, y = points.iloc[:, 0], points.iloc[:, 1]
    axes.fill_between(x, points["low"], points["high"], color=ACCENT, alpha=0.15, lw=0)
    axes.plot(x, y, color=ACCENT, lw=2)


def _placed(bins: pd.DataFrame) -> pd.DataFrame:
    upper = bins["high"].where(bins["high"] > 0, 1.0)  # of nothing known, 1
    return bins.assign(y=bins["prevalence"].where(bins["prevalence"] > 0, upper))


def _calibration(figure: Figure, *, bins: pd.DataFrame, limits: tuple[float, float]) -> None:
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
    axes.set(xlabel="mean probability given", ylabel="share that was cancer")
    axes.plot(limits, limits, color=MUTED, lw=1, ls=DOTTED)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=5))
        svg.in_percent(axis)
    bins = bins.assign(x=bins["mean_score"].clip(lower=LOWEST))
    some, none = bins[bins["prevalence"] > 0], bins[bins["prevalence"] == 0]
    axes.vlines(some["x"], some["low"].clip(lower=limits[0]), some["high"], color=ACCENT)
    axes.plot(some["x"], some["y"], "o", color=ACCENT)
    axes.vlines(none["x"], limits[0], none["y"], color=ACCENT, ls=DOTTED)
    axes.plot(none["x"], none["y"], "v", color=ACCENT, mfc="none")


def _training(
    figure: Figure, *, epochs: pd.DataFrame, best: int, limits: tuple[tuple[float, float], ...]
) -> None:
    above, below = figure.subplots(2, sharex=True)
    number = np.arange(1, 1 + len(epochs))
    for x, column, colour in [(0.0, "training", MUTED), (0.25, "validation", ACCENT)]:
        above.plot(number, epochs[column], ".-", color=colour)
        above.text(x, 1.03, column, color=colour, va="bottom", transform=above.transAxes)
    below.plot(number, epochs["pauc"], ".-", color=ACCENT)
    for axes in (above, below):
        axes.axvline(1 + best, color=INK, lw=0.8, ls=DOTTED)
    above.set(ylabel="loss", ylim=limits[0])
    below.set(ylabel="pAUC", ylim=limits[1], xlabel="epoch")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))


def _padded(values: pd.DataFrame) -> tuple[float, float]:
    low, high = float(values.min().min()), float(values.max().max())
    margin = 0.08 * (high - low) or 0.05
    return low - margin, high + margin


def _unit_square(figure: Figure, x: str, y: str) -> Axes:
    axes = figure.subplots()
    ticks = np.linspace(0, 1, 6)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=ticks, yticks=ticks, xlabel=x, ylabel=y)
    for axis in (axes.xaxis, axes.yaxis):
        svg.in_percent(axis)
    return axes
