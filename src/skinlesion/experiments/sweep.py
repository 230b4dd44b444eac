"""Read the finished experiments of a sweep, and set them out as a table."""

import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.errors import InputError
from skinlesion.experiments.names import short, shown
from skinlesion.params import nearest

__all__ = ["Results", "cut", "read", "table", "wrapped"]

SCORE = ["value", "low", "high"]


@dataclass(frozen=True)
class Results:
    """What the finished experiments of a sweep scored."""

    metric: str  # such as oof.pauc
    scores: pd.DataFrame  # value, low, high and the swept keys, by name; best first
    shorts: dict[str, str]  # the swept keys, and what they are called
    baseline: pd.DataFrame  # as scores: the commit that was varied, or no row
    unfinished: dict[str, int]  # experiments without the metric, by state


def read(
    rows: Sequence[Mapping[str, Any]], known: Sequence[str], *, metric: str, match: str = "*"
) -> Results:
    """Take the finished experiments from what `dvc.api.exp_show` returns.

    Args:
        rows: One per experiment or commit; the metric's interval is in metric_low, metric_high.
        known: The dotted keys of all params.
        metric: What is compared, such as "oof.pauc"; higher is better.
        match: Which experiments to take, by name; a pattern of a shell.

    Raises:
        InputError: No experiment that matches has the metric.
    """
    everything = _with_scores(pd.DataFrame(rows), metric)
    is_commit = everything["typ"] == "baseline"
    named = everything["Experiment"].map(lambda name: fnmatchcase(name, match))
    of_sweep = everything[~is_commit & named]
    done = of_sweep.dropna(subset="value").set_index("Experiment").sort_index()
    if done.empty:
        hint = "" if metric in everything else nearest(metric, everything.columns)
        raise InputError(
            f"an experiment of a name like {match!r} must have the metric {metric}. "
            f"Got {len(of_sweep)} experiments of this commit, none with it.{hint}"
        )
    done = done.sort_values("value", ascending=False, kind="stable")
    swept = [key for key in known if key in done and done[key].nunique() > 1]
    others = of_sweep[of_sweep["value"].isna() & ~of_sweep["Experiment"].isin(done.index)]
    return Results(
        metric,
        done[[*SCORE, *swept]],
        {key: short(key, known) for key in swept},
        _baseline(everything[is_commit], done, swept, known),
        dict(sorted(Counter(others["State"]).items())),
    )


def _with_scores(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    columns = [metric, f"{metric}_low", f"{metric}_high"]
    scores = table.reindex(columns=columns).apply(pd.to_numeric, errors="coerce")
    # DVC shows failed and running experiments with the metrics of the commit they started from.
    scores[table["State"].isin(["Queued", "Running", "Failed"])] = np.nan
    found: pd.DataFrame = scores.set_axis(SCORE, axis="columns").join(table.map(shown))
    return found


def _baseline(
    commits: pd.DataFrame, done: pd.DataFrame, swept: Sequence[str], known: Sequence[str]
) -> pd.DataFrame:
    """Return the row of the commit that was varied, named by what the whole sweep changed."""
    scored = commits[commits["rev"] != "workspace"].dropna(subset="value")[:1]
    fixed = [key for key in known if key in done and key not in swept]

    def name(row: pd.Series) -> str:
        changed = [key for key in fixed if row[key] != done[key].iloc[0]]
        return ", ".join(["baseline", *(f"{short(key, known)} {row[key]}" for key in changed)])

    named = {i: name(row) for i, row in scored.iterrows()}
    return scored.rename(index=named)[[*SCORE, *swept]]


def table(results: Results, *, width: int = 100) -> str:
    """Set out results as text: the metric with its interval, swept params, name; best first.

    Args:
        results: From `read`. The baseline, where it has the metric, is the last row.
        width: Characters of a line; what does not fit is cut off.
    """
    rows = pd.concat([results.scores, results.baseline])
    titles = [[results.metric], *(wrapped(t, 12) for t in results.shorts.values()), ["name"]]
    cells = [
        [_interval(*row) for row in rows[SCORE].to_numpy(float)],
        *([cut(text, 18) for text in rows[key]] for key in results.shorts),
        list(rows.index),
    ]
    height = max(map(len, titles))
    columns = [t + [""] * (height - len(t)) + c for t, c in zip(titles, cells, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in zip(*columns, strict=True)]
    return "\n".join(cut(line, width) for line in lines)


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.4f}" if np.isnan(low) else f"{value:.4f} [{low:.4f}, {high:.4f}]"


def wrapped(key: str, width: int) -> list[str]:
    """Return the words of a key as lines of at most `width` characters.

    Args:
        key: Such as "augment.cutout.rate".
        width: Of a line; a longer word is divided.
    """
    return textwrap.wrap(re.sub("[._]", " ", key), width)


def cut(text: str, n: int) -> str:
    """Return the first `n` characters of a text, the last of them "…" if more are left out.

    Args:
        text: One line.
        n: At least 1.
    """
    return text if len(text) <= n else f"{text[: n - 1]}…"
