"""Sweeps: call each combination of a grid by what it sets, and compare what came of them.

DVC expands the grid, queues, runs and stores. Left to itself it calls queued experiments
"eager-wage" or "name-1"; a name made of the settings can be read, and tells whether a
combination is there already.
"""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from dvc.exceptions import DvcException
from dvc.utils.hydra import get_hydra_sweeps, to_hydra_overrides
from hydra.errors import HydraException
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skinlesion.errors import InputError
from skinlesion.params import nearest

__all__ = ["Results", "draw", "named", "read", "short", "table"]

MAX_NAME = 150  # characters; a git ref is a file's name, 255 bytes at most
SCORE = ["value", "low", "high"]
BLUE, ORANGE, GREY = "#4477aa", "#ee7733", "#777777"

# === Names ===


def short(key: str, known: Sequence[str]) -> str:
    """Shorten a dotted key to the fewest last parts that no other key ends with.

    Args:
        key: One of `known`, such as "augment.cutout.rate".
        known: The dotted keys of all params, so that a key is short alike in every sweep.
    """
    parts = key.split(".")
    for n in range(1, len(parts)):
        tail = ".".join(parts[-n:])
        if sum(f".{other}".endswith(f".{tail}") for other in known) == 1:
            return tail
    return key


def named(
    overrides: Sequence[str], known: Sequence[str], *, prefix: str = ""
) -> dict[str, list[str]]:
    """Expand a grid as `dvc exp run --queue -S` does, and name its combinations.

    Args:
        overrides: Each "key=value", "key=a,b", "key=range(3)" or "key=[0,1],[2]".
        known: The dotted keys of all params.
        prefix: What each name begins with, so that sweeps can be told apart.

    Returns:
        The overrides of each combination by its name, such as "cutout-rate-0.5_train-seed-1".
        A name is a valid git ref, and does not depend on the order of the overrides.

    Raises:
        InputError: An override cannot be expanded or does not set a known key, or two
            combinations have the same name.

    Source:
        https://hydra.cc/docs/advanced/override_grammar/extended/
    """
    try:
        grid = get_hydra_sweeps({"params.yaml": list(overrides)})
    except (HydraException, DvcException) as error:
        raise InputError(f"-S must be KEY=VALUES as for `dvc exp run`. {error}") from None
    found: dict[str, list[str]] = {}
    for settings in (combination["params.yaml"] for combination in grid):
        name = _name(settings, known, prefix)
        if name in found:
            raise InputError(f"each combination must have a name of its own. Got {name} twice.")
        found[name] = settings
    return found


def _name(settings: Sequence[str], known: Sequence[str], prefix: str) -> str:
    words = [prefix] if prefix else []
    for override in sorted(to_hydra_overrides(settings), key=lambda o: o.key_or_group):
        key = override.get_key_element()  # "+key" where the override adds one
        if key not in known:
            raise InputError(f"-S must set a param. There is no {key}.{nearest(key, known)}")
        words.append(f"{short(key, known)}-{_of_name(override.value())}")
    name = "_".join(map(_slug, words))
    if len(name) <= MAX_NAME:
        return name
    return f"{name[:MAX_NAME]}-{sha256(repr(words).encode()).hexdigest()[:8]}"


def _of_name(value: object) -> str:
    if isinstance(value, list):
        return "-".join(map(_of_name, value)) or "empty"
    if isinstance(value, float):
        return f"{value:.10g}"  # 0 and 0.0 are one setting
    return value if isinstance(value, str) else json.dumps(value)


def _slug(word: str) -> str:
    # git forbids ".." and a last ".lock", among others: full stops stay between digits only.
    return re.sub(r"(?<!\d)\.|\.(?!\d)|[^A-Za-z0-9.+-]+", "-", word).strip("-")


# === Results ===


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
    table = pd.DataFrame(rows)
    columns = [metric, f"{metric}_low", f"{metric}_high"]
    scores = table.reindex(columns=columns).apply(pd.to_numeric, errors="coerce")
    # DVC shows those that failed or run with the metrics of the commit that they started from.
    scores[table["State"].isin(["Queued", "Running", "Failed"])] = np.nan
    table = scores.set_axis(SCORE, axis="columns").join(table.map(_shown))
    is_commit = table["typ"] == "baseline"
    of_sweep = table[~is_commit & table["Experiment"].map(lambda name: fnmatchcase(name, match))]
    done = of_sweep.dropna(subset="value").set_index("Experiment").sort_index()
    if done.empty:
        hint = "" if metric in table else nearest(metric, table.columns)
        raise InputError(
            f"an experiment of a name like {match!r} must have the metric {metric}. "
            f"Got {len(of_sweep)} experiments of this commit, none with it.{hint}"
        )
    done = done.sort_values("value", ascending=False, kind="stable")
    present = [key for key in known if key in done]
    swept = [key for key in present if done[key].nunique() > 1]
    commits = table[is_commit & (table["rev"] != "workspace")].dropna(subset="value")
    fixed = done.iloc[0][[key for key in present if key not in swept]]
    others = of_sweep[of_sweep["value"].isna() & ~of_sweep["Experiment"].isin(done.index)]
    return Results(
        metric,
        done[[*SCORE, *swept]],
        {key: short(key, known) for key in swept},
        commits[:1].rename(lambda i: _baseline(commits.loc[i], fixed, known))[[*SCORE, *swept]],
        others["State"].value_counts().sort_index().to_dict(),
    )


def _baseline(commit: pd.Series, fixed: pd.Series, known: Sequence[str]) -> str:
    # What the sweep does not vary, but sets otherwise, is part of the difference.
    differs = [key for key in fixed.index if commit[key] != fixed[key]]
    return ", ".join(["baseline", *(f"{short(key, known)} {commit[key]}" for key in differs)])


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value).replace("'", "").replace(", ", ",")  # a list as one writes it with -S
    return {"None": "null", "True": "true", "False": "false"}.get(text, text)


def table(results: Results, *, width: int = 100) -> str:
    """Set out results as text: the metric with its interval, swept params, name; best first.

    Args:
        results: From `read`. The baseline, where it has the metric, is the last row.
        width: Characters of a line; what does not fit is cut off.
    """
    rows = pd.concat([results.scores, results.baseline])
    titles = [[results.metric], *(_wrapped(t, 12) for t in results.shorts.values()), ["name"]]
    cells = [
        [_interval(*row) for row in rows[SCORE].to_numpy(float)],
        *([_cut(text, 18) for text in rows[key]] for key in results.shorts),
        list(rows.index),
    ]
    height = max(map(len, titles))
    columns = [t + [""] * (height - len(t)) + c for t, c in zip(titles, cells, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in zip(*columns, strict=True)]
    return "\n".join(_cut(line, width) for line in lines)


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.4f}" if np.isnan(low) else f"{value:.4f} [{low:.4f}, {high:.4f}]"


def _wrapped(title: str, width: int) -> list[str]:
    return textwrap.wrap(re.sub("[._]", " ", title), width)


def _cut(text: str, n: int) -> str:
    return text if len(text) <= n else f"{text[: n - 1]}…"


# === Picture ===


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
            label = textwrap.fill(_cut(str(name), 60), 20)
            axes.axhline(value, color=GREY, linestyle="--", label=label)
        axes.set_xlabel("\n".join(_wrapped(title, 24)), fontsize=13)
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
    labels = [_cut(values[i], 20) for i in at]
    tilt = 30 if len("".join(labels)) > 22 else 0
    side = "right" if tilt else "center"
    axes.set_xticks(at, labels, fontsize=11, rotation=tilt, ha=side, rotation_mode="anchor")


def _order(value: str) -> tuple[bool, float, str]:
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value  # after the numbers
