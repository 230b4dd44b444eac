"""The report on a pull request as Markdown."""

import json
from collections.abc import Iterable

from skinlesion.experiments import pull_request, stage_graph
from skinlesion.experiments.changes import Metric
from skinlesion.experiments.pull_request import HOLDOUT, SETS, Facts, Params, shortened

__all__ = ["markdown"]

MEASURES = {"pauc": "pAUC", "auc": "AUC"}
LIMITS = ("_low", "_high")  # of a metric's own interval
OF_THE_LAST_RUN = (
    "**dvc.lock is not current: these metrics are those of the last run, not of this commit.** "
    "`dvc repro` would run {stages}."
)
LEGEND = (
    "Amber: its command, a param, an input or an output is another one. Green: added. Dashed red: "
    "removed. Plain: next to one of these."
)


def markdown(facts: Facts, p: Params) -> str:
    """Write the report.

    Args:
        facts: What is known of the pull request.
        p: The block `pull_request`.

    Returns:
        Markdown as GitHub and GitLab show it, without pictures. A hash is not quoted, so that
        both make it a link.
    """
    blocks = [
        f"## Report on {facts.head}, compared with {facts.before}",
        *_verdict(facts, p),
        *_metrics(facts),
        *_params(facts),
        *_data(facts),
        *_stages(facts),
        *_files(facts),
    ]
    return "\n\n".join(blocks) + "\n"


def _verdict(facts: Facts, p: Params) -> list[str]:
    found = pull_request.objections(facts, p)
    words = f"**Gate: {pull_request.verdict(facts, p)}.**"
    if not found:
        return [f"{words} {pull_request.pauc_sentence(facts, p)}"]
    return [words, "\n".join(f"- {sentence}" for sentence in found)]


def _metrics(facts: Facts) -> list[str]:
    keys = sorted((key for key in facts.metrics if not key.endswith(LIMITS)), key=_place)
    note = (
        f"No interval of the difference: {facts.compared}"
        if isinstance(facts.compared, str)
        else "The interval is of the difference, from a paired bootstrap over patients."
    )
    head = ["metric", "before", "after", "difference", f"{100 * facts.confidence:g} % interval"]
    warning = [OF_THE_LAST_RUN.format(stages=shortened(facts.stale))] if facts.stale else []
    table = _table(head, [_metric(key, facts) for key in keys])
    return ["### Metrics", *warning, table, note, *([facts.roc] if facts.roc else [])]


def _metric(key: str, facts: Facts) -> list[str]:
    of, _, measure = key.rpartition(".")
    sides = [
        _value(*(facts.metrics.get(key + end, Metric())[side] for end in ("", *LIMITS)))
        for side in (0, 1)
    ]
    change, interval = facts.metrics[key].difference, facts.difference(key)
    return [
        f"{SETS.get(of, of)} {MEASURES.get(measure, measure)}".strip(),
        *sides,
        "" if change is None else _figure(change, "+"),
        _range(interval["low"], interval["high"], "+.4f"),
    ]


def _params(facts: Facts) -> list[str]:
    if not facts.params:
        return ["### Params", "None changed."]
    rows = [[f"`{key}`", _code(c.before), _code(c.after)] for key, c in facts.params.items()]
    return ["### Params", _table(["param", "before", "after"], rows)]


def _data(facts: Facts) -> list[str]:
    lock = "dvc.lock is not current." if facts.stale else "dvc.lock is current."
    if facts.not_in_remote is None:
        remote = "Not looked at: whether its data is on the remote. This run has no credentials."
    elif facts.not_in_remote:
        remote = f"Of its data, {len(facts.not_in_remote):,} paths are not on the remote."
    else:
        remote = "All of its data is on the remote."
    listed = [f"- {kind}: {shortened(paths)}" for kind, paths in facts.outs.items() if paths]
    outs = "Outs that differ:\n\n" + "\n".join(listed) if listed else "No out differs."
    return ["### Data", f"{lock} {remote}", outs]


def _stages(facts: Facts) -> list[str]:
    drawn = stage_graph.mermaid(facts.graph)
    if not drawn:
        return ["### Stages", "None changed."]
    words = [
        f"{kind}: {shortened(names)}"
        for kind in (stage_graph.ADDED, stage_graph.CHANGED, stage_graph.REMOVED)
        if (names := facts.graph.named(kind))
    ]
    title = "; ".join(words) or "arrows only"
    folded = f"<details><summary>Their graph</summary>\n\n{drawn}\n\n{LEGEND}\n\n</details>"
    return ["### Stages", f"{title[0].upper()}{title[1:]}.", folded]


def _files(facts: Facts) -> list[str]:
    links = [f"[{name}]({name})" for name in facts.files]
    blocks = [f"{', '.join(links)}." if links else "There are none."]
    if facts.absent:
        blocks.append("Not there:\n" + "\n".join(f"- {what}" for what in facts.absent))
    return ["### Full report and curves", *blocks]


def _place(key: str) -> tuple[bool, bool, str]:
    """The holdout first, and the pAUC before what else is measured."""
    return not key.startswith(HOLDOUT), not key.endswith(".pauc"), key


def _value(value: float | None, low: float | None, high: float | None) -> str:
    own = _range(low, high, ".3f")
    return "-" if value is None else _figure(value) + (f" ({own})" if own else "")


def _figure(value: float, sign: str = "") -> str:
    """A count as it is, any other number to four decimals and never as -0."""
    if isinstance(value, int):
        return f"{value:{sign},}"
    return f"{round(value, 4) + 0.0:{sign}.4f}"


def _range(low: float | None, high: float | None, digits: str) -> str:
    return "" if low is None or high is None else f"{low:{digits}} to {high:{digits}}"


def _code(value: object) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value)  # DVC has lists as text already
    return f"`{text.replace('`', '')}`"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]  # figures to the right
    safe = [[cell.replace("|", "\\|") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in safe)
